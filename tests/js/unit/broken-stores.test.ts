// Stores that hang, throw or lie in the middle of a migration: a stable code, a sentence that names the
// store and the key, nothing called verified, and once the store is mended the journal goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, inspectJournal, type KeyhaulError, memoryJournal, type MigrateOptions, type MigrationError, migrate, resume, type ScanPage, type Store } from '../../../dist/index.js'
import { gatedStore } from '../../../dist/live/index.js'
import { memoryStore, type MemoryStore } from '../../../dist/stores/memory.js'

const COUNT = 2000
const keyOf = (i: number): string => `k${String(i).padStart(6, '0')}`
const text = (key: Uint8Array | string | undefined): string => (typeof key === 'string' ? key : Buffer.from(key ?? []).toString())

function filled(name: string): MemoryStore {
  const store = memoryStore({ name })
  for (let i = 0; i < COUNT; i++) store.put(keyOf(i), `value ${i}`)
  return store
}

/** Breaks one method while `sick.now` says so. */
function faulty(base: MemoryStore, sick: { now: boolean }, change: (base: MemoryStore) => Partial<Store>): Store {
  const healthy = { scan: base.scan.bind(base), apply: base.apply.bind(base) }
  const broken = { ...healthy, ...change(base) }
  return {
    name: base.name,
    identity: base,
    capabilities: new Set(['scan', 'apply']),
    scan: (range, options) => (sick.now ? broken : healthy).scan(range, options),
    apply: (writes, options) => (sick.now ? broken : healthy).apply(writes, options)
  }
}

const reaches = (key: Uint8Array | undefined, i: number): boolean => text(key) >= keyOf(i)
const changed = (base: MemoryStore, change: (page: ScanPage) => ScanPage): Partial<Store> => ({
  // From the page of k000600 on.
  scan: async (range, options) => {
    const page = await base.scan(range, options)
    return reaches(range.gte, 500) ? change(page) : page
  }
})

const forever = (): Promise<never> => new Promise(() => {})
const swap = <T>(list: readonly T[], i: number, j: number): T[] => list.map((item, at) => list[at === i ? j : at === j ? i : at] ?? item)

interface Case {
  readonly what: string
  readonly side: 'from' | 'to'
  readonly code: string
  /** In the message, after the store and the key. */
  readonly says: RegExp
  /** The key that is named; with pages of 100 entries. */
  readonly key: RegExp
  readonly change: (base: MemoryStore) => Partial<Store>
}

