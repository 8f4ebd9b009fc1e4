// What clients notice of a live migration, as its receipt says it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspectJournal, memoryJournal, type MigrationError, migrate, type Receipt, resume } from '../../../../dist/index.js'
import { assignRange, gatedStore } from '../../../../dist/live/index.js'
import { Waits, WriteMeter, WriteWatch } from '../../../../dist/live/writes.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { keyOf } from '../../support/stores.ts'
import { inLevels, inMemory } from './world.ts'

test('waits: a quantile is one that there was, or up to a tenth more', () => {
  const waits = new Waits()
  assert.deepEqual([waits.quantileMs(0.5), waits.quantileMs(0.99), waits.maxMs], [0, 0, 0])
  const all = Array.from({ length: 1000 }, (_, i) => 1.013 ** i / 4)
  for (const ms of all) waits.add(ms)
  for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 1]) {
    const exact = all[Math.ceil(1000 * share) - 1] as number
    const said = waits.quantileMs(share)
    assert.ok(said >= exact && said <= exact * 1.1, `${share}: ${said}, exactly ${exact}`)
  }
  assert.equal(waits.maxMs, all[999])
  // None is forgotten, however long or short it was.
  const ends = new Waits()
  for (const ms of [0, 1e-9, 1e9, -0.001]) ends.add(ms)
  assert.deepEqual([ends.count, ends.quantileMs(0.75) < 0.1, ends.quantileMs(1)], [4, true, 1e9])
})

test('a meter knows the median of the last ten seconds, and nothing before all ten', () => {
  const meter = new WriteMeter(5_000)
  assert.equal(meter.perSecond(14_999), undefined)
  assert.equal(meter.perSecond(15_000), 0)
  // 100 a second, in groups of 25; what is older than ten seconds does not count, nor the one that is not over.
  for (let now = 20_000; now < 32_500; now += 250) meter.add(25, now)
  assert.equal(meter.perSecond(32_500), 100)
  assert.equal(meter.perSecond(37_999), 75)
  assert.equal(meter.perSecond(39_000), 0)
  assert.equal(meter.perSecond(90_000), 0)
  assert.equal(meter.total, 1250)
})

test('a bulk fill right before a migration is no load of its clients', () => {
  const [source, target] = [new WriteMeter(0), new WriteMeter(0)]
  for (let second = 20; second < 30; second++) {
    source.add(second < 26 ? 40 : 50_000, second * 1000)
    target.add(3, second * 1000)
  }
  assert.equal(new WriteWatch([source, target], [{}], 30_000).end().perSecondBefore, 43)
  assert.equal(new WriteWatch([source, new WriteMeter(25_000)], [{}], 30_000).end().perSecondBefore, undefined)
})

test('a wait is that of the migration whose keys it concerns, and one that does not end is counted too', () => {
  const meter = new WriteMeter()
  const key = (text: string): Uint8Array => Buffer.from(text)
  const low = new WriteWatch([meter], [{ lt: key('m') }])
  const high = new WriteWatch([meter], [{ gte: key('m') }])
  const now = performance.now()
  meter.waits(key('a'))(now + 1000)
  const never = meter.waits(key('b'))
  meter.waits(key('x'))(now + 2000)
  meter.add(7)
  const [ofLow, ofHigh] = [low.end(), high.end()]
  assert.deepEqual([ofLow.waited, ofHigh.waited], [2, 1])
  assert.ok(ofLow.waitedMaxMs <= 1000 && ofHigh.waitedMaxMs > 1000, JSON.stringify([ofLow, ofHigh]))
  assert.ok(ofLow.perSecondDuring > 0)
  assert.ok(!('perSecondBefore' in ofLow), 'of less than ten seconds nothing is known')
  never(now)
  assert.equal(meter.watches.size, 0)
})

/** A register whose decision comes once somebody says so. */
function held(): { register: Register; reached: Promise<void>; decide: () => void; holds: boolean } {
  const inner = memoryRegister()
  let reach = (): void => {}
  let decide = (): void => {}
  const open = new Promise<void>((done) => (decide = done))
  const reached = new Promise<void>((done) => (reach = done))
  const state = {
    holds: false,
    reached,
    decide,
    register: {
      ...inner,
      compareAndSet: async (version: number, document: Uint8Array) => {
        if (state.holds) {
          reach()
          await open
        }
        return inner.compareAndSet(version, document)
      }
    }
  }
  return state
}

