import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyhaulError } from '../../../dist/index.js'
import { simFaults, simSabotages, simScenarios, simulate } from '../../../dist/sim/index.js'

test('a run is a function of its options', () => {
  const report = simulate({ seed: 7, scenario: 'follow' })
  assert.match(report.hash, /^[0-9a-f]{16}$/)
  assert.deepEqual(simulate({ seed: 7n, scenario: 'follow' }), report)
  assert.notEqual(simulate({ seed: 8, scenario: 'follow' }).hash, report.hash)
  assert.deepEqual([report.seed, report.scenario, report.violations, report.life], [7n, 'follow', [], []])
  assert.ok(report.events > 100 && report.timeUs > 1_000_000 && report.counts.jobs >= 1)
  assert.ok(report.faults.every((name) => simFaults().some((fault) => fault.name === name)))
})

test('options reach the run, the largest seed too', () => {
  assert.equal(simulate({ seed: 2n ** 64n - 1n, until: 3 }).seed, 18446744073709551615n)
  assert.deepEqual(simulate({ seed: 1, faults: 'none', until: 3 }).faults, [])
  assert.deepEqual(simulate({ seed: 1, faults: [], until: 3 }).faults, [])
  const all = simulate({ seed: 2 })
  assert.ok(all.faults.length > 2)
  assert.deepEqual(simulate({ seed: 2, faults: all.faults }).hash, all.hash)
  assert.ok(simulate({ seed: 2, workload: 10 }).events < all.events)
  assert.ok(simulate({ seed: 7, explain: 'j0/00001' }).life.length > 0)
})

test('a bug that was put in is found, with the key', () => {
  const { violations } = simulate({ seed: 2, sabotage: 'ack-before-sync' })
  assert.ok(violations.length > 0)
  const { oracle, text, timeUs, event } = violations[0] as (typeof violations)[0]
  assert.ok(oracle !== '' && text !== '' && timeUs > 0 && event > 0)
})

test('what there is is listed with what it is about', () => {
  for (const list of [simScenarios(), simFaults(), simSabotages()]) {
    assert.ok(list.length >= 8)
    for (const { name, what } of list) assert.ok(/^[a-z0-9-]+$/.test(name) && what.length > 10, name)
  }
})

test('options that are not understood throw and are named', () => {
  for (const [options, message] of [
    [{ seed: 1, scenario: 'nowhere' }, /no scenario nowhere/],
    [{ seed: -1 }, /--seed -1/],
    [{ seed: 1.5 }, /--seed 1\.5/],
    [{ seed: 1, until: 0 }, /--until 0/],
    [{ seed: 1, faults: ['rain'] }, /--faults rain/],
    [{ seed: 1, sabotage: 'x' }, /--sabotage x/]
  ] as const) {
    assert.throws(() => simulate(options), (error) => error instanceof KeyhaulError && error.code === 'KEYHAUL_INVALID_ARGUMENT' && message.test(error.message))
  }
})
