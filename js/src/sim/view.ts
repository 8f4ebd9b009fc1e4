// What there is to see of a simulated world; core/sim/view.cc writes it.
import type { SimViolation } from './simulate.js'

export interface SimNode {
  readonly kind: 'store' | 'mover' | 'client' | 'register' | 'other'
  readonly name: string
  readonly up: 0 | 1
  readonly paused: 0 | 1
  readonly slow: 0 | 1
  /** Rises with each restart. */
  readonly boot: number
  /** Of a store: keys, bytes of keys and values, and acknowledged writes a second, of about the last second. */
  readonly entries?: number
  readonly bytes?: number
  readonly load?: number
  /** Of a store: what fails together, as in `b`; empty where it fails alone. */
  readonly zone?: string
  /** Its disk is full. Of stores and movers. */
  readonly full?: 0 | 1
  /** So far its clock has jumped ahead, in microseconds. Of movers. */
  readonly aheadUs?: number
  /** Nodes that do not hear it. */
  readonly cutFrom: readonly number[]
}

export interface SimJob {
  readonly source: number
  readonly target: number
  readonly mover: number
  readonly mode: string
  readonly follow: 0 | 1
  readonly phase: 'waiting' | 'greeting' | 'running' | 'stopped' | 'ended'
  readonly state: string
  readonly verified: 0 | 1
  /** Rises with each incarnation: stores refuse what comes from an older one. */
  readonly epoch: number
  readonly startUs: number
  /** Clients that may still write its keys. */
  readonly writers: number
  readonly keys: number
  readonly first: string
  readonly last: string
  readonly atSource: number
  readonly atTarget: number
  /** Keys on both sides with different values. */
  readonly differ: number
  /** Of its keys and values, on the source and on the target. */
  readonly bytes: readonly [number, number]
  /** Acknowledged writes of its keys by clients, a second, of about the last second. */
  readonly load: number
  /** On the source, on the target, and different: a digit for each of 48 parts of the range, 0 none to 9 all. */
  readonly cells: readonly [string, string, string]
  /** Of a live one: what the gates of source and target say, "serving, epoch 3"; else empty. */
  readonly gates: readonly [string, string]
  readonly pages: number
  readonly followed: number
  readonly retries: number
  /** How often it was begun or resumed. */
  readonly begun: number
  readonly journalBytes: number
  readonly pauseUs: number
  /** Null while it does not run. */
  readonly engine: SimEngineView | null
  readonly phases: readonly (readonly [fromUs: number, state: string])[]
}

export type SimFlight = readonly [from: number, to: number, kind: number, fate: number, sentUs: number, arrivalUs: number, bytes: number, party: number]
export type SimLogLine = readonly [timeUs: number, job: number, text: string]
export type SimMark = readonly [timeUs: number, event: number, kind: number, text: string]

/** As they are numbered in core/sim/network.h and core/sim/watcher.h. */
export const Fate = { arrives: 0, lost: 1, damaged: 2, doubled: 3, veryLate: 4 } as const
export const MarkKind = { state: 0, fault: 1, recovery: 2, byHand: 3, violation: 4, healed: 5 } as const

export interface SimView {
  readonly timeUs: number
  readonly event: number
  readonly hash: string
  readonly healed: 0 | 1
  readonly ended: 0 | 1
  /** Things that the oracles were told of, and judged. */
  readonly checks: number
  /** Stores that took writes of one key at once, the most so far; 0 where nothing moves live. */
  readonly ownersMost: number
  readonly clientOps: number
  readonly clientAcks: number
  readonly crashes: number
  readonly resumes: number
  readonly messages: number
  readonly damaged: number
  readonly sabotage: string
  readonly nodes: readonly SimNode[]
  readonly jobs: readonly SimJob[]
  readonly oracles: readonly string[]
  readonly violations: readonly Omit<SimViolation, 'witness'>[]
  /** Of faults, per million. */
  readonly rates: readonly number[]
  /** Messages that were sent since the last view; the newest, where there are many. */
  readonly flights: readonly SimFlight[]
  readonly log: readonly SimLogLine[]
}

/** What the engine itself knows of a job while it runs. Times in microseconds; null: not known. */
export interface SimEngineView {
  readonly etaUs: number | null
  readonly entries: number
  /** Expected; 0: unknown. */
  readonly totalEntries: number
  readonly differences: number
  /** Of live ones only, from here on: what it waits for, in words. */
  readonly waits?: string
  /** Changes of the feed that are known and not applied. */
  readonly lag?: number
  /** Keys that changed since they were compared. */
  readonly toCompare?: number
  /** Of the writers' pause. */
  readonly forecastUs?: number | null
  readonly budgetUs?: number | null
  /** Writers are refused for so long now. */
  readonly pausedUs?: number
  /** Attempts that were given up. */
  readonly postponed?: number
}

/** A part of the key space; `jobs` that move it. */
export interface SimRow {
  readonly first: string
  readonly last: string
  readonly keys: number
  readonly jobs: readonly number[]
}

/** The rows at one time. A letter is a store, `a` the first; `-` nobody. */
export interface SimColumn {
  readonly timeUs: number
  readonly owners: string
  /** Stores where the row stands as well. */
  readonly also: string
  /** `1`: writers wait. */
  readonly fenced: string
  /** Acknowledged writes of clients since the column before. */
  readonly writes: readonly number[]
  readonly jobs: readonly (readonly [state: string, missing: number, differ: number, retries: number, pauseUs: number])[]
}

/** The key space by time, over the whole run. */
export interface SimHeat {
  readonly rows: readonly SimRow[]
  readonly columns: readonly SimColumn[]
}
