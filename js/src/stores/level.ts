import { KeyhaulError } from '../errors.js'
import { compareBytes, concatBytes, present, startsWith, toBytes } from './bytes.js'
import { type FilledBatch, fillBatch, fillUnwatched, LevelBatches } from './level-batch.js'
import { prefixRange } from './level-cleared.js'
import { type DeletableStore, deleteEqual } from './level-delete.js'
import { fromLevel, isWrite, notBytes, reserved } from './level-errors.js'
import { LevelFeedLog } from './level-feed.js'
import type { OpenFeed } from './level-feed-open.js'
import { BYTES, isOwn, OWN } from './level-feed-rows.js'
import { levelRecord } from './level-record.js'
import { LevelIterators, pageBack } from './level-iterators.js'
import { mergeNewer } from './level-merge.js'
import { LevelTap } from './level-tap.js'
import { type Row, speaksText, type TakesRows, textPage } from './level-text.js'
import { unplacedName } from './level-name.js'
import type { LevelChainedBatch, LevelDatabase, LevelEncoding } from './level-types.js'
import type { ApplyOptions, Capability, Entry, Estimate, Feed, NewerOptions, OwnRecord, PreparedWrites, ScanOptions, ScanPage, ScanRange, Store, Write } from './store.js'
import { type CompareVersions, compareVersions, type VersionOf } from './versions.js'

export type { Version, VersionOf } from './versions.js'
export type { OpenFeed } from './level-feed-open.js'
export type { LevelDatabase } from './level-types.js'

export interface LevelStoreOptions {
  /** For people and journals. Default: `level:` and the database's location; where it has none `level`, then `level-2` and so on. */
  readonly name?: string
  /**
   * Record writes while a migration runs, so that the copy follows them (level L1). Writes
   * through the database and all its sublevels are seen, but only from when this store was
   * made: after a restart make it before anything is written. `clear()` is not recorded, and
   * ends the feeds whose range it touches.
   */
  readonly feed?: boolean
  /**
   * Its values carry a version, deletes included (a tombstone is an entry), as those of last-writer-wins
   * records do; capability `version`. Between two such stores a migration writes nothing over what
   * is newer, also where others write the target through this database object or its sublevels.
   */
  readonly versionOf?: VersionOf
}

/** A store over any abstract-level 3 database: classic-level, memory-level, browser-level, a sublevel. */
export function levelStore(db: LevelDatabase, options: LevelStoreOptions = {}): Store {
  if (typeof db?.iterator !== 'function') {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: "levelStore takes an open database, as in levelStore(new ClassicLevel('./a'))" })
  }
  return new LevelStore(db, options)
}

/**
 * The feeds that are open in a database, in whichever of its sublevels, the oldest first. One that
 * nobody follows any more makes the database grow for ever: closeFeed() ends it. Reads the log of
 * changes once. From then on it is as if a store with `feed: true` had been made of the database.
 */
export async function listFeeds(db: LevelDatabase): Promise<OpenFeed[]> {
  return withLog(db, (log) => log.list())
}

/**
 * Ends the recording of a feed and removes what was kept for it; false: there is none with this id.
 * Who follows it yet gets KEYHAUL_FEED_POSITION_LOST, and has to copy again.
 */
export async function closeFeed(db: LevelDatabase, id: string): Promise<boolean> {
  return withLog(db, (log) => log.close(id))
}

async function withLog<T>(db: LevelDatabase, work: (log: LevelFeedLog) => Promise<T>): Promise<T> {
  const { root } = placeOf(db)
  const location = (root as { location?: unknown }).location
  const name = typeof location === 'string' ? `level:${location}` : unplacedName(root)
  // Whoever closed it has done with it, and would have to close it once more.
  if (root.status === 'closing' || root.status === 'closed') throw new KeyhaulError('KEYHAUL_STORE_CLOSED', { store: name })
  const log = LevelFeedLog.of(root)
  try {
    await root.open()
    return await work(log)
  } catch (error) {
    throw fromLevel(error, name)
  }
}

