// A forecast of a pause has the calls of a real one in it, each as long as it was measured to be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignRange, gatedStore } from '../../../dist/live/index.js'
import { migrate } from '../../../dist/index.js'
import { forecast, type Measurement, measure, toMeasurement } from '../../../dist/rehearse/index.js'
import { callTimes } from '../../../dist/rehearse/calls.js'
import { PAUSE_CALLS, type PauseTimes, PauseWatch } from '../../../dist/rehearse/pause-watch.js'
import { memoryRegister } from '../../../dist/register/memory.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import type { JournalStore, Store, Write } from '../../../dist/index.js'
import type { Entry, GateVerb } from '../../../dist/stores/store.js'

const NONE = Object.fromEntries(PAUSE_CALLS.map((call) => [call, 0])) as unknown as PauseTimes
const each = (us: number): PauseTimes => ({ ...(Object.fromEntries(PAUSE_CALLS.map((call) => [call, us])) as unknown as PauseTimes), pauseTurnUs: 0 })
const MEASURED: Measurement = {
  version: 1, entries: 20_000, bytes: 2_320_000, exact: true, sampled: 20_000, live: true,
  readNs: 500, writeNs: 1_000, syncUs: 1_000, copyNs: 1_500, verifyNs: 500, lookNs: 3_000, feedNs: 3_000, putNs: 15_000
}
const entriesOf = (count: number): Write[] => Array.from({ length: count }, (_, i) => [Buffer.from(`key-${String(i).padStart(8, '0')}`), Buffer.alloc(80, i % 256)])
const sum = (times: PauseTimes): number => PAUSE_CALLS.reduce((all, call) => all + times[call], 0)

/** A store of which each call takes what it is told to, by a clock that nothing else moves. */
function clocked(): { watch: PauseWatch; store: Store; ask: (verb: GateVerb, ms: number) => Promise<void>; pass: (ms: number) => void; take: (ms: number) => void } {
  let [now, takes] = [0, 0]
  const answer = async (): Promise<void> => {
    now += takes
  }
  const feed = { position: new Uint8Array(1), poll: async () => (await answer(), { changes: [], position: new Uint8Array(1), caughtUp: true }), close: async () => {} }
  const store = {
    ...memoryStore({ name: 's' }), name: 's', gate: { change: answer }, apply: answer, openFeed: async () => feed,
    getMany: async () => (await answer(), [])
  } as unknown as Store
  const watch = new PauseWatch(() => now)
  watch.watch(store)
  const take = (ms: number): void => {
    takes = ms
  }
  const ask = (verb: GateVerb, ms: number): Promise<void> => {
    take(ms)
    return store.gate?.change({ verb } as Parameters<NonNullable<Store['gate']>['change']>[0]) ?? assert.fail()
  }
  const pass = (ms: number): void => {
    now += ms
  }
  return { watch, store, ask, take, pass }
}

test('a pause is taken to pieces: what each call took, and what passed between them', async () => {
  const { watch, store, ask, pass, take } = clocked()
  const register = watch.watched(memoryRegister())
  await ask('prepare', 50)
  await store.apply([], { durable: true })
  await ask('fence', 3)
  pass(0.5)
  take(2)
  const feed = (await store.openFeed?.({})) ?? assert.fail()
  await feed.poll(feed.position, { maxEntries: 1, maxBytes: 1 })
  pass(0.1)
  await feed.poll(feed.position, { maxEntries: 1, maxBytes: 1 })
  pass(0.3)
  take(4)
  await store.apply([], { durable: true })
  await ask('fenceReads', 7)
  pass(0.1)
  await register.compareAndSet(0, new Uint8Array(1))
  await ask('activate', 11)
  await ask('redirect', 100)
  assert.deepEqual(watch.pauses, [{ ...NONE, fenceUs: 3_000, drainPollUs: 2_000, drainApplyUs: 4_000, readFenceUs: 7_000, decideUs: 0, activateUs: 11_000, pauseTurnUs: Math.round(1_000 / 6) }])
})

test('what is asked for at once is waited for once, and an attempt that was taken back is no pause', async () => {
  const { watch, ask, pass } = clocked()
  await ask('fence', 3)
  await ask('unfence', 3)
  await ask('activate', 3)
  assert.deepEqual(watch.pauses, [])
  await ask('fence', 3)
  const answers: (() => void)[] = []
  const looked = [4, 5].map((ms, i) => {
    const answer = new Promise<void>((resolve) => answers.push(resolve))
    const side: Store = Object.assign(memoryStore({ name: `${i}` }), { getMany: async () => (await answer, []) })
    watch.watch(side)
    return { ms, answered: side.getMany?.([], {}) }
  })
  for (const [i, { ms, answered }] of looked.entries()) {
    pass(ms)
    answers[i]?.()
    await answered
  }
  await ask('activate', 1)
  assert.deepEqual(watch.pauses, [{ ...NONE, fenceUs: 3_000, drainLookUs: 9_000, activateUs: 1_000 }])
})

