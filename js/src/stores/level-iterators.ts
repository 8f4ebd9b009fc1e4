import { compareBytes } from './bytes.js'
import { isOwn } from './level-feed-rows.js'
import type { LevelDatabase, LevelEncoding, LevelIterator } from './level-types.js'
import type { Entry, ScanOptions, ScanPage, ScanRange } from './store.js'

/**
 * Rows of one native read. An iterator of classic-level keeps the room it made for them, 64 bytes
 * for each that was asked for, until it is collected: asked for a whole page at once, those
 * that are closed are much of the memory of a long copy (bench/node/memory.mjs). Fewer rows a
 * read cost more turns of the event loop.
 */
const READ_ROWS = 1024

/** Scans of one database that go on where they were; the one that waited longest goes. */
const KEPT_MAX = 4
/** An open iterator keeps LevelDB from dropping what was overwritten since. */
const PAGES_MAX = 32
const AGE_MAX_MS = 1000

const all = new WeakMap<LevelDatabase, LevelIterators>()

/**
 * The iterators of a root database and its sublevels, kept between the pages of a scan: opening
 * one a page takes time, and the closed ones hold memory until they are collected.
 *
 * An iterator shows the database as it was when it was opened, so a page may be up to
 * AGE_MAX_MS old. Who may not notice:
 *
 *   a copy at level 0        promises nothing about what is written meanwhile
 *   a copy at level 1        the feed was opened before the iterator and holds every later change;
 *                            it may not give one to the target that an older page then undoes
 *   reading the target back  its only writer is keyhaul
 *   a comparison             what changed since is in the feed and is looked at again
 *
 * So `drop` is called wherever keyhaul does or learns what the next page must show: when it has
 * written or cleared through any store of this database, whether or not that went well, when a
 * feed was opened, and before and after a poll. Iterators that are being read at that moment
 * are not kept either. A page is then never older than what keyhaul knows when it asks for it.
 * It may lack what others wrote in the last second and no poll has told of yet.
 */
export class LevelIterators {
  /** Least recently used first. */
  private readonly kept: OpenIterator[] = []
  /** Rises with each drop. */
  private epoch = 0
  private readonly watched = new WeakSet<LevelDatabase>()

  static of(root: LevelDatabase): LevelIterators {
    const iterators = all.get(root) ?? new LevelIterators(root)
    all.set(root, iterators)
    return iterators
  }

  private constructor(root: LevelDatabase) {
    this.watch(root)
  }

  /** The next page of a range of `db`, which is the root or a sublevel of it. */
  async page(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding, hasOwn: boolean, options: ScanOptions): Promise<ScanPage> {
    const iterator = this.take(db, range) ?? this.open(db, range, encoding, options)
    let page: ScanPage
    try {
      page = await iterator.read(hasOwn, options)
    } catch (error) {
      await iterator.close()
      throw error
    }
    if (page.end) await iterator.close()
    else this.keep(iterator)
    return page
  }

  /** What is scanned from now on is read from now on. */
  drop(): void {
    this.epoch++
    for (const iterator of this.kept.splice(0)) iterator.retire()
  }

  private take(db: LevelDatabase, range: ScanRange): OpenIterator | undefined {
    const at = this.kept.findIndex((iterator) => iterator.goesOn(db, range))
    if (at < 0) return undefined
    const [iterator] = this.kept.splice(at, 1) as [OpenIterator]
    // The event loop may have had no time for the timer.
    if (!iterator.isSpent()) return iterator
    iterator.retire()
    return undefined
  }

  private open(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding, options: ScanOptions): OpenIterator {
    this.watch(db)
    // The caller may change its bounds after this page; memory-level looks at them again.
    const gte = range.gte && new Uint8Array(range.gte)
    const lt = range.lt && new Uint8Array(range.lt)
    const native = db.iterator({
      // An absent bound must be absent: abstract-level takes any value as one.
      ...(gte === undefined ? {} : { gte }),
      ...(lt === undefined ? {} : { lt }),
      keyEncoding: encoding,
      valueEncoding: encoding,
      fillCache: false,
      highWaterMarkBytes: Math.min(options.maxBytes, 0x7fffffff)
    })
    return new OpenIterator(db, native, gte, lt, this.epoch, encoding)
  }

  private keep(iterator: OpenIterator): void {
    if (iterator.epoch !== this.epoch || iterator.isSpent()) {
      iterator.retire()
      return
    }
    if (iterator.timer === undefined) {
      const timer = setTimeout(() => this.expire(iterator), AGE_MAX_MS)
      // Of Node; a browser's is a number, and holds up nothing.
      ;(timer as { unref?: () => void }).unref?.()
      iterator.timer = timer
    }
    this.kept.push(iterator)
    if (this.kept.length > KEPT_MAX) this.kept.shift()?.retire()
  }

  private expire(iterator: OpenIterator): void {
    iterator.isOld = true
    const at = this.kept.indexOf(iterator)
    if (at < 0) return
    this.kept.splice(at, 1)
    iterator.retire()
  }

  /** A database closes its iterators itself; opened again, it must not be asked with those. */
  private watch(db: LevelDatabase): void {
    if (this.watched.has(db)) return
    this.watched.add(db)
    db.on('closing', () => this.drop())
  }
}

