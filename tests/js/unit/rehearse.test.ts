import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Forecast, forecast, type Measurement, measure, rehearse, toMeasurement } from '../../../dist/rehearse/index.js'
import { forecastInTurns } from '../../../dist/rehearse/forecast.js'
import { runSimCommand } from '../../../dist/sim/command.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import type { Write } from '../../../dist/index.js'

const MEASURED: Measurement = {
  version: 1, entries: 100_000, bytes: 11_600_000, exact: true, sampled: 100_000, live: true,
  readNs: 500, writeNs: 1_000, syncUs: 1_000, copyNs: 1_500, verifyNs: 500, lookNs: 3_000, feedNs: 3_000, putNs: 15_000
}
const at = (writes: number, more = {}): Forecast => forecast(MEASURED, { mode: 'live', writes, seeds: 5, ...more })
const entriesOf = (count: number): Write[] => Array.from({ length: count }, (_, i) => [Buffer.from(`key-${String(i).padStart(8, '0')}`), Buffer.alloc(80, i % 256)])

test('the same measurement, plan and seeds give the same forecast', () => {
  assert.deepEqual(at(5_000), at(5_000))
  const other = at(5_000, { seed: 100 })
  assert.notDeepEqual(other.calm.pauseMs, at(5_000).calm.pauseMs)
})

test('a calm service fits; one that writes faster than it is copied does not, and says why', () => {
  const calm = at(2_000)
  assert.equal(calm.verdict, 'fits', calm.text)
  assert.equal(calm.calm.done, 5)
  assert.ok(calm.calm.pauseMs.p50 > 0 && calm.calm.pauseMs.max <= 1000)
  assert.ok(calm.calm.rounds.p50 >= 2 && calm.calm.lagChanges.max > 0)
  const wild = at(60_000)
  assert.equal(wild.verdict, 'notConverging')
  assert.match(wild.text, /^would not converge at 60,000 writes\/s: the feed outgrows the copy/)
  assert.equal(wild.calm.done, 0)
})

test('what is slower takes longer: a rate, a smaller share, more entries, slower disks', () => {
  const base = at(2_000).calm
  assert.ok(at(2_000, { share: 0.05 }).calm.durationMs.p50 > base.durationMs.p50 * 2)
  const limited = at(2_000, { rate: 1_000_000 }).calm.copyMs.p50
  assert.ok(limited > 11_000 && limited < 20_000, `${limited}`)
  const twice = forecast({ ...MEASURED, entries: 200_000, bytes: 23_200_000 }, { mode: 'live', writes: 2_000, seeds: 5 })
  assert.ok(twice.calm.copyMs.p50 > base.copyMs.p50 * 1.8)
  const slow = forecast({ ...MEASURED, syncUs: 100_000 }, { mode: 'live', writes: 2_000, seeds: 5 })
  assert.ok(slow.calm.pauseMs.p50 > base.pauseMs.p50 + 200)
  const tight = forecast({ ...MEASURED, syncUs: 100_000 }, { mode: 'live', writes: 2_000, seeds: 5, pauseBudgetMs: 20 })
  assert.equal(tight.verdict, 'overBudget', tight.text)
})

test('a store that is slow now and then is slow in some of the pauses', () => {
  const even = forecast(MEASURED, { mode: 'live', writes: 2_000, seeds: 10 }).calm.pauseMs
  const uneven = forecast({ ...MEASURED, syncMostUs: 30_000 }, { mode: 'live', writes: 2_000, seeds: 10 }).calm.pauseMs
  assert.ok(uneven.max > even.max + 10 && uneven.p50 < 30, `${JSON.stringify([even, uneven])}`)
  assert.deepEqual(forecast({ ...MEASURED, syncMostUs: 0 }, { mode: 'live', writes: 2_000, seeds: 10 }).calm.pauseMs, even)
})

test('a live trial asks the gates between writes of clients, and counts what they take', async () => {
  const from = memoryStore({ name: 'from' })
  await from.apply(entriesOf(2_000), { durable: false })
  const slow = (name: string) => {
    const store = memoryStore({ name })
    const ownRecord = store.ownRecord ?? assert.fail()
    const write: typeof ownRecord.write = async (...record) => {
      await new Promise((wake) => setTimeout(wake, 6))
      return ownRecord.write(...record)
    }
    return Object.assign(store, { ownRecord: { read: () => ownRecord.read(), write } })
  }
  for (const isServing of [false, true]) {
    const measured = await measure({ from, scratch: slow('s'), scratchSource: slow('t'), plan: { mode: 'live', writes: 500 }, isServing })
    // Timers are no earlier than a millisecond before their time.
    assert.ok(measured.syncUs >= 5_000 && (measured.syncMostUs as number) >= measured.syncUs, JSON.stringify(measured))
  }
})

