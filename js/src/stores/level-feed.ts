import { KeyhaulError } from '../errors.js'
import { concatBytes, decodeFeedPosition, decodePosition, encodeFeedPosition, encodePosition, inRange, startsWith, toBytes } from './bytes.js'
import { type Cleared, clearedBy, decodeCleared, encodeCleared, touches } from './level-cleared.js'
import type { LevelChainedBatch, LevelDatabase, LevelOperation } from './level-types.js'
import type { Change, Feed, FeedPage, ScanRange } from './store.js'

/** Keys of the root database with this prefix are keyhaul's own and no part of anyone's data. */
export const OWN_PREFIX = '!keyhaul!'
export const OWN = /* @__PURE__ */ toBytes(OWN_PREFIX)

const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const
const FEEDS_KEY = /* @__PURE__ */ ownKey(0)
const WRITE_KIND = 1
const CLEAR_KIND = 2
/** A poll waits so long for a write to land; one that lands later is recorded once more. */
const IN_FLIGHT_MS = 250
/** Rows of the log whose values are in memory at once, before a page's byte limit is known. */
const SLICE = 64

interface PollLimits {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}
interface Hooked {
  hooks: { prewrite: { add(hook: (op: LevelOperation, batch: { add(op: object): void }) => void): void } }
}
interface Landed {
  key: unknown
  encodedKey?: unknown
}

const logs = new WeakMap<LevelDatabase, LevelFeedLog>()

/**
 * The change log of a root database: the prewrite hook puts the key of every write into it,
 * in the same atomic batch. Writes through any sublevel pass the root's hook, so one log
 * serves every store made on any part of the database. Only keys are logged; a poll reads the
 * values as they are then, so writes that overtake each other still end as the store ended.
 *
 * The hook runs when an operation is added to a batch, which may be long before the batch is
 * written, and positions are given out then. What lands behind a position that a poll has
 * passed, or was added before a feed was opened, is noticed by the write event (which comes
 * before the writer's own promise settles) and logged once more, at a new position. Only a
 * crash of the process between the two can lose such a late record.
 */
export class LevelFeedLog {
  /** Feeds that are open, also those of an earlier process: start -> oldest position still held. */
  private readonly feeds = new Map<number, number>()
  private readonly cleared: Cleared[] = []
  private readonly ownClears = new WeakSet<object>()
  /** Until the log was read, a feed may be open from an earlier process. */
  private known = false
  private looking: Promise<void> | undefined
  private last = 0
  /** A poll has passed this position; what lands at or before it needs a new one. */
  private passed = 0
  /** Positions given out to writes that have not landed, ascending, and since when. */
  private readonly inFlight = new Map<number, number>()
  private waiting: (() => void)[] = []

  /** The one log of a database: two would record and forget past each other. */
  static of(root: LevelDatabase): LevelFeedLog {
    const log = logs.get(root) ?? new LevelFeedLog(root)
    logs.set(root, log)
    return log
  }

  /** Nothing when no store of the database has a feed. */
  static known(root: LevelDatabase): LevelFeedLog | undefined {
    return logs.get(root)
  }

  private constructor(private readonly root: LevelDatabase) {
    ;(root as unknown as Hooked).hooks.prewrite.add((op, batch) => this.record(op, batch))
    root.on('write', (operations: Landed[]) => this.landed(operations))
    root.on('clear', (options: object) => this.clearedOutside(options))
  }

  /** Opens a feed of the keys below `prefix`; ranges and changes leave the prefix out. */
  async open(prefix: Uint8Array, range: ScanRange, after: Uint8Array | undefined, store: string): Promise<Feed> {
    await this.look()
    const start = after === undefined ? this.next() : (decodeFeedPosition(after)?.start ?? -1)
    if (after === undefined) await this.begin(start)
    else this.check(after, start, store)
    return {
      position: after ?? encodeFeedPosition(start, start),
      poll: (position, limits) => this.poll(prefix, range, this.check(position, start, store), start, store, limits),
      trim: async (position) => {
        this.feeds.set(start, this.check(position, start, store))
        await this.drop()
      },
      close: async ({ discard }) => {
        if (!discard || !this.feeds.delete(start)) return
        await this.save(true)
        await this.drop()
      }
    }
  }

  /** `clear` with options that must not count as the owner's: a range delete is in no feed. */
  async clear(options: object): Promise<void> {
    this.ownClears.add(options)
    await this.root.clear(options)
  }

  private async begin(start: number): Promise<void> {
    this.feeds.set(start, start)
    try {
      await this.save(true)
    } catch (error) {
      this.feeds.delete(start)
      throw error
    }
  }

