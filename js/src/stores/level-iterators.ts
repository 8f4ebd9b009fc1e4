import { present } from './bytes.js'
import { isOwn } from './level-feed-rows.js'
import { assertNothingPassedOver, READ_BYTES, READ_ROWS } from './level-passed.js'
import { AGE_MAX_MS, LevelScan, type RowPage } from './level-scan.js'
import { speaksText } from './level-text.js'
import type { LevelDatabase, LevelEncoding, LevelIterator } from './level-types.js'
import type { Entry, ScanOptions, ScanPage, ScanRange } from './store.js'

/** Scans of one database that go on where they were; the one that waited longest goes. */
const KEPT_MAX = 4

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
  private readonly kept: LevelScan[] = []
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
  async page(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding, hasOwn: boolean, options: ScanOptions): Promise<RowPage> {
    const iterator = this.take(db, range) ?? this.open(db, range, encoding, options)
    let page: RowPage
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

  private take(db: LevelDatabase, range: ScanRange): LevelScan | undefined {
    const at = this.kept.findIndex((iterator) => iterator.goesOn(db, range))
    if (at < 0) return undefined
    const [iterator] = this.kept.splice(at, 1) as [LevelScan]
    // The event loop may have had no time for the timer.
    if (!iterator.isSpent()) return iterator
    iterator.retire()
    return undefined
  }

  private open(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding, options: ScanOptions): LevelScan {
    this.watch(db)
    // The caller may change its bounds after this page; memory-level looks at them again.
    const gte = range.gte && new Uint8Array(range.gte)
    const lt = range.lt && new Uint8Array(range.lt)
    const open = (part: object, keyEncoding: string = encoding): LevelIterator =>
      db.iterator({
        ...part,
        keyEncoding,
        valueEncoding: encoding,
        fillCache: false,
        highWaterMarkBytes: Math.min(options.maxBytes, READ_BYTES)
      })
    // Where there is no Buffer, as in a page, its bundle leaves out what reads and makes text.
    const openText = typeof Buffer !== 'undefined' && encoding === 'buffer' && speaksText(db) ? (part: object) => open(part, 'utf8') : undefined
    return new LevelScan(db, { gte, lt }, this.epoch, encoding, (part) => open(present(part)), openText)
  }

  private keep(iterator: LevelScan): void {
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

  private expire(iterator: LevelScan): void {
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

/** The last entries of a range, descending. An iterator a page: clients that read backwards want few. */
export async function pageBack(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding, hasOwn: boolean, options: ScanOptions): Promise<ScanPage> {
  const native = db.iterator({
    ...present(range),
    keyEncoding: encoding,
    valueEncoding: encoding,
    reverse: true,
    highWaterMarkBytes: Math.min(options.maxBytes, READ_BYTES)
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