for (const way of ['decided', 'cancelled'] as const) {
  test(`five writes meet the fence of a migration that is ${way}: five are in its receipt`, async () => {
    const gate = held()
    await inMemory(500, async ({ a, b, clients, register }) => {
      const run = migrate({ live: true, from: a, to: b, register, journal: memoryJournal(), pauseBudgetMs: 3_600_000 })
      const migration = await run.migration
      migration.on('state', (state) => {
        gate.holds = way === 'decided' ? state === 'draining' || state === 'readFencing' || state === 'deciding' : state === 'postponing'
        if (way === 'cancelled' && state === 'draining') migration.cancel()
      })
      await gate.reached
      const began = performance.now()
      const writes = [0, 1, 2, 3, 4].map((i) => clients.put(keyOf(i), 'waited'))
      await new Promise((wake) => setTimeout(wake, 30))
      const heldMs = performance.now() - began
      gate.decide()
      await Promise.all(writes)
      const receipt: Receipt = await run.done.catch((error: MigrationError) => error.receipt as Receipt)
      assert.equal(receipt.state, way === 'decided' ? 'done' : 'cancelled')
      const { writes: said } = receipt
      assert.ok(said !== undefined)
      assert.equal(said.waited, 5)
      assert.ok(said.waitedP50Ms > heldMs / 2 && said.waitedMaxMs > heldMs / 2, JSON.stringify(said))
      assert.ok(said.waitedP50Ms <= said.waitedP99Ms && said.waitedP99Ms <= said.waitedMaxMs && said.waitedMaxMs > 0)
      assert.ok(said.perSecondDuring > 0)
    }, gate.register)
  })
}

test('writes of both stores count while it runs; those of the migration do not', async () => {
  await inMemory(2_000, async ({ a, b, clients, register }) => {
    let written = 0
    const run = migrate({ live: true, from: a, to: b, register, rate: 200_000 })
    for await (const { state } of run) {
      if (state !== 'copying') continue
      await clients.batch([[keyOf(1), 'x'], [keyOf(2), 'y'], [keyOf(3), undefined]])
      written += 3
    }
    const { writes, durationMs } = await run.done
    assert.ok(writes !== undefined && written > 0)
    assert.equal(writes.waited, 0)
    // The 2,000 keys that it began with were a fill, and of such young gates nothing is known.
    assert.ok(!('perSecondBefore' in writes), JSON.stringify(writes))
    const during = (writes.perSecondDuring * durationMs) / 1000
    assert.ok(during > written / 2 && during <= written * 1.1, `${during} of ${written}`)
  })
})

test('there is none where not all of it was seen: after a resume, at level 2, of a copy', async () => {
  await inLevels(2_000, async ({ a, b, register, load }, folder) => {
    load.start({ pause: 1 })
    const journal = join(folder, 'journal')
    const run = migrate({ live: true, from: a, to: b, register, journal, rate: 100_000 })
    const migration = await run.migration
    migration.on('state', (state) => void (state === 'copying' && migration.stop()))
    await assert.rejects(run.done, { code: 'KEYHAUL_INTERRUPTED' })
    const receipt = await resume({ from: a, to: b, register, journal }).done
    await load.stop()
    assert.deepEqual([receipt.state, receipt.incarnations, 'writes' in receipt], ['done', 2, false])
    assert.ok(!('writes' in (inspectJournal(readFileSync(journal)).receipt as Receipt)))
  })
  const [c, d] = [memoryStore({ name: 'c', entries: [['k', 'v']] }), memoryStore({ name: 'd' })]
  assert.ok(!('writes' in (await migrate({ from: c, to: d }).done)))
  const register = memoryRegister()
  await assignRange({ register, store: c, ungated: true })
  const to = gatedStore(memoryStore({ name: 'gated' }))
  const receipt = await migrate({ live: true, from: c, to, register, stopWrites: () => {}, resumeWrites: () => {} }).done
  assert.deepEqual([receipt.level, 'writes' in receipt], [2, false])
})
