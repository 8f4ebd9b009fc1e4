import { errorCodeOf, type KeyhaulErrorCode } from './errors.js'

/** A digest of entries: the keyed sum as 32 hex digits, with counts beside it. */
export interface DigestSummary {
  readonly sum: string
  readonly entries: number
  /** Key bytes + value bytes. */
  readonly bytes: number
}

export interface Difference {
  /** Text where it is valid UTF-8, else `hex:…`. */
  readonly key: string
  readonly kind: 'missing' | 'extra' | 'changed'
}

/** What the clients of the two stores of a live migration noticed of it. */
export interface WritersReceipt {
  /** Writes through a `shardedStore` that a fence of it kept waiting, in all attempts to cut over and on the way back. */
  readonly waited: number
  /** For how long they were, in milliseconds; 0 where none waited. The percentiles are rounded up, by at most a tenth. */
  readonly waitedP50Ms: number
  readonly waitedP99Ms: number
  readonly waitedMaxMs: number
  /**
   * Keys that clients wrote a second to both stores, in the ranges or not: the median of the ten seconds before it
   * began, in which a short bulk fill does not count; absent where a gate was younger.
   */
  readonly perSecondBefore?: number
  /** The same from its beginning to its end, a reverse window included. */
  readonly perSecondDuring: number
}

/** What a migration did and proved. Counts are over all its incarnations. */
export interface Receipt {
  readonly state: 'done' | 'mismatch' | 'cancelled' | 'failed'
  readonly mode: 'copy' | 'move' | 'verify' | 'live'
  /**
   * 0: equal if nobody wrote meanwhile; 1: changes made meanwhile were followed; 2: moved, and
   * nothing was lost if stopWrites() kept its word; 3: moved while
   * clients wrote, no acknowledged write was lost; 4: also through a crash at any moment; 5: and both
   * sides had one digest at `position`, with nothing written to either until it was decided.
   */
  readonly level: number
  /** It is `done`, and the target was read back and equals the source: as it was read for the copy (verify `target`), or as it is now (`both`, or with a feed). Between stores with `version`: or holds something newer, see `changed`. */
  readonly verified: boolean
  /** Live: it went back, and the source owns the ranges again. */
  readonly reversed: boolean
  /** Live: why its reverse window ended before its time; the target keeps the range then. */
  readonly windowError?: KeyhaulErrorCode
  /** Live: somebody gave the source up in its reverse window; entries may stand there still, see `notPromised`. */
  readonly sourceGivenUp: boolean
  /**
   * Live, where the store that gave the range up lacks `readFence`: it may have shown old values for no
   * longer than so many milliseconds; `unknown` where an earlier process decided. Without it reads were linearizable.
   */
  readonly staleReadsMs?: number | 'unknown'
  /** Level 5: where in the feed of the store that gave the ranges away both digests were taken, in its own words (`hex:…` where they are no text), and the epoch that it was fenced at. */
  readonly position?: { readonly feed: string; readonly epoch: number }
  readonly from: string
  readonly to: string
  /** Those of the plan, in key order; half open, in hexadecimal; no end is null. */
  readonly ranges: readonly (readonly [low: string, high: string | null])[]
  readonly entries: number
  readonly bytes: number
  /** Below level 5 those of a live migration are taken while both sides change, and may differ. */
  readonly digests: { readonly source: DigestSummary; readonly target: DigestSummary }
  /** The first differences by name; `missing`, `extra` and `changed` count all. */
  readonly different: readonly Difference[]
  readonly missing: number
  readonly extra: number
  /** Between stores with `version`, where the rest is verified: of so many keys the target held something newer in the last comparison. */
  readonly changed: number
  /** Between stores with `version` also what was written during the copy and brought over by comparing again. */
  readonly repairs: number
  /** What was deleted between the last record of its journal and a crash is not counted. */
  readonly deletedEntries: number
  /** move: keys left on the source because they had changed since verification. */
  readonly leftOnSource: number
  readonly discardedEntries: number
  readonly feedChanges: number
  readonly copiedPages: number
  readonly retries: number
  readonly verifyRounds: number
  readonly incarnations: number
  /** This and the next four: of the process that ended it. */
  readonly durationMs: number
  readonly copyMs: number
  readonly catchUpMs: number
  readonly verifyMs: number
  readonly deleteMs: number
  /** Live: for how long writers were refused in the last attempt to cut over, as forecast right before and as it was; 0 where that was in an earlier process. */
  readonly pauseForecastMs: number
  readonly pauseMs: number
  /** Live: attempts that were given up because they would have passed the budget. */
  readonly postponed: number
  /**
   * Live: what clients noticed. Absent where not all of it was seen: after a resume, at level 2, with a store of
   * another kind than `gatedStore`; and the journal does not keep it.
   */
  readonly writes?: WritersReceipt
  /** Live: keys that were compared again because they changed after they were compared. */
  readonly rechecked: number
  /**
   * Live, `failed`: its writers outran it, so what is below this key, in hexadecimal, and what is from it on are
   * moved one after the other.
   */
  readonly splitAt?: string
  /**
   * Live, of one that was split: the receipts of its parts, in key order, as far as they were begun. Counts and
   * times are those of all, and of what was copied in vain; the pause is the longest, and the sum of the digests is
   * that of no part.
   */
  readonly parts?: readonly Receipt[]
  /** Level 2: what stopWrites() leaves to others; and what a source that was given up may still hold. In clauses for people. */
  readonly notPromised: readonly string[]
  /** Versions of keyhaul that wrote this receipt. */
  readonly version: string
}

