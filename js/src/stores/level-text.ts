import { putBytes } from './bytes.js'
import type { LevelDatabase } from './level-types.js'
import type { Entry, PreparedWrites, ScanPage, Store } from './store.js'

// Of what a copy of small records costs the main thread two fifths were the Buffers that classic-level makes of
// keys and values, and of its text it makes strings for a fifth of the price (bench/node/move.mjs). Decoding
// loses what is no UTF-8, so only keys that are ASCII to their last byte are taken as text, and that is proved of each:
//
//   1. Whatever byte is not ASCII, a decoder makes of it something that is not ASCII either, be it a letter or U+FFFD,
//      unless it drops a byte order mark at the beginning (V8 does not; others do).
//   2. A key of an iterator that ends at ASCII text begins with an ASCII byte, as it is less: there is no mark.
//   3. So a key of such an iterator that came out as ASCII has these bytes and no others.
//   4. What both bounds begin with all keys between them begin with, so those letters need not be looked at.
//
// Rows with one that did not are read again as Buffers, and the scan goes on with those (`LevelScan`).

/** A key is bytes, or ASCII text that stands for them. */
export type Row = readonly [key: string | Uint8Array, value: Uint8Array]

/** Rows that the driver takes as they are, without making bytes of each key. */
export interface TextRows {
  /** As of an array, and its first: the key is bytes here. */
  readonly length: number
  readonly 0?: Entry
  /** Of keys and values. */
  readonly bytes: number
  /** The table and the bytes of a frame (core/src/wire/FORMAT.md), from an address on. */
  put(address: number, u8: Uint8Array, u32: Uint32Array): void
  /** As `prepare` of `target` with them. */
  prepare(target: Store | undefined): PreparedWrites | undefined
  /** The entries, which are whoever's then that looks. */
  looked(): readonly Entry[]
}

/** A page that holds them until somebody looks at its entries, which are theirs to change. */
export interface TextPage extends ScanPage {
  /** Of this page, as whoever asks has it: a proxy, or an object that inherits from one, may have other entries. */
  readonly keyhaulRows?: (page: unknown) => TextRows | undefined
}

/** How many entries a page has, without making bytes of their keys. */
export function countOf(page: TextPage): number {
  return (page.keyhaulRows?.(page) ?? page.entries).length
}

/** Keys shorter than this are written letter by letter. */
const LOOP_CHARS = 48
/** Looking at as many of a key, letter by letter, is cheaper than joining keys. */
const LOOK_CHARS = 8

const encoder = /* @__PURE__ */ new TextEncoder()

export function bytesOf(key: string | Uint8Array): Uint8Array {
  return typeof Buffer !== 'undefined' && typeof key === 'string' ? Buffer.from(key, 'latin1') : (key as Uint8Array)
}

/** As a string, if all of it is ASCII. */
export function asciiOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.every((byte) => byte < 0x80) === true ? Buffer.from(bytes).toString('latin1') : undefined
}

