// What a program in JavaScript gets wrong is told, and nothing else happens: no copy where a live move was
// meant, no delete where a value was missing, no promise that never settles.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as alone from '../../../dist/checksum/index.js'
import { crc32, Engine, type EngineOptions, type JournalStore, type KeyhaulError, memoryJournal, type MigrateOptions, migrate, resume, type Store } from '../../../dist/index.js'
import { assignRange, gatedStore, shardedStore } from '../../../dist/live/index.js'
import { memoryRegister } from '../../../dist/register/memory.js'
import { levelStore } from '../../../dist/stores/level.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import { MemoryLevel } from 'memory-level'

const refusal = (pattern: RegExp) => (error: KeyhaulError): boolean => {
  assert.equal(error.code, 'KEYHAUL_INVALID_ARGUMENT', String(error))
  assert.match(error.message, pattern)
  return true
}
const source = (count = 2): Store => memoryStore({ name: 'a', entries: Array.from({ length: count }, (_, i) => [`k${i}`, 'v'] as const) })

test('a flag that is neither true nor false is none, and what is of a live move makes no copy', async () => {
  const register = memoryRegister()
  for (const [given, pattern] of [
    [{ live: 1 }, /^live is 1; it must be true or false$/],
    [{ live: 'yes', register }, /(live is yes; it must be true or false|register needs live: true)$/],
    [{ repair: 'yes' }, /^repair is yes; /],
    [{ intoNonempty: 1 }, /^intoNonempty is 1; /],
    [{ follow: {} }, /^follow is /],
    [{ register }, /^register needs live: true$/],
    [{ pauseBudgetMs: 50 }, /^pauseBudgetMs needs live: true$/],
    [{ share: 1 }, /^share needs live: true$/],
    [{ reverseWindowMs: 50 }, /^reverseWindowMs needs live: true$/],
    [{ stopWrites: () => {} }, /^stopWrites needs live: true$/],
    [{ signal: {} }, /^signal is .*; it must be an AbortSignal$/],
    // As an EventEmitter is: its end could not be waited for.
    [{ signal: { addEventListener: () => {} } }, /^signal is .*; it must be an AbortSignal$/],
    [{ hostInfo: 5n }, /^hostInfo: .*BigInt/],
    [{ journal: {} }, /^journal is .*; it must be a path or a JournalStore$/],
    [{ journal: '' }, /path of the journal is empty$/]
  ] as [object, RegExp][]) {
    const to = memoryStore({ name: 'b' })
    await assert.rejects(migrate({ from: source(), to, ...given } as MigrateOptions).done, refusal(pattern))
    assert.equal(to.size, 0, JSON.stringify(Object.keys(given)))
  }
})

test('live: a register that is none, and a share that is none, begin nothing', async () => {
  const stores = { from: gatedStore(memoryStore({ name: 'c' })), to: gatedStore(memoryStore({ name: 'd' })) }
  for (const register of [{}, { read: async () => ({ version: 0, document: new Uint8Array(0) }) }] as never[]) await assert.rejects(migrate({ live: true, ...stores, register }).done, refusal(/needs the `register`/))
  for (const share of [0, 1.5, '1' as never]) {
    const run = migrate({ live: true, ...stores, register: memoryRegister(), share })
    if (share === ('1' as never)) await assert.rejects(run.done, { code: 'KEYHAUL_NOT_OWNER' })
    else await assert.rejects(run.done, refusal(/^share is .*; it must be more than 0, and at most 1$/))
  }
})

test('an engine has only the options that it has', () => {
  for (const [given, pattern] of [
    [{ slot: 1 }, /^there is no option slot$/],
    [{ slots: -1 }, /^slots is -1; /],
    // No number, and less than one, would be no limit.
    [{ slots: 'two' as never }, /^slots is two; it must be a whole number of 0 or more$/],
    [{ slots: 0.5 }, /^slots is 0.5; /],
    [{ sourceSlots: true as never }, /^sourceSlots is true; /],
    [{ stallMs: '30s' as never }, /^stallMs is 30s; /],
    [{ stallMs: Number.NaN }, /^stallMs is NaN; /],
    [{ retries: Number.POSITIVE_INFINITY }, /^retries is Infinity; /]
  ] as [EngineOptions, RegExp][]) assert.throws(() => new Engine(given), refusal(pattern))
  new Engine({ slots: 1, sourceSlots: 1, targetSlots: 1, rate: 1, progressEveryMs: 1, stallMs: 1, retries: 1, verifyRounds: 1, differencesMax: 1 }).close()
})