class OpenIterator {
  timer: ReturnType<typeof setTimeout> | undefined
  isOld = false
  private pages = 0
  private readonly openedAt = performance.now()
  /** Read and not given out yet: from `at` on. */
  private rows: Entry[] = []
  private at = 0
  /** The key given out last and a zero byte, with which a scan goes on. */
  private next: Uint8Array | undefined
  /** Everything before it was read without passing anything over. */
  private checked: Uint8Array | undefined

  constructor(
    private readonly db: LevelDatabase,
    private readonly native: LevelIterator,
    gte: Uint8Array | undefined,
    private readonly lt: Uint8Array | undefined,
    readonly epoch: number,
    private readonly encoding: LevelEncoding
  ) {
    this.checked = gte
  }

  goesOn(db: LevelDatabase, { gte, lt }: ScanRange): boolean {
    return this.db === db && same(this.next, gte) && same(this.lt, lt)
  }

  isSpent(): boolean {
    return this.isOld || this.pages >= PAGES_MAX || performance.now() - this.openedAt >= AGE_MAX_MS
  }

  async read(hasOwn: boolean, options: ScanOptions): Promise<ScanPage> {
    const entries: Entry[] = []
    let bytes = 0
    this.pages++
    for (;;) {
      if (this.at === this.rows.length) {
        // One more than asked for: a short answer is the end, and needs no further call.
        const limit = options.maxEntries + 1 - entries.length
        this.rows = (await this.native.nextv(Math.min(limit, READ_ROWS))) as Entry[]
        this.at = 0
        options.signal?.throwIfAborted()
        if (this.rows.length === 0) return { entries, end: true }
      }
      for (; this.at < this.rows.length; this.at++) {
        const row = this.rows[this.at] as Entry
        if (hasOwn && row[0][0] === 0x21 && isOwn(row[0])) continue
        const size = row[0].length + row[1].length
        const isFull = entries.length === options.maxEntries || bytes + size > options.maxBytes
        if (isFull && entries.length > 0) {
          await this.assertNothingPassedOver()
          return this.left(entries)
        }
        bytes += size
        entries.push(row)
      }
    }
  }

  /** Of what was read so far. */
  private async assertNothingPassedOver(): Promise<void> {
    const [key] = this.rows[this.rows.length - 1] as Entry
    const to = behind(key)
    if (same(this.checked, to)) return
    await assertNothingPassedOver(this.db, { gte: this.checked, lt: to }, this.encoding)
    this.checked = to
  }

  /** A page with more to come. */
  private left(entries: Entry[]): ScanPage {
    const [key] = entries[entries.length - 1] as Entry
    this.next = behind(key)
    // What was given out is the caller's alone to hold.
    this.rows = this.rows.slice(this.at)
    this.at = 0
    return { entries, end: false }
  }

  /** Closes it when nobody waits for that. */
  retire(): void {
    this.rows = []
    // classic-level's iterator keeps the rows it gave last until it is collected, long after
    // close(); asking for one more makes it let go of a page (bench/node/memory.mjs).
    this.native.nextv(1).catch(() => {})
    this.close().catch(() => {})
  }

  close(): Promise<void> {
    clearTimeout(this.timer)
    return this.native.close()
  }
}

/** The last entries of a range, descending. An iterator a page: clients that read backwards want few. */
export async function pageBack(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding, hasOwn: boolean, options: ScanOptions): Promise<ScanPage> {
  const native = db.iterator({
    ...(range.gte === undefined ? {} : { gte: range.gte }),
    ...(range.lt === undefined ? {} : { lt: range.lt }),
    keyEncoding: encoding,
    valueEncoding: encoding,
    reverse: true,
    highWaterMarkBytes: Math.min(options.maxBytes, 0x7fffffff)
  })
  const entries: Entry[] = []
  let bytes = 0
  try {
    for (;;) {
      const rows = (await native.nextv(Math.min(options.maxEntries + 1 - entries.length, READ_ROWS))) as Entry[]
      options.signal?.throwIfAborted()
      if (rows.length === 0) return { entries, end: true }
      for (const row of rows) {
        if (hasOwn && isOwn(row[0])) continue
        bytes += row[0].length + row[1].length
        if (entries.length > 0 && (entries.length === options.maxEntries || bytes > options.maxBytes)) {
          await assertNothingPassedOver(db, { gte: row[0], lt: range.lt }, encoding)
          return { entries, end: false }
        }
        entries.push(row)
      }
    }
  } finally {
    await native.close()
  }
}

/**
 * LevelDB passes over a block or a table that it cannot read, and its iterators say so at their
 * end only. A page must not be given out before: a copy would count it as whole, take it for
 * durable, and go on behind the gap. So what a page was read from is passed over once more by an
 * iterator that ends there and gives nothing. (Sending the first one to its end by `seek` would be less work, but a seek
 * is synchronous and walks over all that was deleted at the end of the database, a second or more,
 * and finds damage there that is not of the range.)
 */
export async function assertNothingPassedOver(db: LevelDatabase, { gte, lt }: ScanRange, encoding: LevelEncoding): Promise<void> {
  // IndexedDB has errors of its own, and memory none.
  const { permanence, seek } = db.supports as { permanence?: boolean; seek?: boolean }
  if (permanence !== true || seek !== true) return
  const again = db.iterator({
    ...(gte === undefined ? {} : { gte }),
    ...(lt === undefined ? {} : { lt }),
    keyEncoding: encoding,
    keys: false,
    values: false,
    fillCache: false
  })
  try {
    while ((await again.nextv(READ_ROWS)).length > 0);
  } finally {
    await again.close()
  }
}

/** The first key that is greater. */
export function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0
}