/** How many answers a real move waits for behind its fence, one after the other. */
async function answersOfAPause(): Promise<{ count: number; pause: PauseTimes }> {
  let now = 0
  const watch = new PauseWatch(() => now)
  const stores = ['a', 'b'].map((name) => memoryStore({ name }))
  const [from, to] = stores.map((store) => gatedStore(store)) as [ReturnType<typeof gatedStore>, ReturnType<typeof gatedStore>]
  await (stores[0] as Store).apply(entriesOf(200), { durable: false })
  const register = memoryRegister()
  await assignRange({ register, store: from })
  // Each answer takes 5 ms of this clock, those that are waited for at once together.
  const slow = <Given extends unknown[], T>(work: (...given: Given) => Promise<T>) => async (...given: Given): Promise<T> => {
    const began = now
    const result = await work(...given)
    await new Promise((wake) => setImmediate(wake))
    now = Math.max(now, began + 5)
    return result
  }
  for (const { mover } of [from, to]) {
    const { gate, openFeed } = mover
    if (gate !== undefined) Object.assign(gate, { change: slow(gate.change.bind(gate)) })
    Object.assign(mover, {
      apply: slow(mover.apply.bind(mover)),
      getMany: slow((mover.getMany ?? assert.fail()).bind(mover)),
      openFeed: async (...given: Parameters<NonNullable<typeof openFeed>>) => {
        const feed = await (openFeed ?? assert.fail()).apply(mover, given)
        return Object.assign(feed, { poll: slow(feed.poll.bind(feed)) })
      }
    })
    watch.watch(mover)
  }
  const fenced = from.mover.gate?.change.bind(from.mover.gate) ?? assert.fail()
  Object.assign(from.mover.gate ?? assert.fail(), {
    change: async (call: Parameters<typeof fenced>[0]) => {
      // So that there is something to drain.
      const late = call.verb === 'fence' ? from.put('key-00000007', 'late') : undefined
      await fenced(call)
      await late
    }
  })
  const swapped = { ...register, compareAndSet: slow(register.compareAndSet) }
  await migrate({ live: true, from, to, register: watch.watched(swapped) }).done
  const pause = watch.pauses[0] ?? assert.fail()
  return { count: sum(pause) / 5_000, pause }
}

test('where every answer takes 5 ms, the pause is forecast as so many answers as a real move waits for', async () => {
  const { count, pause } = await answersOfAPause()
  // Fence, a page of the feed, its writes, both sides looked at, the fence for reads, the register, the activation.
  assert.equal(count, 7, JSON.stringify(pause))
  assert.deepEqual(pause, { ...each(5_000) })
  const slow = { ...MEASURED, syncUs: 5_000, answerUs: 5_000, pauses: [pause] }
  const { calm } = forecast(slow, { mode: 'live', writes: 2_000, seeds: 10 })
  assert.equal(calm.done, 10)
  const answers = calm.pauseMs.p50 / 5
  // Not the record of the journal, which nobody waits for behind the fence.
  assert.ok(answers > count * 0.9 && answers < count * 1.1, `${answers}`)
  for (const call of PAUSE_CALLS.filter((one) => one !== 'pauseTurnUs')) {
    const longer = forecast({ ...slow, pauses: [{ ...pause, [call]: 105_000 }] }, { mode: 'live', writes: 2_000, seeds: 5 }).calm.pauseMs.p50
    assert.ok(longer > calm.pauseMs.p50 + 70 && longer < calm.pauseMs.p50 + 130, `${call}: ${longer} for ${calm.pauseMs.p50}`)
  }
  const busy = forecast({ ...slow, pauses: [{ ...pause, pauseTurnUs: 10_000 }] }, { mode: 'live', writes: 2_000, seeds: 5 }).calm.pauseMs.p50
  assert.ok(busy > calm.pauseMs.p50 + 60, `${busy}`)
})

