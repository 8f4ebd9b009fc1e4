// Lines on a terminal that is narrower than they are; what is no terminal gets them whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { differencesText } from '../../../../js/src/cli/output.ts'
import { columnsOf, wrapped } from '../../../../js/src/cli/terminal.ts'
import type { Receipt } from '../../../../js/src/receipt.ts'

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => stripVTControlCharacters(line).length))
const VERIFIED = '  \u001b[32mverified\u001b[39m: both sides hold 138,398 entries, digest 0696ec1cea7f21a4d7af44b382be3c3c'

test('a long line is broken between words, with nothing lost and nothing added but the breaks', () => {
  const text = `copied 1 entry\n${VERIFIED}\n  ${'forty words '.repeat(20)}\n`
  for (let columns = 45; columns < 120; columns++) {
    const lines = wrapped(text, columns)
    assert.ok(widest(lines) <= columns, `${columns}: ${lines}`)
    assert.equal(lines.replace(/\s+/g, ' '), text.replace(/\s+/g, ' '))
    assert.ok(lines.endsWith('\n'))
  }
  assert.equal(wrapped(`${VERIFIED}\n`, 80), '  \u001b[32mverified\u001b[39m: both sides hold 138,398 entries, digest\n    0696ec1cea7f21a4d7af44b382be3c3c\n')
  assert.equal(wrapped(VERIFIED, 84), VERIFIED)
})

test('a list without spaces is broken behind its commas, a number is not', () => {
  const faults = `faults ${Array.from({ length: 30 }, (_, i) => `fault-${i}`).join(',')}`
  assert.ok(widest(wrapped(faults, 80)) <= 80)
  assert.equal(wrapped(faults, 80).replace(/\n */g, ''), faults)
  assert.equal(wrapped('one two three 1,234,567 entries', 20), 'one two three\n  1,234,567 entries')
  assert.equal(wrapped('pause p50 12, max 23 ms; 2 rounds', 21), 'pause p50 12, max\n  23 ms; 2 rounds')
})

test('a command is never broken: it would be copied in part', () => {
  const command = `keyhaul resume ${'/a/long/folder'.repeat(6)} --rate 5`
  assert.equal(wrapped(`  resume with: ${command}\n`, 40), `  resume with:\n    ${command}\n`)
})

test('nor are its flags', () => {
  const flags = '--seed 7 --scenario follow --faults none --until 3 --workload 10'
  assert.equal(wrapped(`after 19 runs: ${flags}\n`, 40), `after 19 runs:\n  ${flags}\n`)
})

test('what is no terminal, or does not know its width, gets the lines as they are', () => {
  assert.equal(columnsOf({ columns: 80 }), undefined)
  assert.equal(columnsOf({ isTTY: true }), undefined)
  assert.equal(columnsOf({ isTTY: true, columns: 0 }), undefined)
  assert.equal(columnsOf({ isTTY: true, columns: 72 }), 72)
  assert.equal(columnsOf({ isTTY: true, columns: 3 }), 20)
  assert.equal(wrapped(VERIFIED.repeat(9), undefined), VERIFIED.repeat(9))
})

test('a terminal is shown 20 of many differences, and how to see all', () => {
  const of = (named: number, changed = named): Receipt => ({ different: Array.from({ length: named }, (_, i) => ({ key: `k${i}`, kind: 'changed' })), missing: 0, extra: 0, changed }) as unknown as Receipt
  const lines = differencesText(of(10_000, 19_500), 20).trimEnd().split('\n')
  assert.deepEqual([lines[0], lines[19], lines.length], ['changed k0', 'changed k19', 21])
  assert.equal(lines[20], 'and 19,480 more; --json, or a file in the place of the terminal, has the first 10,000; --range and --prefix take a part')
  assert.match(differencesText(of(21), 20), /k19\nand 1 more; --json, or a file in the place of the terminal, has all\n$/)
  assert.equal(differencesText(of(20), 20), differencesText(of(20)))
  assert.equal(differencesText(of(10_000, 10_001)).split('\n').length, 10_002)
  assert.match(differencesText(of(10_000, 10_001)), /k9999\nand 1 more; --range and --prefix take a part\n$/)
})
