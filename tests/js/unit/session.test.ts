// What the page stands on, without a page: watching, seeking and breaking by hand give the run of
// the command with the same flags.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simScenarios, simulate } from '../../../dist/sim/index.js'
import { Session } from '../../../dist/sim/session.js'

function foresight(session: Session) {
  for (let i = 0; i < 10_000; i++) {
    const seen = session.calls.scout(20)
    if (seen?.done) return seen
  }
  return assert.fail('the scout does not arrive')
}

test('every scenario, watched to its end, has the hash that was foreseen, and that of the command', () => {
  for (const { name } of simScenarios()) {
    const session = new Session()
    const options = { seed: 5, scenario: name, until: 20 }
    session.calls.open(options)
    const seen = foresight(session)
    let view = session.calls.advance(1_000_000)
    for (let timeUs = 2_000_000; view.ended === 0; timeUs += 1_700_000) view = session.calls.advance(timeUs)
    assert.deepEqual([view.hash, view.event], [seen.hash, seen.events], name)
    assert.equal(seen.hash, simulate(options).hash, name)
    assert.ok(view.nodes.length > 3 && view.jobs.length > 0 && view.oracles.length >= 10 && seen.marks.length > 0, name)
  }
})

test('what is done by hand is part of the input, and a seek back keeps it', () => {
  const session = new Session()
  const options = { seed: 3, scenario: 'story', faults: 'none' } as const
  session.calls.open(options)
  const interventions: string[] = []
  for (const [timeUs, what] of [[4_000_000, 'crash:3:1500'], [6_000_000, 'rate:drop:100000'], [6_000_000, 'slow:1:500'], [7_500_001, 'cut:2:900']] as const) {
    session.calls.advance(timeUs, Number.POSITIVE_INFINITY)
    interventions.push(session.calls.intervene(what).text)
    assert.equal(interventions.at(-1), `${timeUs}:${what}`)
  }
  const later = session.calls.seek(9_000_000)
  assert.ok(later.crashes === 1 && later.resumes >= 1)
  assert.equal(session.calls.seek(3_000_000).crashes, 0)
  assert.deepEqual(session.calls.seek(9_000_000).hash, later.hash)
  const back = session.calls.seekEvent(later.event - 1)
  assert.equal(back.event, later.event - 1)
  assert.equal(session.calls.seekEvent(later.event).hash, later.hash)
  assert.equal(foresight(session).hash, simulate({ ...options, interventions }).hash)
})