const CASES: readonly Case[] = [
  { what: 'a scan that throws', side: 'from', code: 'KEYHAUL_STORE_FAILED', says: /disk on fire/, key: /^k000599$/, change: (base) => changed(base, () => { throw new Error('disk on fire') }) },
  { what: 'a scan that throws text', side: 'from', code: 'KEYHAUL_STORE_FAILED', says: /no idea/, key: /^k000599$/, change: (base) => changed(base, () => { throw 'no idea' }) },
  { what: 'a scan that throws at once', side: 'from', code: 'KEYHAUL_STORE_FAILED', says: /at once/, key: /^k000599$/, change: (base) => ({ scan: (range, options) => { if (reaches(range.gte, 500)) throw new Error('at once'); return base.scan(range, options) } }) },
  { what: 'a scan that hangs', side: 'from', code: 'KEYHAUL_STORE_STALLED', says: /did not answer.*then resume/, key: /^k000599$/, change: (base) => ({ scan: (range, options) => (reaches(range.gte, 500) ? forever() : base.scan(range, options)) }) },
  { what: 'a scan without a page', side: 'from', code: 'KEYHAUL_STORE_FAULTY', says: /did not return pairs of Uint8Arrays/, key: /^k000599$/, change: (base) => changed(base, () => undefined as never) },
  { what: 'a scan with holes', side: 'from', code: 'KEYHAUL_STORE_FAULTY', says: /did not return pairs of Uint8Arrays/, key: /^k000599$/, change: (base) => changed(base, (page) => ({ ...page, entries: [undefined as never] })) },
  { what: 'an unordered page', side: 'from', code: 'KEYHAUL_SCAN_UNORDERED', says: /out of order or twice/, key: /^k000602$/, change: (base) => changed(base, (page) => ({ ...page, entries: swap(page.entries, 2, 3) })) },
  { what: 'a key twice', side: 'from', code: 'KEYHAUL_SCAN_UNORDERED', says: /out of order or twice/, key: /^k000607$/, change: (base) => changed(base, (page) => ({ ...page, entries: page.entries.map((entry, i) => (i === 8 ? (page.entries[7] as never) : entry)) })) },
  { what: 'a page of before', side: 'from', code: 'KEYHAUL_SCAN_OUT_OF_RANGE', says: /outside the scanned range/, key: /^k000000$/, change: (base) => ({ scan: (range, options) => base.scan(reaches(range.gte, 500) ? { lt: range.lt } : range, options) }) },
  { what: 'an oversize page', side: 'from', code: 'KEYHAUL_SCAN_OVERSIZE', says: /far over the byte limit/, key: /^k000599$/, change: (base) => ({ scan: (range, options) => base.scan(range, reaches(range.gte, 500) ? { maxEntries: 1e9, maxBytes: 1e9 } : options) }) },
  { what: 'an empty page without END', side: 'from', code: 'KEYHAUL_SCAN_NO_END', says: /without saying END/, key: /^k000599$/, change: (base) => changed(base, () => ({ entries: [], end: false })) },
  { what: 'an apply that throws', side: 'to', code: 'KEYHAUL_STORE_FAILED', says: /no ink/, key: /^k000500$/, change: (base) => ({ apply: async (writes, options) => { if (reaches(writes[0]?.[0], 500)) throw new Error('no ink'); return base.apply(writes, options) } }) },
  { what: 'a scan with a mistake in it', side: 'from', code: 'KEYHAUL_STORE_FAULTY', says: /TypeError: Cannot read.*'rows'.*; mend it, then resume$/, key: /^k000599$/, change: (base) => changed(base, () => (undefined as never as { rows: never }).rows) },
  { what: 'an apply with a mistake in it', side: 'to', code: 'KEYHAUL_STORE_FAULTY', says: /ReferenceError: \w+ is not defined; mend it, then resume$/, key: /^k000500$/, change: (base) => ({ apply: async (writes, options) => { if (reaches(writes[0]?.[0], 500)) throw new ReferenceError('nobody is not defined'); return base.apply(writes, options) } }) },
  { what: 'an apply that hangs', side: 'to', code: 'KEYHAUL_STORE_STALLED', says: /did not answer/, key: /^k000500$/, change: (base) => ({ apply: (writes, options) => (reaches(writes[0]?.[0], 500) ? forever() : base.apply(writes, options)) }) },
  { what: 'a target that gives unordered pages back', side: 'to', code: 'KEYHAUL_SCAN_UNORDERED', says: /out of order or twice/, key: /^k00[01]\d02$/, change: (base) => changed(base, (page) => ({ ...page, entries: swap(page.entries, 2, 3) })) }
]

for (const { what, side, code, says, key, change } of CASES) {
  test(`${what}: ${code}, and resumable`, async () => {
    for (const lanes of [1, 3]) {
      const sick = { now: true }
      const stores = { from: filled('the source'), to: memoryStore({ name: 'the target' }) }
      const journal = memoryJournal()
      const options: MigrateOptions = { ...stores, [side]: faulty(stores[side], sick, change), journal, pageEntries: 100, pageBytes: 65_536, durablePages: 2, lanes }
      const ranges: MigrateOptions['ranges'] = lanes === 1 ? undefined : [['k0000', 'k000999'], ['k001000', 'k001499'], ['k0015', 'k1']]
      const engine = new Engine({ retries: 1, stallMs: 30 })
      const run = await engine.migrate({ ...options, ...(ranges === undefined ? {} : { ranges }) })
      const error = (await run.done.then(() => assert.fail('it ended well'), (reason: unknown) => reason)) as MigrationError
      engine.close()
      assert.equal(error.code, code, error.message)
      assert.equal(error.store, stores[side].name)
      assert.match(error.message, new RegExp(`^store ${stores[side].name}, key \\S+: .*${says.source}`))
      assert.ok(error.message.includes(`key ${text(error.key)}:`), error.message)
      if (lanes === 1) assert.match(text(error.key), key)
      assert.equal(error.receipt, undefined)
      const info = inspectJournal(journal.bytes)
      assert.deepEqual([info.stopped, info.resumable], [code, true])
      sick.now = false
      const receipt = await resume({ from: options.from, to: options.to, journal }).done
      assert.deepEqual([receipt.verified, receipt.entries, receipt.incarnations], [true, COUNT, 2])
      assert.deepEqual([...stores.to], [...stores.from])
    }
  })
}