test('a resume without a journal, or with what it does not take', async () => {
  const stores = { from: source(), to: memoryStore({ name: 'b' }) }
  await assert.rejects(resume(stores as never).done, refusal(/^journal is undefined; it must be a path or a JournalStore$/))
  await assert.rejects(resume({ ...stores, jurnal: 'x' } as never).done, refusal(/^there is no option jurnal$/))
  await assert.rejects(resume({ ...stores, journal: './none', ranges: 'all' } as never).done, refusal(/^there is no option ranges$/))
})

test('nothing at all is no plan, and names what is missing', async () => {
  const engine = new Engine()
  for (const run of [migrate(undefined as never).done, engine.migrate(undefined as never), engine.resume(undefined as never), engine.resume({ journal: 'j' } as never)]) {
    await assert.rejects(run, { name: 'KeyhaulError', code: 'KEYHAUL_INVALID_ARGUMENT', message: /a store has name/ })
  }
  engine.close()
})

test('two migrations do not write one journal, and the next one may', async () => {
  const journal = memoryJournal()
  const engine = new Engine()
  const first = await engine.migrate({ from: source(5000), to: memoryStore({ name: 'b' }), journal, pageEntries: 10 })
  await assert.rejects(engine.migrate({ from: source(), to: memoryStore({ name: 'c' }), journal }), { code: 'KEYHAUL_JOURNAL_IN_USE' })
  await assert.rejects(resume({ from: source(), to: memoryStore({ name: 'b' }), journal }).done, { code: 'KEYHAUL_JOURNAL_IN_USE' })
  await first.done
  await assert.rejects(engine.migrate({ from: source(), to: memoryStore({ name: 'b' }), journal }), { code: 'KEYHAUL_ALREADY_COMPLETE' })
  engine.close()
})

test('a migration that is abandoned while it appends is over before the next one reads its journal', async () => {
  const base = memoryJournal()
  const appending: (() => void)[] = []
  let underWay: Promise<void> = Promise.resolve()
  const journal: JournalStore = {
    name: 'slow',
    read: base.read,
    truncate: base.truncate,
    append: (bytes) => {
      underWay = new Promise<void>((land) => appending.push(land)).then(() => base.append(bytes))
      return underWay
    },
    close: () => underWay
  }
  const stores = { from: source(5000), to: memoryStore({ name: 'b' }) }
  const first = new Engine()
  const run = await first.migrate({ ...stores, journal })
  while (appending.length === 0) await new Promise(setImmediate)
  first.close()
  await assert.rejects(run.done, { code: 'KEYHAUL_CLOSED' })
  const second = resume({ ...stores, journal })
  setTimeout(() => {
    for (const land of appending) land()
  }, 20)
  // Every later one lands at once.
  appending.push = ((land: () => void) => land()) as never
  assert.equal((await second.done).verified, true)
})

test('what has ended is that, also while its journal is being closed', async () => {
  const engine = new Engine()
  let closed = (): void => {}
  const journal = { ...memoryJournal(), close: () => new Promise<void>((resolve) => { closed = resolve }) }
  const run = await engine.migrate({ from: source(), to: memoryStore({ name: 'b' }), journal })
  await new Promise<void>((resolve) => run.on('state', (state) => state === 'done' && setTimeout(resolve, 1)))
  run.stop()
  for (const verb of ['cancel', 'pause', 'resume', 'finish'] as const) assert.throws(() => run[verb](), { code: 'KEYHAUL_ALREADY_COMPLETE' })
  assert.throws(() => run.setRate(1), { code: 'KEYHAUL_ALREADY_COMPLETE' })
  closed()
  assert.equal((await run.done).state, 'done')
  engine.close()
})

for (const [what, change] of Object.entries({
  'that throws at once': { close: () => { throw new Error('no') } },
  'that rejects': { close: async () => { throw new Error('no') } },
  'that gives no promise': { close: () => {} },
  'that is not there': { close: undefined }
})) {
  test(`a journal with a close() ${what}: the migration ends, and is what it is`, async () => {
    const made = (more: object = {}): JournalStore => ({ ...memoryJournal(), ...change, ...more }) as unknown as JournalStore
    assert.equal((await migrate({ from: source(), to: memoryStore({ name: 'b' }), journal: made() }).done).verified, true)
    const full = made({ append: async () => { throw new Error('no room') } })
    await assert.rejects(migrate({ from: source(), to: memoryStore({ name: 'b' }), journal: full }).done, { code: 'KEYHAUL_JOURNAL_WRITE_FAILED' })
  })
}

