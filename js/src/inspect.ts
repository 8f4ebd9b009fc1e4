import { getModule } from './engine/load.js'
import { errorCodeOf, KeyhaulError, type KeyhaulErrorCode } from './errors.js'
import type { MigrationState } from './migration.js'
import { readReceipt, type Receipt } from './receipt.js'

/** Where the migration of a journal stands. */
export interface JournalInfo {
  readonly from: string
  readonly to: string
  readonly mode: 'copy' | 'move' | 'verify'
  readonly level: number
  /** The state it was in last; a final one when it has ended. */
  readonly state: MigrationState
  /** Why it stopped, if it said so. */
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
}

/** Reads a journal's bytes. Throws KEYHAUL_JOURNAL_… for what is none, damaged or of a newer version. */
export function inspectJournal(bytes: Uint8Array): JournalInfo {
  const summary = staged(bytes, (module, address) => module.inspectJournal(address, bytes.length))
  if (summary.error !== 0) throw new KeyhaulError(errorCodeOf(summary.error))
  const receipt =
    summary.receipt === '' ? undefined : readReceipt(summary.receipt, { from: summary.source, to: summary.target }, [])
  return {
    from: summary.source,
    to: summary.target,
    mode: summary.mode as JournalInfo['mode'],
    level: summary.level,
    state: receipt?.state ?? (summary.stopped === 0 ? (summary.state as MigrationState) : 'stopped'),
    stopped: summary.stopped === 0 ? undefined : errorCodeOf(summary.stopped),
    resumable: receipt === undefined,
    copiedEntries: summary.copiedEntries,
    copiedBytes: summary.copiedBytes,
    incarnation: summary.incarnation,
    torn: summary.torn,
    receipt,
    hostInfo: (JSON.parse(summary.hostInfo) as { host?: unknown }).host
  }
}

/** Every record as one JSON object a line, and a summary; never throws for damaged bytes. */
export function describeJournal(bytes: Uint8Array): string {
  return staged(bytes, (module, address) => module.describeJournal(address, bytes.length))
}

function staged<T>(bytes: Uint8Array, use: (module: ReturnType<typeof getModule>, address: number) => T): T {
  const module = getModule()
  const address = module.allocate(Math.max(bytes.length, 1))
  if (address === 0) throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED')
  new Uint8Array(module.memory.buffer).set(bytes, address)
  try {
    return use(module, address)
  } finally {
    module.deallocate(address)
  }
}