test('an END that lies is found by reading again, and the first missing key is named', async () => {
  // Once: the scan of the copy ends early. `verify: both` reads the source again.
  const from = filled('a')
  const sick = { now: true }
  const early = faulty(from, sick, (base) => ({
    scan: async (range, options) => {
      const page = await base.scan(range, options)
      if (!reaches(range.gte, 500)) return page
      sick.now = false
      return { ...page, end: true }
    }
  }))
  const to = memoryStore({ name: 'b' })
  const short = await migrate({ from: early, to, pageEntries: 100, verify: 'both' }).done.catch((error: unknown) => error as MigrationError) as MigrationError
  assert.equal(short.code, 'KEYHAUL_VERIFY_MISMATCH')
  assert.match(short.message, /^b differs from a: 1300 missing, 0 extra, 0 changed, first missing key k000700; .*repair/)
  assert.equal(short.receipt?.verified, false)
  const mended = await migrate({ from, to, mode: 'verify', repair: true }).done
  assert.deepEqual([mended.verified, mended.repairs], [true, 1300])
  // Each time, on the target: the default depth finds it.
  const lying = faulty(memoryStore({ name: 'c' }), { now: true }, (base) => changed(base, (page) => ({ ...page, end: true })))
  const hidden = await migrate({ from, to: lying, pageEntries: 100 }).done.catch((error: unknown) => error as MigrationError) as MigrationError
  assert.equal(hidden.code, 'KEYHAUL_VERIFY_MISMATCH')
  assert.match(hidden.message, /^c differs from a: \d+ missing, 0 extra, 0 changed, first missing key k00[01]\d\d\d/)
})

test('a fault that passes is retried, told as a warning, and counted', async () => {
  const from = filled('a')
  let calls = 0
  const moody = faulty(from, { now: true }, (base) => ({ scan: async (range, options) => { if (++calls % 4 === 2) throw new Error('try again'); return base.scan(range, options) } }))
  const warnings: KeyhaulError[] = []
  const run = await new Engine().migrate({ from: moody, to: memoryStore({ name: 'b' }), pageEntries: 500 })
  run.on('warning', (warning) => warnings.push(warning))
  const receipt = await run.done
  assert.equal(receipt.verified, true)
  assert.ok(receipt.retries > 0)
  assert.equal(warnings.length, receipt.retries)
  assert.match(warnings[0]?.message ?? '', /^store a, key k\d+: try again/)
})

test('a capability that nothing honours is refused, on either side and behind a gate', async () => {
  const declaring = (name: string, ...more: string[]): Store => {
    const base = memoryStore({ name })
    return { name, identity: base, capabilities: new Set(['scan', 'apply', ...more] as never[]), scan: base.scan.bind(base), apply: base.apply.bind(base) }
  }
  for (const one of ['snapshot', 'hook', 'ttl', 'Scan']) {
    const refusal = { code: 'KEYHAUL_UNSUPPORTED', message: new RegExp(`^store x: it declares ${one}, which keyhaul does not honour`) }
    await assert.rejects(migrate({ from: declaring('x', one), to: declaring('y') }).done, refusal)
    await assert.rejects(migrate({ from: declaring('y'), to: declaring('x', one) }).done, refusal)
    assert.throws(() => gatedStore(declaring('x', one)), refusal)
  }
  assert.equal((await migrate({ from: declaring('x'), to: declaring('y', 'stats') }).done).state, 'done')
  // What only versions make up for is refused where one of the two has none.
  const needsVersions = { code: 'KEYHAUL_UNSUPPORTED', message: /missing: version/ }
  for (const [from, to] of [[['feedEarly'], []], [['feedEarly', 'version'], []], [['feedEarly'], ['version']], [[], ['feedEarly']]] as const) {
    await assert.rejects(migrate({ from: declaring('x', ...from), to: declaring('y', ...to) }).done, needsVersions)
  }
})