test('what is done by hand late in a long run is there after a seek behind it, whatever was foreseen before', () => {
  const session = new Session()
  const options = { seed: 11, scenario: 'many', until: 120, workload: 300 }
  session.calls.open(options)
  const { events } = foresight(session)
  const { event, reachedUs } = session.calls.seek(75_000_000)
  assert.ok(events > 40_000 && event > 25_000, `${event} of ${events} events: no snapshot lies before it`)
  const { text } = session.calls.intervene('crash:3:1500')
  const done = simulate({ ...options, interventions: [text] })
  assert.notEqual(done.hash, simulate(options).hash)
  for (const looksAhead of [false, true]) {
    if (looksAhead) assert.equal(foresight(session).hash, done.hash)
    assert.ok(session.calls.seek(reachedUs - 1_000_000).event < event)
    const { hash, event: last } = session.calls.advance(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    assert.deepEqual([hash, last], [done.hash, done.events])
  }
})

test('a write that was to be torn is not once everything has healed', () => {
  const options = { seed: 2, scenario: 'story', faults: 'none', until: 30 } as const
  const whole = simulate(options)
  // The healing comes at 20 s, before any write that could be torn.
  const torn = simulate({ ...options, interventions: ['19999999:torn:0:700', '19999999:torn:1:700', '19999999:torn:3:700'] })
  assert.deepEqual([torn.events, torn.counts.crashes], [whole.events + 3, 0])
})

test('every sabotage that turns an oracle red by hand does so in the run of the command, with the life of the key', () => {
  const session = new Session()
  const options = { seed: 3, scenario: 'story', faults: 'none' } as const
  session.calls.open(options)
  session.calls.advance(1_500_000, Number.POSITIVE_INFINITY)
  session.calls.intervene('sabotage:drop-tombstones')
  const seen = foresight(session)
  assert.ok(seen.violations.length > 0 && seen.life.length > 0)
  assert.deepEqual(seen.violations, simulate({ ...options, interventions: ['1500000:sabotage:drop-tombstones'] }).violations)
})

// The design allows 100 ms for a seek, which are about 50,000 events; times themselves are in core/sim/README.md.
test('any event of ten minutes is reached by way of at most 50,000 others, however late it is', () => {
  const session = new Session()
  session.calls.open({ seed: 11, scenario: 'many', until: 600, workload: 300 })
  const { events, endUs } = foresight(session)
  const times: number[] = []
  for (const share of [0.9, 0.1, 0.5, 0.99, 0.3, 0.7, 0.01]) {
    const start = performance.now()
    const view = session.calls.seekEvent(Math.floor(events * share))
    times.push(performance.now() - start)
    assert.equal(view.event, Math.floor(events * share))
    assert.ok((view.replayed ?? Number.NaN) <= 50_000, `${view.replayed} events, to ${share}`)
  }
  assert.ok(events > 150_000 && endUs > 100_000_000, `${events} events: a seek from the start would do as well`)
  console.log(`${events} events, seeks took ${times.map((ms) => ms.toFixed(0))} ms`)
})

test('a budget that is spent ends a part of the run early, and all parts come to the same end', () => {
  const options = { seed: 4, scenario: 'many', until: 30 }
  const [hasty, patient] = [new Session(), new Session()]
  hasty.calls.open(options)
  patient.calls.open(options)
  const first = hasty.calls.advance(60_000_000, 0)
  assert.ok(first.event > 0 && first.event <= 500 && first.reachedUs < 60_000_000, `${first.event} events, to ${first.reachedUs}`)
  let [view, parts] = [first, 1]
  for (; view.ended === 0; parts++) view = hasty.calls.advance(1e12, 0)
  assert.ok(parts > 10, `${parts} parts`)
  assert.equal(view.hash, patient.calls.advance(1e12, Number.POSITIVE_INFINITY).hash)
})

test('the key space by time covers the run, counts each acknowledged write once, and changes nothing', () => {
  for (const [scenario, seed] of [['story', 1], ['live-rivals', 2], ['many', 3], ['add-node', 1]] as const) {
    const session = new Session()
    const options = { seed, scenario, until: 40 }
    session.calls.open(options)
    const { heat, hash, endUs } = foresight(session)
    assert.equal(hash, simulate(options).hash)
    assert.ok(heat.columns.length <= 240 && heat.columns.length > 60 && (heat.columns.at(-1)?.timeUs ?? 0) >= endUs, `${heat.columns.length} columns`)
    const writes = heat.columns.reduce((sum, column) => sum + column.writes.reduce((a, b) => a + b, 0), 0)
    assert.equal(writes, simulate(options).counts.clientAcks, scenario)
    for (const { owners, also, fenced, jobs } of heat.columns) {
      assert.deepEqual([owners.length, also.length, fenced.length], [heat.rows.length, heat.rows.length, heat.rows.length])
      assert.match(owners, /^[a-d-]+$/)
      assert.ok(jobs.length > 0)
    }
    for (const row of heat.rows) assert.ok(row.jobs.every((job) => heat.columns.at(-1)?.jobs[job]?.[0] !== 'pending'), `${scenario}: a row of a range that nobody moved`)
    const owners = new Set(heat.columns.map((column) => column.owners))
    assert.ok(owners.size > 1 || scenario === 'many', `${scenario}: nothing changes its owner`)
  }
})

test('what is new to break does the same natively, in the command and by hand', () => {
  const session = new Session()
  const options = { seed: 4, scenario: 'live', faults: 'none' } as const
  session.calls.open(options)
  const interventions: string[] = []
  for (const [timeUs, what] of [[500_000, 'part:0-3:900'], [900_000, 'one-way:3-1:400'], [1_500_000, 'rival:3:0'], [2_000_000, 'torn:3:700'], [2_500_000, 'rate:reorder:800000']] as const) {
    session.calls.advance(timeUs, Number.POSITIVE_INFINITY)
    interventions.push(session.calls.intervene(what).text)
  }
  assert.equal(session.calls.advance(3_000_000, Number.POSITIVE_INFINITY).nodes.filter(({ kind }) => kind === 'mover').length, 2)
  const seen = foresight(session)
  assert.deepEqual([seen.hash, seen.violations], [simulate({ ...options, interventions }).hash, []])
  const joined = seen.heat.columns.at(-1)?.jobs.length ?? 0
  assert.ok(seen.heat.rows.some(({ jobs }) => jobs.includes(joined - 1)), 'the rival has no rows')
  for (const text of ['part:1-1', 'part:1', 'one-way:a-b']) assert.throws(() => session.calls.intervene(text), /not understood/)
})

test('the engine tells what it reckons, while it runs', () => {
  const session = new Session()
  session.calls.open({ seed: 3, scenario: 'hot-range', faults: 'none' })
  const told = new Set<string>()
  for (let timeUs = 0; timeUs < 20_000_000; timeUs += 10_000) {
    const { engine, phase } = session.calls.advance(timeUs, Number.POSITIVE_INFINITY).jobs[0] ?? assert.fail()
    assert.equal(engine !== null, phase === 'running')
    for (const [name, value] of Object.entries(engine ?? {})) if (value !== null && value !== 0 && value !== '') told.add(name)
  }
  for (const name of ['forecastUs', 'budgetUs', 'waits', 'lag', 'pausedUs']) assert.ok(told.has(name), `${name} is never told: ${[...told].join(' ')}`)
})

test('a clock that jumps ends a wait early: the mover gives up a call that had time left', () => {
  // A store stands still from 1.6 s on, longer than anybody waits here; a call to it has time beyond 6 s.
  const failedBy6s = (jumps: boolean): number => {
    const session = new Session()
    session.calls.open({ seed: 1, scenario: 'story', faults: 'none' })
    session.calls.advance(1_600_000, Number.POSITIVE_INFINITY)
    session.calls.intervene('pause:0:9000')
    session.calls.advance(1_700_000, Number.POSITIVE_INFINITY)
    if (jumps) session.calls.intervene('clock-jump:3:60000')
    const { jobs, nodes } = session.calls.advance(6_000_000, Number.POSITIVE_INFINITY)
    assert.equal(nodes[3]?.aheadUs, jumps ? 60_000_000 : 0)
    return jobs.reduce((sum, { retries }) => sum + retries, 0)
  }
  assert.equal(failedBy6s(false), 0)
  assert.ok(failedBy6s(true) > 0)
})

test('options that are not understood throw', () => {
  const session = new Session()
  assert.throws(() => session.calls.open({ seed: 1, scenario: 'nowhere' }), /no scenario nowhere/)
  session.calls.open({ seed: 1 })
  assert.throws(() => session.calls.intervene('boil:0'), /0:boil:0/)
})
