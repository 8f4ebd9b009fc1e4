// What a receipt says for people: nothing that the run did not show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiptText, Warnings } from '../../../../js/src/cli/output.ts'
import { KeyhaulError } from '../../../../js/src/errors.ts'
import { type RawReceipt, readReceipt, type WritersReceipt } from '../../../../js/src/receipt.ts'

const digest = (letter: string, entries: number) => ({ sum: letter.repeat(32), entries, bytes: entries * 10 })
const textOf = (given: Record<string, unknown>): string => receiptText(readReceipt({ state: 'done', verified: true, source: digest('a', 100), target: digest('a', 100), ...given } as RawReceipt, { from: 'left', to: 'right', ranges: [] }, []))

test('a copy says what both sides hold', () => {
  assert.match(textOf({ mode: 'copy' }), /verified: both sides hold 100 entries, digest a{32}\n/)
})

test('what was verified and then taken back is not called verified', () => {
  for (const mode of ['copy', 'move', 'live']) {
    const text = textOf({ mode, state: 'cancelled', copiedEntries: 100, discardedEntries: 100 })
    const raw = { state: 'cancelled', mode, verified: true, source: digest('a', 100), target: digest('a', 100) } as unknown as RawReceipt
    assert.equal(readReceipt(raw, { from: 'left', to: 'right', ranges: [] }, []).verified, false)
    assert.match(text, /\n {2}cancelled: 100 entries taken off the target again\n/)
    assert.doesNotMatch(text, /verified|both sides/)
  }
})

test('that it failed is said once: of why there is an error', () => {
  assert.match(textOf({ mode: 'live', state: 'failed', verified: false, activeUs: 2_000_000 }), /^live move failed after 2\.0 s\n {2}from {6}left\n {2}to {8}right\n$/)
})

test('a live move whose two sides were read while they changed names no digest of both', () => {
  const apart = { mode: 'live', level: 4, target: digest('b', 101) }
  assert.match(textOf({ ...apart, rechecked: 1234 }), /verified: every key was compared on both sides, and 1,234 again that changed meanwhile, to the last change before the cutover\n/)
  assert.match(textOf(apart), /verified: every key was compared on both sides\n/)
  assert.doesNotMatch(textOf({ ...apart, rechecked: 7 }), /both sides hold|digest/)
})

test('where they are equal all the same it is said, and at level 5 both hold it at one position', () => {
  assert.match(textOf({ mode: 'live', level: 4 }), /verified: every key was compared on both sides; digest of both as they were read a{32}\n/)
  assert.match(textOf({ mode: 'live', level: 5, rechecked: 3 }), /verified: both sides hold 100 entries, digest a{32}\n/)
})

test('a live move that ends unequal is no copy to be mended', () => {
  const unequal = { state: 'mismatch', verified: false, missing: 2 }
  assert.match(textOf({ ...unequal, mode: 'copy' }), /keyhaul verify --repair of the same stores/)
  const live = textOf({ ...unequal, mode: 'live' })
  assert.match(live, /\n {2}the copy was taken back, and left serves on: find out why, then move again\n/)
  assert.doesNotMatch(live, /--repair/)
})

test('a process that died with the pause took its length with it, and nobody says it was none', () => {
  const live = { mode: 'live', level: 4, pauseUs: 0, pauseForecastUs: 0 }
  assert.match(textOf({ ...live, incarnations: 2 }), /\n {2}level 4; writers were refused by an earlier process, for how long it did not live to tell\n/)
  assert.match(textOf({ ...live, incarnations: 2, pauseUs: 7000, pauseForecastUs: 9000 }), /writers were refused for 7 ms, forecast 9 ms\n/)
  assert.match(textOf({ ...live, incarnations: 1 }), /writers were refused for 0 ms, forecast 0 ms\n/)
})

test('what a receipt of a resumed move cannot know is not told', () => {
  const move = { mode: 'move', copiedEntries: 100, deletedEntries: 100, activeUs: 2_000_000 }
  assert.match(textOf({ ...move, incarnations: 1 }), /^moved .*, in 2\.0 s\n[\s\S]*\n {2}deleted 100 entries from the source\n/)
  assert.match(textOf({ ...move, incarnations: 2 }), /^moved .*, in 2\.0 s since it was resumed\n[\s\S]*\n {2}deleted 100 entries from the source\n/)
  assert.match(textOf({ ...move, incarnations: 2, deletedEntries: 98 }), /\n {2}deleted 98 entries from the source, not counting what went right before a crash\n/)
  assert.match(textOf({ ...move, incarnations: 2, deletedEntries: 98, leftOnSource: 2 }), /\n {2}deleted 98 entries from the source\n/)
})

test('what clients noticed of a live move, where all of it was seen', () => {
  const raw = { state: 'done', mode: 'live', level: 4, verified: true, source: digest('a', 100), target: digest('a', 100) } as unknown as RawReceipt
  const said = (writes?: Partial<WritersReceipt>): string =>
    receiptText(readReceipt(raw, { from: 'left', to: 'right', ranges: [], ...(writes === undefined ? {} : { writes: { waited: 0, waitedP50Ms: 0, waitedP99Ms: 0, waitedMaxMs: 0, perSecondDuring: 0, ...writes } }) }, []))
  assert.doesNotMatch(said(), /a second/)
  assert.match(
    said({ waited: 1234, waitedP50Ms: 12.3, waitedP99Ms: 29.6, waitedMaxMs: 1500, perSecondBefore: 10_000.4, perSecondDuring: 9_871.6 }),
    /\n {2}1,234 writes waited, p50 12 ms, p99 30 ms, at most 1\.5 s; clients wrote 10,000 before and 9,872 keys a second during it\n/
  )
  assert.match(said({ waited: 1, waitedP50Ms: 2, waitedP99Ms: 2, waitedMaxMs: 2 }), /\n {2}1 write waited, p50 2 ms/)
  assert.doesNotMatch(said({ perSecondDuring: 0.2 }), /a second/, 'there were no clients')
  const refused = { ...raw, state: 'failed', verified: false } as RawReceipt
  const writes = { waited: 0, waitedP50Ms: 0, waitedP99Ms: 0, waitedMaxMs: 0, perSecondBefore: 275, perSecondDuring: 178 }
  assert.doesNotMatch(receiptText(readReceipt(refused, { from: 'left', to: 'right', ranges: [], writes }, [])), /a second/)
  assert.match(said({ perSecondDuring: 7 }), /\n {2}no write waited for that; clients wrote 7 keys a second during it\n/)
})

test('what is tried again is said, once in ten seconds, and nobody is told to resume it', () => {
  const said: string[] = []
  let now = 0
  const warnings = new Warnings((text) => said.push(text), () => now)
  for (now = 0; now < 25_000; now += 1_000) warnings.say(new KeyhaulError('KEYHAUL_STORE_STALLED', { store: 'level:./a' }))
  assert.deepEqual(said.splice(0), Array<string>(3).fill('warning KEYHAUL_STORE_STALLED: store level:./a: the store did not answer within the stall deadline; it is tried again\n'))
  warnings.say(new KeyhaulError('KEYHAUL_STORE_FAILED', { store: 'level:./a', message: 'EIO\u001b[2J' }))
  warnings.say(new KeyhaulError('KEYHAUL_NOT_CONVERGING'))
  assert.deepEqual(said, [
    'warning KEYHAUL_STORE_FAILED: store level:./a: EIO\\u001b[2J; it is tried again\n',
    'warning KEYHAUL_NOT_CONVERGING: the source is written faster than the target takes it up; slow the writers or raise the rate\n'
  ])
})
