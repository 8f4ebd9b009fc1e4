import { compareBytes, successor } from '../stores/bytes.js'
import type { ScanRange, Write } from '../stores/store.js'

/** Half-open spans that hold all keys of the writes and nothing between the ranges, which are in key order. */
export function spansOf(writes: readonly Write[], ranges: readonly ScanRange[]): ScanRange[] {
  const spans = new Map<number, { low: Uint8Array; high: Uint8Array }>()
  for (const [key] of writes) {
    const at = ranges.length === 1 ? 0 : rangeOf(key, ranges)
    const span = spans.get(at)
    if (span === undefined) spans.set(at, { low: key, high: key })
    else if (compareBytes(key, span.high) > 0) span.high = key
    else if (compareBytes(key, span.low) < 0) span.low = key
  }
  return [...spans.values()].map(({ low, high }) => ({ gte: low, lt: successor(high) }))
}

/** The first range that ends above the key. */
function rangeOf(key: Uint8Array, ranges: readonly ScanRange[]): number {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { lt } = ranges[middle] as ScanRange
    if (lt !== undefined && compareBytes(lt, key) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

const NONE = /* @__PURE__ */ new Uint8Array(0)
const lower = (a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined =>
  a === undefined ? b : b === undefined || compareBytes(a, b) <= 0 ? a : b

/** The parts cut to the range. */
export function within<T extends ScanRange>(parts: readonly T[], { gte = NONE, lt }: ScanRange): (T & { readonly gte: Uint8Array })[] {
  return parts
    .map((part) => ({ ...part, gte: compareBytes(part.gte ?? NONE, gte) < 0 ? gte : (part.gte ?? NONE), lt: lower(part.lt, lt) }))
    .filter((part) => part.lt === undefined || compareBytes(part.gte, part.lt) < 0)
}

/** What of the range lies between the parts, which are in key order. */
export function gapsIn(parts: readonly { readonly gte: Uint8Array; readonly lt?: Uint8Array | undefined }[], range: ScanRange): { readonly gte: Uint8Array; readonly lt?: Uint8Array | undefined }[] {
  const gaps: ReturnType<typeof gapsIn> = []
  let at: Uint8Array | undefined = range.gte ?? NONE
  for (const part of parts) {
    if (at !== undefined && compareBytes(at, part.gte) < 0) gaps.push({ gte: at, lt: part.gte })
    at = part.lt
  }
  if (at !== undefined && (range.lt === undefined || compareBytes(at, range.lt) < 0)) gaps.push({ gte: at, lt: range.lt })
  return gaps
}
