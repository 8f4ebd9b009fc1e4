// Every bug that can be put in turns an oracle red in the session that the page starts for it, is
// told in words, and has its case in the wild. Where and from which seed on is in core/sim/README.md.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { huntFor } from '../../../dist/sim/element/ahead.js'
import { tollOf } from '../../../dist/sim/element/toll.js'
import { wildStory } from '../../../dist/sim/element/wild.js'
import { hasSentence, ofLife, readable } from '../../../dist/sim/element/words.js'
import { type SimViolation, simSabotages, simScenarios } from '../../../dist/sim/index.js'
import { Session } from '../../../dist/sim/session.js'
import { FIRST } from '../support/sabotages.ts'

const sabotages = simSabotages()

test('every sabotage is looked for where it is found, and turns the oracle red in the session of the page', () => {
  const session = new Session()
  assert.ok(sabotages.length >= 59)
  const harms = new Set<string>()
  for (const { name, what, scenario } of sabotages) {
    const wanted = huntFor(name, sabotages) ?? assert.fail(name)
    const table = FIRST.get(name) ?? assert.fail(`${name} is not in the table`)
    assert.equal(wanted.scenario, scenario)
    if (table.scenario !== undefined) assert.equal(scenario, table.scenario, name)
    assert.ok(what.length > 10 && !what.includes('  '), what)
    session.calls.open({ ...wanted, seed: table.seed })
    let seen = session.calls.scout(50)
    while (seen?.done !== true) seen = session.calls.scout(50)
    assert.ok(seen.violations.length > 0, `${name}: nothing is broken in ${scenario}, seed ${table.seed}`)
    for (const { oracle } of seen.violations) assert.ok(hasSentence(oracle) || oracle === 'journal' || oracle === 'register', `${oracle} has no sentence`)
    for (const { harm } of seen.violations) harms.add(harm)
    // The page tells the life of the first key that came to harm: its end, however long the run goes on.
    const keyed = seen.violations.find(({ key }) => key !== '')
    if (keyed !== undefined) {
      assert.ok(seen.life.length > 1, `${name}: nothing is told of ${keyed.key}`)
      assert.ok(seen.life.some((line) => line === `${keyed.timeUs} us  VIOLATION of ${keyed.oracle}: ${keyed.text}`), `${name}: ${seen.life.at(-1)}`)
      assert.ok(seen.life.every((line) => Number.parseInt(line, 10) <= keyed.timeUs), `${name}: ${seen.life.at(-1)}`)
    }
    const { sabotage } = session.calls.advance(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    assert.equal(sabotage, name)
    assert.match(wildStory(name)?.text ?? '', /^(etcd|[A-Z]).{40,}\.$/, name)
    assert.match(wildStory(name)?.link ?? '', /^https:/, name)
  }
  for (const harm of ['lost', 'stale', 'resurrected', 'doubled', 'owners']) assert.ok(harms.has(harm), `${harm} is never seen: ${[...harms].join(' ')}`)
})

test('from the first seed on the page comes to one that breaks a promise', () => {
  const session = new Session()
  for (const name of ['delete-after-copy', 'activate-early', 'stale-owner', 'late-activate']) {
    const wanted = huntFor(name, sabotages) ?? assert.fail(name)
    const { broken } = session.calls.survey(wanted, 120_000)
    assert.equal(broken, FIRST.get(name)?.seed, name)
  }
  assert.equal(huntFor('none', sabotages), undefined)
})

test('every oracle of every scenario has a sentence', () => {
  const session = new Session()
  for (const { name } of simScenarios()) {
    const { oracles } = session.calls.open({ seed: 1, scenario: name, until: 5 })
    for (const oracle of oracles) assert.ok(hasSentence(oracle), `${oracle} of ${name}`)
  }
})

test('harm is counted in words, and without harm there is one owner', () => {
  const one = (harm: SimViolation['harm']) => ({ oracle: 'history', text: '', key: 'k', harm, timeUs: 1, event: 1 })
  const toll = tollOf({ ownersMost: 1, violations: [one('stale'), one('resurrected'), one('lost'), one('doubled'), one('lost'), one('')] })
  assert.deepEqual(toll, { lost: 2, stale: 1, resurrected: 1, doubled: 1, owners: 1 })
  assert.deepEqual(tollOf({ ownersMost: 0, violations: [] }), { lost: 0, stale: 0, resurrected: 0, doubled: 0, owners: undefined })
  assert.equal(tollOf({ ownersMost: 1, violations: [one('owners')] }).owners, 2)
  const session = new Session()
  session.calls.open({ seed: 1, scenario: 'live-swarm', faults: 'all' })
  const { ownersMost, violations } = session.calls.advance(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  assert.deepEqual([ownersMost, violations], [1, []])
})

test('the life of a key is told without the key that stands above it, and of whom a value of another key is', () => {
  const told = (line: string): string => ofLife(line, 'j0/00012').replaceAll(/ {2,}/g, ' ')
  assert.equal(told('s0  j0/00012: nothing -> j0/00012|0|0|abc  (set up 0)'), 's0: nothing → value 0.0 (set up)')
  assert.equal(told('client 4 writes j0/00012 = j0/00012|4|9'), 'client 4 writes value 4.9')
  assert.equal(told('s2  j0/00012: j0/00012|0|0 -> j0/00013|4|7  (applied for job 27)'), 's2: value 0.0 → j0/00013’s value 4.7 (applied for range B1)')
  assert.equal(told('job 0  copying -> catchingUp  OK'), 'range A copying → catching up')
  assert.equal(readable('VIOLATION of single-writer: s1 took a write'), 'Promise broken (single-writer): s1 took a write')
})
