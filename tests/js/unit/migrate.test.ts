import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, KeyhaulError, type MigrationError, memoryJournal, migrate, type Progress, resume, type ScanOptions, type ScanRange, type Store } from '../../../dist/index.js'
import '../../../dist/live/index.js' // preemption comes with it
import { memoryStore, type MemoryStore } from '../../../dist/stores/memory.js'

function filled(name: string, count: number): MemoryStore {
  const store = memoryStore({ name })
  for (let i = 0; i < count; i++) store.put(`k${String(i).padStart(6, '0')}`, 'v'.repeat(i % 60))
  return store
}

const dump = (store: MemoryStore): string =>
  [...store].map(([key, value]) => `${Buffer.from(key).toString('hex')}=${Buffer.from(value).toString('hex')}`).join('\n')

const rejects = (promise: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(promise, (error: unknown) => error instanceof KeyhaulError && error.code === code)

test('copies, verifies, gives a receipt and progress', async () => {
  const from = filled('a', 5000)
  const to = memoryStore({ name: 'b' })
  const states: string[] = []
  const run = migrate({ from, to, pageEntries: 100, durablePages: 5, journal: memoryJournal() })
  for await (const progress of run) if (states.at(-1) !== progress.state) states.push(progress.state)
  const receipt = await run.done
  assert.equal(receipt.verified, true)
  assert.equal(receipt.entries, 5000)
  assert.deepEqual(receipt.digests.source, receipt.digests.target)
  assert.equal(dump(to), dump(from))
  assert.equal(states.at(-1), 'done')
})

test('a checkpoint every 256 pages, where they come within a second', async () => {
  const to = memoryStore({ name: 'b' })
  const durable: number[] = []
  let pages = 0
  const apply: typeof to.apply = async (writes, options) => {
    pages++
    if (options?.durable === true) durable.push(pages)
    await to.apply(writes, options)
  }
  const { copiedPages, durationMs } = await migrate({ from: filled('a', 600), to: Object.assign(Object.create(to) as typeof to, { apply }), pageEntries: 1 }).done
  assert.equal(copiedPages, 600)
  assert.equal(durable.at(-1), 600)
  assert.ok(durable.every((page, i) => page - (durable[i - 1] ?? 0) <= 256))
  if (durationMs < 1000) assert.deepEqual(durable, [256, 512, 600])
})

test('each migration has a digest key of its own: equal data, other sums', async () => {
  const sums = new Set<string>()
  for (let i = 0; i < 2; i++) {
    const receipt = await migrate({ from: filled('a', 100), to: memoryStore({ name: 'b' }) }).done
    assert.equal(receipt.digests.source.entries, 100)
    sums.add(receipt.digests.source.sum)
  }
  assert.equal(sums.size, 2)
})

test('ranges are inclusive at both ends', async () => {
  const from = memoryStore({ name: 'a', entries: [['a', '1'], ['b', '2'], ['b\0', '3'], ['c', '4']] })
  const to = memoryStore({ name: 'b' })
  await migrate({ from, to, ranges: [['a', 'b']] }).done
  assert.deepEqual([...to].map(([key]) => Buffer.from(key).toString()), ['a', 'b'])
})

test('keys and values are bytes: 0x00, 0xff, invalid UTF-8, empty', async () => {
  const from = memoryStore({ name: 'a' })
  for (const key of [[], [0], [0, 0], [0xff], [0xff, 0xff], [0xc3, 0x28], [0x61]]) from.put(Uint8Array.from(key), Uint8Array.from(key).reverse())
  const to = memoryStore({ name: 'b' })
  assert.equal((await migrate({ from, to }).done).entries, 7)
  assert.equal(dump(to), dump(from))
})

test('an entry larger than a page is moved', async () => {
  const from = filled('a', 10)
  from.put('k000004big', new Uint8Array(300_000).fill(7))
  const to = memoryStore({ name: 'b' })
  await migrate({ from, to, pageBytes: 1024 }).done
  assert.equal(dump(to), dump(from))
})

test('move empties the source after verification', async () => {
  const from = filled('a', 1000)
  const to = memoryStore({ name: 'b' })
  const before = dump(from)
  const receipt = await migrate({ from, to, mode: 'move' }).done
  assert.equal(receipt.deletedEntries, 1000)
  assert.equal(from.size, 0)
  assert.equal(dump(to), before)
})

test('writes made meanwhile are followed where the source has a feed (L1)', async () => {
  const from = filled('a', 20_000)
  const to = memoryStore({ name: 'b' })
  const run = await new Engine().migrate({ from, to, pageEntries: 200 })
  let writes = 0
  run.on('progress', () => {})
  const timer = setInterval(() => {
    for (let i = 0; i < 20; i++) from.put(`k${String((writes * 7919) % 25_000).padStart(6, '0')}`, `new ${writes++}`)
    from.delete(`k${String((writes * 31) % 20_000).padStart(6, '0')}`)
    if (writes > 400) clearInterval(timer)
  }, 1)
  const receipt = await run.done
  clearInterval(timer)
  assert.equal(receipt.level, 1)
  assert.equal(receipt.verified, true)
})

test('verify names what differs, repair mends it', async () => {
  const from = filled('a', 2000)
  const to = filled('b', 2000)
  to.delete('k000010')
  to.put('k000500', 'wrong')
  to.put('zzz', 'extra')
  const first = await migrate({ from, to, mode: 'verify' }).done
  assert.equal(first.state, 'mismatch')
  assert.equal(first.verified, false)
  assert.deepEqual(first.different, [
    { key: 'k000010', kind: 'missing' },
    { key: 'k000500', kind: 'changed' },
    { key: 'zzz', kind: 'extra' }
  ])
  const second = await migrate({ from, to, mode: 'verify', repair: true }).done
  assert.equal(second.verified, true)
  assert.equal(second.repairs, 3)
  assert.equal(dump(to), dump(from))
})

test('wrong requests are refused before anything is touched', async () => {
  const from = filled('a', 3)
  const to = filled('b', 1)
  await rejects(migrate({ from, to }).done, 'KEYHAUL_TARGET_NOT_EMPTY')
  await rejects(migrate({ from, to: from }).done, 'KEYHAUL_SAME_STORE')
  await rejects(migrate({ from, to, ranges: [['b', 'a']] }).done, 'KEYHAUL_INVALID_RANGE')
  await rejects(migrate({ from, to, ranges: [['a', 'm'], ['m', 'z']] }).done, 'KEYHAUL_OVERLAPPING_RANGES')
  await rejects(migrate({ from, to, ranges: [] }).done, 'KEYHAUL_INVALID_ARGUMENT')
  await rejects(migrate({ from, to, lanes: 1000 }).done, 'KEYHAUL_INVALID_ARGUMENT')
  await rejects(migrate({ from, to, mode: 'steal' as 'copy' }).done, 'KEYHAUL_INVALID_ARGUMENT')
  await rejects(migrate({ from, to, requireLevel: 3 }).done, 'KEYHAUL_LEVEL_NOT_MET')
  assert.equal(to.size, 1)
})

test('abort stops resumably; resume ends it', async () => {
  const from = filled('a', 20_000)
  const to = memoryStore({ name: 'b' })
  const journal = memoryJournal()
  const stop = new AbortController()
  const run = migrate({ from, to, journal, signal: stop.signal, pageEntries: 50, rate: 400_000 })
  void (async () => {
    try {
      for await (const progress of run) if (progress.entries > 3000) stop.abort()
    } catch {
      // The run's end is looked at below.
    }
  })()
  await rejects(run.done, 'KEYHAUL_INTERRUPTED')
  assert.ok(to.size > 0 && to.size < 20_000)
  const receipt = await resume({ from, to, journal }).done
  assert.equal(receipt.incarnations, 2)
  assert.equal(receipt.verified, true)
  assert.equal(dump(to), dump(from))
})

test('cancel takes the copy back', async () => {
  const from = filled('a', 20_000)
  const to = memoryStore({ name: 'b' })
  const run = await new Engine().migrate({ from, to, pageEntries: 50, rate: 400_000 })
  run.on('progress', ({ state, entries }) => {
    if (state === 'copying' && entries > 2000) run.cancel()
  })
  await rejects(run.done, 'KEYHAUL_CANCELLED')
  const receipt = await run.done.catch((error: MigrationError) => error.receipt)
  assert.equal(to.size, 0)
  assert.ok((receipt?.discardedEntries ?? 0) > 0)
})

/** A store that misbehaves in one way. */
function broken(base: MemoryStore, change: Partial<Store>): Store {
  return { name: base.name, identity: base, capabilities: new Set(['scan', 'apply']), scan: base.scan.bind(base), apply: base.apply.bind(base), ...change }
}

test('stores that break their promises are caught, and nothing is called verified', async () => {
  const cases: [string, (base: MemoryStore) => Partial<Store>][] = [
    ['KEYHAUL_SCAN_UNORDERED', (base) => ({ scan: async (range, options) => {
      const page = await base.scan(range, options)
      return { ...page, entries: [...page.entries].reverse() }
    } })],
    ['KEYHAUL_SCAN_OUT_OF_RANGE', (base) => ({ scan: async (_range, options) => base.scan({}, options) })],
    ['KEYHAUL_SCAN_NO_END', () => ({ scan: async () => ({ entries: [], end: false }) })],
    ['KEYHAUL_STORE_FAILED', () => ({ scan: async () => { throw new Error('disk on fire') } })],
    ['KEYHAUL_STORE_FAULTY', () => ({ scan: async () => ({ entries: [['a', 'b']] as never, end: true }) })],
    ['KEYHAUL_STORE_STALLED', () => ({ scan: () => new Promise(() => {}) })]
  ]
  for (const [code, change] of cases) {
    const base = filled('a', 300)
    const engine = new Engine({ retries: 2, stallMs: 30 })
    const run = await engine.migrate({ from: broken(base, change(base)), to: memoryStore({ name: 'b' }), pageEntries: 40, pageBytes: 65_536, ranges: [['k000010', 'k000200']] })
    await rejects(run.done, code)
    engine.close()
  }
})

test('a slot limit queues, priority first', async () => {
  const engine = new Engine({ slots: 1 })
  const order: string[] = []
  const start = async (name: string, priority: number): Promise<Promise<unknown>> => {
    const run = await engine.migrate({ from: filled(`${name}1`, 500), to: memoryStore({ name: `${name}2` }), priority })
    return run.done.then(() => order.push(name))
  }
  const runs = await Promise.all([start('first', 1).then((done) => [done]), start('second', 1).then((done) => [done]), start('high', 200).then((done) => [done])])
  await Promise.all(runs.flat())
  assert.deepEqual(order, ['high', 'first', 'second'])
})

test('a closed engine says so', async () => {
  const engine = new Engine()
  engine.close()
  engine.close()
  await rejects(engine.migrate({ from: filled('a', 1), to: memoryStore({ name: 'b' }) }), 'KEYHAUL_CLOSED')
})

test('progress never goes beyond what there is', async () => {
  const seen: Progress[] = []
  const run = migrate({ from: filled('a', 3000), to: memoryStore({ name: 'b' }), pageEntries: 10 })
  for await (const progress of run) seen.push(progress)
  for (const progress of seen) assert.ok(progress.entries <= 3000, JSON.stringify(progress))
})

test('a limit at the target queues whoever goes there, and a limit at the source whoever comes from there', async () => {
  for (const limits of [{ targetSlots: 1 }, { sourceSlots: 1 }]) {
    const engine = new Engine(limits)
    const [from, to, other] = [filled('a', 2000), memoryStore({ name: 'b' }), memoryStore({ name: 'c' })]
    const second = 'targetSlots' in limits ? filled('d', 300) : from
    const first = await engine.migrate({ from, to, pageEntries: 20, ranges: [['k000000', 'k001000']] })
    // Shares the limited end, and nothing else; the third shares none.
    const shares = await engine.migrate({ from: second, to: 'targetSlots' in limits ? to : other, intoNonempty: true, ranges: [['k000100', 'k000200']] })
    const free = await engine.migrate({ from: filled('e', 100), to: memoryStore({ name: 'f' }) })
    const order: string[] = []
    for (const [name, run] of [['first', first], ['shares', shares], ['free', free]] as const) run.on('state', (state) => void order.push(`${name} ${state}`))
    await Promise.all([first.done, shares.done, free.done])
    const at = (what: string): number => order.indexOf(what)
    assert.ok(at('first done') < at('shares preparing'), order.join())
    assert.ok(at('free done') < at('first done'), order.join())
    engine.close()
  }
})

test('with one slot at the target a higher one goes first at the next page, and the other goes on where it stood', async () => {
  const engine = new Engine({ targetSlots: 1 })
  const [from, to] = [filled('a', 5000), memoryStore({ name: 'b' })]
  const scan = from.scan.bind(from)
  const pages: string[] = []
  Object.assign(from, { scan: (range: ScanRange, options: ScanOptions) => (pages.push(Buffer.from(range.gte ?? []).toString()), scan(range, options)) })
  const low = await engine.migrate({ from, to, pageEntries: 20, priority: 10, verify: 'none', ranges: [['k000000', 'k003999']] })
  while (low.progress().entries < 400) await new Promise((wake) => setImmediate(wake))
  const before = low.progress().entries
  const high = await engine.migrate({ from: filled('c', 5000), to, pageEntries: 20, intoNonempty: true, priority: 11, ranges: [['k004000', 'k004999']] })
  const order: string[] = []
  let rested = 0
  low.on('state', (state) => void order.push(`low ${state}`))
  high.on('state', (state) => {
    order.push(`high ${state}`)
    if (state === 'copying') rested = low.progress().entries
    if (state === 'copying') assert.equal(low.progress().paused, true)
    if (state === 'done') assert.ok(low.progress().entries - rested <= 20, 'it went on without a slot')
  })
  const [receipt] = await Promise.all([low.done, high.done])
  assert.equal(order.at(-1), 'low done', order.join())
  assert.ok(rested >= before && rested <= before + 400, `${before}, ${rested}`)
  assert.equal(receipt.entries, 4000)
  assert.equal(new Set(pages).size, pages.length, 'a page was read twice')
  engine.close()
})
