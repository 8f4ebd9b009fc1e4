import { compareBytes, successor } from './bytes.js'
import { KeysAhead } from './level-ahead.js'
import { isOwn, OWN_TEXT } from './level-feed-rows.js'
import { assertNothingPassedOver, mayPassOver, READ_ROWS } from './level-passed.js'
import { areAscii, asciiOf, bytesOf, inCommon, type Row } from './level-text.js'
import type { LevelDatabase, LevelEncoding, LevelIterator } from './level-types.js'
import type { ScanOptions, ScanRange } from './store.js'

/** An open iterator keeps LevelDB from dropping what was overwritten since. */
const PAGES_MAX = 32
export const AGE_MAX_MS = 1000
/** Rows to a guessed end, where a page has fewer; as many as these bytes hold, where rows are large. */
const AHEAD_ROWS = 16
const AHEAD_BYTES = 4 << 20

/** Said once: in a bundle for pages, where there is no Buffer, what is of text falls away. */
const hasText = typeof Buffer !== 'undefined'

export interface RowPage {
  readonly rows: readonly Row[]
  /** Of keys and values. */
  readonly bytes: number
  /** Some of the keys are. */
  readonly isText: boolean
  readonly end: boolean
}

/**
 * A scan that goes on from page to page.
 *
 * LevelDB tells of damage at the end of an iterator only, and a page must not be given out before
 * it did (`assertNothingPassedOver`). So after its first page a scan goes on with iterators that end about a page
 * ahead, at a key that `KeysAhead` guesses: they are read to their end, and nothing is read twice. Where
 * a guess was too far, what was read is passed over once more, and the next one starts from there.
 *
 * The first tells whether keys look like text, and those that come next read them as such (level-text.ts).
 */
export class LevelScan {
  timer: ReturnType<typeof setTimeout> | undefined
  isOld = false
  private pages = 0
  private openedAt = performance.now()
  /** Read and not given out yet: from `at` on. */
  private rows: Row[] = []
  private at = 0
  /** The key given out last and a zero byte, with which a scan goes on. */
  private next: Uint8Array | undefined
  /** Everything before it was read without passing anything over. */
  private checked: Uint8Array | undefined
  private readonly lt: Uint8Array | undefined
  private native: LevelIterator
  /** Where what the iterator reads begins, as far as a guess is concerned, and where it ends. */
  private from: Uint8Array | undefined
  private to: Uint8Array | undefined
  /** Its keys are read as text. */
  private isText = false
  /** With so many characters, which its bounds have in common, all its keys begin. */
  private inCommon = 0
  /** Of its rows the last, where it is of text. */
  private last?: string | Uint8Array | undefined
  /** Rows that it gave by now, and whether there are no more. */
  private count = 0
  private isRead = false
  private readonly ahead: KeysAhead | undefined
  private wanted = 0

  /** `open` makes the iterators; the range is its own. */
  constructor(
    private readonly db: LevelDatabase,
    { gte, lt }: ScanRange,
    readonly epoch: number,
    private readonly encoding: LevelEncoding,
    private readonly open: (range: ScanRange) => LevelIterator,
    /** Iterators of text; nothing: the database has none, or keys turned out to be something else. */
    private openText?: (range: { gte: string; lt: string }) => LevelIterator
  ) {
    this.checked = gte
    this.lt = lt
    this.to = lt
    this.native = open({ gte, lt })
    this.ahead = mayPassOver(db) ? new KeysAhead() : undefined
  }

  goesOn(db: LevelDatabase, { gte, lt }: ScanRange): boolean {
    return this.db === db && same(this.next, gte) && same(this.lt, lt)
  }

  isSpent(): boolean {
    return this.isOld || (!this.isRead && this.pages >= PAGES_MAX) || performance.now() - this.openedAt >= AGE_MAX_MS
  }

  async read(hasOwn: boolean, options: ScanOptions): Promise<RowPage> {
    const page = { rows: [] as Row[], bytes: 0, isText: false }
    const { rows } = page
    const isLarge = options.maxEntries > READ_ROWS
    this.pages++
    for (;;) {
      if (this.take(page, hasOwn, options)) {
        await this.settle(rows.length, page.bytes, options)
        return this.give(page)
      }
      // One more than asked for: a short answer is the end, and needs no further call. What ends at a guess is read to there anyway.
      const left = isLarge && this.to !== this.lt ? READ_ROWS + 1 : options.maxEntries + 1 - rows.length
      if (!this.isRead && (await this.readOn(left, options)).length > 0) continue
      if (this.to === this.lt) return { ...page, end: true }
      // The iterator is at its end, so all that it gave is known to be whole. Before the page were full of rows of the next
      // one, that would have to be read to its end too, while these grow old. Who asks for few gets as many.
      if (isLarge && (2 * rows.length >= options.maxEntries || 2 * page.bytes > options.maxBytes)) {
        const fitting = Math.floor((rows.length * options.maxBytes) / page.bytes)
        this.look(rows, Math.max(1, Math.min(fitting, options.maxEntries)), page.bytes / rows.length)
        return this.give(page)
      }
      this.goOn()
    }
  }

