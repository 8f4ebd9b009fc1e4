import { compareBytes } from './bytes.js'
import { bytesOf, type Row } from './level-text.js'

/** Of a run of rows one in so many tells of the bytes that its keys are made of. */
const SAMPLE_ROWS = 16
/** How far behind what neighbours have in common a key is looked at. */
const SAMPLE_BYTES = 16
/** Where one of them occurs the others do: decimal, then hexadecimal digits, then letters. */
const CLASSES = ['09', 'af', 'az', 'AF', 'AZ'].map((ends) => [ends.charCodeAt(0), ends.charCodeAt(1)] as const)
/** From one run to the next the distance grows or falls by so much at most. */
const GROWTH_MAX = 8

/**
 * Guesses a key that lies some rows ahead, from those that were seen: what comes behind the
 * part that keys have in common is taken for a number whose digits are the bytes that occur there
 * (of decimal keys ten, so that 0999 is followed by 1000 and not by 099:), and the distance
 * that held so many rows is taken to hold as many again. A guess that is far off costs time; nothing
 * may depend on it.
 */
export class KeysAhead {
  private readonly seen = new Uint8Array(256)
  /** Bytes that occur, ascending. */
  symbols: number[] = []

  /** Of each byte, how many of the symbols are smaller. */
  private readonly ranks = new Uint16Array(256)

  /** At ascending rows, most of them from `first` on. */
  look(first: Uint8Array, rows: readonly Row[]): void {
    const from = common(first, bytesOf((rows.at(-1) as Row)[0]))
    let isNew = false
    for (let i = 0; i < rows.length; i += SAMPLE_ROWS) {
      const key = bytesOf((rows[i] as Row)[0])
      for (let at = from; at < key.length && at < from + SAMPLE_BYTES; at++) {
        const byte = key[at] as number
        if (this.seen[byte] === 1) continue
        isNew = true
        const [low, high] = CLASSES.find((ends) => ends[0] <= byte && byte <= ends[1]) ?? [byte, byte]
        this.seen.fill(1, low, high + 1)
      }
    }
    if (!isNew) return
    this.symbols = []
    for (let byte = 0; byte < 256; byte++) {
      this.ranks[byte] = this.symbols.length
      if (this.seen[byte] === 1) this.symbols.push(byte)
    }
  }

  /**
   * A key greater than `to`, with about `wanted` rows between the two, when there were `rows` from
   * `from` to `to`; undefined where none can be told. `from` is less than `to`.
   */
  after(from: Uint8Array, to: Uint8Array, rows: number, wanted: number): Uint8Array | undefined {
    const base = this.symbols.length
    if (base < 2) return undefined
    const digits = Math.floor(53 / Math.log2(base))
    const factor = Math.min(Math.max(wanted / Math.max(rows, 1), 1 / GROWTH_MAX), GROWTH_MAX)
    // One digit of what they have in common more, where it does not fit.
    for (let start = common(from, to); start >= 0; start--) {
      const high = this.number(to, start, digits)
      const step = (high - this.number(from, start, digits)) * (rows === 0 ? GROWTH_MAX : factor)
      const at = high + Math.max(Math.round(step), 1)
      if (at >= base ** digits) continue
      const key = this.key(to, start, at, digits)
      return compareBytes(key, to) > 0 ? key : undefined
    }
    return undefined
  }

  private number(key: Uint8Array, start: number, digits: number): number {
    let number = 0
    for (let i = start; i < start + digits; i++) {
      number = number * this.symbols.length + (i < key.length ? (this.ranks[key[i] as number] as number) : 0)
    }
    return number
  }

  private key(like: Uint8Array, start: number, number: number, digits: number): Uint8Array {
    const key = new Uint8Array(start + digits)
    key.set(like.subarray(0, start))
    for (let i = start + digits, left = number; i-- > start; left = Math.floor(left / this.symbols.length)) {
      key[i] = this.symbols[left % this.symbols.length] as number
    }
    return key
  }
}

/** How many bytes both begin with. */
function common(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