  private check(bytes: Uint8Array, start: number, store: string): number {
    const position = decodeFeedPosition(bytes)
    const floor = this.feeds.get(start)
    if (position === undefined || floor === undefined || position.start !== start || position.at < floor) {
      throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store })
    }
    return position.at
  }

  private record(op: LevelOperation, batch: { add(op: object): void }): void {
    if (this.known && this.feeds.size === 0) return
    // A log that nobody looks at would grow for ever.
    if (!this.known) this.look().catch(() => {})
    const encoded = op.keyEncoding.encode(op.key)
    const key = toBytes(op.sublevel == null ? encoded : op.sublevel.prefixKey(encoded, op.keyEncoding.format, false))
    if (startsWith(key, OWN)) return
    const position = this.next()
    this.inFlight.set(position, performance.now())
    batch.add({ type: 'put', key: ownKey(WRITE_KIND, position), value: key, ...BYTES })
  }

  private landed(operations: readonly Landed[]): void {
    if (this.feeds.size === 0 && this.inFlight.size === 0) return
    const keys: Uint8Array[] = []
    let records = 0
    let late = false
    for (const { key, encodedKey } of operations) {
      const bytes = toBytes((encodedKey ?? key) as string | Uint8Array)
      if (!startsWith(bytes, OWN)) {
        keys.push(bytes)
      } else if (bytes[OWN.length] === WRITE_KIND) {
        const position = decodePosition(bytes.subarray(OWN.length + 1)) ?? 0
        records++
        late ||= position <= this.passed
        this.inFlight.delete(position)
      }
    }
    if (this.feeds.size > 0 && (late || records < keys.length)) this.recordAgain(keys)
    for (const wake of this.waiting.splice(0)) wake()
  }

  private recordAgain(keys: readonly Uint8Array[]): void {
    const batch = this.root.batch() as LevelChainedBatch
    const positions = keys.map((key) => {
      const position = this.next()
      this.inFlight.set(position, Number.POSITIVE_INFINITY)
      batch.put(ownKey(WRITE_KIND, position), key, BYTES)
      return position
    })
    batch.write().catch(() => {
      // The change is in the store and cannot be in the log: every feed has lost its place.
      this.feeds.clear()
      for (const position of positions) this.inFlight.delete(position)
      for (const wake of this.waiting.splice(0)) wake()
    })
  }

  private clearedOutside(options: object): void {
    if (this.ownClears.has(options) || (this.known && this.feeds.size === 0)) return
    const cleared = clearedBy(this.root, options, this.next())
    this.cleared.push(cleared)
    const batch = this.root.batch() as LevelChainedBatch
    batch.put(ownKey(CLEAR_KIND, cleared.position), encodeCleared(cleared), BYTES)
    // It may have swept away our own records too.
    if (this.known) batch.put(FEEDS_KEY, this.encodeFeeds(), BYTES)
    batch.write().catch(() => {})
  }

  /** Positions grow with the clock, so that a new process goes on above the old one's. */
  private next(): number {
    this.last = Math.max(this.last + 1, Date.now() * 1000)
    return this.last
  }

  private look(): Promise<void> {
    this.looking ??= this.read().catch((error: unknown) => {
      this.looking = undefined
      throw error
    })
    return this.looking
  }

  private async read(): Promise<void> {
    const [open] = (await this.root.getMany([FEEDS_KEY], BYTES)) as (Uint8Array | undefined)[]
    for (let i = 0; open !== undefined && i + 16 <= open.length; i += 16) {
      const feed = decodeFeedPosition(open.subarray(i, i + 16))
      if (feed !== undefined) this.feeds.set(feed.start, feed.at)
      this.last = Math.max(this.last, feed?.at ?? 0)
    }
    const newest = await this.rows(WRITE_KIND, 0, Number.MAX_SAFE_INTEGER, { reverse: true, limit: 1 })
    for (const [position] of newest) this.last = Math.max(this.last, position)
    for (const [position, value] of await this.rows(CLEAR_KIND, 0, Number.MAX_SAFE_INTEGER, {})) {
      this.last = Math.max(this.last, position)
      const cleared = decodeCleared(value, position)
      if (cleared !== undefined) this.cleared.push(cleared)
    }
    this.known = true
    if (this.feeds.size === 0) await this.drop()
  }

  private async rows(kind: number, after: number, upTo: number, options: object): Promise<[number, Uint8Array][]> {
    const iterator = this.root.iterator({ ...BYTES, gt: ownKey(kind, after), lte: ownKey(kind, upTo), ...options })
    const all: [number, Uint8Array][] = []
    try {
      for (;;) {
        const rows = (await iterator.nextv(1000)) as [Uint8Array, Uint8Array][]
        if (rows.length === 0) return all
        for (const [key, value] of rows) all.push([positionOf(key), value])
      }
    } finally {
      await iterator.close()
    }
  }

  private encodeFeeds(): Uint8Array {
    return concatBytes([...this.feeds].map(([start, floor]) => encodeFeedPosition(start, floor)))
  }

  private async save(durable: boolean): Promise<void> {
    const batch = this.root.batch() as LevelChainedBatch
    if (this.feeds.size === 0) batch.del(FEEDS_KEY, BYTES)
    else batch.put(FEEDS_KEY, this.encodeFeeds(), BYTES)
    await batch.write({ sync: durable })
  }

  /**
   * Waits until every write that was under way at `upTo` has landed, failed or taken too long.
   * Without it a poll would pass a slow write, or stand still behind it.
   */
  private async settle(upTo: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const [oldest] = this.inFlight
      if (oldest === undefined || oldest[0] > upTo) return
      const left = oldest[1] + IN_FLIGHT_MS - performance.now()
      if (left <= 0) this.inFlight.delete(oldest[0])
      else await this.nextLanding(Math.min(left, IN_FLIGHT_MS))
    }
  }

  private nextLanding(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  private async poll(prefix: Uint8Array, range: ScanRange, from: number, start: number, store: string, limits: PollLimits): Promise<FeedPage> {
    // Writes that begin from here on are for the next poll, or a busy store would never be
    // caught up.
    const upTo = Math.max(this.last, from)
    await this.settle(upTo, limits.signal)
    // Before the rows are read: what lands in between is noticed either way.
    this.passed = Math.max(this.passed, upTo)
    const page = await this.readChanges(prefix, range, from, upTo, limits)
    if (this.cleared.some((cleared) => cleared.position > from && touches(cleared, prefix, range))) {
      throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', {
        store,
        message: 'clear() was called on keys of the range, which no feed records; copy the range again'
      })
    }
    if (!this.feeds.has(start)) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store })
    const { changes, at, caughtUp } = page
    return { changes, position: encodeFeedPosition(start, at), caughtUp, behind: this.last - at }
  }

  private async readChanges(
    prefix: Uint8Array,
    range: ScanRange,
    from: number,
    upTo: number,
    limits: PollLimits
  ): Promise<{ changes: Change[]; at: number; caughtUp: boolean }> {
    const changes: Change[] = []
    const seen = new Set<string>()
    let bytes = 0
    let at = from
    const iterator = this.root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, from), lte: ownKey(WRITE_KIND, upTo) })
    try {
      for (;;) {
        const rows = (await iterator.nextv(SLICE)) as [Uint8Array, Uint8Array][]
        limits.signal?.throwIfAborted()
        if (rows.length === 0) return { changes, at: upTo, caughtUp: true }
        // The value read now is that of the key's last write in the log, so one is enough.
        const wanted = rows.map(([, key]) => {
          const id = idOf(key)
          if (seen.has(id) || !startsWith(key, prefix) || !inRange(key.subarray(prefix.length), range)) return false
          seen.add(id)
          return true
        })
        const keys = rows.filter((_, i) => wanted[i]).map(([, key]) => key)
        const values = keys.length === 0 ? [] : ((await this.root.getMany(keys, BYTES)) as (Uint8Array | undefined)[])
        let next = 0
        for (const [i, [logKey, key]] of rows.entries()) {
          if (wanted[i]) {
            const value = values[next++]
            bytes += key.length - prefix.length + (value?.length ?? 0)
            const full = changes.length >= limits.maxEntries || bytes > limits.maxBytes
            if (full && changes.length > 0) return { changes, at, caughtUp: false }
            changes.push([key.subarray(prefix.length), value])
          }
          at = positionOf(logKey)
        }
      }
    } finally {
      await iterator.close()
    }
  }

  /** Takes out of the log what no open feed will ask for again. */
  private async drop(): Promise<void> {
    const floor = this.feeds.size === 0 ? this.last : Math.min(...this.feeds.values())
    const gone = this.cleared.filter(({ position }) => position <= floor)
    for (const cleared of gone) this.cleared.splice(this.cleared.indexOf(cleared), 1)
    const iterator = this.root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, 0), lte: ownKey(WRITE_KIND, floor), values: false })
    try {
      for (let first = true; ; first = false) {
        const rows = (await iterator.nextv(1000)) as [Uint8Array, unknown][]
        if (rows.length === 0 && !first) return
        const batch = this.root.batch() as LevelChainedBatch
        // With the first removal, so that a position before the floor is never answered.
        if (first && this.feeds.size > 0) batch.put(FEEDS_KEY, this.encodeFeeds(), BYTES)
        if (first) for (const { position } of gone) batch.del(ownKey(CLEAR_KIND, position), BYTES)
        for (const [key] of rows) batch.del(key, BYTES)
        await batch.write()
      }
    } finally {
      await iterator.close()
    }
  }
}

function ownKey(kind: number, position?: number): Uint8Array {
  return concatBytes([OWN, Uint8Array.of(kind), ...(position === undefined ? [] : [encodePosition(position)])])
}

function positionOf(key: Uint8Array): number {
  return decodePosition(key.subarray(OWN.length + 1)) ?? 0
}

/** Bytes as a string that can be a member of a set. */
function idOf(key: Uint8Array): string {
  let id = ''
  for (const byte of key) id += String.fromCharCode(byte)
  return id
}