test('pages are held and made durable as the engine does it: three of large ones, and a checkpoint a second', () => {
  const slow = { ...MEASURED, entries: 2_000, live: false, readNs: 2_000_000, writeNs: 2_000_000, copyNs: 10_000 }
  const [large, small] = [2_000 * 262_144, 2_000 * 1_000]
  const hashOf = (bytes: number, windowPages: number): string =>
    JSON.parse(runSimCommand(['--rehearse', `entries=2000,bytes=${bytes},page-entries=10,page-bytes=4000000,window-pages=${windowPages}`, '--seeds', '1..1']).text).hash as string
  assert.notEqual(hashOf(small, 8), hashOf(small, 3))
  assert.equal(hashOf(large, 8), hashOf(large, 3))
  assert.notEqual(hashOf(large, 3), hashOf(large, 2))
  // Four seconds and more in one checkpoint by pages: those by time are what the slow disk is asked for.
  const durable = (syncUs: number): number => forecast({ ...slow, bytes: small, syncUs }, { durablePages: 10_000, pageEntries: 10, seeds: 1, verify: 'none' }).calm.durationMs.p50
  assert.ok(durable(300_000) - durable(1_000) >= 3 * 250, `${durable(300_000)} and ${durable(1_000)} ms`)
})

test('a hundred million entries are rehearsed one for many, page by page', () => {
  const { scale, calm, verdict } = forecast({ ...MEASURED, live: false, entries: 1e8, bytes: 11.6e9 }, { seeds: 2 })
  assert.equal(verdict, 'fits')
  assert.equal(scale.entries, 5000)
  const bottleneck = 1e8 * 1.5e-3
  assert.ok(calm.copyMs.p50 >= bottleneck && calm.copyMs.p50 < bottleneck * 1.3, `${calm.copyMs.p50}`)
})

test('measures without a write to the source', async () => {
  const from = memoryStore({ name: 'from' })
  await from.apply(entriesOf(5_000), { durable: false })
  const guarded = Object.assign(Object.create(from) as typeof from, { apply: () => assert.fail('the source was written') })
  const measured = await measure({ from: guarded, scratch: memoryStore({ name: 's' }) })
  assert.deepEqual([measured.entries, measured.bytes, measured.exact], [5_000, 5_000 * 92, true])
  assert.deepEqual(toMeasurement(JSON.parse(JSON.stringify(measured))), measured)
  const found = await rehearse({ from: guarded, scratch: memoryStore({ name: 't' }), mode: 'move', seeds: 2 })
  assert.equal(found.calm.done, 2)
})

test('writers are watched where the plan does not say how many there are, those of the range', async () => {
  for (const [written, seen] of [['key-00000007', true], ['elsewhere', false]] as const) {
    const from = memoryStore({ name: 'from' })
    await from.apply(entriesOf(100), { durable: false })
    const writer = setInterval(() => from.put(written, `${Math.random()}`), 1)
    const options = { from, scratch: memoryStore({ name: 's' }), scratchSource: memoryStore({ name: 't' }), ranges: [{ prefix: 'key-' }], watchMs: 100 }
    const measured = await measure({ ...options, plan: { mode: 'live' } })
    const given = await measure({ ...options, scratch: memoryStore({ name: 's' }), scratchSource: memoryStore({ name: 't' }), plan: { mode: 'live', writes: 3 } })
    clearInterval(writer)
    assert.equal((measured.writes as number) > 0, seen)
    assert.equal(given.writes, undefined)
    assert.equal((from as unknown as { feeds: Map<unknown, unknown> }).feeds.size, 0, 'a feed was left open')
    const found = forecast(measured, { mode: 'live', seeds: 1 })
    assert.equal(found.plan.writes, measured.writes)
    assert.equal(forecast(measured, { mode: 'live', seeds: 1, writes: 7 }).plan.writes, 7)
    assert.deepEqual(toMeasurement(JSON.parse(JSON.stringify(measured))), measured)
  }
  const refused = { code: 'KEYHAUL_INVALID_ARGUMENT', message: /watchMs is -1/ }
  await assert.rejects(measure({ from: memoryStore({ name: 'f' }), scratch: memoryStore({ name: 's' }), watchMs: -1 }), refused)
})

