import { KeyhaulError } from '../errors.js'
import { successor } from './bytes.js'
import { levelStore } from './level.js'
import type { LevelChainedBatch, LevelDatabase, LevelIterator, LevelOperation } from './level-types.js'
import type { Entry, ScanRange, Store, Write } from './store.js'

/** Of a page that is read for an iterator. */
const PAGE_BYTES = 1 << 20
/** Keys that are looked up beside each other where there is no getMany. */
const LOOKUPS_MAX = 64

type GetMany = NonNullable<Store['getMany']>

/** The values of single keys: a scan for each where a store has no getMany. */
export function getManyOf(store: Store): GetMany {
  if (store.getMany !== undefined) return store.getMany.bind(store)
  const get = async (key: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> =>
    (await store.scan({ gte: key, lt: successor(key) }, { maxEntries: 1, maxBytes: PAGE_BYTES, signal })).entries[0]?.[1]
  return async (keys, { signal } = {}) => {
    const values: (Uint8Array | undefined)[] = []
    for (let i = 0; i < keys.length; i += LOOKUPS_MAX) {
      values.push(...(await Promise.all(keys.slice(i, i + LOOKUPS_MAX).map((key) => get(key, signal)))))
    }
    return values
  }
}

/** One a store, however many objects stand for it: two logs would record past each other. */
const databases = new WeakMap<object, LevelDatabase>()

/**
 * Gives a store that can only scan and apply a feed and a place for a gate's record. Both are kept among
 * its own entries, under a prefix that its users are not shown, and the record of a change goes into the batch of the
 * change: they are there after a crash where the data is. The log is the one of a levelStore
 * (level-feed.ts), and so are its rules; this is as much of a Level as it asks for.
 *
 * Everybody has to write through what this gives, or a gate on it: what passes it by is in no feed. And
 * whoever reads the store itself sees the records, at keys that begin with `!\0keyhaul!`.
 */
export function recordedStore(store: Store): Store {
  const { identity, name } = store
  if (typeof identity !== 'object' || identity === null) {
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: name, message: 'its identity is no object, so that nobody can tell whether two stores are one; give it one, as the database that it stands for' })
  }
  const database = databases.get(identity) ?? new StoreDatabase(store)
  databases.set(identity, database)
  return levelStore(database, { name, feed: true })
}

type Hook = (op: LevelOperation, batch: ChainedBatch) => void
interface Operation extends LevelOperation {
  readonly key: Uint8Array
  readonly value?: Uint8Array
}
interface IteratorOptions {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly limit?: number
  readonly reverse?: boolean
}

/** Keys and values are bytes, and nothing encodes them. */
const AS_IT_IS = { encode: (key: unknown): Uint8Array => key as Uint8Array, format: 'view' }

class StoreDatabase implements LevelDatabase {
  readonly status = 'open'
  /** An iterator reads page by page, so there is no snapshot behind it; nothing that uses this needs one. */
  readonly supports = {}
  readonly getMany: LevelDatabase['getMany']
  readonly approximateSize?: (gte: Uint8Array, lt: Uint8Array) => Promise<number>
  private readonly listeners = new Map<string, ((about: unknown) => void)[]>()
  private hook: Hook | undefined
  readonly hooks: { prewrite: { add(hook: Hook): void; delete(hook: Hook): void; run?: Hook | undefined } }

  constructor(readonly store: Store) {
    const getMany = getManyOf(store)
    this.getMany = (keys) => getMany(keys)
    const { estimate } = store
    if (estimate !== undefined) this.approximateSize = async (gte, lt) => (await estimate.call(store, { gte, lt })).bytes ?? 0
    const keep = (hook: Hook | undefined): void => {
      this.hook = this.hooks.prewrite.run = hook
    }
    this.hooks = { prewrite: { add: keep, delete: () => keep(undefined) } }
  }

  async open(): Promise<void> {}

