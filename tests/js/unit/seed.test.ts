// A seed is one number wherever somebody writes it: in an attribute, a link, the box, a trace and the terminal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionsOf } from '../../../dist/sim/element/attributes.js'
import { fromLink, toLink } from '../../../dist/sim/element/link.js'
import { runSimCommand } from '../../../dist/sim/command.js'
import { simulate } from '../../../dist/sim/index.js'
import { noSeed, parseSeed } from '../../../dist/sim/seed.js'

const SEEDS: readonly (readonly [string, bigint])[] = [
  ['0', 0n], ['7', 7n], ['007', 7n], ['33504', 33504n], ['82e0', 33504n], ['0x82e0', 33504n], ['0X82E0', 33504n], ['0x10', 16n], ['1e5', 0x1e5n], ['e', 14n],
  ['DeadBeef', 0xdeadbeefn], ['12345678901234567890', 12345678901234567890n], ['18446744073709551615', 2n ** 64n - 1n], ['ffffffffffffffff', 2n ** 64n - 1n]
]
const NONE = ['', '0x', '-1', '+1', ' 1', '1 ', '1.5', 'seed', '0x1g', 'x10', '18446744073709551616', '1ffffffffffffffff', '0x1ffffffffffffffff', '9'.repeat(500)]

const withSeed = (seed: string): Element => ({ getAttribute: (name: string) => (name === 'seed' ? seed : name === 'scenario' ? 'add-node' : null) }) as unknown as Element

test('an attribute, a link and the command read the same seed', () => {
  for (const [text, seed] of SEEDS) {
    assert.equal(parseSeed(text), seed, text)
    assert.equal(optionsOf(withSeed(text)).seed, seed, text)
    assert.equal(fromLink(`#v=1&s=story&seed=${text}`)?.options.seed, seed, text)
    const { exitCode, text: said } = runSimCommand(['--seed', text, '--scenario', 'copy', '--until', '1', '--stop', '5', '--json'])
    assert.deepEqual([exitCode, (JSON.parse(said) as { seed: string | number }).seed.toString()], [0, String(seed)], text)
  }
  assert.equal(simulate({ seed: 0x82e0, scenario: 'copy', until: 2 }).hash, (JSON.parse(runSimCommand(['--seed', '82e0', '--scenario', 'copy', '--until', '2', '--json']).text) as { hash: string }).hash)
  assert.equal(fromLink(toLink({ options: { seed: 0x82e0n }, timeUs: 0 }))?.options.seed, 33504n)
})

test('what is no seed is refused in words, and is never another seed', () => {
  for (const text of NONE) {
    assert.equal(parseSeed(text), undefined, text)
    assert.equal(runSimCommand(['--seed', text, '--scenario', 'copy', '--until', '1']).exitCode, 2, text)
    assert.match(noSeed(text), /is no seed: it takes a number/)
    if (text === '') continue // an attribute without a value is the first seed
    assert.throws(() => optionsOf(withSeed(text)), /is no seed/, text)
    assert.throws(() => fromLink(`v=1&s=story&seed=${encodeURIComponent(text)}`), /is no seed/, text)
  }
  assert.throws(() => fromLink('v=1&s=story&seed='), /is no seed/)
  assert.equal(fromLink('v=2&seed=1'), undefined)
  assert.equal(fromLink('v=1&s=story'), undefined)
})
