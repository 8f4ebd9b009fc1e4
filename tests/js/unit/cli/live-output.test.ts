import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveLine, runsText } from '../../../../js/src/cli/live-output.ts'
import { type RawReceipt, readReceipt } from '../../../../js/src/receipt.ts'
import type { RunInfo } from '../../../../js/src/live/control-request.ts'

const live = {
  waitsFor: 'shorterPause', text: 'waits for a pause that fits: forecast 120 ms, budget 50 ms', failures: 0, lagChanges: 1234, toCompare: 99, forecastMs: 120, budgetMs: 50,
  pausedMs: 0, postponed: 2, ahead: false, turned: false, reverseLeftMs: 0
} as const
const progress: RunInfo['progress'] = {
  state: 'approaching', entries: 12_000, bytes: 3_000_000, totalEntries: 0, totalBytes: 4_000_000, bytesPerSecond: 1_500_000, etaMs: 700, paused: false, caughtUp: false, live
}

test('a line of progress fits into the terminal and says the most important first', () => {
  for (let columns = 10; columns <= 200; columns++) assert.ok(liveLine('approaching', progress, columns).length < columns)
  assert.equal(liveLine('approaching', progress, 40), 'approaching · 75 % · 12,000 entries')
  assert.equal(liveLine('approaching', progress, 80), 'approaching · waits for a pause that fits: forecast 120 ms, budget 50 ms · 75 %')
  assert.equal(
    liveLine('approaching', progress, 120),
    'approaching the cutover · waits for a pause that fits: forecast 120 ms, budget 50 ms · 75 % · 12,000 entries · 1.5 MB/s'
  )
  // With room for all of it: the lag, and the forecast against the budget where it waits for something else.
  assert.equal(
    liveLine('approaching', progress, 200),
    'approaching the cutover · waits for a pause that fits: forecast 120 ms, budget 50 ms · 75 % · 12,000 entries · 1.5 MB/s · 700 ms left · lag 1,234 changes · 99 to compare again · put off 2x'
  )
  const drains = { ...progress, live: { ...live, waitsFor: 'writesInFlight' as const, text: 'waits for writes in flight on a', lagChanges: 1, toCompare: 0 } }
  assert.equal(
    liveLine('approaching', drains, 200),
    'approaching the cutover · waits for writes in flight on a · 75 % · 12,000 entries · 1.5 MB/s · 700 ms left · lag 1 change · forecast 120 ms of 50 ms · put off 2x'
  )
  const fenced = { ...progress, state: 'draining' as const, totalBytes: 0, live: { ...live, waitsFor: 'nothing' as const, text: '', pausedMs: 31 } }
  assert.equal(liveLine('draining', fenced, 60), 'taking over the last changes · writers waiting for 31 ms')
  const moved = { ...progress, state: 'cleaning' as const, totalBytes: 0, bytesPerSecond: 0, live: { ...live, waitsFor: 'nothing' as const, text: '', toCompare: 0, postponed: 0 } }
  assert.equal(liveLine('cleaning', moved, 200), 'deleting from the source · 12,000 entries')
  // On the way back, and behind a window: from the other one of the two.
  const back = { ...moved, live: { ...moved.live, turned: true } }
  assert.equal(liveLine('cleaning', back, 200), 'deleting from the target · 12,000 entries')
  assert.equal(liveLine('discarding', back, 200), 'deleting from the source · 12,000 entries')
  assert.equal(liveLine('discarding', moved, 200), 'taking the copy back · 12,000 entries')
  assert.equal(liveLine('discarding', back, 35), 'deleting · 12,000 entries')
})

test('of one that went back it is said who owns the range', () => {
  const raw = { state: 'done', mode: 'live', level: 4, verified: true, source: { sum: 'a', entries: 3, bytes: 9 }, target: { sum: 'a', entries: 3, bytes: 9 } } as unknown as RawReceipt
  const shown = (reversed: boolean): string => {
    const receipt = readReceipt({ ...raw, reversed } as RawReceipt, { from: 'left', to: 'right', ranges: [] }, [])
    const run: RunInfo = { id: 'x', from: 'left', to: 'right', ranges: ['k01..k02'], level: 4, state: 'done', progress: undefined, resumable: false, journal: 'j', receipt, error: undefined }
    return runsText([run], './s')
  }
  assert.match(shown(true), /left -> right k01..k02: done\n {2}0 entries, level 4, verified.*\n {2}went back: left owns the range again\n/)
  assert.doesNotMatch(shown(false), /went back/)
})

test('nothing that a terminal would obey gets there', () => {
  const hostile = { ...progress, live: { ...live, text: 'waits for the gate of \x1b[2Jshard\n1' } }
  assert.doesNotMatch(liveLine('copying', hostile, 120), /\p{Cc}/u)
  const run: RunInfo = { id: 'x', from: '\x1b]0;a\x07', to: 'b', ranges: ['\r\n..z'], level: 4, state: 'copying', progress: hostile, resumable: false, journal: 'j', receipt: undefined, error: undefined }
  assert.doesNotMatch(runsText([run], './s').replaceAll('\n', ''), /\p{Cc}/u)
})