class LevelStore implements Store {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  readonly openFeed?: NonNullable<Store['openFeed']>
  readonly applyNewer?: NonNullable<Store['applyNewer']>
  readonly identity: unknown
  readonly place: NonNullable<Store['place']>
  readonly ownRecord: OwnRecord
  private readonly db: LevelDatabase
  private readonly root: LevelDatabase
  /** Of a sublevel, from the root. */
  private readonly prefix: Uint8Array
  private readonly iterators: LevelIterators
  private wasOpen = false
  private readonly encoding: LevelEncoding
  private readonly batches?: LevelBatches

  constructor(db: LevelDatabase, options: LevelStoreOptions) {
    this.db = db
    const { root, prefix } = placeOf(db)
    this.root = root
    this.iterators = LevelIterators.of(root)
    this.prefix = toBytes(prefix)
    this.place = { database: identityOf(root, ''), prefix: this.prefix }
    this.identity = identityOf(root, prefix)
    const location = (db as { location?: unknown }).location
    const place = (this.root as { location?: unknown }).location
    const part = this.root === db ? '' : prefix
    this.name = options.name ?? `${typeof place === 'string' ? `level:${place}` : unplacedName(this.root)}${part}`
    this.encoding = typeof location === 'string' && typeof Buffer !== 'undefined' ? 'buffer' : 'view'
    // Said twice, so that a bundle for pages, where Buffer is defined as undefined, leaves them out.
    if (typeof Buffer !== 'undefined' && this.encoding === 'buffer') this.batches = LevelBatches.of(db)
    const capabilities: Capability[] = ['scan', 'apply', 'rangeDelete']
    if (typeof (db as { approximateSize?: unknown }).approximateSize === 'function') capabilities.push('stats')
    if (options.versionOf !== undefined) {
      capabilities.push('version')
      const compare = compareVersions(options.versionOf, this.name)
      this.applyNewer = (writes, given): Promise<number> => this.merge(writes, given, compare)
    }
    if (options.feed === true) {
      capabilities.push('feed')
      const log = LevelFeedLog.of(this.root)
      this.openFeed = (range, given): Promise<Feed> =>
        this.translate(async () => {
          given?.signal?.throwIfAborted()
          await this.ready()
          return this.translated(await this.changing(() => log.open(this.prefix, range, given?.after, given?.owner, this.name)))
        })
    }
    this.capabilities = new Set(capabilities)
    this.ownRecord = levelRecord(this.root, this.prefix, (work) => this.translate(async () => this.ready().then(work)))
  }