  /** Rows that were read, until the page is full; no async function, which V8 makes slower code of. */
  private take(page: { rows: Row[]; bytes: number; isText: boolean }, hasOwn: boolean, { maxEntries, maxBytes }: ScanOptions): boolean {
    const { rows: to } = page
    const { rows } = this
    let { bytes } = page
    let at = this.at
    let isFull = false
    for (; at < rows.length; at++) {
      const row = rows[at] as Row
      const key = row[0]
      const ofText = hasText && typeof key === 'string'
      if (hasOwn && (ofText ? key.startsWith(OWN_TEXT) : key[0] === 0x21 && isOwn(key as Uint8Array))) continue
      const size = key.length + row[1].length
      isFull = to.length > 0 && (to.length === maxEntries || bytes + size > maxBytes)
      if (isFull) break
      bytes += size
      if (ofText) page.isText = true
      to.push(row)
    }
    this.at = at
    page.bytes = bytes
    return isFull
  }

  /** None: the iterator is at its end, where LevelDB has said whether anything was passed over. */
  private async readOn(limit: number, options: ScanOptions): Promise<readonly Row[]> {
    const rows = (await this.native.nextv(Math.min(limit, READ_ROWS + 1))) as Row[]
    options.signal?.throwIfAborted()
    if (typeof Buffer !== 'undefined' && this.isText) {
      if (!areAscii(rows, this.inCommon)) {
        // By an iterator of bytes, behind what this one gave. What it passed over until there only its end would have told.
        this.openText = undefined
        this.isText = false
        await this.native.close()
        const gte = this.last === undefined ? (this.from as Uint8Array) : successor(bytesOf(this.last))
        if (this.last !== undefined) await assertNothingPassedOver(this.db, { gte: this.checked, lt: gte }, this.encoding)
        this.checked = gte
        this.native = this.open({ gte, lt: this.to })
        return this.readOn(limit, options)
      }
      this.last = rows.at(-1)?.[0]
    }
    if (rows.length === 0) {
      this.isRead = true
      this.checked = this.to
      await this.native.close()
      return rows
    }
    this.from ??= bytesOf((rows[0] as Row)[0])
    this.count += rows.length
    this.rows = this.at === this.rows.length ? rows : this.rows.slice(this.at).concat(rows)
    this.at = 0
    return rows
  }

  /** An iterator of what comes next. No row is left of the one before. */
  private goOn(): void {
    const [from, to] = [this.from, this.to] as [Uint8Array, Uint8Array]
    const end = this.ahead?.after(from, to, this.count, this.wanted)
    this.from = to
    this.to = end === undefined || (this.lt !== undefined && compareBytes(end, this.lt) >= 0) ? this.lt : end
    this.isText = false
    // Where all that was seen of keys is ASCII, and so are the bounds.
    if (typeof Buffer !== 'undefined' && this.openText !== undefined && (this.ahead?.symbols.at(-1) ?? 0x80) < 0x80) {
      const [gte, lt] = [asciiOf(to), asciiOf(this.to)]
      if (gte !== undefined && lt !== undefined) {
        this.isText = true
        this.last = undefined
        this.inCommon = inCommon(gte, lt)
        this.native = this.openText({ gte, lt })
      }
    }
    if (!this.isText) this.native = this.open({ gte: to, lt: this.to })
    this.isRead = false
    this.count = 0
    this.pages = 0
    this.openedAt = performance.now()
    clearTimeout(this.timer)
    this.timer = undefined
  }

  /** What keys are made of, and how many rows to guess ahead, of so many bytes each, where so many are a page. */
  private look(at: readonly Row[], pageRows: number, rowBytes: number): void {
    this.ahead?.look(this.from as Uint8Array, at)
    this.wanted = Math.max(pageRows, Math.min(AHEAD_ROWS, Math.floor(AHEAD_BYTES / rowBytes)))
  }

  /** Before a page of so many rows and bytes is given out: LevelDB has passed nothing over in what was read. */
  private async settle(pageRows: number, pageBytes: number, options: ScanOptions): Promise<void> {
    if (this.ahead === undefined || this.isRead) return
    this.look(this.rows, pageRows, pageBytes / pageRows)
    if (this.to !== this.lt) {
      let room = 2 * Math.max(options.maxBytes, AHEAD_BYTES)
      for (let left = 4 * this.wanted; !this.isRead && left > 0 && room > 0; ) {
        const rows = await this.readOn(left, options)
        left -= rows.length
        for (const [key, value] of rows) room -= key.length + value.length
      }
      if (this.isRead) return
    }
    const to = successor(bytesOf((this.rows.at(-1) as Row)[0]))
    if (!same(this.checked, to)) await assertNothingPassedOver(this.db, { gte: this.checked, lt: to }, this.encoding)
    this.checked = to
    // A row alone tells nothing of how far the next are, and of rows that large few are read ahead.
    if (this.count < 2 || this.wanted < 2 || this.ahead.after(this.from as Uint8Array, to, this.count, this.wanted) === undefined) return
    this.isRead = true
    this.to = to
    await this.native.close()
  }

  /** A page with more to come. */
  private give({ rows, bytes, isText }: Omit<RowPage, 'end'>): RowPage {
    this.next = successor(bytesOf((rows.at(-1) as Row)[0]))
    // What was given out is the caller's alone to hold.
    this.rows = this.rows.slice(this.at)
    this.at = 0
    return { rows, bytes, isText, end: false }
  }

  /** Closes it when nobody waits for that. */
  retire(): void {
    this.rows = []
    this.at = 0
    // classic-level's iterator keeps the rows it gave last until it is collected, long after
    // close(); asking for one more makes it let go of a page (bench/node/memory.mjs).
    if (!this.isRead) this.native.nextv(1).catch(() => {})
    this.close().catch(() => {})
  }

  close(): Promise<void> {
    clearTimeout(this.timer)
    return this.native.close()
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0
}
