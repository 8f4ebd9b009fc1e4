// Thousands of ranges, end to end: begun, stopped, resumed, followed, compared with a journal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, inspectJournal, KeyhaulError, memoryJournal, migrate, type RangeInput } from '../../../dist/index.js'
import { memoryStore } from '../../../dist/stores/memory.js'

const COUNT = 5000
const keyOf = (i: number): string => `k${String(i).padStart(6, '0')}`
/** Every second key; given backwards, because order is nobody's duty. */
const ranges = Array.from({ length: COUNT }, (_, i): RangeInput => [keyOf(2 * i), keyOf(2 * i)]).reverse()

function source(): ReturnType<typeof memoryStore> {
  // A tenth of the ranges is empty.
  const keys = Array.from({ length: 2 * COUNT }, (_, i) => i).filter((i) => i % 20 !== 0)
  return memoryStore({ name: 'a', entries: keys.map((i) => [keyOf(i), `v${i}`]) })
}

test('5,000 ranges are stopped, resumed, followed and verified', async () => {
  const from = source()
  const to = memoryStore({ name: 'b' })
  const journal = memoryJournal()
  const options = { from, to, ranges, journal, lanes: 4, hostInfo: { mine: true } }
  const first = await new Engine().migrate(options)
  while (to.size === 0) await new Promise((wake) => setImmediate(wake))
  first.stop()
  await assert.rejects(first.done, (error: unknown) => error instanceof KeyhaulError && error.code === 'KEYHAUL_INTERRUPTED')
  const copied = to.size
  assert.ok(copied > 0 && copied < 4500, `${copied} were copied`)
  assert.deepEqual(inspectJournal(await journal.read()).hostInfo, { mine: true })
  // Inside a range, and between two.
  from.put(keyOf(2), 'changed')
  from.put(keyOf(3), 'none of ours')
  const other = { ...options, ranges: ranges.slice(1) }
  await assert.rejects(new Engine().migrate(other), (error: unknown) => error instanceof KeyhaulError && error.code === 'KEYHAUL_JOURNAL_MISMATCH')
  const receipt = await (await new Engine().resume({ from, to, journal })).done
  assert.equal(receipt.verified, true)
  assert.equal(receipt.entries, 4500)
  assert.equal(to.size, 4500)
  assert.equal(new TextDecoder().decode(to.get(keyOf(2))), 'changed')
  assert.equal(to.get(keyOf(3)), undefined)
})

test('one range more than the limit is refused by its name', async () => {
  const many = Array.from({ length: 65_537 }, (_, i): RangeInput => [keyOf(i), keyOf(i)])
  const run = migrate({ from: source(), to: memoryStore({ name: 'b' }), ranges: many })
  await assert.rejects(run.done, /65537 ranges are given/)
})
