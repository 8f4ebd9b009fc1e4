// Writers that never pause, at level 1: an error with rates that a journal resumes, no mismatch.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, KeyhaulError, memoryJournal } from '../../../dist/index.js'
import { memoryStore } from '../../../dist/stores/memory.js'

test('writers that overtake every comparison stop it resumably, with rates', async () => {
  const from = memoryStore({ name: 'a', entries: Array.from({ length: 300 }, (_, i) => [`k${String(i).padStart(3, '0')}`, 'v']) })
  const to = memoryStore({ name: 'b' })
  const journal = memoryJournal()
  const scan = from.scan.bind(from)
  let writes = 0
  let busy = true
  // Before each page is read, also the first, a key of the first is written again.
  from.scan = async (range, options) => {
    if (busy) from.put('k000', String(++writes))
    return scan(range, options)
  }
  const run = await new Engine().migrate({ from, to, journal, pageEntries: 20 })
  await assert.rejects(run.done, (error: unknown) => {
    assert.ok(error instanceof KeyhaulError)
    assert.equal(error.code, 'KEYHAUL_NOT_CONVERGING')
    assert.match(error.message, /\d+ changes\/s are written, \d+\/s are applied/)
    return true
  })
  busy = false
  const receipt = await (await new Engine().resume({ from, to, journal })).done
  assert.equal(receipt.verified, true)
  assert.equal(receipt.changed, 0)
  assert.deepEqual(receipt.different, [])
  assert.deepEqual([...to], [...from])
})
