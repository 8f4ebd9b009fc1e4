import { KeyhaulError } from '../errors.js'
import { argumentsOf, type SimulateOptions } from './arguments.js'
import { runSimCommand } from './command.js'

/** What a broken promise does to a key; `owners`: two stores took its writes. As in core/sim/harm.h. */
export type SimHarm = 'lost' | 'stale' | 'resurrected' | 'doubled' | 'owners'

/** A promise that was broken. */
export interface SimViolation {
  /** The oracle that saw it, as in `lost-write`. */
  readonly oracle: string
  readonly text: string
  /** Empty where no single key is concerned. */
  readonly key: string
  /** Empty where it cannot be told. */
  readonly harm: SimHarm | ''
  readonly timeUs: number
  /** The number of the event after which it was seen, from 1. */
  readonly event: number
  /** Of the oracle `linearizable`: the shortest proof, as text of several lines; else empty. */
  readonly witness: string
}

export interface SimReport {
  readonly seed: bigint
  readonly scenario: string
  /** Of every event's time, kind, node and payload, as 16 hexadecimal digits: two runs with the same hash did the same. */
  readonly hash: string
  /** The faults that the seed turned on. */
  readonly faults: readonly string[]
  readonly events: number
  /** Simulated time at the end. */
  readonly timeUs: number
  /** The first few; empty when every promise was kept. */
  readonly violations: readonly SimViolation[]
  /** What happened, so that a run in which nothing happened does not look well. */
  readonly counts: SimCounts
  /** What happened to the key of `explain`, one line each. */
  readonly life: readonly string[]
}

export interface SimCounts {
  readonly jobs: number
  readonly done: number
  readonly verified: number
  readonly mismatched: number
  readonly cancelled: number
  readonly resumes: number
  readonly crashes: number
  readonly messages: number
  readonly damaged: number
  readonly clientOps: number
  readonly clientAcks: number
  readonly copiedEntries: number
  readonly feedChanges: number
  /** Windows of histories of keys with several writers, and those that were too long for the checker. */
  readonly judged: number
  readonly unjudged: number
}

/**
 * Runs one simulation to its end and gives what came of it. It is `keyhaul sim` with the same
 * options, and natively `keyhaul_sim`. Throws KEYHAUL_INVALID_ARGUMENT for options that are
 * not understood.
 */
export function simulate(options: SimulateOptions): SimReport {
  const { exitCode, text } = runSimCommand([...argumentsOf(options), '--json'])
  if (exitCode === 2) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: text.split('\n')[0] ?? text })
  const report = JSON.parse(text) as Omit<SimReport, 'seed' | 'faults'> & { seed: string; faults: string }
  return { ...report, seed: BigInt(report.seed), faults: report.faults === 'none' ? [] : report.faults.split(',') }
}

export interface SimChoice {
  readonly name: string
  readonly what: string
}

export interface SimSabotage extends SimChoice {
  /** In which seeds are found where it breaks a promise; elsewhere it may do nothing at all. */
  readonly scenario: string
}

/** The scenarios that there are, and what they are about. */
export const simScenarios = (): SimChoice[] => choices('--list-scenarios')
/** The faults that there are, and what they do. */
export const simFaults = (): SimChoice[] => choices('--list-faults')
/** The bugs that can be put in, and what they are. */
export const simSabotages = (): SimSabotage[] =>
  choices('--list-sabotage').map(({ name, what }) => {
    const at = what.lastIndexOf('  ')
    return { name, what: what.slice(0, at), scenario: what.slice(at + 2) }
  })

/** What can be done to a running world by hand. */
export const simInterventions = (): SimChoice[] => choices('--list-interventions')

function choices(flag: string): SimChoice[] {
  return runSimCommand([flag]).text.trimEnd().split('\n').map((line) => {
    const [name = '', ...what] = line.split('  ')
    return { name, what: what.join('  ') }
  })
}