/** The core's JSON; further members are numbers. */
export type RawReceipt = Record<string, number> & {
  state: Receipt['state']
  mode: Receipt['mode']
  verified: boolean
  reversed?: boolean
  windowError?: number
  sourceGivenUp?: boolean
  staleReadsUnknown?: boolean
  position?: string
  splitAt?: string
  source: DigestSummary
  target: DigestSummary
}

export function readReceipt(raw: RawReceipt, about: Pick<Receipt, 'from' | 'to' | 'ranges' | 'writes'>, different: readonly Difference[], notPromised: readonly string[] = []): Receipt {
  const n = (name: string): number => raw[name] ?? 0
  const ms = (name: string): number => Math.round(n(name) / 10) / 100
  const differences = n('missing') + n('extra') + n('changed')
  const copied = raw.mode !== 'verify'
  return {
    state: raw.state,
    mode: raw.mode,
    level: n('level'),
    verified: raw.verified && raw.state === 'done',
    reversed: raw.reversed === true,
    ...(raw.windowError === undefined ? {} : { windowError: errorCodeOf(raw.windowError) }),
    sourceGivenUp: raw.sourceGivenUp === true,
    ...(raw.staleReadsUnknown ? { staleReadsMs: 'unknown' as const } : raw['staleReadsUs'] === undefined ? {} : { staleReadsMs: Math.ceil(n('staleReadsUs') / 10) / 100 }),
    ...(raw.position === undefined ? {} : { position: { feed: raw.position, epoch: n('epoch') } }),
    ...(raw.splitAt === undefined ? {} : { splitAt: raw.splitAt }),
    ...about,
    entries: copied ? n('copiedEntries') : raw.target.entries,
    bytes: copied ? n('copiedBytes') : raw.target.bytes,
    digests: { source: raw.source, target: raw.target },
    // What was named and turned out to be a write that came meanwhile is no difference.
    different: differences ? different : [],
    missing: n('missing'),
    extra: n('extra'),
    changed: n('changed'),
    repairs: n('repairs'),
    deletedEntries: n('deletedEntries'),
    leftOnSource: n('leftOnSource'),
    discardedEntries: n('discardedEntries'),
    feedChanges: n('feedChanges'),
    copiedPages: n('copiedPages'),
    retries: n('retries'),
    verifyRounds: n('verifyRounds'),
    incarnations: n('incarnations'),
    durationMs: ms('activeUs'),
    copyMs: ms('copyUs'),
    catchUpMs: ms('catchUpUs'),
    verifyMs: ms('verifyUs'),
    deleteMs: ms('deleteUs'),
    pauseForecastMs: ms('pauseForecastUs'),
    pauseMs: ms('pauseUs'),
    postponed: n('postponed'),
    rechecked: n('rechecked'),
    notPromised: raw.sourceGivenUp ? [...notPromised, givenUpText(about.from)] : notPromised,
    version: VERSION
  }
}

const givenUpText = (source: string): string =>
  `that ${source} holds nothing of the ranges: it was given up, and a migration to it is refused until they are gone`

export const VERSION = '0.1.0'
