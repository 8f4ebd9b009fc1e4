import { KeyhaulError } from './errors.js'
import { compareBytes, concatBytes, toBytes } from './stores/bytes.js'
import type { ScanRange } from './stores/store.js'

/** `[start, end]`, both inclusive; or every key with a prefix. Text is UTF-8. */
export type RangeInput =
  | readonly [start: string | Uint8Array, end: string | Uint8Array]
  | { readonly prefix: string | Uint8Array }

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
export function toScanRanges(inputs: readonly RangeInput[] | undefined): ScanRange[] {
  if (inputs === undefined) return [{}]
  if (inputs.length === 0) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'ranges is empty; leave it out to move everything' })
  }
  const ranges = inputs.map((input): ScanRange => {
    if ('prefix' in input) {
      const gte = toBytes(input.prefix)
      return { gte, lt: prefixEnd(gte) }
    }
    const [gte, end] = [toBytes(input[0]), toBytes(input[1])]
    if (compareBytes(gte, end) > 0) {
      throw new KeyhaulError('KEYHAUL_INVALID_RANGE', { key: gte, message: 'the range starts after it ends; swap its ends' })
    }
    const lt = new Uint8Array(end.length + 1)
    lt.set(end)
    return { gte, lt }
  })
  return sortRanges(ranges)
}

/** In key order, as the core keeps them; what overlaps is found there. */
export function sortRanges(ranges: ScanRange[]): ScanRange[] {
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

export function overlap(a: ScanRange, b: ScanRange): boolean {
  const below = (x: ScanRange, y: ScanRange): boolean => y.lt === undefined || compareBytes(x.gte ?? new Uint8Array(0), y.lt) < 0
  return below(a, b) && below(b, a)
}
