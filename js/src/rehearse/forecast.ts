import { KeyhaulError } from '../errors.js'
import { runSimCommand } from '../sim/command.js'
import type { Measurement } from './measurement.js'
import { PAUSE_CALLS, type PauseTimes } from './pause-watch.js'
import { assertPlan, DEPTHS, MODES, pagesOf, type RehearsalPlan } from './plan.js'
import { refusalOf, verdictOf } from './verdict.js'

export interface Quantiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** What came of all seeds of one kind. Durations are of the runs that ended well. */
export interface Outcome {
  readonly runs: number
  readonly done: number
  /** Why the others were not, each once: `KEYHAUL_NOT_CONVERGING`, or `unfinished` where no end was in sight. */
  readonly reasons: readonly string[]
  readonly durationMs: Quantiles
  readonly copyMs: Quantiles
  /** Live: the longest pause of writers in a run. */
  readonly pauseMs: Quantiles
  /** Live, of all runs: rounds of the approach. */
  readonly rounds: Quantiles
  /** Live, of all runs: changes that waited at one time. */
  readonly lagChanges: Quantiles
  /** Live: attempts at the cutover that were given up, in all runs. */
  readonly postponed: number
}

export interface Forecast {
  readonly verdict: 'fits' | 'refused' | 'overBudget' | 'notConverging' | 'fails'
  /** The verdict for people. */
  readonly text: string
  readonly plan: RehearsalPlan
  readonly measurement: Measurement
  readonly seeds: { readonly first: number; readonly count: number }
  /** One simulated entry stands for so many real ones, a simulated write for as many writes; a page holds so many real entries. */
  readonly scale: { readonly entries: number; readonly pageEntries: number }
  readonly calm: Outcome
  /** With calls that fail, and disks and processes that stall now and then. */
  readonly mild: Outcome
}

/** Its multiples, less what is whole of them, lie evenly between 0 and 1. */
const GOLDEN = (Math.sqrt(5) - 1) / 2
/** Of larger ones nothing is left but what is whole. */
const MULTIPLES = 1_000_000

interface Run {
  readonly state: string
  readonly reason: string
  readonly durationUs: number
  readonly copyUs: number
  readonly pauseUs: number
  readonly postponed: number
  readonly rounds: number
  readonly lagChanges: number
  readonly scale: number
  readonly pageEntries: number
}

/** Runs the plan with what was measured, in the simulator. */
export function forecast(measurement: Measurement, plan: RehearsalPlan = {}): Forecast {
  const steps = seedBySeed(measurement, plan)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same, and lets others run between the seeds; throws the signal's reason. */
export async function forecastInTurns(measurement: Measurement, plan: RehearsalPlan, signal: AbortSignal | undefined): Promise<Forecast> {
  const steps = seedBySeed(measurement, plan)
  for (;;) {
    // A macrotask: signals of the process and timers come in no microtask.
    await new Promise((resolve) => setTimeout(resolve))
    signal?.throwIfAborted()
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

function* seedBySeed(measurement: Measurement, given: RehearsalPlan): Generator<undefined, Forecast> {
  assertPlan(given)
  const writes = given.writes ?? measurement.writes
  const plan = writes === undefined ? given : { ...given, writes }
  const isLive = plan.mode === 'live'
  if (isLive !== measurement.live) {
    const message = isLive
      ? 'this was measured for a copy or a move, and says nothing of writers; measure the stores again for a live migration (keyhaul rehearse FROM TO --live)'
      : 'this was measured for a live migration; forecast one (--live), or measure the stores again for a copy or a move'
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message })
  }
  const { seed: first = 1, seeds: count = 20 } = plan
  const [calm, mild]: [Run[], Run[]] = [[], []]
  for (const [runs, faults] of [[calm, 0], [mild, 1]] as const) {
    for (let seed = first; seed < first + count; seed++) {
      runs.push(run(measurement, plan, seed, faults))
      yield
    }
  }
  const { scale, pageEntries } = calm[0] as Run
  const outcomes = { calm: outcomeOf(calm), mild: outcomeOf(mild) }
  return { ...(refusalOf(plan, measurement) ?? verdictOf(plan, outcomes.calm, outcomes.mild)), plan, measurement, seeds: { first, count }, scale: { entries: scale, pageEntries }, ...outcomes }
}

function run(measured: Measurement, plan: RehearsalPlan, seed: number, mild: number): Run {
  const isLive = plan.mode === 'live'
  const words: Readonly<Record<string, number>> = {
    entries: measured.entries,
    bytes: measured.bytes,
    'read-ns': measured.readNs,
    'write-ns': measured.writeNs,
    'sync-us': measured.syncUs,
    'sync-most-us': measured.syncMostUs ?? 0,
    'answer-us': measured.answerUs ?? 0,
    ...pauseOf(measured, seed),
    'copy-ns': measured.copyNs,
    'verify-ns': measured.verifyNs,
    'look-ns': measured.lookNs,
    'feed-ns': measured.feedNs,
    'put-ns': measured.putNs,
    writes: plan.writes ?? 0,
    'share-percent': Math.round((plan.share ?? 0.25) * 100),
    rate: plan.rate ?? 0,
    'pause-budget-ms': plan.pauseBudgetMs ?? 1000,
    ...named(pagesOf(plan)),
    mode: MODES[plan.mode ?? 'copy'],
    verify: DEPTHS[plan.verify ?? (isLive ? 'both' : 'target')],
    mild
  }
  const list = Object.entries(words).map(([name, value]) => `${name}=${value}`).join(',')
  const { exitCode, text } = runSimCommand(['--rehearse', list, '--seeds', `${seed}..${seed}`])
  if (exitCode !== 0) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: text.split('\n')[0] ?? text })
  return JSON.parse(text) as Run
}

/** As the simulator names them. */
const named = (values: object): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value as number]))

/**
 * One that was measured, for all calls of a pause: where one is slow the next is too. However few seeds in a row there are, they
 * take short and long ones alike.
 */
function pauseOf({ pauses = [] }: Measurement, seed: number): Record<string, number> {
  const sum = (pause: PauseTimes): number => PAUSE_CALLS.reduce((all, call) => all + pause[call], 0)
  // The longest first: of the usual twenty seeds one takes it.
  const inOrder = [...pauses].sort((a, b) => sum(b) - sum(a))
  return named(inOrder[Math.floor((((seed % MULTIPLES) * GOLDEN) % 1) * inOrder.length)] ?? {})
}

function outcomeOf(runs: readonly Run[]): Outcome {
  const done = runs.filter(({ state }) => state === 'done')
  const failed = runs.filter(({ state }) => state !== 'done')
  const ms = (of: (run: Run) => number): Quantiles => quantiles(done.map((one) => Math.round(of(one) / 100) / 10))
  return {
    runs: runs.length,
    done: done.length,
    reasons: [...new Set(failed.map(({ state, reason }) => (state === 'unfinished' ? state : `KEYHAUL_${reason}`)))],
    durationMs: ms(({ durationUs }) => durationUs),
    copyMs: ms(({ copyUs }) => copyUs),
    pauseMs: ms(({ pauseUs }) => pauseUs),
    rounds: quantiles(runs.map(({ rounds }) => rounds)),
    lagChanges: quantiles(runs.map(({ lagChanges }) => lagChanges)),
    postponed: runs.reduce((sum, { postponed }) => sum + postponed, 0)
  }
}

/** The smallest value that so many of the others do not pass; zeros where there is none. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}
