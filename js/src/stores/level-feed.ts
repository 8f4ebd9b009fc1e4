import { KeyhaulError } from '../errors.js'
import { compareBytes, decodeFeedPosition, encodeFeedPosition, toBytes } from './bytes.js'
import { type Cleared, Clears, clearedBy } from './level-cleared.js'
import { PositionCounts } from './level-feed-counts.js'
import { PositionsInFlight } from './level-feed-flight.js'
import { type OpenFeed, OpenFeeds } from './level-feed-open.js'
import { ChangeReader, type PollLimits } from './level-feed-poll.js'
import {
  BYTES, CLEAR_KIND, isOwn, kindOf, MARK_KIND, ownKey, positionOf, readRows, ROW_TELLS, UNKNOWABLE, WRITE_KIND, writesUpTo
} from './level-feed-rows.js'
import { type Landed, LevelTap, type PrewriteBatch, type Recorder, type Token } from './level-tap.js'
import type { LevelChainedBatch, LevelDatabase, LevelOperation } from './level-types.js'
import type { Feed, FeedPage, ScanRange } from './store.js'

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
 * mark is on the disk before, and goes with that second record; see MARK_KIND.
 */
export class LevelFeedLog implements Recorder {
  private readonly feeds = new OpenFeeds()
  private readonly clears = new Clears()
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
  private readonly inFlight: PositionsInFlight
  /** Positions that a poll passed before their writes landed; their rows are evidence. */
  private readonly stragglers = new Set<number>()
  /** Operations that are in no log and have not landed, and the marks that stand for them. */
  private unrecorded = 0
  private readonly doubtful = new Set<number>()
  private readonly marks = new Set<number>()
  private readonly tap: LevelTap
  private readonly reader: ChangeReader
  /** Records of the feeds are written one after the other, each as they are then. */
  private tail: Promise<unknown> = Promise.resolve()

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
    this.inFlight = new PositionsInFlight(this.tap)
    root.on('clear', (options: object) => this.clearedOutside(options))
  }

  /** Opens a feed of the keys below `prefix`; ranges and changes leave the prefix out. */
  async open(prefix: Uint8Array, range: ScanRange, after: Uint8Array | undefined, owner: string | undefined, store: string): Promise<Feed> {
    this.tap.goLast()
    await this.look()
    const start = after === undefined ? this.next() : (decodeFeedPosition(after)?.start ?? -1)
    if (after !== undefined) this.check(after, start, store)
    if (after === undefined) await this.begin(start, owner)
    else if (owner !== undefined && this.feeds.ownerOf(start) !== owner) await this.give(start, owner)
    this.feeds.hold(start, 1)
    let isHeld = true
    return {
      position: after ?? encodeFeedPosition(start, start),
      poll: (position, limits) => this.poll(prefix, range, this.check(position, start, store), start, store, limits),
      behind: (position) => this.counts.above(decodeFeedPosition(position)?.at ?? this.last),
      trim: async (position) => {
        this.feeds.set(start, this.check(position, start, store))
        await this.drop()
      },
      close: async ({ discard }) => {
        if (isHeld) this.feeds.hold(start, -1)
        isHeld = false
        if (discard) await this.end(start)
      }
    }
  }

  /** The feeds that are open, the oldest first, with what the log holds for them. */
  async list(): Promise<OpenFeed[]> {
    await this.look()
    return this.feeds.list(this.root)
  }

  /** False: it is not open. */
  async close(id: string): Promise<boolean> {
    await this.look()
    return this.end(Number(id))
  }

  /** `clear` with options that must not count as the owner's: a range delete is in no feed. */
  async clear(options: object): Promise<void> {
    this.clears.own.add(options)
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
    this.inFlight.add(token.position)
    const put = (kind: number, position: number, value: Uint8Array): void => {
      batch.add({ type: 'put', key: ownKey(kind, position), value, ...BYTES })
    }
    put(WRITE_KIND, token.position, key)
    if (!this.known || !this.tap.alone) {
      this.marks.add(token.position)
      put(MARK_KIND, token.position, this.tap.alone ? ROW_TELLS : UNKNOWABLE)
    }
    for (const [position, cleared] of this.clears.unsaved) put(CLEAR_KIND, position, cleared)
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
    if (kind === CLEAR_KIND) this.clears.unsaved.delete(position)
    if (kind !== WRITE_KIND) return
    this.inFlight.delete(position)
    if (this.known && (this.stragglers.has(position) || this.marks.has(position))) settled.push(position)
  }

  /** Logs keys at new positions, and takes the marks away that stood for them, in one batch. */
  private recordAgain(keys: readonly Uint8Array[], settled: readonly number[]): void {
    if (keys.length + settled.length === 0) return
    const positions = keys.map(() => this.next())
    for (const position of positions) this.inFlight.add(position, Number.POSITIVE_INFINITY)
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
    if (this.clears.own.has(options) || (this.known && this.feeds.size === 0)) return
    const position = this.next()
    const record = this.clears.add(clearedBy(this.root, options, position))
    this.inTurn(() =>
      this.write(false, (batch) => {
        batch.put(ownKey(CLEAR_KIND, position), record, BYTES)
        // It may have swept away our own records too.
        if (this.known) this.feeds.putAll(batch)
      })
    ).catch(() => {})
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
    await this.feeds.read(this.root)
    const newest = await readRows(this.root, WRITE_KIND, { reverse: true, limit: this.marks.size + 1 })
    const clears = (await readRows(this.root, CLEAR_KIND)).filter(([position]) => !this.clears.has(position))
    const marks = (await readRows(this.root, MARK_KIND)).filter(([position]) => !this.marks.has(position))
    const rows = newest.filter(([position]) => !this.marks.has(position)).slice(0, 1)
    this.before = Math.max(0, ...this.feeds.positions, ...[...rows, ...clears, ...marks].map(([at]) => at))
    this.last = Math.max(this.last, this.before)
    this.passed = this.before
    this.first = [...this.marks].find((position) => position > this.before) ?? Number.POSITIVE_INFINITY
    for (const old of this.clears.takeUp(clears, this.before)) this.clearAgain(old)
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
    const rows = lost ? [] : ((await this.root.getMany(marks.map(([position]) => ownKey(WRITE_KIND, position)), BYTES)) as (Uint8Array | undefined)[])
    await this.inTurn(() => this.write(true, (batch) => {
      if (lost) this.feeds.put(batch, this.feeds.starts)
      for (const key of rows) if (key !== undefined) batch.put(ownKey(WRITE_KIND, this.next()), key, BYTES)
      for (const [position] of marks) batch.del(ownKey(MARK_KIND, position), BYTES)
    }))
    if (lost) for (const start of this.feeds.starts) this.feeds.delete(start)
  }

  /** A clear() that was given a position before the log was read. */
  private clearAgain(old: Cleared): void {
    const position = this.next()
    const record = this.clears.add({ ...old, position })
    this.write(false, (batch) => void batch.put(ownKey(CLEAR_KIND, position), record, BYTES)).catch(() => {})
  }

  private async begin(start: number, owner: string | undefined): Promise<void> {
    this.feeds.set(start, start)
    const isDoubtful = this.unrecorded > 0
    if (isDoubtful) this.doubtful.add(start)
    try {
      await this.give(start, owner, (batch) => {
        if (isDoubtful) batch.put(ownKey(MARK_KIND, start), UNKNOWABLE, BYTES)
      })
    } catch (error) {
      this.feeds.delete(start)
      throw error
    }
    // All landed meanwhile, and what took the mark away may have come before it.
    if (isDoubtful && !this.doubtful.has(start)) this.recordAgain([], [start])
  }

  /** What an earlier process of this owner opened, and died before anybody knew, ends here. */
  private give(start: number, owner: string | undefined, more?: (batch: LevelChainedBatch) => void): Promise<void> {
    return this.inTurn(async () => {
      const older = owner === undefined ? [] : this.feeds.ownedBy(owner).filter((other) => other !== start)
      await this.write(true, (batch) => {
        this.feeds.put(batch, older)
        if (owner !== undefined) this.feeds.putOwner(batch, start, owner)
        more?.(batch)
      })
      if (owner !== undefined) this.feeds.setOwner(start, owner)
      for (const other of older) this.feeds.delete(other)
      // Nobody waits for it: the log of a feed that nobody followed may be long.
      if (older.length > 0) this.drop().catch(() => {})
    })
  }

  /** Until its record is gone a feed counts as open, or what a crash leaves of it would lack changes. */
  private async end(start: number): Promise<boolean> {
    const ended = await this.inTurn(async () => {
      if (!this.feeds.has(start)) return false
      await this.write(true, (batch) => this.feeds.put(batch, [start]))
      this.feeds.delete(start)
      return true
    })
    if (ended) await this.drop()
    return ended
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(work)
    this.tail = turn.catch(() => {})
    return turn
  }

  private check(bytes: Uint8Array, start: number, store: string): number {
    const position = decodeFeedPosition(bytes)
    const floor = this.feeds.floorOf(start)
    const isHeld = position !== undefined && floor !== undefined && position.start === start && position.at >= floor
    // Beyond the log: the machine crashed and took writes with it that the feed had shown.
    const isKnown = position !== undefined && position.at <= this.last && (position.at <= this.before || position.at >= this.first)
    if (!isHeld || !isKnown || start <= this.lostUpTo) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST', { store })
    return position.at
  }

  private async write(durable: boolean, fill: (batch: LevelChainedBatch) => void): Promise<void> {
    const batch = this.root.batch() as LevelChainedBatch
    this.tap.asOwn(() => fill(batch))
    await batch.write({ sync: durable })
  }

  /** No write that was under way at `upTo` is missed: those that take too long are marked. */
  private async settle(upTo: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const slow = await this.inFlight.slow(upTo, signal)
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
    if (this.clears.touch(prefix, range, from)) {
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
    const floor = this.feeds.floor ?? this.last
    this.counts.drop(floor)
    const gone = this.clears.drop(floor)
    const marks = this.feeds.size === 0 ? await readRows(this.root, MARK_KIND, { lte: ownKey(MARK_KIND, floor), values: false }) : []
    let isFirst = true
    for await (const keys of writesUpTo(this.root, floor)) {
      const remove = (): Promise<void> =>
        this.write(false, (batch) => {
          // With the first removal, so that a position before the floor is never answered.
          if (isFirst && this.feeds.size > 0) this.feeds.put(batch)
          if (isFirst) for (const position of gone) batch.del(ownKey(CLEAR_KIND, position), BYTES)
          if (isFirst) for (const [position] of marks) batch.del(ownKey(MARK_KIND, position), BYTES)
          for (const key of keys) if (!this.stragglers.has(positionOf(key))) batch.del(key, BYTES)
        })
      await (isFirst ? this.inTurn(remove) : remove())
      isFirst = false
    }
  }
}

function isRecordOf(token: Token | undefined, key: Uint8Array): token is Token & { key: Uint8Array } {
  return token?.key !== undefined && token.position > 0 && compareBytes(token.key, key) === 0
}