  getMany(keys: readonly Uint8Array[], options: { readonly signal?: AbortSignal | undefined } = {}): Promise<(Uint8Array | undefined)[]> {
    return this.translate(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      return this.db.getMany(keys as never[], { keyEncoding: this.encoding, valueEncoding: this.encoding }) as Promise<(Uint8Array | undefined)[]>
    })
  }

  scan(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    return this.translate(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      const { rows, bytes, isText, end } = await this.iterators.page(this.db, range, this.encoding, this.prefix.length === 0, options)
      return typeof Buffer !== 'undefined' && isText ? textPage(rows, bytes, end, prepareRows) : { entries: rows as readonly Entry[], end }
    })
  }

  scanBack(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    return this.translate(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      return pageBack(this.db, range, this.encoding, this.prefix.length === 0, options)
    })
  }

  apply(writes: readonly Write[], options: ApplyOptions): Promise<void> {
    return this.changing(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      this.assertWrites(writes)
      const batch = this.batches !== undefined && this.isUnwatched() ? this.batches.fill(writes) : this.watched(writes)
      try {
        // What moved away was nobody's delete: a hundred thousand rows in a log that nobody reads.
        await (options.cleanUp === undefined ? batch.write(options.durable) : LevelTap.of(this.root).asOwn(() => batch.write(options.durable), true))
      } catch (error) {
        batch.discard()
        throw error
      }
    })
  }

  /** A batch that was filled early is no longer seen by hooks and listeners that come later: only where there are none. */
  prepare(writes: readonly Write[]): PreparedWrites | undefined {
    return this.prepareWrites(writes)
  }

  /** With `bytes` they are rows of another root database, and none of them keyhaul's own. */
  prepareWrites(writes: readonly Write[] | readonly Row[], bytes?: number): PreparedWrites | undefined {
    if (typeof Buffer === 'undefined' || this.batches === undefined || this.db.status !== 'open' || !this.isUnwatched()) return undefined
    if (bytes !== undefined && !speaksText(this.db)) return undefined
    let batch: FilledBatch
    try {
      if (bytes === undefined) this.assertWrites(writes as readonly Write[])
      batch = this.batches.fill(writes, bytes)
    } catch {
      return undefined // apply says why
    }
    const write = (options: ApplyOptions): Promise<boolean> =>
      this.changing(async () => {
        const isUnwatched = this.isUnwatched()
        // Whoever gives up calls nothing any more, and a batch lives until it or its database is closed.
        if (options.signal?.aborted === true || !isUnwatched) batch.discard()
        options.signal?.throwIfAborted()
        if (!isUnwatched) return false
        await batch.write(options.durable)
        return true
      })
    return { write, discard: () => batch.discard() }
  }

  /** No hook and no listener is told what is written from now on. A sublevel has those of all it lies in. */
  private isUnwatched(): boolean {
    if (this.root !== this.db) return false
    // Missing in its types.
    const { prewrite } = this.db.hooks as { prewrite: { noop?: boolean } }
    return prewrite.noop === true && this.db.listenerCount('write') === 0
  }

  /**
   * Loses no write that is made meanwhile through this database object or its sublevels. Not
   * covered: another object or process on the same data; a chained batch that was begun before
   * the first call; one that was last added to more than 250 ms before it lands in the same
   * instant as a delete; and, where a write was overtaken and is made once more, a reader or
   * a crash of the process in the milliseconds between.
   */
  deleteEqual(entries: readonly Entry[], options: ApplyOptions): Promise<number> {
    return this.alone(options, (part, tap) => deleteEqual(part, tap, entries, options.signal))
  }

  /** The same holds for what is written because it is newer. */
  private merge(writes: readonly Write[], options: NewerOptions, compare: CompareVersions): Promise<number> {
    return this.alone(options, async (part, tap) => {
      for (const write of writes) if (!isWrite(write)) throw notBytes(this.name)
      return mergeNewer(part, tap, writes, compare, options.deletes, options.signal)
    })
  }

  /** Reads and then writes, while no other does in this database: such writes pass each other's watches. */
  private alone(options: ApplyOptions, work: (part: DeletableStore, tap: LevelTap) => Promise<number>): Promise<number> {
    const tap = LevelTap.of(this.root)
    return this.changing(() =>
      tap.inTurn(async () => {
        options.signal?.throwIfAborted()
        await this.ready()
        const encodings = { keyEncoding: this.encoding, valueEncoding: this.encoding, fillCache: false }
        const part = {
          name: this.name,
          getMany: (keys: readonly Uint8Array[]) => this.db.getMany(keys as never[], encodings) as Promise<(Uint8Array | undefined)[]>,
          write: async (writes: readonly Write[]) => {
            this.assertWrites(writes)
            // A sublevel's batch passes the hooks of the root only when it is written.
            await tap.asOwn(() => this.watched(writes).write(options.durable))
          },
          local: (key: Uint8Array) => (startsWith(key, this.prefix) ? key.subarray(this.prefix.length) : undefined)
        }
        return work(part, tap)
      })
    )
  }

  deleteRange(range: ScanRange, options: ApplyOptions): Promise<void> {
    return this.changing(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      const log = LevelFeedLog.known(this.root)
      for (const part of aroundOwn(prefixRange(this.prefix, range))) {
        const clear = { ...BYTES, ...present(part) }
        await (log === undefined ? this.root.clear(clear) : log.clear(clear))
      }
      if (!options.durable) return
      // clear() has no sync of its own; a synced write takes all before it to the disk.
      const batch = this.root.batch() as LevelChainedBatch
      batch.del(concatBytes([OWN, Uint8Array.of(0xff)]), BYTES)
      await batch.write({ sync: true })
    })
  }

  estimate(range: ScanRange): Promise<Estimate> {
    return this.translate(async () => {
      const sized = this.db as { approximateSize?: (start: Uint8Array, end: Uint8Array, options: object) => Promise<number> }
      if (sized.approximateSize === undefined) return {}
      await this.ready()
      const end = range.lt ?? new Uint8Array(64).fill(0xff)
      const bytes = await sized.approximateSize(range.gte ?? new Uint8Array(0), end, BYTES)
      return { bytes }
    })
  }

  /** A batch that hooks and listeners are told of, if there are any, filled when it is written. */
  private watched(writes: readonly Write[]): FilledBatch {
    const isUnwatched = this.isUnwatched()
    // The array form of batch() costs three times as much.
    const batch = this.db.batch() as LevelChainedBatch
    const write = (sync: boolean | undefined): Promise<void> => {
      if (isUnwatched) fillUnwatched(this.db, batch, writes, this.encoding)
      else fillBatch(batch, writes, this.encoding)
      return batch.write({ sync })
    }
    return { write, discard: () => void batch.close().catch(() => {}) }
  }

  /** Before the first is added to a batch: a feed would wait for one that never lands. */
  private assertWrites(writes: readonly Write[]): void {
    for (const write of writes) {
      if (!isWrite(write)) throw notBytes(this.name)
      if (this.prefix.length === 0 && isOwn(write[0])) throw reserved(write[0], this.name)
    }
  }

  private async ready(): Promise<void> {
    if (this.db.status !== 'open') {
      // What its owner closed stays closed; the caller would never close it again.
      if (this.wasOpen) throw new KeyhaulError('KEYHAUL_STORE_CLOSED', { store: this.name })
      await this.db.open()
    }
    this.wasOpen = true
  }

  /** A feed whose errors are keyhaul's too. */
  private translated(feed: Feed): Feed {
    return {
      position: feed.position,
      poll: (after, options) => {
        this.iterators.drop()
        return this.changing(() => feed.poll(after, options))
      },
      behind: (after) => feed.behind?.(after) ?? 0,
      trim: (position) => this.translate(async () => feed.trim?.(position)),
      close: (options) => this.translate(() => feed.close(options))
    }
  }

  /** What a scan that begins later must know of. */
  private async changing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.translate(work)
    } finally {
      this.iterators.drop()
    }
  }

  private async translate<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw fromLevel(error, this.name)
    }
  }
}

