import { KeyhaulError } from '../errors.js'
import { decodePosition, encodePosition, inRange } from './bytes.js'
import type { LevelChainedBatch, LevelDatabase, LevelOperation } from './level-types.js'
import type { Change, Feed, FeedPage, ScanRange } from './store.js'

const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const
const OPEN_KEY = /* @__PURE__ */ new Uint8Array([0])
const LOG_PREFIX = 1
/** A write that has not shown itself for so long has failed or was given up. */
const IN_FLIGHT_MS = 2_000

interface Hooked {
  hooks: { prewrite: { add(hook: (op: LevelOperation, batch: { add(op: object): void }) => void): void } }
}

/**
 * The change feed of a level database: the prewrite hook puts the key of every write into a
 * log, in the same atomic batch. Only keys are logged; a poll reads the values as they are
 * then, so two writes that overtake each other still end as the store ended.
 */
export class LevelFeedLog {
  private readonly log: LevelDatabase
  /** 0: nothing is recorded. */
  private openFeeds = 0
  /** Until the log was looked at, a feed may be open from an earlier process. */
  private known = false
  private looking: Promise<void> | undefined
  private last = 0
  private lost = false
  private readonly inFlight = new Map<number, number>()

  constructor(
    private readonly db: LevelDatabase,
    name: string,
    private readonly ownPrefix: Uint8Array,
    private readonly storeName: string
  ) {
    this.log = db.sublevel(name, BYTES) as LevelDatabase
    ;(db as unknown as Hooked).hooks.prewrite.add((op, batch) => this.record(op, batch))
    db.on('write', (operations: { key: unknown; encodedKey?: unknown }[]) => this.landed(operations))
    db.on('clear', () => {
      if (this.openFeeds > 0 || !this.known) this.lost = true
    })
  }

  async open(range: ScanRange, after: Uint8Array | undefined): Promise<Feed> {
    this.looking ??= this.look()
    await this.looking
    const start = after === undefined ? this.next() : this.readPosition(after)
    if (after !== undefined && this.openFeeds === 0) {
      throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store: this.storeName })
    }
    if (after === undefined) {
      if (this.openFeeds === 0) this.lost = false
      this.openFeeds++
      await this.save()
    }
    let done = false
    return {
      position: encodePosition(start),
      poll: (position, limits) => this.poll(range, position, limits),
      trim: async (position) => {
        if (this.openFeeds === 1) await this.drop(this.readPosition(position))
      },
      close: async ({ discard }) => {
        if (done || !discard) return
        done = true
        this.openFeeds = Math.max(0, this.openFeeds - 1)
        await this.save()
        if (this.openFeeds === 0) await this.drop(this.last)
      }
    }
  }

  private record(op: LevelOperation, batch: { add(op: object): void }): void {
    if (this.known && this.openFeeds === 0) return
    const encoded = op.keyEncoding.encode(op.key)
    const local = op.sublevel == null ? encoded : op.sublevel.prefixKey(encoded, op.keyEncoding.format, true)
    const key = typeof local === 'string' ? new TextEncoder().encode(local) : local
    if (this.isOwn(key)) return
    const position = this.next()
    this.inFlight.set(position, Date.now())
    batch.add({ type: 'put', sublevel: this.log, key: logKey(position), value: key, ...BYTES })
  }

  private landed(operations: { key: unknown; encodedKey?: unknown }[]): void {
    for (const { key, encodedKey } of operations) {
      const bytes = encodedKey ?? key
      if (!(bytes instanceof Uint8Array) || bytes.length < 9 || !this.isOwn(bytes)) continue
      this.inFlight.delete(decodePosition(bytes.subarray(bytes.length - 8)) ?? 0)
    }
  }

  private isOwn(key: Uint8Array): boolean {
    return key.length >= this.ownPrefix.length && this.ownPrefix.every((byte, i) => key[i] === byte)
  }

  /** Positions grow with the clock, so that a new process goes on above the old one's. */
  private next(): number {
    this.last = Math.max(this.last + 1, Date.now() * 1000)
    return this.last
  }

  private async look(): Promise<void> {
    const [state] = await this.log.getMany([OPEN_KEY], BYTES)
    const iterator = this.log.iterator({ ...BYTES, gt: new Uint8Array([LOG_PREFIX]), reverse: true, limit: 1 })
    const [newest] = await iterator.nextv(1)
    await iterator.close()
    if (newest !== undefined) {
      this.last = Math.max(this.last, decodePosition((newest[0] as Uint8Array).subarray(1)) ?? 0)
    }
    this.openFeeds = (state as Uint8Array | undefined)?.[0] ?? 0
    this.known = true
  }

  private async save(): Promise<void> {
    const batch = this.log.batch() as LevelChainedBatch
    if (this.openFeeds === 0) batch.del(OPEN_KEY, BYTES)
    else batch.put(OPEN_KEY, new Uint8Array([this.openFeeds]), BYTES)
    await batch.write({ sync: true })
  }

  /** The oldest write under way: nothing behind it may count as seen. */
  private horizon(): number {
    const old = Date.now() - IN_FLIGHT_MS
    for (const [position, since] of this.inFlight) {
      if (since >= old) return position
      this.inFlight.delete(position)
    }
    return Number.MAX_SAFE_INTEGER
  }

  private async poll(range: ScanRange, after: Uint8Array, limits: { maxEntries: number; maxBytes: number }): Promise<FeedPage> {
    const from = this.readPosition(after)
    const horizon = this.horizon()
    const iterator = this.log.iterator({ ...BYTES, gt: logKey(from), lt: logKey(horizon), limit: limits.maxEntries })
    const rows = (await iterator.nextv(limits.maxEntries)) as [Uint8Array, Uint8Array][]
    await iterator.close()
    // The last write of a key stands for all of them.
    const keys = [...new Map(rows.filter(([, key]) => inRange(key, range)).map(([, key]) => [String(key), key])).values()]
    const values = keys.length === 0 ? [] : ((await this.db.getMany(keys, BYTES)) as (Uint8Array | undefined)[])
    const changes: Change[] = keys.map((key, i) => [key, values[i]])
    const newest = rows[rows.length - 1]
    const position = newest === undefined ? from : (decodePosition(newest[0].subarray(1)) as number)
    if (this.lost) {
      throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', {
        store: this.storeName,
        message: 'clear() was called on the database, which no feed records; verify, or start again'
      })
    }
    const caughtUp = rows.length === 0 && horizon === Number.MAX_SAFE_INTEGER
    return { changes, position: encodePosition(position), caughtUp }
  }

  private readPosition(bytes: Uint8Array): number {
    const position = decodePosition(bytes)
    if (position === undefined) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store: this.storeName })
    return position
  }

  private async drop(position: number): Promise<void> {
    // Key by key and not by clear(): clear() of a parent ends the feed.
    const iterator = this.log.iterator({ ...BYTES, gt: new Uint8Array([LOG_PREFIX]), lte: logKey(position), values: false })
    try {
      for (;;) {
        const rows = (await iterator.nextv(1000)) as [Uint8Array, unknown][]
        if (rows.length === 0) return
        const batch = this.log.batch() as LevelChainedBatch
        for (const [key] of rows) batch.del(key, BYTES)
        await batch.write()
      }
    } finally {
      await iterator.close()
    }
  }
}

function logKey(position: number): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = LOG_PREFIX
  key.set(encodePosition(position), 1)
  return key
}