/** How many characters both begin with. */
export function inCommon(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** Whether all keys are, which were read as text, and begin with so many characters that are known to be. */
export function areAscii(rows: readonly Row[], known: number): boolean {
  const rest = ((rows[0]?.[0] as string | undefined)?.length ?? 0) - known
  return rest <= LOOK_CHARS && rest >= 0 ? areAsciiFrom(known, rows) : areAsciiAtAll(rows)
}

function areAsciiFrom(known: number, rows: readonly Row[]): boolean {
  let all = 0
  for (let i = 0; i < rows.length; i++) {
    const key = (rows[i] as Row)[0] as string
    // Shorter than what it begins with is none: a decoder gave up on it.
    if (key.length < known || key === '') return false
    for (let j = known; j < key.length; j++) all |= key.charCodeAt(j)
  }
  return all < 0x80
}

function areAsciiAtAll(rows: readonly Row[]): boolean {
  let all = ''
  // Joined first: Node counts the bytes of a long string at the speed of memory, and a call for each costs more than all else.
  for (let i = 0; i < rows.length; i++) {
    const key = (rows[i] as Row)[0] as string
    // No key of a LevelDB is empty: a decoder that gives up on one would make it so.
    if (key === '') return false
    all += key
  }
  return Buffer.byteLength(all) === all.length
}

interface Mapping {
  supports: { encodings?: { utf8?: boolean } }
  prefixKey?(key: string, format: string, local: boolean): unknown
  keyEncoding?(name: string): { format: string; encode(key: string): unknown; decode(key: string): unknown }
}

/** Whether text is what its implementation itself takes and gives, as classic-level's does. */
export function speaksText(db: LevelDatabase): boolean {
  const { supports } = db as unknown as Mapping
  if (supports.encodings?.utf8 !== true) return false
  const mapping = db as unknown as Mapping
  const encoding = mapping.keyEncoding?.('utf8')
  return encoding?.format === 'utf8' && [mapping.prefixKey?.('k', 'utf8', true), encoding.encode('k'), encoding.decode('k')].every((text) => text === 'k')
}

export type TakesRows = (target: Store | undefined, rows: readonly Row[], bytes: number) => PreparedWrites | undefined

class Rows implements TextRows {
  entries: readonly Entry[] | undefined
  page: unknown

  constructor(
    private readonly rows: readonly Row[],
    readonly bytes: number,
    private readonly takes: TakesRows
  ) {}

  get length(): number {
    return this.rows.length
  }

  get 0(): Entry {
    const [key, value] = this.rows[0] as Row
    return [bytesOf(key), value]
  }

  put(address: number, u8: Uint8Array, u32: Uint32Array): void {
    putRows(this.rows, address, u8, u32)
  }

  prepare(target: Store | undefined): PreparedWrites | undefined {
    return this.takes(target, this.rows, this.bytes) ?? target?.prepare?.(this.looked())
  }

  looked(): readonly Entry[] {
    this.entries ??= this.rows.map(([key, value]) => [bytesOf(key), value])
    return this.entries
  }
}

const ROWS = Symbol('rows')
interface Page {
  readonly [ROWS]: Rows
}

// The same functions for each page: V8 keeps an accessor where it keeps the shape of an object, in memory that only a
// full collection frees, and with functions of its own a page would stay there too (it took as long as all that text saves).
const ACCESSORS = {
  entries: {
    get(this: Page): readonly Entry[] {
      return this[ROWS].looked()
    },
    set(this: Page, entries: readonly Entry[]): void {
      this[ROWS].entries = entries
    },
    enumerable: true,
    configurable: true
  },
  // In no copy of the page, and gone once its entries were looked at: whoever wraps a store may return others.
  keyhaulRows: {
    value(this: Page, page: object): TextRows | undefined {
      const rows = this[ROWS]
      const isAsMade = rows.page === page && Object.getOwnPropertyDescriptor(page, 'entries')?.get === ACCESSORS.entries.get
      return isAsMade && rows.entries === undefined ? rows : undefined
    }
  }
}

export function textPage(rows: readonly Row[], bytes: number, end: boolean, takes: TakesRows): TextPage {
  const held = new Rows(rows, bytes, takes)
  const page = Object.defineProperties({ end }, { ...ACCESSORS, [ROWS]: { value: held } }) as { end: boolean } & TextPage
  held.page = page
  return page
}

function putRows(rows: readonly Row[], address: number, u8: Uint8Array, u32: Uint32Array): void {
  let row = address >>> 2
  let at = address + rows.length * 8
  for (let i = 0; i < rows.length; i++) {
    const [key, value] = rows[i] as Row
    const length = key.length
    u32[row++] = length
    u32[row++] = value.length
    if (typeof key !== 'string') putBytes(u8, key, at)
    else if (length > LOOP_CHARS) encoder.encodeInto(key, u8.subarray(at, at + length))
    else for (let j = 0; j < length; j++) u8[at + j] = key.charCodeAt(j)
    at = putBytes(u8, value, at + length)
  }
}
