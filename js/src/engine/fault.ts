import { compareBytes, inRange } from '../stores/bytes.js'
import type { ScanPage, ScanRange } from '../stores/store.js'

/** One page as a store returned it. */
export interface Reading {
  readonly migration: number
  readonly node: number
  readonly range: ScanRange
  readonly scanned: Pick<ScanPage, 'entries'>
}

/** The key to name when the core refused a page of this node: it says why, not where. */
export function faultyKey(pages: readonly Reading[], node: number, largest: boolean): Uint8Array | undefined {
  let key: Uint8Array | undefined
  let most = 0
  for (const page of pages) {
    if (page.node !== node) continue
    let before: Uint8Array | undefined
    if (!largest) key = beginning(page.range)
    for (const [at, value] of page.scanned.entries) {
      if (!inRange(at, page.range) || (before !== undefined && compareBytes(before, at) >= 0)) return at
      before = at
      const size = at.length + (value?.length ?? 0)
      if (largest && size > most) {
        most = size
        key = at
      }
    }
  }
  return key
}

/** Where a scan begins: most begin behind a key, and that key is easier to find. */
export function beginning({ gte }: ScanRange): Uint8Array | undefined {
  return gte?.at(-1) === 0 ? gte.subarray(0, -1) : gte
}