test('an event that there is not, and a listener that is none', async () => {
  const engine = new Engine()
  const run = await engine.migrate({ from: source(), to: memoryStore({ name: 'b' }) })
  for (const event of ['done', 'error', 'end', 'stat'] as never[]) assert.throws(() => run.on(event, (() => {}) as never), refusal(/^no event /))
  assert.throws(() => run.on('state', undefined as never), refusal(/no function/))
  assert.equal((await run.done).state, 'done')
  engine.close()
})

test('a store that lacks what every store has is called that', async () => {
  const base = memoryStore({ name: 'x' })
  const whole = { name: 'x', identity: base, capabilities: new Set(['scan', 'apply'] as const), scan: base.scan.bind(base), apply: base.apply.bind(base) }
  for (const without of ['name', 'identity', 'capabilities', 'scan'] as const) {
    const store = { ...whole, [without]: undefined } as unknown as Store
    await assert.rejects(migrate({ from: store, to: memoryStore({ name: 'b' }) }).done, refusal(/^a store has name, identity, .*levelStore\(db\)$/))
    await assert.rejects(migrate({ from: source(), to: store }).done, refusal(/^a store has /))
    assert.throws(() => gatedStore(store), refusal(/^a store has /))
  }
  for (const none of [undefined, null, './a', 5, { ...whole, capabilities: ['scan', 'apply'] }, { ...whole, capabilities: { has: () => true } }] as never[]) await assert.rejects(migrate({ from: none, to: memoryStore({ name: 'b' }) }).done, refusal(/^a store has /))
  await assert.rejects(migrate({ from: whole, to: memoryStore({ name: 'b' }), follow: true }).done, { code: 'KEYHAUL_LEVEL_NOT_MET', message: /^store x: level 1 cannot be given: missing: feed$/ })
})

test('a client that puts no value deletes nothing, and no key is not the empty key', async () => {
  for (const make of [() => memoryStore({ name: 'a' }), () => levelStore(new MemoryLevel(), { name: 'a', feed: true })]) {
    const register = memoryRegister()
    const a = gatedStore(make())
    await assert.rejects(a.get('k'), { code: 'KEYHAUL_MOVED', message: /does not own this key, .*assignRange\(\)/ })
    await assignRange({ register, store: a })
    const db = shardedStore({ stores: { a }, register })
    await db.put('', 'of the empty key')
    await db.put('k', 'v')
    for (const none of [undefined, null, 5, 5n, {}, [1], new Uint16Array(2)] as never[]) {
      for (const clients of [a, db]) {
        for (const call of [() => clients.put('k', none), () => clients.put(none, 'v'), () => clients.del(none), () => clients.get(none), () => clients.getMany([none]), () => clients.batch([[none, Buffer.from('v')]])]) {
          // Not thrown at once: who awaits it has a catch there.
          const answer: Promise<unknown> = call()
          await assert.rejects(answer, refusal(/a key(,)? and a value/))
        }
        if (none !== undefined) await assert.rejects(clients.batch([[Buffer.from('k'), none]]), refusal(/a key(,)? and a value/))
      }
    }
    const all: string[] = []
    for await (const entry of db.iterator()) all.push(entry.map((bytes) => Buffer.from(bytes).toString()).join('='))
    assert.deepEqual(all, ['=of the empty key', 'k=v'])
    db.close()
  }
})

test('a checksum of what has no bytes is a TypeError, not 0', () => {
  for (const none of [undefined, null, 5, {}, new ArrayBuffer(8), [1, 2]] as never[]) assert.throws(() => crc32(none), TypeError)
})

test('a checksum alone that is to go on from what is no checksum is a TypeError, and not that of the first part', () => {
  for (const sum of [alone.crc32, alone.crc32c]) {
    for (const none of ['b', '', null, {}, 5n, Uint8Array.of(1)] as never[]) assert.throws(() => sum('a', none), TypeError)
    assert.equal(sum('a', undefined), sum('a', 0))
    assert.equal(sum('b', sum('a') | 0), sum('ab'), 'also signed, as others give it')
  }
})

test('an error that nobody caught is printed with what it is about, and not with a list of what it is not', async () => {
  const to = memoryStore({ name: 'b', entries: [['k', 'v']] })
  const error = await migrate({ from: source(), to }).done.then(() => assert.fail(), (reason: KeyhaulError) => reason)
  assert.deepEqual(Object.entries(error).filter(([, value]) => value === undefined), [])
  assert.deepEqual([error.store, String(Buffer.from(error.key as Uint8Array)), error.file, error.owner], ['b', 'k', undefined, undefined])
  assert.deepEqual(Object.keys(await migrate({ from: source(), to: {} as Store }).done.catch((reason: unknown) => reason as object)).sort(), ['code', 'name'])
})
