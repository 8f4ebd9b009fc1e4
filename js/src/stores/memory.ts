import { KeyhaulError } from '../errors.js'
import { compareBytes, decodeFeedPosition, encodeFeedPosition, idOf, inRange, toBytes } from './bytes.js'
import { isWrite, notBytes } from './level-errors.js'
import { unpackPage } from './packed.js'
import { SortedRows } from './sorted-rows.js'
import type { ApplyOptions, Capability, Change, DigestSink, Entry, Estimate, Feed, FeedOptions, OwnRecord, PackedPage, ScanOptions, ScanPage, ScanRange, Store, Write } from './store.js'
import { type CompareVersions, compareVersions, pickNewer, type VersionOf } from './versions.js'

export interface MemoryStoreOptions {
  /** In plans, journals and registers. Default `memory`, and `memory-2` and so on for those that follow. */
  readonly name?: string
  readonly entries?: Iterable<readonly [string | Uint8Array, string | Uint8Array]>
  /** Capabilities to leave out; their methods are absent then. */
  readonly without?: readonly Capability[]
  /** Changes a feed keeps before the oldest are lost. Default 1,000,000. */
  readonly feedLimit?: number
  /**
   * Keep pages that a migration brings as they come and hand them on whole, as a store on another
   * machine does. Each holds its memory until the last of its entries is gone. Default false.
   */
  readonly packed?: boolean
  /** As that of levelStore. */
  readonly versionOf?: VersionOf
}

/** A sorted store in memory, for tests and for trying things out. */
export interface MemoryStore extends Store {
  readonly size: number
  get(key: string | Uint8Array): Uint8Array | undefined
  put(key: string | Uint8Array, value: string | Uint8Array): void
  delete(key: string | Uint8Array): void
  /** Every entry in byte order. */
  [Symbol.iterator](): IterableIterator<Entry>
}

const OFFERED: readonly Capability[] = ['scan', 'apply', 'version', 'feed', 'digest', 'rangeDelete', 'stats']

export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const store = new Memory(options)
  for (const [key, value] of options.entries ?? []) store.put(key, value)
  const drop = (capability: Capability, ...methods: (keyof Store)[]): void => {
    if (store.capabilities.has(capability)) return
    for (const method of methods) Object.defineProperty(store, method, { value: undefined })
  }
  drop('feed', 'openFeed')
  drop('digest', 'digest')
  drop('rangeDelete', 'deleteRange')
  drop('stats', 'estimate')
  drop('version', 'applyNewer')
  if (options.packed !== true) for (const method of ['scanPacked', 'applyPacked'] as const) Object.defineProperty(store, method, { value: undefined, writable: true })
  return store
}

/** Two stores of one name could not be told apart in a plan or a journal. */
let unnamed = 0
const nextName = (): string => (++unnamed === 1 ? 'memory' : `memory-${unnamed}`)

