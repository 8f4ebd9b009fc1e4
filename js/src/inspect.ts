import { idOrThrow, staged, textOf } from './engine/handle.js'
import { getModule } from './engine/load.js'
import { errorCodeOf, KeyhaulError, type KeyhaulErrorCode } from './errors.js'
import { refused } from './given.js'
import type { MigrationState } from './migration.js'
import { type RawReceipt, readReceipt, type Receipt } from './receipt.js'

/** Where the migration of a journal stands. */
export interface JournalInfo {
  readonly from: string
  readonly to: string
  readonly mode: 'copy' | 'move' | 'verify' | 'live'
  readonly level: number
  /** The state it was in last; a final one when it has ended. */
  readonly state: MigrationState
  /** The last state before it stopped or ended: what a resume goes on with. */
  readonly step: MigrationState
  /** Why it stopped, or was given up, if it said so. */
  readonly stopped: KeyhaulErrorCode | undefined
  readonly resumable: boolean
  readonly copiedEntries: number
  readonly copiedBytes: number
  readonly incarnation: number
  /** The last write was cut short; a resume cuts it off. */
  readonly torn: boolean
  readonly receipt: Receipt | undefined
  /** What the host kept in it. */
  readonly hostInfo: unknown
  /** Half open, in hexadecimal; no end is null. */
  readonly ranges: readonly (readonly [low: string, high: string | null])[]
  /** Of a live migration. */
  readonly live: LiveJournal | undefined
}

/** What a journal knows of a live migration. Who owns the range is the register's to say. */
export interface LiveJournal {
  /** Its name in the register and at the gates, in hexadecimal. */
  readonly claim: string
  /** The claim was in the register once. */
  readonly claimed: boolean
  /** Grows with each process that took it over. */
  readonly coordEpoch: number
  readonly pauseBudgetMs: number
  /** Parts at most, where it may be split. */
  readonly splitMax?: number
  /** The target owns the range; undefined: the decision may have been taken, the register knows. */
  readonly decided?: boolean
}

/** Reads a journal's bytes. Throws KEYHAUL_JOURNAL_… for what is none, damaged or of a newer version. */
export function inspectJournal(bytes: Uint8Array): JournalInfo {
  const summary = summarize(bytes)
  const { stopped } = summary
  const receipt =
    summary.receipt === undefined ? undefined : readReceipt(summary.receipt, { from: summary.source, to: summary.target, ranges: summary.ranges }, [])
  return {
    from: summary.source,
    to: summary.target,
    mode: summary.mode,
    level: summary.level,
    state: receipt?.state ?? (stopped === 0 ? summary.state : 'stopped'),
    step: summary.state,
    stopped: stopped === 0 ? undefined : errorCodeOf(stopped),
    resumable: receipt === undefined,
    copiedEntries: summary.copiedEntries,
    copiedBytes: summary.copiedBytes,
    incarnation: summary.incarnation,
    torn: summary.torn,
    receipt,
    ranges: summary.ranges,
    hostInfo: (JSON.parse(summary.hostInfo) as { host?: unknown }).host,
    live: summary.live
  }
}

/** What a resume has to know of a journal. */
export interface JournalSummary {
  source: string
  target: string
  mode: JournalInfo['mode']
  live?: LiveJournal
  level: number
  hostInfo: string
  /** Half open, in hexadecimal; no end is null. */
  ranges: readonly (readonly [low: string, high: string | null])[]
  state: MigrationState
  /** The number of the error that it stopped with or was given up for, or 0. */
  stopped: number
  torn: boolean
  validBytes: number
  copiedEntries: number
  copiedBytes: number
  incarnation: number
  /** Where it has ended. */
  receipt?: RawReceipt
}

/** @internal Throws KEYHAUL_JOURNAL_…. */
export function summarize(bytes: Uint8Array, file?: string): JournalSummary {
  if (!(bytes instanceof Uint8Array)) throw refused('give the bytes of the journal, not its path')
  const module = getModule()
  return staged(module, bytes, (address) => {
    idOrThrow(module.inspectJournal(address, bytes.length), { file })
    return JSON.parse(textOf(module)) as JournalSummary
  })
}

/** @internal Nothing when the journal holds not even its plan: then nothing was begun. */
export function readSummary(bytes: Uint8Array, file: string): JournalSummary | undefined {
  try {
    return summarize(bytes, file)
  } catch (error) {
    if ((error as KeyhaulError).code === 'KEYHAUL_JOURNAL_TORN') return undefined
    throw error
  }
}
