import {
  type AbstractBatchOperation, AbstractChainedBatch, type AbstractClearOptions, type AbstractDatabaseOptions, type AbstractIteratorOptions, AbstractIterator, AbstractLevel
} from 'abstract-level'
import { KeyhaulError } from '../errors.js'
import { inRange, successor } from '../stores/bytes.js'
import type { Entry, ScanRange, Write } from '../stores/store.js'
import { clientBytes } from './client-bytes.js'
import { type ShardedOptions, type ShardedStore, shardedStore } from './sharded.js'

export interface ShardedLevelOptions<K, V> extends ShardedOptions, AbstractDatabaseOptions<K, V> {
  /**
   * What a batch does whose keys belong to several stores. Default `refuse`: a batch is all or
   * nothing, here as in a Level. `perStore`: each store's part is, one after the other, so
   * readers may see some of it, and a failure or a crash may leave it so.
   */
  readonly batchAcross?: 'refuse' | 'perStore'
}

/** A page of an iterator whose reader did not say how many entries it wants. */
const PAGE_ENTRIES = 256
const CLEAR_ENTRIES = 500

/**
 * Several gated stores as one abstract-level database, for a service that had a Level: encodings,
 * sublevels, hooks and events are its own. Differences from a LevelDB: iterators show no
 * snapshot (a key that is there throughout comes exactly once, with a value that it had during
 * the iteration), `clear()` is not atomic, and batches see `batchAcross`. Closing it closes no store.
 */
export class ShardedLevel<K = string, V = string> extends AbstractLevel<Uint8Array, K, V> {
  private store: ShardedStore | undefined

  constructor(private readonly sharded: ShardedLevelOptions<K, V>, ...more: never[]) {
    super(
      {
        encodings: { view: true },
        seek: true,
        has: true,
        implicitSnapshots: false,
        explicitSnapshots: false,
        createIfMissing: false,
        errorIfExists: false,
        additionalMethods: {}
      } as never,
      levelOptions(sharded, more)
    )
  }

  /** Its face without encodings, while it is open. */
  get shards(): ShardedStore {
    return this.store as ShardedStore
  }

  // The promise-only methods of abstract-level 3 that its types leave out.
  async _open(): Promise<void> {
    this.store = shardedStore(this.sharded)
  }

  async _close(): Promise<void> {
    this.store?.close()
  }

  _get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.shards.get(key)
  }

  _getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.shards.getMany(keys)
  }

  async _has(key: Uint8Array): Promise<boolean> {
    return (await this.shards.get(key)) !== undefined
  }

  async _hasMany(keys: Uint8Array[]): Promise<boolean[]> {
    return (await this.shards.getMany(keys)).map((value) => value !== undefined)
  }

  _put(key: Uint8Array, value: Uint8Array, { sync = false }: { sync?: boolean }): Promise<void> {
    return this.shards.put(key, value, { sync })
  }

  _del(key: Uint8Array, { sync = false }: { sync?: boolean }): Promise<void> {
    return this.shards.del(key, { sync })
  }

  _batch(operations: AbstractBatchOperation<never, Uint8Array, Uint8Array>[], { sync = false }: { sync?: boolean }): Promise<void> {
    const writes = operations.map((op): Write => [op.key, op.type === 'put' ? op.value : undefined])
    return this.sharded.batchAcross === 'perStore' ? this.shards.batchAcross(writes, { sync }) : this.shards.batch(writes, { sync })
  }

  async _clear(options: AbstractClearOptions<Uint8Array>): Promise<void> {
    const { reverse = false, limit = -1 } = options
    let rest: ScanRange | undefined = rangeOf(options)
    let left = limit < 0 ? Number.POSITIVE_INFINITY : limit
    while (rest !== undefined && left > 0) {
      const page: { entries: readonly Entry[]; rest: ScanRange | undefined } = await this.shards.page(rest, { reverse, maxEntries: Math.min(left, CLEAR_ENTRIES) })
      await this.shards.batchAcross(page.entries.map(([key]) => [key, undefined] as const))
      left -= page.entries.length
      rest = page.rest
    }
  }

  _iterator(options: AbstractIteratorOptions<Uint8Array, Uint8Array>): ShardedIterator {
    return new ShardedIterator(this as never, options)
  }

  // Nor is there a type of this.
  _chainedBatch(): ShardedBatch {
    return new ShardedBatch(this)
  }
}