/** As Node, Chromium, Firefox and Safari say it; only Node gives a cause. */
const NETWORK: readonly Error[] = [
  new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') }),
  new TypeError('terminated', { cause: new Error('other side closed') }),
  new TypeError('Failed to fetch'),
  new TypeError('network error'),
  new TypeError('NetworkError when attempting to fetch resource.'),
  new TypeError('Load failed'),
  new TypeError('The network connection was lost.'),
  new TypeError('Cannot read properties of undefined (reading \'body\')', { cause: new Error('socket hang up') })
]
/** Of V8, SpiderMonkey, JavaScriptCore and Node. */
const MISTAKES: readonly Error[] = [
  new TypeError("Cannot read properties of null (reading 'x')"),
  new TypeError("Cannot destructure property 'a' of 'undefined' as it is undefined."),
  new TypeError('store.find is not a function'),
  new TypeError('undefined is not iterable (cannot read property Symbol(Symbol.iterator))'),
  new TypeError("can't access property \"x\", a is undefined"),
  new TypeError("undefined is not an object (evaluating 'a.x')"),
  new TypeError('The "key" argument must be of type string. Received undefined'),
  new ReferenceError("Can't find variable: nobody")
]

test('a mistake of an adapter is told at once, a network that fails is tried again, whatever it calls itself', async () => {
  let scans = 0
  const thrown = (error: Error): Store => faulty(filled('a'), { now: true }, () => ({ scan: async () => { scans++; throw error } }))
  for (const error of MISTAKES) {
    scans = 0
    const end = (await migrate({ from: thrown(error), to: memoryStore({ name: 'b' }) }).done.catch((reason: unknown) => reason)) as MigrationError
    assert.equal(end.code, 'KEYHAUL_STORE_FAULTY', error.message)
    assert.deepEqual([end.retryable, end.cause], [false, error])
    assert.equal(scans, 1, 'it was tried again')
  }
  for (const error of NETWORK) {
    const once = { now: true }
    const from = faulty(filled('a'), once, () => ({ scan: async () => { once.now = false; throw error } }))
    const receipt = await migrate({ from, to: memoryStore({ name: 'b' }) }).done
    assert.deepEqual([receipt.verified, receipt.retries], [true, 1], error.message)
  }
})

test('of a page the entries are asked for once, and written as they were counted', async () => {
  const once = ({ entries, end }: ScanPage): ScanPage => {
    const left = [...entries]
    return { end, get entries() { return left.splice(0) } }
  }
  const from = faulty(filled('a'), { now: true }, (base) => ({ scan: async (range, options) => once(await base.scan(range, options)) }))
  const to = memoryStore({ name: 'b' })
  const receipt = await migrate({ from, to }).done
  assert.deepEqual([receipt.verified, receipt.repairs, to.size], [true, 0, COUNT])
})

test('a store that forgot to say what it has is told so by name', async () => {
  const bare = (name: string): Store => ({ ...faulty(memoryStore({ name }), { now: false }, () => ({})), capabilities: new Set() })
  for (const [from, to, name] of [[bare('x'), filled('y'), 'x'], [filled('x'), bare('y'), 'y']] as const) {
    await assert.rejects(migrate({ from, to }).done, { code: 'KEYHAUL_UNSUPPORTED', store: name, message: new RegExp(`^store ${name}: level 0 cannot be given: missing: scan(, apply)?$`) })
  }
})

test('a key of a target that is not empty is named, also one that cannot be seen', async () => {
  const refusalOf = async (...keys: (string | Uint8Array)[]): Promise<KeyhaulError> => {
    const to = memoryStore({ name: 'b' })
    for (const key of keys) to.put(key, 'v')
    return migrate({ from: filled('a'), to }).done.then(() => assert.fail('it was taken'), (error: KeyhaulError) => error)
  }
  assert.match((await refusalOf('k7')).message, /^store b, key k7: the target already holds keys in the range; /)
  assert.match((await refusalOf('k7', 'k8', 'k9')).message, /^store b, key k[789]: /)
  assert.match((await refusalOf(Uint8Array.of(0, 27))).message, /^store b, key hex:001b: /)
  assert.match((await refusalOf('')).message, /^store b, key hex:: /)
  assert.match((await refusalOf('k'.repeat(5000))).message, /^store b, key k{200}\.\.\.: /)
})
