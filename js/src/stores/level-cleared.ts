import { compareBytes, concatBytes, toBytes } from './bytes.js'
import type { LevelDatabase } from './level-types.js'
import type { ScanRange } from './store.js'

/** Keys that a clear() may have removed, half open, and where in the log it stands. */
export interface Cleared extends ScanRange {
  readonly position: number
}

interface ClearOptions {
  gt?: unknown
  gte?: unknown
  lt?: unknown
  lte?: unknown
  keyEncoding?: unknown
}

/** Reads the options of a clear event; a limit is left out, which only makes the range larger. */
export function clearedBy(root: LevelDatabase, options: ClearOptions, position: number): Cleared {
  const { keyEncoding } = root as unknown as { keyEncoding(of: unknown): { encode(key: unknown): string | Uint8Array } }
  const encoding = keyEncoding.call(root, options.keyEncoding)
  const bound = (key: unknown, after: boolean): Uint8Array | undefined => {
    if (key === undefined) return undefined
    const bytes = toBytes(encoding.encode(key))
    return after ? concatBytes([bytes, Uint8Array.of(0)]) : bytes
  }
  const gte = bound(options.gte, false) ?? bound(options.gt, true)
  const lt = bound(options.lte, true) ?? bound(options.lt, false)
  return { position, gte, lt }
}

/** Whether the range of a store below `prefix` may have lost a key. */
export function touches(cleared: Cleared, prefix: Uint8Array, range: ScanRange): boolean {
  const { gte, lt } = prefixRange(prefix, range)
  const before = cleared.lt !== undefined && gte !== undefined && compareBytes(cleared.lt, gte) <= 0
  const behind = cleared.gte !== undefined && lt !== undefined && compareBytes(lt, cleared.gte) <= 0
  return !before && !behind
}

/** A range of a sublevel as one of the root; the last byte of a prefix is a separator below 0xff. */
export function prefixRange(prefix: Uint8Array, range: ScanRange): ScanRange {
  if (prefix.length === 0) return range
  const end = prefix.slice()
  end[end.length - 1] = (end[end.length - 1] as number) + 1
  return {
    gte: range.gte === undefined ? prefix : concatBytes([prefix, range.gte]),
    lt: range.lt === undefined ? end : concatBytes([prefix, range.lt])
  }
}

/** One byte of flags (1: from, 2: to), four of the first bound's length, the bounds. */
export function encodeCleared({ gte, lt }: Cleared): Uint8Array {
  const head = new Uint8Array(5)
  head[0] = (gte === undefined ? 0 : 1) | (lt === undefined ? 0 : 2)
  new DataView(head.buffer).setUint32(1, gte?.length ?? 0)
  return concatBytes([head, gte ?? new Uint8Array(0), lt ?? new Uint8Array(0)])
}

export function decodeCleared(bytes: Uint8Array, position: number): Cleared | undefined {
  if (bytes.length < 5) return undefined
  const flags = bytes[0] as number
  const middle = 5 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  if (middle > bytes.length) return undefined
  return {
    position,
    gte: (flags & 1) === 0 ? undefined : bytes.slice(5, middle),
    lt: (flags & 2) === 0 ? undefined : bytes.slice(middle)
  }
}

/** What was cleared and stands, or will stand, in the log. */
export class Clears {
  private readonly all: Cleared[] = []
  /** Records that are not in the log yet; each batch takes them along. */
  readonly unsaved = new Map<number, Uint8Array>()
  /** Options of calls that are nobody's change: a range delete is in no feed. */
  readonly own = new WeakSet<object>()

  add(cleared: Cleared): Uint8Array {
    const record = encodeCleared(cleared)
    this.all.push(cleared)
    this.unsaved.set(cleared.position, record)
    return record
  }

  has(position: number): boolean {
    return this.all.some((one) => one.position === position)
  }

  /** Those of an earlier process come in; gives those of this one whose positions are not new, and forgets them. */
  takeUp(rows: readonly [number, Uint8Array][], before: number): Cleared[] {
    const old = this.all.filter(({ position }) => position <= before)
    this.drop(before)
    for (const { position } of old) this.unsaved.delete(position)
    for (const [position, value] of rows) {
      const cleared = decodeCleared(value, position)
      if (cleared !== undefined) this.all.push(cleared)
    }
    return old
  }

  /** Gives their positions. */
  drop(floor: number): number[] {
    const gone = this.all.filter(({ position }) => position <= floor)
    for (const one of gone) this.all.splice(this.all.indexOf(one), 1)
    return gone.map(({ position }) => position)
  }

  touch(prefix: Uint8Array, range: ScanRange, after: number): boolean {
    return this.all.some((cleared) => cleared.position > after && touches(cleared, prefix, range))
  }
}