test('a trial waits for a record before its fence, as a move with a journal does', async () => {
  const stores = ['a', 'b'].map((name): Store => memoryStore({ name })) as [Store, Store]
  const [from, to] = stores.map((store) => gatedStore(store)) as [ReturnType<typeof gatedStore>, ReturnType<typeof gatedStore>]
  const register = memoryRegister()
  await assignRange({ register, store: from })
  const journals: JournalStore[] = []
  const waited: number[] = []
  await callTimes({
    from, to, register, sample: entriesOf(600) as Entry[], writes: 0, isServing: false, syncUs: 8_000,
    move: async (_from, _to, _ranges, _register, journal = assert.fail()) => {
      journals.push(journal)
      const began = performance.now()
      await journal.append(new Uint8Array(1))
      waited.push(performance.now() - began)
      assert.equal((await journal.read()).length, 0)
    }
  })
  // Timers are no earlier than a millisecond before their time.
  assert.ok(waited.every((ms) => ms >= 7), `${waited}`)
  assert.equal(new Set(journals).size, 24)
})

test('as many of the forecasts are long as of the pauses that were measured', () => {
  const pauses = Array.from({ length: 20 }, (_, i) => each(i === 3 ? 40_000 : i < 8 ? 8_000 : 2_000))
  const { p50, p95, max } = forecast({ ...MEASURED, answerUs: 1_000, pauses }, { mode: 'live', writes: 2_000, seeds: 20 }).calm.pauseMs
  const [usual, long, longest] = [2_000, 8_000, 40_000].map((us) => sum(each(us)) / 1000) as [number, number, number]
  assert.ok(p50 > usual * 0.75 && p50 < usual * 1.5, `${p50}`)
  assert.ok(p95 > long * 0.75 && p95 < long * 1.5, `${p95}`)
  assert.ok(max > longest * 0.75 && max < longest * 1.5, `${max}`)
})

test('a trial measures all calls of its pauses, and what a file holds of them is checked', { timeout: 60_000 }, async () => {
  const slow = (name: string): Store => {
    const store = memoryStore({ name })
    const wait = (): Promise<void> => new Promise((wake) => setTimeout(wake, 6))
    const { ownRecord = assert.fail(), apply, getMany = assert.fail(), openFeed = assert.fail() } = store as Store
    return Object.assign(store, {
      ownRecord: { read: () => ownRecord.read(), write: async (...record: Parameters<typeof ownRecord.write>) => (await wait(), ownRecord.write(...record)) },
      apply: async (...given: Parameters<typeof apply>) => (await wait(), apply.apply(store, given)),
      getMany: async (...given: Parameters<typeof getMany>) => (await wait(), getMany.apply(store, given)),
      openFeed: async (...given: Parameters<typeof openFeed>) => {
        const feed = await openFeed.apply(store, given)
        const poll = feed.poll.bind(feed)
        return Object.assign(feed, { poll: async (...asked: Parameters<typeof poll>) => (await wait(), poll(...asked)) })
      }
    })
  }
  const from = memoryStore({ name: 'from' })
  await from.apply(entriesOf(100), { durable: false })
  const register = { ...memoryRegister(), durable: true }
  const measured = await measure({ from, scratch: slow('s'), scratchSource: slow('t'), scratchRegister: register, plan: { mode: 'live', writes: 300, pageEntries: 50 } })
  const { pauses = [] } = measured
  assert.ok(pauses.length >= 20, `${pauses.length}`)
  // Timers are no earlier than a millisecond before their time.
  for (const { fenceUs, drainPollUs, readFenceUs, activateUs } of pauses) {
    assert.ok(Math.min(fenceUs, drainPollUs, readFenceUs, activateUs) >= 5_000, JSON.stringify(pauses))
  }
  assert.ok(pauses.some(({ drainApplyUs, drainLookUs }) => drainApplyUs >= 5_000 && drainLookUs >= 5_000), JSON.stringify(pauses))
  assert.ok((measured.answerUs as number) >= 5_000 && measured.syncUs >= 5_000)
  assert.deepEqual(toMeasurement(JSON.parse(JSON.stringify(measured))), measured)
  const { calm } = forecast(measured, { mode: 'live', seeds: 5, writes: 300 })
  assert.ok(calm.pauseMs.p50 >= 6 * 5 * 0.75, `${calm.pauseMs.p50}`)
  const refused = { code: 'KEYHAUL_INVALID_ARGUMENT' }
  assert.throws(() => toMeasurement({ ...measured, pauses: [{ ...pauses[0], decideUs: -1 }] }), { ...refused, message: /pauses\[0\].decideUs is -1/ })
  assert.throws(() => toMeasurement({ ...measured, pauses: [null] }), { ...refused, message: /pauses\[0\].fenceUs/ })
  assert.throws(() => toMeasurement({ ...measured, pauses: 7 }), { ...refused, message: /pauses is no list/ })
})