/** Not slice(): that of a Buffer is the same bytes. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

class Memory implements MemoryStore {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  private readonly rows = new SortedRows()
  private readonly feedLimit: number
  /** Changes while any feed is open, with their positions, ascending. */
  private log: { change: Change; position: number }[] = []
  private position = 0
  /** Feeds that were not given up: where each began -> the oldest position it may still ask for. */
  private readonly feeds = new Map<number, number>()
  /** Which feed is whose: the one where it began. */
  private readonly owners = new Map<string, number>()
  private own: Uint8Array | undefined
  readonly applyNewer?: NonNullable<Store['applyNewer']>
  readonly ownRecord: OwnRecord = {
    read: async () => this.own,
    write: async (bytes) => {
      this.own = bytes
    }
  }

  constructor(options: MemoryStoreOptions) {
    this.name = options.name ?? nextName()
    const without = new Set(options.without)
    if (options.versionOf === undefined) without.add('version')
    else this.applyNewer = this.newer(compareVersions(options.versionOf, this.name))
    this.capabilities = new Set(OFFERED.filter((capability) => !without.has(capability)))
    this.feedLimit = options.feedLimit ?? 1_000_000
  }

  get identity(): unknown {
    return this
  }
  get size(): number {
    return this.rows.size
  }

  get(key: string | Uint8Array): Uint8Array | undefined {
    return this.rows.get(toBytes(key))
  }
  put(key: string | Uint8Array, value: string | Uint8Array): void {
    this.write([copyOf(toBytes(key)), copyOf(toBytes(value))])
  }
  delete(key: string | Uint8Array): void {
    this.write([copyOf(toBytes(key)), undefined])
  }
  *[Symbol.iterator](): IterableIterator<Entry> {
    yield* this.rows.from(undefined)
  }

  async getMany(keys: readonly Uint8Array[], options: { readonly signal?: AbortSignal | undefined } = {}): Promise<(Uint8Array | undefined)[]> {
    options.signal?.throwIfAborted()
    return keys.map((key) => this.rows.get(key))
  }

  async scan(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    options.signal?.throwIfAborted()
    const entries: Entry[] = []
    let bytes = 0
    for (const entry of this.rows.from(range.gte)) {
      if (range.lt !== undefined && compareBytes(entry[0], range.lt) >= 0) break
      bytes += entry[0].length + entry[1].length
      const full = entries.length >= options.maxEntries || bytes > options.maxBytes
      if (full && entries.length > 0) return { entries, end: false }
      entries.push(entry)
    }
    return { entries, end: true }
  }

  async scanBack(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    options.signal?.throwIfAborted()
    const entries: Entry[] = []
    let bytes = 0
    for (const entry of this.rows.backFrom(range.lt)) {
      if (range.gte !== undefined && compareBytes(entry[0], range.gte) < 0) break
      bytes += entry[0].length + entry[1].length
      const full = entries.length >= options.maxEntries || bytes > options.maxBytes
      if (full && entries.length > 0) return { entries, end: false }
      entries.push(entry)
    }
    return { entries, end: true }
  }

  async scanPacked(range: ScanRange, options: ScanOptions): Promise<PackedPage | undefined> {
    options.signal?.throwIfAborted()
    return this.rows.page(range, options)
  }

  async applyPacked(frame: Uint8Array, options: ApplyOptions): Promise<void> {
    options.signal?.throwIfAborted()
    const writes = unpackPage(frame)
    if (this.feeds.size === 0 && this.rows.takePage(writes, frame)) return
    for (const write of writes) this.write(write, options.cleanUp !== undefined)
  }

  async apply(writes: readonly Write[], options: ApplyOptions): Promise<void> {
    options.signal?.throwIfAborted()
    if (!writes.every(isWrite)) throw notBytes(this.name)
    for (const [key, value] of writes) this.write([copyOf(key), value && copyOf(value)], options.cleanUp !== undefined)
  }

  async deleteEqual(entries: readonly Entry[], options: ApplyOptions): Promise<number> {
    options.signal?.throwIfAborted()
    let left = 0
    for (const [key, value] of entries) {
      const now = this.rows.get(key)
      if (now === undefined) continue
      if (compareBytes(now, value) === 0) this.write([copyOf(key), undefined])
      else left++
    }
    return left
  }

  async openFeed(range: ScanRange, { after: takenUp, owner, signal }: FeedOptions = {}): Promise<Feed> {
    signal?.throwIfAborted()
    // Each beginning is a position of its own, so that feeds can be told apart.
    const start = takenUp === undefined ? ++this.position : (decodeFeedPosition(takenUp)?.start ?? -1)
    if (takenUp === undefined) this.feeds.set(start, start)
    else this.readPosition(takenUp, start)
    if (owner !== undefined) {
      const older = this.owners.get(owner)
      this.owners.set(owner, start)
      if (older !== undefined && older !== start && this.feeds.delete(older)) this.dropUnasked()
    }
    return {
      position: takenUp ?? encodeFeedPosition(start, start),
      poll: async (after, limits) => {
        limits.signal?.throwIfAborted()
        const from = this.readPosition(after, start)
        const changes: Change[] = []
        let bytes = 0
        let reached = from
        let caughtUp = true
        for (let i = this.indexAfter(from); i < this.log.length; i++) {
          const { change, position } = this.log[i] as { change: Change; position: number }
          if (inRange(change[0], range)) {
            bytes += change[0].length + (change[1]?.length ?? 0)
            if (changes.length > 0 && (changes.length >= limits.maxEntries || bytes > limits.maxBytes)) {
              caughtUp = false
              break
            }
            changes.push(change)
          }
          reached = position
        }
        return { changes, position: encodeFeedPosition(start, reached), caughtUp, behind: this.log.length - this.indexAfter(reached) }
      },
      behind: (position) => this.log.length - this.indexAfter(decodeFeedPosition(position)?.at ?? this.position),
      trim: async (position) => {
        this.feeds.set(start, this.readPosition(position, start))
        this.dropUnasked()
      },
      close: async ({ discard }) => {
        if (!discard || !this.feeds.delete(start)) return
        for (const [name, one] of this.owners) if (one === start) this.owners.delete(name)
        this.dropUnasked()
      }
    }
  }

  async digest(range: ScanRange, sink: DigestSink, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    let entries: Entry[] = []
    for (const entry of this.rows.from(range.gte)) {
      if (range.lt !== undefined && compareBytes(entry[0], range.lt) >= 0) break
      entries.push(entry)
      if (entries.length === 1024) {
        sink.add(entries)
        entries = []
      }
    }
    if (entries.length > 0) sink.add(entries)
  }

  async deleteRange(range: ScanRange, options: ApplyOptions): Promise<void> {
    options.signal?.throwIfAborted()
    const keys: Uint8Array[] = []
    for (const [key] of this.rows.from(range.gte)) {
      if (range.lt !== undefined && compareBytes(key, range.lt) >= 0) break
      keys.push(key)
    }
    for (const key of keys) this.rows.delete(key)
  }

  async estimate(range: ScanRange): Promise<Estimate> {
    let entries = 0
    let bytes = 0
    for (const [key, value] of this.rows.from(range.gte)) {
      if (range.lt !== undefined && compareBytes(key, range.lt) >= 0) break
      entries++
      bytes += key.length + value.length
    }
    return { entries, bytes }
  }

  private newer(compare: CompareVersions): NonNullable<Store['applyNewer']> {
    return async (writes, { signal, deletes }) => {
      signal?.throwIfAborted()
      if (!writes.every(isWrite)) throw notBytes(this.name)
      const { taken, left } = pickNewer(writes, (key) => this.rows.get(key), compare, deletes, idOf)
      for (const [key, value] of taken.values()) this.write([copyOf(key), value && copyOf(value)])
      return left
    }
  }

  private write(change: Change, silent = false): void {
    const [key, value] = change
    if (value === undefined) this.rows.delete(key)
    else this.rows.set(key, value)
    if (silent || this.feeds.size === 0) return
    this.log.push({ change, position: ++this.position })
    if (this.log.length > this.feedLimit) this.forgetOldest()
  }

  private readPosition(bytes: Uint8Array, start: number): number {
    const position = decodeFeedPosition(bytes)
    const floor = this.feeds.get(start)
    const held = position !== undefined && floor !== undefined && position.start === start && position.at >= floor
    if (!held || position.at > this.position) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store: this.name })
    return position.at
  }

  /** Index of the first change beyond a position; positions have gaps where feeds began. */
  private indexAfter(position: number): number {
    let low = 0
    let high = this.log.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.log[middle] as { position: number }).position <= position) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The log is full: its older half goes, and feeds that wanted it have lost their place. */
  private forgetOldest(): void {
    const { position } = this.log[this.log.length >> 1] as { position: number }
    for (const [start, floor] of this.feeds) this.feeds.set(start, Math.max(floor, position))
    this.dropUnasked()
  }

  private dropUnasked(): void {
    const floor = this.feeds.size === 0 ? this.position : Math.min(...this.feeds.values())
    this.log.splice(0, this.indexAfter(floor))
  }
}
