// What a receipt says for people: nothing that the run did not show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiptText } from '../../../../js/src/cli/output.ts'
import { type RawReceipt, readReceipt } from '../../../../js/src/receipt.ts'

const digest = (letter: string, entries: number) => ({ sum: letter.repeat(32), entries, bytes: entries * 10 })
const textOf = (given: Record<string, unknown>): string => receiptText(readReceipt({ state: 'done', verified: true, source: digest('a', 100), target: digest('a', 100), ...given } as RawReceipt, { from: 'left', to: 'right', ranges: [] }, []))

test('a copy says what both sides hold', () => {
  assert.match(textOf({ mode: 'copy' }), /verified: both sides hold 100 entries, digest a{32}\n/)
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
