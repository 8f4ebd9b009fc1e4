import { KeyhaulError } from './errors.js'
import { refused } from './given.js'
import { compareBytes, concatBytes, inRange, successor, toBytes } from './stores/bytes.js'
import type { ScanRange } from './stores/store.js'

/** kRangesMax of core/include/keyhaul/plan.h. */
const RANGES_MAX = 65_536

/**
 * `[start, end]`, both inclusive; every key with a prefix; or every key from one on, up to one (inclusive
 * too), or `{ from, to }`, which is `[from, to]`. Text is UTF-8, the order is that of bytes.
 */
export type RangeInput =
  | readonly [start: string | Uint8Array, end: string | Uint8Array]
  | { readonly prefix: string | Uint8Array }
  | { readonly from: string | Uint8Array; readonly to?: string | Uint8Array }
  | { readonly to: string | Uint8Array }

/** Disjoint ranges, or every key. */
export type RangesInput = readonly RangeInput[] | 'all'

type Key = string | Uint8Array
type Ends = readonly [first: Key | undefined, last: Key | undefined]

/** Of a range that is no prefix; without one it goes from the first key, or to the last. */
export const endsOf = (range: Exclude<RangeInput, { readonly prefix: Key }>): Ends => (Array.isArray(range) ? (range as unknown as Ends) : [(range as { from?: Key }).from, (range as { to?: Key }).to])

/** The least key above every key with this prefix; nothing when there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = prefix.slice(0, length)
  end[length - 1] = (end[length - 1] as number) + 1
  return end
}

/** Half open, as the core has them. The whole key space when nothing is given. */
export function toScanRanges(inputs: RangesInput | undefined): ScanRange[] {
  if (inputs === undefined || inputs === 'all') return [{}]
  if (!Array.isArray(inputs) || inputs.length === 0) throw notRanges(`${shown(inputs)} is no list of ranges`)
  if (inputs.length > RANGES_MAX) {
    throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `${inputs.length} ranges are given; a migration takes ${RANGES_MAX}` })
  }
  const ranges = [...(inputs as readonly RangeInput[])].map((input): ScanRange => {
    assertRange(input)
    if ('prefix' in input) {
      const gte = toBytes(input.prefix)
      // Of a variable that was not set, most likely; and a move would empty the source.
      if (gte.length === 0) throw refused('a prefix is empty; leave `ranges` out for every key')
      return { gte, lt: prefixEnd(gte) }
    }
    const [from, to] = endsOf(input)
    const gte = from === undefined ? undefined : toBytes(from)
    if (to === undefined) return { gte }
    const end = toBytes(to)
    if (gte !== undefined && compareBytes(gte, end) > 0) {
      throw new KeyhaulError('KEYHAUL_INVALID_RANGE', { key: gte, message: 'the range starts after it ends; swap its ends' })
    }
    return { gte, lt: successor(end) }
  })
  return assertDisjoint(sortRanges(ranges))
}

/** What JavaScript lets through: `['a', 'm']` for `[['a', 'm']]`, and half open ranges as abstract-level has them, come first to mind. */
function assertRange(input: RangeInput): void {
  const members = Object.entries(typeof input === 'object' ? (input ?? {}) : {}) as [string, unknown][]
  const names = members.map(([name]) => name).sort().join()
  // A member that is there and undefined is a variable that was not set: it does not mean every key.
  if (/^(0,1|prefix|from|to|from,to)$/.test(names) && members.every(([, key]) => typeof key === 'string' || key instanceof Uint8Array)) return
  throw notRanges(`${shown(input)} is no range`)
}

/** JSON has no BigInt. */
const shown = (input: unknown): string => JSON.stringify(input, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
const notRanges = (what: string): KeyhaulError => refused(`${what}; \`ranges\` is 'all' or a list of [first, last], both included, { prefix } or { from }`)

/** The core would find it too, but only once there is a target. */
function assertDisjoint(ranges: ScanRange[]): ScanRange[] {
  for (const [i, range] of ranges.entries()) {
    const before = ranges[i - 1]
    if (before === undefined || isBelow(before, range.gte)) continue
    throw new KeyhaulError('KEYHAUL_OVERLAPPING_RANGES', { key: range.gte })
  }
  return ranges
}

/** In key order, as the core keeps them. */
function sortRanges(ranges: ScanRange[]): ScanRange[] {
  const low = ({ gte }: ScanRange): Uint8Array => gte ?? new Uint8Array(0)
  return ranges.sort((a, b) => compareBytes(low(a), low(b)))
}

/** The range as it lies in the database of a store whose keys begin with `prefix`. */
export function underPrefix({ gte, lt }: ScanRange, prefix: Uint8Array): ScanRange {
  return {
    gte: concatBytes([prefix, gte ?? new Uint8Array(0)]),
    lt: lt === undefined ? prefixEnd(prefix) : concatBytes([prefix, lt])
  }
}

/** Whether a range of one list shares a key with one of the other; both in key order and disjoint. */
export function anyOverlap(a: readonly ScanRange[], b: readonly ScanRange[]): boolean {
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] as ScanRange, b[j] as ScanRange]
    if (isBelow(x, y.gte)) i++
    else if (isBelow(y, x.gte)) j++
    else return true
  }
  return false
}

/** Whether a key is in one of the ranges, which are in key order and disjoint. */
export function inAny(key: Uint8Array, ranges: readonly ScanRange[]): boolean {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBelow(ranges[middle] as ScanRange, key)) low = middle + 1
    else high = middle
  }
  const range = ranges[low]
  return range !== undefined && inRange(key, range)
}

/** The whole range lies below the key. */
const isBelow = ({ lt }: ScanRange, key: Uint8Array | undefined): boolean => lt !== undefined && compareBytes(lt, key ?? new Uint8Array(0)) <= 0
