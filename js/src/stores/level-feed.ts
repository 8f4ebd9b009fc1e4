import { KeyhaulError } from '../errors.js'
import { compareBytes, concatBytes, decodeFeedPosition, encodeFeedPosition, toBytes } from './bytes.js'
import { type Cleared, clearedBy, decodeCleared, encodeCleared, touches } from './level-cleared.js'
import { PositionCounts } from './level-feed-counts.js'
import { ChangeReader, type PollLimits } from './level-feed-poll.js'
import {
  BYTES, CLEAR_KIND, FEEDS_KEY, isOwn, kindOf, MARK_KIND, ownKey, positionOf, readRows, WRITE_KIND
} from './level-feed-rows.js'
import { IN_FLIGHT_MS, type Landed, LevelTap, type PrewriteBatch, type Recorder, type Token } from './level-tap.js'
import type { LevelChainedBatch, LevelDatabase, LevelOperation } from './level-types.js'
import type { Feed, FeedPage, ScanRange } from './store.js'

/** The row at the mark's own position tells whether the write landed, and of which key it was. */
const ROW_TELLS = /* @__PURE__ */ Uint8Array.of(0)
/** Keys may have been written that stand nowhere. */
const UNKNOWABLE = /* @__PURE__ */ Uint8Array.of(1)

/** Position of what was added to a batch while no feed was open. */
const UNRECORDED = -1

const logs = new WeakMap<LevelDatabase, LevelFeedLog>()

/**
 * The change log of a root database: the prewrite hook puts the key of every write into it,
 * in the same atomic batch. Writes through any sublevel pass the root's hook, so one log
 * serves every store made on any part of the database. Only keys are logged; a poll reads the
 * values as they are then, so writes that overtake each other still end as the store ended.
 *
 * The hook runs when an operation is added to a batch, which may be long before the batch is
 * written, and positions are given out then. What lands behind a position that a poll has
 * passed, was added before a feed was opened, or was renamed or added by another hook, is
 * noticed by the write event (which comes before the writer's own promise settles) and logged
 * once more, at a new position. So that a crash between the two loses nothing silently, a
 * mark is on the disk before, and goes with that second record:
 *
 *   a poll gives up waiting for a write         mark at its position, ROW_TELLS
 *   a process's first writes, before the log    mark in the batch itself, ROW_TELLS
 *   was read: the clock may have gone back
 *   a feed opens while writes of before are     mark with the feed's record, UNKNOWABLE
 *   under way
 *   there are other prewrite hooks              mark in the batch itself, UNKNOWABLE
 *
 * What finds a mark at its start logs the row that it tells of again, or else gives up every
 * feed. A mark that was left behind needlessly costs a copy, never a write.
 */
