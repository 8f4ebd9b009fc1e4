import { KeyhaulError } from '../errors.js'
import { runSimCommand } from '../sim/command.js'
import type { Measurement } from './measurement.js'
import { verdictOf } from './verdict.js'

/** What is to be done with what was measured. */
export interface RehearsalPlan {
  /** Default `copy`; `live` is a move while clients write. */
  readonly mode?: 'copy' | 'move' | 'live' | undefined
  readonly verify?: 'none' | 'target' | 'both' | undefined
  /** Of clients in the range, a second, live only; taken to hit its keys evenly. Default 0. */
  readonly writes?: number | undefined
  /** Live: writers may be refused for so long, 10 to 3,600,000. Default 1,000. */
  readonly pauseBudgetMs?: number | undefined
  /** Live: of the thread, 0.01 to 1. Default 0.25. */
  readonly share?: number | undefined
  /** Bytes a second at most. Default: no limit. */
  readonly rate?: number | undefined
  readonly pageBytes?: number | undefined
  readonly pageEntries?: number | undefined
  readonly windowPages?: number | undefined
  readonly durablePages?: number | undefined
  /** The first seed; equal measurement, plan and seeds give equal forecasts. Default 1. */
  readonly seed?: number | undefined
  /** Runs without faults, and as many with mild ones, 1 to 1,000. Default 20. */
  readonly seeds?: number | undefined
}

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
  readonly verdict: 'fits' | 'overBudget' | 'notConverging' | 'fails'
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

const MODES = { copy: 1, move: 2, live: 4 } as const
const DEPTHS = { none: 0, target: 1, both: 2 } as const

const LEAST: Readonly<Record<string, readonly [number, number]>> = {
  writes: [0, 10_000_000],
  pauseBudgetMs: [10, 3_600_000],
  rate: [1, 1e12],
  seed: [0, 2 ** 52],
  seeds: [1, 1000],
  pageBytes: [1024, 64 * 1024 * 1024],
  pageEntries: [1, 1_000_000],
  windowPages: [1, 1000],
  durablePages: [1, 1_000_000]
}

/** Throws KEYHAUL_INVALID_ARGUMENT. */
export function assertPlan(plan: RehearsalPlan): void {
  const refuse = (message: string): never => {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message })
  }
  for (const [name, [least, most]] of Object.entries(LEAST)) {
    const value = (plan as Record<string, unknown>)[name]
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= least && (value as number) <= most)) {
      refuse(`${name} is ${String(value)}; it must be a whole number of ${least} to ${most}`)
    }
  }
  const { mode = 'copy', verify = 'target', share = 0.25, writes = 0 } = plan
  if (!Object.hasOwn(MODES, mode)) refuse(`mode is ${String(mode)}; it must be copy, move or live`)
  if (!Object.hasOwn(DEPTHS, verify)) refuse(`verify is ${String(verify)}; it must be none, target or both`)
  if (!(share >= 0.01 && share <= 1)) refuse(`share is ${String(share)}; it must be 0.01 to 1`)
  if (writes > 0 && mode !== 'live') refuse('writes are of a live migration; a copy or a move is of a range that nobody writes')
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

function* seedBySeed(measurement: Measurement, plan: RehearsalPlan): Generator<undefined, Forecast> {
  assertPlan(plan)
  const isLive = plan.mode === 'live'
  if (isLive !== measurement.live) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `the measurement is of a ${measurement.live ? 'live migration' : 'copy or move'}; measure again for the other` })
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
  return { ...verdictOf(plan, outcomes.calm, outcomes.mild), plan, measurement, seeds: { first, count }, scale: { entries: scale, pageEntries }, ...outcomes }
}

function run(measured: Measurement, plan: RehearsalPlan, seed: number, mild: number): Run {
  const isLive = plan.mode === 'live'
  const words: Readonly<Record<string, number>> = {
    entries: measured.entries,
    bytes: measured.bytes,
    'read-ns': measured.readNs,
    'write-ns': measured.writeNs,
    'sync-us': measured.syncUs,
    'copy-ns': measured.copyNs,
    'verify-ns': measured.verifyNs,
    'look-ns': measured.lookNs,
    'feed-ns': measured.feedNs,
    'put-ns': measured.putNs,
    writes: plan.writes ?? 0,
    'share-percent': Math.round((plan.share ?? 0.25) * 100),
    rate: plan.rate ?? 0,
    'pause-budget-ms': plan.pauseBudgetMs ?? 1000,
    ...Object.fromEntries(Object.entries(pagesOf(plan)).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value])),
    mode: MODES[plan.mode ?? 'copy'],
    verify: DEPTHS[plan.verify ?? (isLive ? 'both' : 'target')],
    mild
  }
  const list = Object.entries(words).map(([name, value]) => `${name}=${value}`).join(',')
  const { exitCode, text } = runSimCommand(['--rehearse', list, '--seeds', `${seed}..${seed}`])
  if (exitCode !== 0) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: text.split('\n')[0] ?? text })
  return JSON.parse(text) as Run
}

/** As migrate() has them, unless the plan says otherwise. */
export function pagesOf(plan: RehearsalPlan): { pageEntries: number; pageBytes: number; windowPages: number; durablePages: number } {
  const isLive = plan.mode === 'live'
  const { pageEntries = isLive ? 2048 : 16_384, pageBytes = isLive ? 65_536 : 262_144, windowPages = isLive ? 2 : 8, durablePages = isLive ? 20 : 64 } = plan
  return { pageEntries, pageBytes, windowPages, durablePages }
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