test('beyond what it counts the store is asked, and says so; one that cannot tell is refused', async () => {
  const from = memoryStore({ name: 'from' })
  await from.apply(entriesOf(5_000), { durable: false })
  const part = await measure({ from, scratch: memoryStore({ name: 's' }), countMax: 1_000, plan: { pageEntries: 500 } })
  assert.deepEqual([part.exact, part.sampled], [false, 1_000])
  assert.ok(Math.abs(part.entries - 5_000) < 100, `${part.entries}`)
  const silent = Object.assign(Object.create(from) as typeof from, { estimate: async () => ({}) })
  await assert.rejects(measure({ from: silent, scratch: memoryStore({ name: 'u' }), countMax: 1_000, plan: { pageEntries: 500 } }), { code: 'KEYHAUL_UNSUPPORTED' })
})

test('a trial is verified though the plan is not: its measurement tells of every depth', async () => {
  const from = memoryStore({ name: 'from' })
  await from.apply(entriesOf(5_000), { durable: false })
  const { verifyNs } = await measure({ from, scratch: memoryStore({ name: 's' }), plan: { verify: 'none' } })
  // 1 is what stands for nothing.
  assert.ok(verifyNs > 1, `${verifyNs}`)
})

test('an entry larger than a trial holds is not taken for an empty range', async () => {
  const large = [Buffer.from('a'), Buffer.alloc((64 << 20) + 1)] as const
  const from = Object.assign(memoryStore({ name: 'from' }), { scan: async () => ({ entries: [large], end: true }) })
  await assert.rejects(measure({ from, scratch: memoryStore({ name: 's' }) }), { code: 'KEYHAUL_INVALID_ARGUMENT', message: /larger than the 64 MB/ })
})

test('a store that sees nothing of what it has in memory is counted to the end', async () => {
  const from = memoryStore({ name: 'from' })
  await from.apply(entriesOf(5_000), { durable: false })
  for (const bytes of [0, 1_000]) {
    const blind = Object.assign(Object.create(from) as typeof from, { estimate: async () => ({ bytes }) })
    const measured = await measure({ from: blind, scratch: memoryStore({ name: 's' }), countMax: 1_000, plan: { pageEntries: 500 } })
    assert.deepEqual([measured.entries, measured.exact], [5_000, true])
  }
})

test('a forecast stops between two seeds', async () => {
  const stopping = new AbortController()
  const reason = new Error('enough')
  const running = forecastInTurns(MEASURED, { mode: 'live', seeds: 1000 }, stopping.signal)
  setImmediate(() => stopping.abort(reason))
  await assert.rejects(running, reason)
})

test('refuses what makes no sense', async () => {
  const refused = { code: 'KEYHAUL_INVALID_ARGUMENT' }
  assert.throws(() => toMeasurement({ ...MEASURED, readNs: -1 }), { ...refused, message: /readNs is -1/ })
  assert.throws(() => toMeasurement({ ...MEASURED, writes: 0.5 }), { ...refused, message: /writes is 0.5/ })
  assert.throws(() => toMeasurement({ ...MEASURED, syncMostUs: -1 }), { ...refused, message: /syncMostUs is -1/ })
  assert.throws(() => toMeasurement({}), refused)
  assert.throws(() => forecast(MEASURED, {}), { ...refused, message: /measure the stores again/ })
  for (const plan of [{ writes: 5 }, { share: 2 }, { seeds: 0 }, { mode: 'fly' as 'copy' }, { pauseBudgetMs: 1 }]) {
    assert.throws(() => forecast({ ...MEASURED, live: false }, plan), refused)
  }
  const scratch = memoryStore({ name: 's' })
  await assert.rejects(measure({ from: memoryStore({ name: 'empty' }), scratch }), refused)
  await assert.rejects(measure({ from: memoryStore({ name: 'f' }), scratch, plan: { mode: 'live' } }), { ...refused, message: /scratchSource/ })
})