/** Where `target` is a level store, and nobody's wrapper of one that has a `prepare` of its own. */
const prepareRows: TakesRows = (target, rows, bytes) =>
  target?.prepare === LevelStore.prototype.prepare ? (target as LevelStore).prepareWrites(rows, bytes) : undefined

/** A sublevel lies under a prefix in the root. */
function placeOf(db: LevelDatabase): { root: LevelDatabase; prefix: string } {
  const { prefix, db: root } = db as { prefix?: unknown; db?: LevelDatabase }
  return typeof prefix === 'string' && prefix !== '' && root !== undefined ? { root, prefix } : { root: db, prefix: '' }
}

/** The parts of a range of the root that are not keyhaul's own records. */
function aroundOwn({ gte, lt }: ScanRange): ScanRange[] {
  const end = prefixRange(OWN, {}).lt as Uint8Array
  const parts: ScanRange[] = []
  if (gte === undefined || compareBytes(gte, OWN) < 0) {
    parts.push({ gte, lt: lt === undefined || compareBytes(lt, OWN) > 0 ? OWN : lt })
  }
  if (lt === undefined || compareBytes(lt, end) > 0) {
    parts.push({ gte: gte === undefined || compareBytes(gte, end) < 0 ? end : gte, lt })
  }
  return parts
}

/** One value for each part of each database: two objects of one sublevel are one store. */
const identities = new WeakMap<LevelDatabase, Map<string, object>>()
function identityOf(root: LevelDatabase, prefix: string): object {
  if (prefix === '') return root
  const parts = identities.get(root) ?? new Map<string, object>()
  identities.set(root, parts)
  const identity = parts.get(prefix) ?? { prefix }
  parts.set(prefix, identity)
  return identity
}