type Operation = AbstractBatchOperation<never, Uint8Array, Uint8Array>
const WithAdd = AbstractChainedBatch as unknown as new (db: unknown, options: { readonly add: boolean }) => AbstractChainedBatch<never, Uint8Array, Uint8Array>

/** Holds what it was given as that was then, as one of a ClassicLevel does: that of abstract-level holds the caller's bytes until write(). */
class ShardedBatch extends WithAdd {
  private operations: Operation[] = []

  constructor(db: unknown) {
    super(db, { add: true })
  }

  _add(op: Operation): void {
    const key = clientBytes(op.key)
    this.operations.push(op.type === 'put' ? { ...op, key, value: clientBytes(op.value) } : { ...op, key })
  }

  _clear(): void {
    this.operations = []
  }

  _write(options: { sync?: boolean }): Promise<void> {
    return (this.db as unknown as ShardedLevel<Uint8Array, Uint8Array>)._batch(this.operations, options)
  }
}

type IteratorOptions = AbstractIteratorOptions<Uint8Array, Uint8Array>

class ShardedIterator extends AbstractIterator<ShardedLevel<Uint8Array, Uint8Array>, Uint8Array, Uint8Array> {
  private readonly range: ScanRange
  private rest: ScanRange | undefined
  private readonly reverse: boolean
  private page: readonly Entry[] = []
  private at = 0

  constructor(db: ShardedLevel<Uint8Array, Uint8Array>, options: IteratorOptions) {
    super(db, options)
    this.range = this.rest = rangeOf(options)
    this.reverse = options.reverse === true
  }

  async _next(): Promise<[Uint8Array, Uint8Array] | undefined> {
    if (!(await this.fill(PAGE_ENTRIES))) return undefined
    return copyOf(this.page[this.at++] as Entry)
  }

  async _nextv(size: number): Promise<[Uint8Array, Uint8Array][]> {
    if (!(await this.fill(size))) return []
    const entries = this.page.slice(this.at, this.at + size)
    this.at += entries.length
    return entries.map(copyOf)
  }

  _seek(target: Uint8Array): void {
    this.page = []
    this.at = 0
    this.rest = from(this.range, clientBytes(target), this.reverse)
  }

  /** False at the end. A page may be empty where a store owns keys and has none. */
  private async fill(wanted: number): Promise<boolean> {
    const { limit, count } = this as unknown as { limit: number; count: number }
    const maxEntries = Math.max(1, Math.min(wanted, limit - count))
    while (this.at >= this.page.length) {
      if (this.rest === undefined) return false
      const { entries, rest } = await this.db.shards.page(this.rest, { reverse: this.reverse, maxEntries })
      this.page = entries
      this.at = 0
      this.rest = rest
    }
    return true
  }
}

/** abstract-level decodes an entry in its place. */
const copyOf = ([key, value]: Entry): [Uint8Array, Uint8Array] => [key, value]

/** Half open, and kept while it is iterated; the bounds that include their key count where both are given. */
function rangeOf({ gte, gt, lt, lte }: Pick<IteratorOptions, 'gte' | 'gt' | 'lt' | 'lte'>): ScanRange {
  const kept = (key: Uint8Array | undefined): Uint8Array | undefined => key && clientBytes(key)
  return { gte: kept(gte) ?? (gt === undefined ? undefined : successor(gt)), lt: lte === undefined ? kept(lt) : successor(lte) }
}

/** What is left of a range at and behind a key; nothing where the key lies outside, as in LevelDB. */
function from(range: ScanRange, key: Uint8Array, reverse: boolean): ScanRange | undefined {
  if (!inRange(key, range)) return undefined
  return reverse ? { gte: range.gte, lt: successor(key) } : { gte: key, lt: range.lt }
}

/** Its own options are not abstract-level's, which shows them to hooks. */
/** Other databases take what they are made of first and their encodings second: here those would be passed over. */
function levelOptions<K, V>(given: ShardedLevelOptions<K, V>, more: readonly unknown[]): AbstractDatabaseOptions<K, V> {
  if (more.length > 0 || given?.stores === undefined || given.register === undefined) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'a ShardedLevel takes one object, with stores and register, and with its encodings too' })
  }
  const { stores: _s, register: _r, timeoutMs: _t, pageEntries: _p, batchAcross: _b, ...rest } = given
  return rest
}
