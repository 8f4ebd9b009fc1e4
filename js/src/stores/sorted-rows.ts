import { compareBytes } from './bytes.js'
import type { Entry, ScanOptions, ScanRange, Write } from './store.js'

/** Chunks of sorted rows: an insertion moves at most one chunk. */
export class SortedRows {
  private static readonly CHUNK = 512
  private chunks: Entry[][] = []
  /** Chunks that came as a page, and still are what they were. */
  private readonly pages = new WeakMap<readonly Entry[], Uint8Array>()
  size = 0

  get(key: Uint8Array): Uint8Array | undefined {
    const [chunk, index, found] = this.find(key)
    return found ? this.chunks[chunk]?.[index]?.[1] : undefined
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const [at, index, found] = this.find(key)
    let chunk = this.chunks[at]
    if (chunk === undefined) {
      chunk = []
      this.chunks.push(chunk)
    }
    this.pages.delete(chunk)
    if (found) {
      chunk[index] = [key, value]
      return
    }
    chunk.splice(index, 0, [key, value])
    this.size++
    if (chunk.length > SortedRows.CHUNK) this.chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1))
  }

  delete(key: Uint8Array): void {
    const [at, index, found] = this.find(key)
    if (!found) return
    const chunk = this.chunks[at] as Entry[]
    this.pages.delete(chunk)
    chunk.splice(index, 1)
    this.size--
    if (chunk.length === 0) this.chunks.splice(at, 1)
  }

  /** Takes a page over as it is, where its keys ascend and lie between two chunks. False: nothing was done. */
  takePage(entries: readonly Write[], frame: Uint8Array): boolean {
    const [first, last] = [entries[0], entries[entries.length - 1]]
    if (first === undefined || last === undefined) return false
    for (let i = 0; i < entries.length; i++) {
      const [key, value] = entries[i] as Write
      if (value === undefined || (i > 0 && compareBytes((entries[i - 1] as Write)[0], key) >= 0)) return false
    }
    const [at, index, found] = this.find(first[0])
    const before = this.chunks[at]?.length ?? 0
    const place = index === 0 ? at : at + 1
    const next = this.chunks[place]?.[0]
    if (found || (index !== 0 && index !== before) || (next !== undefined && compareBytes(last[0], next[0]) >= 0)) return false
    const chunk = entries as Entry[]
    this.chunks.splice(place, 0, chunk)
    this.pages.set(chunk, frame)
    this.size += chunk.length
    return true
  }

  /** The page that begins a range, where it came as one, lies in the range and is no larger than asked for. */
  page(range: ScanRange, { maxEntries, maxBytes }: ScanOptions): { frame: Uint8Array; entries: number; end: boolean } | undefined {
    let [at, index] = range.gte === undefined ? [0, 0] : this.find(range.gte)
    if (index > 0 && index === this.chunks[at]?.length) [at, index] = [at + 1, 0]
    const chunk = this.chunks[at]
    const frame = chunk && this.pages.get(chunk)
    if (chunk === undefined || frame === undefined || index !== 0 || chunk.length > maxEntries || frame.length > maxBytes) return undefined
    const isBeyond = (key: Uint8Array | undefined): boolean => key === undefined || (range.lt !== undefined && compareBytes(key, range.lt) >= 0)
    if (isBeyond(chunk[chunk.length - 1]?.[0])) return undefined
    return { frame, entries: chunk.length, end: isBeyond(this.chunks[at + 1]?.[0]?.[0]) }
  }

  *from(gte: Uint8Array | undefined): IterableIterator<Entry> {
    let [at, index] = gte === undefined ? [0, 0] : this.find(gte)
    for (; at < this.chunks.length; at++, index = 0) {
      const chunk = this.chunks[at] as Entry[]
      for (; index < chunk.length; index++) yield chunk[index] as Entry
    }
  }

  /** Below `lt`, descending. */
  *backFrom(lt: Uint8Array | undefined): IterableIterator<Entry> {
    let [at, index] = lt === undefined ? [this.chunks.length, 0] : this.find(lt)
    for (;;) {
      for (; index > 0; index--) yield (this.chunks[at] as Entry[])[index - 1] as Entry
      if (--at < 0) return
      index = (this.chunks[at] as Entry[]).length
    }
  }

  /** The chunk and the index where the key is, or where it would go. */
  private find(key: Uint8Array): [chunk: number, index: number, found: boolean] {
    let low = 0
    let high = this.chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareBytes(((this.chunks[middle] as Entry[])[0] as Entry)[0], key) <= 0) low = middle + 1
      else high = middle
    }
    const at = Math.max(0, low - 1)
    const chunk = this.chunks[at] ?? []
    low = 0
    high = chunk.length
    while (low < high) {
      const middle = (low + high) >> 1
      const order = compareBytes((chunk[middle] as Entry)[0], key)
      if (order === 0) return [at, middle, true]
      if (order < 0) low = middle + 1
      else high = middle
    }
    return [at, low, false]
  }
}
