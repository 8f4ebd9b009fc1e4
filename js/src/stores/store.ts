/**
 * What keyhaul asks of a store. An adapter implements `scan` and `apply`; each further method
 * goes with a capability, and the guarantee level of a migration is computed from them.
 * `keyhaul/testing` has the suite that shows whether an adapter keeps these promises.
 */

/** A key and its value. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array]
/** A put, or a delete where the value is `undefined`. */
export type Write = readonly [key: Uint8Array, value: Uint8Array | undefined]

/**
 * What a store can do. `digest` and `rangeDelete` have methods, which the conformance suite tests, but no migration
 * calls them yet: verification reads entries, and a move deletes key by key. Any other name is refused.
 *
 * Without versions a migration applies every change of the feed, in its order, also those that are ahead of its pages,
 * so whatever an older page undoes comes again behind it. For that a change that a feed has given must be seen by every
 * page that is read later. A store whose feed is ahead of its scans (some databases tell of a commit before readers see
 * it) says `feedEarly` beside `feed`; such a change must be seen at the latest when its writer is told, and by
 * the scans behind an `openFeed` that begins after it.
 *
 * `version`: values carry a version, those of deletes too, as last-writer-wins records do: a tombstone is an entry, in
 * scans and in the feed. To keyhaul they are bytes; the store reads the version, in `applyNewer`. Where both stores have it,
 * `feedEarly` is taken, and a copy follows what is written meanwhile also without a feed, by comparing again.
 */
export type Capability =
  | 'scan'
  | 'apply'
  | 'version'
  | 'feed'
  | 'feedEarly'
  | 'fence'
  | 'readFence'
  | 'activate'
  | 'digest'
  | 'rangeDelete'
  | 'stats'

/** Half open, in byte order: `gte <= key < lt`; an absent bound is no bound. */
export interface ScanRange {
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
}

export interface ScanOptions {
  /** At most this many entries in a page. At least 1. */
  readonly maxEntries: number
  /** Stop before key + value bytes pass this, except that one entry is always returned. */
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface ScanPage {
  /** Ascending in byte order, each key once, all inside the range. */
  readonly entries: readonly Entry[]
  /** True: no key of the range lies beyond this page. An empty page without `end` is an error. */
  readonly end: boolean
}

export interface ApplyOptions {
  /** Return only when this batch and all before it would survive a crash of the machine. */
  readonly durable: boolean
  readonly signal?: AbortSignal | undefined
  /** Of a live migration, on its target: write only where that migration's staging is still of the present. */
  readonly staged?: { readonly claim: Uint8Array; readonly coordEpoch: number; readonly ranges: readonly ScanRange[] } | undefined
  /** Of a live migration, on its source: delete only what moved away at this epoch; in no feed. */
  readonly cleanUp?: { readonly epoch: number } | undefined
}

export interface NewerOptions extends ApplyOptions {
  readonly deletes: boolean
}

export type GateVerb = 'assign' | 'prepare' | 'fence' | 'fenceReads' | 'unfence' | 'redirect' | 'activate' | 'discard' | 'inspect' | 'restage'

/** A change of who may read and write these ranges of a store; core/include/keyhaul/gate.h has the rules. */
export interface GateCall {
  readonly verb: GateVerb
  /** 16 bytes: the migration. */
  readonly claim: Uint8Array
  readonly coordEpoch: number
  readonly epoch: number
  /** Where clients are sent on to. */
  readonly target: string
  readonly ranges: readonly ScanRange[]
}

/** A small record of keyhaul's own beside the data, in no scan and in no feed. */
export interface OwnRecord {
  /** Nothing where it was taken away, with all that the store held, since it was first written: also where it was written again after that. */
  read(): Promise<Uint8Array | undefined>
  /** Returns once it survives a crash of the machine, where the store can do that. */
  write(bytes: Uint8Array): Promise<void>
}

/** One recorded change; `value` is `undefined` for a delete. */
export type Change = Write

export interface FeedPage {
  /** In the order in which they took effect, per key at least. */
  readonly changes: readonly Change[]
  /** Where to go on; opaque, at most 256 bytes, durable. */
  readonly position: Uint8Array
  /** True: nothing was recorded beyond `position` when this page was read. */
  readonly caughtUp: boolean
  /** About how many changes lie beyond `position`, where that is cheap to know: tells when catching up will never end. */
  readonly behind?: number | undefined
}

export interface Feed {
  /** Every write acknowledged after `openFeed` returned lies beyond it. */
  readonly position: Uint8Array
  /** Changes of the range beyond `after`; throws KEYHAUL_FEED_POSITION_LOST when they are gone. */
  poll(
    after: Uint8Array,
    options: { readonly maxEntries: number; readonly maxBytes: number; readonly signal?: AbortSignal | undefined }
  ): Promise<FeedPage>
  /** About how many changes lie beyond `after`, where that is cheap to know. */
  behind?(after: Uint8Array): number
  /** The changes up to `position` will not be asked for again. */
  trim?(position: Uint8Array): Promise<void>
  /** `discard` ends the recording too; without it a later `openFeed(range, position)` goes on. */
  close(options: { readonly discard: boolean }): Promise<void>
}

export interface FeedOptions {
  readonly after?: Uint8Array | undefined
  /**
   * Who follows it, as in `claim 3f9a…`; kept with the recording for as long as it lasts. An owner
   * has one feed: opening or continuing one ends every other, also one of a process that died
   * before anybody knew of it.
   */
  readonly owner?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Receives the entries of a range for a digest; the caller keeps the sum. */
export interface DigestSink {
  add(entries: readonly Entry[]): void
}

export interface Estimate {
  readonly entries?: number | undefined
  /** Key bytes + value bytes. */
  readonly bytes?: number | undefined
}

/** A page in the form in which it crosses into the engine. */
export interface PackedPage {
  /** 32 bytes of header, of which nothing is read; then table and bytes as in core/src/wire/FORMAT.md, which the engine checks. */
  readonly frame: Uint8Array
  readonly entries: number
  readonly end: boolean
}

/** Writes that a store has taken in and not written yet. */
export interface PreparedWrites {
  /** As `apply` of them, once. False: nothing was written, because something changed since; call `apply`. */
  write(options: ApplyOptions): Promise<boolean>
  /** They are not wanted. Not after `write`. */
  discard(): void
}

export interface Store {
  /** For people, receipts and journals: "level:./a", "memory". */
  readonly name: string
  /** Two stores with the same identity hold the same data (the database object, a path). */
  readonly identity: unknown
  readonly capabilities: ReadonlySet<Capability>
  /** Where its keys lie, when it shares a database with other stores: under `prefix` in `database`. */
  readonly place?: { readonly database: unknown; readonly prefix: Uint8Array }

