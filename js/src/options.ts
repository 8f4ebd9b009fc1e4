import type { JournalStore } from './journal/journal.js'
import type { RangesInput } from './ranges.js'
import type { Register } from './register/register.js'
import type { Store } from './stores/store.js'

export interface MigrateOptions {
  readonly from: Store
  readonly to: Store
  /** Inclusive at both ends, disjoint; `'all'`, the default, is every key. */
  readonly ranges?: RangesInput | undefined
  /** Default `copy`. `move` deletes from the source after verification; `verify` only compares. */
  readonly mode?: 'copy' | 'move' | 'verify' | undefined
  /**
   * Moves the ranges while clients read and write them through gated stores (`keyhaul/live`).
   * Level 3; with a journal and a durable register level 4, and level 5 where `requireLevel` asks for it.
   */
  readonly live?: boolean | undefined
  /** Live: where it stands who owns what; the one of the clients. */
  readonly register?: Register | undefined
  /** Live: writers may be refused for so long. What cannot keep to it is put off. 10 to 3,600,000, default 1000. */
  readonly pauseBudgetMs?: number | undefined
  /**
   * Live: for so long after the cutover the source is kept as the target is, before it is cleaned
   * up, and `reverse()` goes back to it. Both stores need a gate and a feed. 0 (default) to
   * 604,800,000, which is a week. With a journal it ends at its time by the clock also where another
   * process goes on; a window that is over by then is closed at once.
   */
  readonly reverseWindowMs?: number | undefined
  /**
   * Live: where the writers outrun it, whatever else was tried, it is given up and its halves are moved one after
   * the other, each with a share of the writes, and so on, in so many parts at most: 2 to 64. Default 0, which is
   * never. Each part has a journal of its own, `<journal>.1` and `<journal>.2`, so `journal` must be a path, or
   * left out. What has moved stays moved. Not with `reverseWindowMs`, `follow` or `stopWrites`.
   */
  readonly splitMax?: number | undefined
  /**
   * Live, where the journal is of a migration that was begun: takes it over also from a coordinator that is at work on it. Without, one
   * that has died is waited for, ten seconds at most and not at all where the register knows it is gone, and KEYHAUL_LEASE_HELD names one that
   * is alive. Whoever is taken over from stops with KEYHAUL_SUPERSEDED.
   */
  readonly takeOver?: boolean | undefined
  /**
   * Live: of the thread's time the migration takes about this share while clients are served, more
   * than 0 and at most 1, which is as fast as it can. Default 0.25. `rate` limits it besides. While it cannot
   * keep up with the writers it is twice as much, and what it asked for goes before what others did.
   */
  readonly share?: number | undefined
  /**
   * Live, where the source has no gate (level 2): returns once no writer writes the ranges to the
   * source any more. That it does so is your word, nothing checks it. It may be called again, and
   * is over when `signal` aborts: then resumeWrites() is called, and again if it returns later.
   */
  readonly stopWrites?: ((about: { readonly signal: AbortSignal }) => Promise<void> | void) | undefined
  /**
   * Writers may go on, to the store named `owner`; undefined: the register does not say whose the
   * range is. Called after each stopWrites(), also after failures, and again after a crash.
   */
  readonly resumeWrites?: ((about: { readonly owner: string | undefined }) => Promise<void> | void) | undefined
  /** A file path (Node) or a store of your own. Without one an interruption starts from nothing. */
  readonly journal?: string | JournalStore | undefined
  /** Aborting stops resumably. */
  readonly signal?: AbortSignal | undefined
  /** What is read again after the copy. Default `target`; between stores with `version` that is both sides, until nothing is newer on the source. */
  readonly verify?: 'none' | 'target' | 'both' | undefined
  /** Mend what differs, then verify again from scratch. Between stores with `version` nothing newer is written over, and nothing deleted. */
  readonly repair?: boolean | undefined
  /** The target ranges may hold keys already: those that the source has too are overwritten, the others are kept. */
  readonly intoNonempty?: boolean | undefined
  /** Level 1, with a feed: keep following it until `finish()`. */
  readonly follow?: boolean | undefined
  /**
   * The least guarantee level to accept. Default 0. With 5 a live migration keeps digests of both sides
   * and compares them behind the fence, so its receipt names a position at which they were equal. That
   * lengthens the pause, by what changed in its last rounds and one sync of the journal.
   */
  readonly requireLevel?: number | undefined
  /** Bytes a second; 0 (default) is no limit. The journal does not keep it: give it to `resume` again. */
  readonly rate?: number | undefined
  /**
   * 0 to 255, higher goes first where an engine has slots. Default 128. Where `keyhaul/live` is imported, one that waits takes the slot
   * of one of a lower priority that copies, at its next page.
   */
  readonly priority?: number | undefined
  /** Checksum of frames on their way. Default `crc32`. */
  readonly checksum?: 'none' | 'crc32' | 'crc32c' | undefined
  /**
   * A page's limits. Default 4,000,000 bytes and 4096 entries: small entries are cheaper in pages that stay in a
   * cache, large ones where a page holds many. With a `rate`, here or of the engine, 1 MB: no burst is larger. Live 64 KiB, because
   * clients wait while a page is worked on.
   */
  readonly pageBytes?: number | undefined
  readonly pageEntries?: number | undefined
  /** Ranges copied at the same time, 1 to 64. Default 1. */
  readonly lanes?: number | undefined
  /** Pages read ahead of the target, a lane; at most three of more than 2 MB, the one that is written among them. Default 4, live 2. */
  readonly windowPages?: number | undefined
  /**
   * A durable write and a checkpoint every so many pages, and once a second where they take longer.
   * Default 256, live 20; 1 makes each page durable by itself. LevelDB needs the 1 to outlive a power loss at any moment: a durable write syncs
   * only the log file that it goes to, and when LevelDB began a new one since the last durable
   * write, what stands in the file before is durable only once LevelDB has written it into a
   * table, in the background. A crash of the process (kill -9) loses nothing either way.
   */
  readonly durablePages?: number | undefined
  /** A larger entry stops the migration. Default 64 MiB. */
  readonly entryBytesMax?: number | undefined
  readonly expected?: { readonly entries?: number; readonly bytes?: number } | undefined
  /** Kept in the journal for whoever resumes; at most 32 KiB of JSON. */
  readonly hostInfo?: unknown
}

export interface EngineOptions {
  /** Migrations running at once; 0 (default) is no limit. The others wait by priority. */
  readonly slots?: number
  /** Of those, with the same store as source, as target. */
  readonly sourceSlots?: number
  readonly targetSlots?: number
  /** All migrations together, bytes a second. */
  readonly rate?: number
  readonly progressEveryMs?: number
  /**
   * An operation may take this long and a second for every 256 KiB, or part of them, that go there or may come back (`pageBytes`).
   * Default 30,000. A read is then tried again, `retries` times, and each try has that long: the event `warning` tells of the first
   * one, and with the defaults a store that hangs stops a copy after 7 minutes (nine times 46 s, and the time between), a live
   * migration after 5. With `stallMs: 500` and pages of 4 MB that is 16.5 s and 161 s: `retries` and `pageBytes` make it shorter.
   */
  readonly stallMs?: number
  /** Failures in a row before a migration stops resumably. Default 8. */
  readonly retries?: number
  readonly verifyRounds?: number
  /** Differences that are named; further ones are counted. Default 10,000. */
  readonly differencesMax?: number
}
