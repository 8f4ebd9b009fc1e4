import { KeyhaulError } from '../errors.js'
import { PAUSE_CALLS, type PauseTimes } from './pause-watch.js'

/** What was measured of the stores; whole numbers, so that a forecast can be made again from it. */
export interface Measurement {
  /** Of this format. */
  readonly version: 1
  readonly entries: number
  /** Key bytes + value bytes. */
  readonly bytes: number
  /** All were counted; otherwise the first `sampled` were, and the rest is the store's own estimate. */
  readonly exact: boolean
  readonly sampled: number
  /** Of `copy` and `move`, or of `live`: what the trial was. */
  readonly live: boolean
  /** An entry of a scan. */
  readonly readNs: number
  /** An entry of a batch to the scratch store. */
  readonly writeNs: number
  /** What a durable write takes longer than another; of `live`, what a gate takes to answer while clients write. */
  readonly syncUs: number
  /** The same of the slowest of twenty, where that was measured. */
  readonly syncMostUs?: number | undefined
  /** Live: what a store takes to answer with a page of its feed, or with keys looked up. */
  readonly answerUs?: number | undefined
  /** Live: what the pauses of a trial were made of. */
  readonly pauses?: readonly PauseTimes[] | undefined
  /** An entry copied and read back, of the thread that engine and clients share. */
  readonly copyNs: number
  readonly verifyNs: number
  /** A key looked up. */
  readonly lookNs: number
  /** A change read from a feed and taken along, of the thread. */
  readonly feedNs: number
  /** A client's write. */
  readonly putNs: number
  /** Of clients in the ranges, a second, where they were watched. */
  readonly writes?: number | undefined
  /** Whether the target held a key in the ranges, where somebody looked. */
  readonly targetHolds?: boolean | undefined
}

const COUNTS = ['entries', 'bytes', 'sampled', 'readNs', 'writeNs', 'syncUs', 'copyNs', 'verifyNs', 'lookNs', 'feedNs', 'putNs'] as const

/** Checks what may come from a file. Throws KEYHAUL_INVALID_ARGUMENT, naming what is wrong. */
export function toMeasurement(given: unknown): Measurement {
  const value = (given ?? {}) as Record<string, unknown>
  const refuse = (message: string): never => {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `not a measurement: ${message}` })
  }
  if (value.version !== 1) refuse('its version is not 1; make it with keyhaul rehearse --json')
  const assertCount = (name: string, count: unknown): void => {
    if (!Number.isSafeInteger(count) || (count as number) < 0) refuse(`${name} is ${JSON.stringify(count)}, it must be a whole number of 0 or more`)
  }
  for (const name of COUNTS) assertCount(name, value[name])
  for (const name of ['writes', 'syncMostUs', 'answerUs'] as const) assertCount(name, value[name] ?? 0)
  const { pauses = [] } = value
  if (!Array.isArray(pauses)) return refuse('pauses is no list')
  for (const [i, pause] of pauses.entries()) {
    for (const call of PAUSE_CALLS) assertCount(`pauses[${i}].${call}`, (pause as Partial<PauseTimes> | null)?.[call])
  }
  for (const name of ['exact', 'live'] as const) if (typeof value[name] !== 'boolean') refuse(`${name} must be true or false`)
  if (typeof (value.targetHolds ?? false) !== 'boolean') refuse('targetHolds must be true or false')
  return value as unknown as Measurement
}
