export type MigrationState =
  | 'pending'
  | 'preparing'
  | 'copying'
  | 'catchingUp'
  | 'verifying'
  | 'repairing'
  | 'deleting'
  | 'discarding'
  | 'stopped'
  | 'done'
  | 'mismatch'
  | 'cancelled'
  | 'failed'
  | 'claiming'
  | 'staging'
  | 'approaching'
  | 'fencing'
  | 'draining'
  | 'readFencing'
  | 'deciding'
  | 'activating'
  | 'redirecting'
  | 'cleaning'
  | 'closing'
  | 'postponing'
  | 'aborting'
  | 'unfencing'
  | 'releasing'
  | 'arming'
  | 'turning'
  | 'reversible'

export interface Progress {
  readonly state: MigrationState
  /** Done in this state; bytes are key + value. */
  readonly entries: number
  readonly bytes: number
  /** Expected in this state; 0 where unknown. */
  readonly totalEntries: number
  readonly totalBytes: number
  readonly bytesPerSecond: number
  /** Undefined where unknown. */
  readonly etaMs: number | undefined
  /** By pause(), or it has made room for one of a higher priority and waits for a slot. */
  readonly paused: boolean
  /** Following a feed, and nothing is waiting. */
  readonly caughtUp: boolean
  /** Of a live migration. */
  readonly live: LiveProgress | undefined
}

/** How near a live migration is to its cutover, and what keeps it. */
export interface LiveProgress {
  readonly waitsFor:
    | 'nothing'
    | 'slot'
    | 'unpause'
    | 'journal'
    | 'register'
    | 'sourceGate'
    | 'targetGate'
    | 'writesInFlight'
    | 'shorterPause'
    | 'explanation'
    | 'finish'
    | 'reverse'
  /** The same for people, with names and figures, and what is done so that it keeps up; empty where there is nothing to say. */
  readonly text: string
  /** In a row, of what it waits for. */
  readonly failures: number
  /** Changes on the source that the target has not got yet, about. */
  readonly lagChanges: number
  /** Keys that changed since they were compared; at level 5 the buckets, of some keys each, that hold such. */
  readonly toCompare: number
  /** How long writers would be refused if it cut over now; undefined before two rounds. */
  readonly forecastMs?: number
  readonly budgetMs: number
  /** For so long they are refused now; 0: they are not. */
  readonly pausedMs: number
  /** Attempts to cut over that were given up. */
  readonly postponed: number
  /** It cannot keep up with the writers: until it does, it goes before other migrations of its engine, at twice its `share`. */
  readonly ahead: boolean
  /** The target owns the range, and the source is kept for the way back, or is on it: `lagChanges` are its. */
  readonly turned: boolean
  /** For so long reverse() can be called; 0 where it cannot. */
  readonly reverseLeftMs: number
}

/** By the numbers of core/include/keyhaul/migration.h. */
export const STATES: readonly MigrationState[] = [
  'pending', // there is no 0
  'pending',
  'preparing',
  'copying',
  'catchingUp',
  'verifying',
  'repairing',
  'deleting',
  'discarding',
  'stopped',
  'done',
  'mismatch',
  'cancelled',
  'failed',
  'claiming',
  'staging',
  'approaching',
  'fencing',
  'draining',
  'readFencing',
  'deciding',
  'activating',
  'redirecting',
  'cleaning',
  'closing',
  'postponing',
  'aborting',
  'unfencing',
  'releasing',
  'arming',
  'turning',
  'reversible'
]
/** From `stopped` to `failed`. */
export const ENDED: ReadonlySet<MigrationState> = new Set(STATES.slice(9, 14))
