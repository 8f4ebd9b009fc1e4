// What a receipt of the core becomes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RawReceipt, readReceipt } from '../../../dist/receipt.js'

const NAMES = { from: 'a', to: 'b', ranges: [] }
const DIGEST = { sum: '00', entries: 0, bytes: 0 }
const raw = (more: object): RawReceipt => ({ state: 'done', mode: 'live', verified: true, source: DIGEST, target: DIGEST, ...more }) as RawReceipt

test('a receipt says for how long reads may have been stale, or that nobody knows, or nothing', () => {
  assert.equal('staleReadsMs' in readReceipt(raw({}), NAMES, []), false)
  assert.equal(readReceipt(raw({ staleReadsUs: 12_340 }), NAMES, []).staleReadsMs, 12.34)
  // Never less than it was: it is a bound.
  assert.equal(readReceipt(raw({ staleReadsUs: 1 }), NAMES, []).staleReadsMs, 0.01)
  assert.equal(readReceipt(raw({ staleReadsUnknown: true }), NAMES, []).staleReadsMs, 'unknown')
})