  on(event: string, listener: (about: unknown) => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener])
  }
  listenerCount(event: string): number {
    return this.listeners.get(event)?.length ?? 0
  }
  tell(event: string, about: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(about)
  }

  batch(): LevelChainedBatch {
    return new ChainedBatch(this, () => this.hook)
  }

  iterator(options: IteratorOptions): LevelIterator {
    const { gt, lte, limit = Number.POSITIVE_INFINITY, reverse = false } = options
    const range = { gte: options.gte ?? (gt && successor(gt)), lt: options.lt ?? (lte && successor(lte)) }
    return reverse ? new BackIterator(this.store, range, limit) : new Iterator(this.store, range, limit)
  }

  /** Of all that is there when it is called: what is written meanwhile may stay. */
  async clear(options: IteratorOptions): Promise<void> {
    const iterator = this.iterator(options)
    for (let rows = await iterator.nextv(1000); rows.length > 0; rows = await iterator.nextv(1000)) {
      await this.store.apply(rows.map(([key]) => [key as Uint8Array, undefined]), { durable: false })
    }
    this.tell('clear', options)
  }

  sublevel(): never {
    throw new Error('keyhaul: a recorded store has no sublevels')
  }
}

class ChainedBatch implements LevelChainedBatch {
  private readonly operations: Operation[] = []

  constructor(
    private readonly database: StoreDatabase,
    private readonly hook: () => Hook | undefined
  ) {}

  put(key: Uint8Array, value: Uint8Array): void {
    this.take({ type: 'put', key, value, keyEncoding: AS_IT_IS })
  }
  del(key: Uint8Array): void {
    this.take({ type: 'del', key, keyEncoding: AS_IT_IS })
  }
  /** What the hook adds passes no hook itself. */
  add(op: Operation): void {
    this.operations.push(op)
  }
  private take(op: Operation): void {
    this.operations.push(op)
    this.hook()?.(op, this)
  }

  async write({ sync = false }: { sync?: boolean } = {}): Promise<void> {
    const { operations } = this
    if (operations.length === 0) return
    const writes = operations.map(({ type, key, value }): Write => [key, type === 'put' ? value : undefined])
    await this.database.store.apply(writes, { durable: sync })
    this.database.tell('write', operations)
  }
  async close(): Promise<void> {}
}

class Iterator implements LevelIterator {
  private isOver = false

  constructor(
    private readonly store: Store,
    private range: ScanRange,
    private left: number
  ) {}

  async nextv(size: number): Promise<Entry[] & [unknown, unknown][]> {
    const maxEntries = Math.min(size, this.left)
    if (this.isOver || maxEntries <= 0) return []
    const { entries, end } = await this.store.scan(this.range, { maxEntries, maxBytes: PAGE_BYTES })
    const last = entries[entries.length - 1]
    this.isOver = end || last === undefined
    this.left -= entries.length
    if (last !== undefined) this.range = { gte: successor(last[0]), lt: this.range.lt }
    return entries as Entry[] & [unknown, unknown][]
  }
  async close(): Promise<void> {
    this.isOver = true
  }
}

/** Where a store cannot be read backwards, all of the range is read for each call. */
class BackIterator implements LevelIterator {
  constructor(
    private readonly store: Store,
    private range: ScanRange,
    private left: number
  ) {}

  async nextv(size: number): Promise<[unknown, unknown][]> {
    const maxEntries = Math.min(size, this.left)
    if (maxEntries <= 0) return []
    const entries = await this.last(maxEntries)
    this.left = entries.length === 0 ? 0 : this.left - entries.length
    const first = entries[entries.length - 1]
    if (first !== undefined) this.range = { gte: this.range.gte, lt: first[0] }
    return entries as unknown as [unknown, unknown][]
  }

  private async last(count: number): Promise<readonly Entry[]> {
    const { store, range } = this
    if (store.scanBack !== undefined) return (await store.scanBack(range, { maxEntries: count, maxBytes: PAGE_BYTES })).entries
    const iterator = new Iterator(store, range, Number.POSITIVE_INFINITY)
    let last: Entry[] = []
    for (let rows = await iterator.nextv(1000); rows.length > 0; rows = await iterator.nextv(1000)) last = [...last, ...rows].slice(-count)
    return last.reverse()
  }

  async close(): Promise<void> {
    this.left = 0
  }
}