export class LevelFeedLog implements Recorder {
  /** Feeds that are open, also those of an earlier process: start -> oldest position still held. */
  private readonly feeds = new Map<number, number>()
  private readonly cleared: Cleared[] = []
  /** Records of clear() that are not in the log yet; each batch takes them along. */
  private readonly clearedUnsaved = new Map<number, Uint8Array>()
  private readonly ownClears = new WeakSet<object>()
  /** Until the log was read, a feed may be open from an earlier process. */
  private known = false
  private looking: Promise<void> | undefined
  /** What landed before the log was read. */
  private readonly early: { key: Uint8Array; position: number; isRecorded: boolean }[] = []
  private last = 0
  private readonly counts = new PositionCounts()
  /** The first position of this process, and the last of those before. */
  private first = Number.POSITIVE_INFINITY
  private before = 0
  /** A poll has passed this position; what lands at or before it needs a new one. */
  private passed = 0
  /** Feeds that began at or before it have lost a change. */
  private lostUpTo = 0
  /** Positions given out to writes that have not landed, ascending, and since when. */
  private readonly inFlight = new Map<number, number>()
  /** Positions that a poll passed before their writes landed; their rows are evidence. */
  private readonly stragglers = new Set<number>()
  /** Operations that are in no log and have not landed, and the marks that stand for them. */
  private unrecorded = 0
  private readonly doubtful = new Set<number>()
  private readonly marks = new Set<number>()
  private readonly tap: LevelTap
  private readonly reader: ChangeReader

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
    this.tap = LevelTap.of(root)
    this.reader = new ChangeReader(root)
    this.tap.recorder = this
    root.on('clear', (options: object) => this.clearedOutside(options))
  }

  /** Opens a feed of the keys below `prefix`; ranges and changes leave the prefix out. */
  async open(prefix: Uint8Array, range: ScanRange, after: Uint8Array | undefined, store: string): Promise<Feed> {
    this.tap.goLast()
    await this.look()
    const start = after === undefined ? this.next() : (decodeFeedPosition(after)?.start ?? -1)
    if (after === undefined) await this.begin(start)
    else this.check(after, start, store)
    return {
      position: after ?? encodeFeedPosition(start, start),
      poll: (position, limits) => this.poll(prefix, range, this.check(position, start, store), start, store, limits),
      behind: (position) => this.counts.above(decodeFeedPosition(position)?.at ?? this.last),
      trim: async (position) => {
        this.feeds.set(start, this.check(position, start, store))
        await this.drop()
      },
      close: async ({ discard }) => {
        if (!discard || !this.feeds.delete(start)) return
        await this.write(true, (batch) => this.putFeeds(batch))
        await this.drop()
      }
    }
  }

  /** `clear` with options that must not count as the owner's: a range delete is in no feed. */
  async clear(options: object): Promise<void> {
    this.ownClears.add(options)
    await this.root.clear(options)
  }

  record(op: LevelOperation, token: Token, batch: PrewriteBatch): void {
    if (this.known && this.feeds.size === 0) {
      token.position = UNRECORDED
      this.unrecorded++
      return
    }
    // A log that nobody looks at would grow for ever.
    if (!this.known) this.look().catch(() => {})
    const encoded = op.keyEncoding.encode(op.key)
    const key = toBytes(op.sublevel == null ? encoded : op.sublevel.prefixKey(encoded, op.keyEncoding.format, false))
    if (isOwn(key)) return
    token.position = this.next()
    token.key = key
    this.inFlight.set(token.position, performance.now())
    const put = (kind: number, position: number, value: Uint8Array): void => {
      batch.add({ type: 'put', key: ownKey(kind, position), value, ...BYTES })
    }
    put(WRITE_KIND, token.position, key)
    if (!this.known || !this.tap.alone) {
      this.marks.add(token.position)
      put(MARK_KIND, token.position, this.tap.alone ? ROW_TELLS : UNKNOWABLE)
    }
    for (const [position, cleared] of this.clearedUnsaved) put(CLEAR_KIND, position, cleared)
  }

  landed(operations: readonly Landed[]): void {
    const again: Uint8Array[] = []
    const settled: number[] = []
    for (const { key, token } of operations) {
      if (token?.position === UNRECORDED && !token.landed) this.unrecorded--
      if (isOwn(key)) this.ownLanded(kindOf(key), positionOf(key), settled)
      else if (!this.known) this.early.push({ key, position: token?.position ?? 0, isRecorded: isRecordOf(token, key) })
      else if (!isRecordOf(token, key) || token.position <= this.passed) again.push(key)
      if (token !== undefined) token.landed = true
    }
    if (this.unrecorded === 0) {
      settled.push(...this.doubtful)
      this.doubtful.clear()
    }
    // Before the log was read nobody knows yet whether it is in order.
    if (this.known && this.feeds.size > 0) this.recordAgain(again, settled)
  }

  private ownLanded(kind: number, position: number, settled: number[]): void {
    if (kind === CLEAR_KIND) this.clearedUnsaved.delete(position)
    if (kind !== WRITE_KIND) return
    this.inFlight.delete(position)
    if (this.known && (this.stragglers.has(position) || this.marks.has(position))) settled.push(position)
  }

  /** Logs keys at new positions, and takes the marks away that stood for them, in one batch. */
  private recordAgain(keys: readonly Uint8Array[], settled: readonly number[]): void {
    if (keys.length + settled.length === 0) return
    const positions = keys.map(() => this.next())
    for (const position of positions) this.inFlight.set(position, Number.POSITIVE_INFINITY)
    const upTo = this.last
    this.write(false, (batch) => {
      keys.forEach((key, i) => void batch.put(ownKey(WRITE_KIND, positions[i]), key, BYTES))
      for (const position of settled) batch.del(ownKey(MARK_KIND, position), BYTES)
    }).then(
      () => {
        for (const position of settled) this.stragglers.delete(position)
        for (const position of settled) this.marks.delete(position)
      },
      () => {
        // The change is in the store and cannot be in the log: the feeds of now have lost their
        // place. Recording goes on, as their marks are still there for the next process.
        if (keys.length > 0) this.lostUpTo = upTo
        for (const position of positions) this.inFlight.delete(position)
        this.tap.wake()
      }
    )
  }

  private clearedOutside(options: object): void {
    if (this.ownClears.has(options) || (this.known && this.feeds.size === 0)) return
    const cleared = clearedBy(this.root, options, this.next())
    this.cleared.push(cleared)
    this.clearedUnsaved.set(cleared.position, encodeCleared(cleared))
    this.write(false, (batch) => {
      batch.put(ownKey(CLEAR_KIND, cleared.position), encodeCleared(cleared), BYTES)
      // It may have swept away our own records too.
      if (this.known) this.putFeeds(batch)
    }).catch(() => {})
  }

  /** Positions grow with the clock; where it went back, with those of the log. */
  private next(): number {
    this.last = Math.max(this.last + 1, Date.now() * 1000)
    this.first = Math.min(this.first, this.last)
    this.counts.add(this.last)
    return this.last
  }

  private look(): Promise<void> {
    this.looking ??= this.read().catch((error: unknown) => {
      this.looking = undefined
      throw error
    })
    return this.looking
  }

  /** Takes up what an earlier process left; writes of this one may be in the log already. */
  private async read(): Promise<void> {
    const [open] = (await this.root.getMany([FEEDS_KEY], BYTES)) as (Uint8Array | undefined)[]
    for (let i = 0; open !== undefined && i + 16 <= open.length; i += 16) {
      const feed = decodeFeedPosition(open.subarray(i, i + 16))
      if (feed !== undefined) this.feeds.set(feed.start, feed.at)
    }
    const newest = await readRows(this.root, WRITE_KIND, { reverse: true, limit: this.marks.size + 1 })
    const clears = (await readRows(this.root, CLEAR_KIND)).filter(([position]) => !this.cleared.some((own) => own.position === position))
    const marks = (await readRows(this.root, MARK_KIND)).filter(([position]) => !this.marks.has(position))
    const rows = newest.filter(([position]) => !this.marks.has(position)).slice(0, 1)
    for (const [one, other] of [...this.feeds, ...rows.map(([at]) => [at, at]), ...clears.map(([at]) => [at, at]), ...marks.map(([at]) => [at, at])] as [number, number][]) {
      this.before = Math.max(this.before, one, other)
    }
    this.last = Math.max(this.last, this.before)
    this.passed = this.before
    this.first = [...this.marks].find((position) => position > this.before) ?? Number.POSITIVE_INFINITY
    for (const own of this.cleared.splice(0)) this.cleared.push(own.position > this.before ? own : this.moved(own))
    for (const [position, value] of clears) {
      const cleared = decodeCleared(value, position)
      if (cleared !== undefined) this.cleared.push(cleared)
    }
    await this.takeUpMarks(marks)
    this.known = true
    const early = this.early.splice(0)
    if (this.feeds.size === 0) return this.drop()
    this.recordAgain(
      early.filter(({ isRecorded, position }) => !isRecorded || position <= this.before).map(({ key }) => key),
      early.map(({ position }) => position).filter((position) => position > 0)
    )
  }

  private async takeUpMarks(marks: readonly [number, Uint8Array][]): Promise<void> {
    if (marks.length === 0) return
    const lost = marks.some(([, value]) => value[0] !== ROW_TELLS[0])
    if (lost) this.feeds.clear()
    const rows = lost ? [] : ((await this.root.getMany(marks.map(([position]) => ownKey(WRITE_KIND, position)), BYTES)) as (Uint8Array | undefined)[])
    await this.write(true, (batch) => {
      if (lost) this.putFeeds(batch)
      for (const key of rows) if (key !== undefined) batch.put(ownKey(WRITE_KIND, this.next()), key, BYTES)
      for (const [position] of marks) batch.del(ownKey(MARK_KIND, position), BYTES)
    })
  }

  /** A clear() that was given a position before the log was read. */
  private moved(cleared: Cleared): Cleared {
    const moved = { ...cleared, position: this.next() }
    this.clearedUnsaved.delete(cleared.position)
    this.clearedUnsaved.set(moved.position, encodeCleared(moved))
    this.write(false, (batch) => void batch.put(ownKey(CLEAR_KIND, moved.position), encodeCleared(moved), BYTES)).catch(() => {})
    return moved
  }

  private async begin(start: number): Promise<void> {
    this.feeds.set(start, start)
    const isDoubtful = this.unrecorded > 0
    if (isDoubtful) this.doubtful.add(start)
    try {
      await this.write(true, (batch) => {
        this.putFeeds(batch)
        if (isDoubtful) batch.put(ownKey(MARK_KIND, start), UNKNOWABLE, BYTES)
      })
    } catch (error) {
      this.feeds.delete(start)
      throw error
    }
    // All landed meanwhile, and what took the mark away may have come before it.
    if (isDoubtful && !this.doubtful.has(start)) this.recordAgain([], [start])
  }

  private check(bytes: Uint8Array, start: number, store: string): number {
    const position = decodeFeedPosition(bytes)
    const floor = this.feeds.get(start)
    const isHeld = position !== undefined && floor !== undefined && position.start === start && position.at >= floor
    // Beyond the log: the machine crashed and took writes with it that the feed had shown.
    const isKnown = position !== undefined && position.at <= this.last && (position.at <= this.before || position.at >= this.first)
    if (!isHeld || !isKnown || start <= this.lostUpTo) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store })
    return position.at
  }

  private putFeeds(batch: LevelChainedBatch): void {
    if (this.feeds.size === 0) batch.del(FEEDS_KEY, BYTES)
    else batch.put(FEEDS_KEY, concatBytes([...this.feeds].map(([start, floor]) => encodeFeedPosition(start, floor))), BYTES)
  }

  private async write(durable: boolean, fill: (batch: LevelChainedBatch) => void): Promise<void> {
    const batch = this.root.batch() as LevelChainedBatch
    this.tap.asOwn(() => fill(batch))
    await batch.write({ sync: durable })
  }

  /**
   * Waits until every write that was under way at `upTo` has landed, failed or taken too long.
   * Without it a poll would pass a slow write, or stand still behind it.
   */
  private async settle(upTo: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      let longest = 0
      const slow: number[] = []
      for (const [position, since] of this.inFlight) {
        if (position > upTo) break
        const left = since + IN_FLIGHT_MS - performance.now()
        if (left > 0) longest = Math.max(longest, left)
        else slow.push(position)
      }
      if (longest > 0) {
        await this.tap.nextLanding(longest)
        continue
      }
      if (slow.length === 0) return
      const marked = slow.filter((position) => !this.marks.has(position))
      await this.write(true, (batch) => {
        for (const position of marked) batch.put(ownKey(MARK_KIND, position), ROW_TELLS, BYTES)
      })
      for (const position of slow) {
        this.stragglers.add(position)
        // It landed just now: its row will be read, and the mark can go.
        if (!this.inFlight.delete(position)) this.recordAgain([], [position])
      }
    }
  }

  private async poll(prefix: Uint8Array, range: ScanRange, from: number, start: number, store: string, limits: PollLimits): Promise<FeedPage> {
    // Writes that begin from here on are for the next poll, or a busy store would never be
    // caught up.
    const upTo = Math.max(this.last, from)
    await this.settle(upTo, limits.signal)
    // Before the rows are read: what lands in between is noticed either way.
    this.passed = Math.max(this.passed, upTo)
    const { changes, at, caughtUp } = await this.reader.read(prefix, range, from, upTo, limits)
    if (this.cleared.some((cleared) => cleared.position > from && touches(cleared, prefix, range))) {
      throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', {
        store,
        message: 'clear() was called on keys of the range, which no feed records; copy the range again'
      })
    }
    if (!this.feeds.has(start) || start <= this.lostUpTo) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store })
    return { changes, position: encodeFeedPosition(start, at), caughtUp, behind: this.counts.above(at) }
  }

  /** Takes out of the log what no open feed will ask for again. */
  private async drop(): Promise<void> {
    const floor = this.feeds.size === 0 ? this.last : Math.min(...this.feeds.values())
    this.counts.drop(floor)
    const gone = this.cleared.filter(({ position }) => position <= floor)
    for (const cleared of gone) this.cleared.splice(this.cleared.indexOf(cleared), 1)
    const marks = this.feeds.size === 0 ? await readRows(this.root, MARK_KIND, { lte: ownKey(MARK_KIND, floor), values: false }) : []
    const iterator = this.root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, 0), lte: ownKey(WRITE_KIND, floor), values: false })
    try {
      for (let first = true; ; first = false) {
        const rows = (await iterator.nextv(1000)) as [Uint8Array, unknown][]
        if (rows.length === 0 && !first) return
        await this.write(false, (batch) => {
          // With the first removal, so that a position before the floor is never answered.
          if (first && this.feeds.size > 0) this.putFeeds(batch)
          if (first) for (const { position } of gone) batch.del(ownKey(CLEAR_KIND, position), BYTES)
          if (first) for (const [position] of marks) batch.del(ownKey(MARK_KIND, position), BYTES)
          for (const [key] of rows) if (!this.stragglers.has(positionOf(key))) batch.del(key, BYTES)
        })
      }
    } finally {
      await iterator.close()
    }
  }
}

function isRecordOf(token: Token | undefined, key: Uint8Array): token is Token & { key: Uint8Array } {
  return token?.key !== undefined && token.position > 0 && compareBytes(token.key, key) === 0
}