  /** Reads one page. Stateless: each call stands alone. A key present throughout is returned exactly once. */
  scan(range: ScanRange, options: ScanOptions): Promise<ScanPage>
  /**
   * As scan, for a store that holds or is sent its pages packed: they pass on as they are. Nothing:
   * not at hand, call scan. What it gives may not change afterwards: a refusal names a key of it.
   */
  scanPacked?(range: ScanRange, options: ScanOptions): Promise<PackedPage | undefined>
  /** As scan, from the other end: the last entries of the range, descending. For clients of a gatedStore. */
  scanBack?(range: ScanRange, options: ScanOptions): Promise<ScanPage>
  /**
   * All or nothing; repeatable: the same batch twice has the effect of once. Once it has rejected it takes effect no more: a fence
   * waits for what is under way, and nothing that comes later is in a feed. Who wraps it wraps `applyPacked` and `prepare` too, or leaves them out.
   */
  apply(writes: readonly Write[], options: ApplyOptions): Promise<void>
  /**
   * `version`: as apply, but a put counts only where it is newer than what is there, also than what others write at
   * that moment; of one version the store keeps what it has. Gives of how many keys something newer is there. A delete has
   * no version: without `deletes` it is left out, as others may write the same keys; with it nobody else does, and
   * it is carried out.
   */
  applyNewer?(writes: readonly Write[], options: NewerOptions): Promise<number>
  /** As apply of a sealed frame, its checksum included; puts and deletes. It is the store's own from then on. */
  applyPacked?(frame: Uint8Array, options: ApplyOptions): Promise<void>
  /**
   * Takes writes in while others are still on their way to the disk, so that nothing is left to do
   * but to write them; their bytes are not needed afterwards. Nothing: not now, or not these; call
   * `apply`. Only worth its while where taking in is work, as of each row of a LevelDB.
   */
  prepare?(writes: readonly Write[]): PreparedWrites | undefined
  /**
   * Deletes each entry that the store still holds with this very value; repeatable. Gives how
   * many keys hold another value. Without it keyhaul reads the keys again and calls `apply`.
   */
  deleteEqual?(entries: readonly Entry[], options: ApplyOptions): Promise<number>

  /** The values of single keys, in their order; `undefined` for a key that is not there. */
  getMany?(keys: readonly Uint8Array[], options?: { readonly signal?: AbortSignal | undefined }): Promise<(Uint8Array | undefined)[]>
  /**
   * `fence`, `readFence`, `activate`: resolves once the change is durable and nothing that was admitted before it is under way.
   * `inspect` and `restage` are asked whether it still has what this claim has staged: it looks into its durable record, not into
   * its memory, and says KEYHAUL_NOT_OWNER where that is gone; `inspect` of epoch 0 says so only where it never was.
   * `limitWrites`: clients may write so many keys a second of the ranges; 0: as many as they like.
   * `meter`: keyhaul's own, where it counts what they write and who waits for a fence.
   */
  readonly gate?: { change(call: GateCall): Promise<void>; limitWrites?(perSecond: number, ranges: readonly ScanRange[]): void; readonly meter?: unknown } | undefined
  /** What a live migration works on, where clients are shown less: staged entries, for one. */
  readonly mover?: Store | undefined
  /** Where keyhaul may keep the record of a gate; `gatedStore` needs it. */
  readonly ownRecord?: OwnRecord | undefined

  /** `feed`: starts recording the changes of a range, or continues one at `after`. */
  openFeed?(range: ScanRange, options?: FeedOptions): Promise<Feed>
  /** `digest`: hands every entry of the range to the sink without building pages for the caller. */
  digest?(range: ScanRange, sink: DigestSink, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>
  /** `rangeDelete`: removes every key of the range; does not appear in feeds. */
  deleteRange?(range: ScanRange, options: ApplyOptions): Promise<void>
  /** `stats`: a guess, cheap, never exact by promise. */
  estimate?(range: ScanRange, options?: { readonly signal?: AbortSignal | undefined }): Promise<Estimate>
  /** Gives back what the adapter itself opened; never closes a database handed to it. */
  close?(): Promise<void>
}
