import { KeyhaulError } from '../errors.js'
import { compareBytes, successor } from '../stores/bytes.js'
import type { ApplyOptions, Entry, Store } from '../stores/store.js'

/**
 * Deletes each entry that the store still holds with this value, and gives how many hold
 * another one now. A store that can do it itself does; others are read again right before,
 * which leaves the time between that read and the write.
 */
export async function deleteEqual(store: Store, entries: readonly Entry[], options: ApplyOptions): Promise<number> {
  if (store.deleteEqual !== undefined) return store.deleteEqual(entries, options)
  const equal: Uint8Array[] = []
  let left = 0
  let next = 0
  const last = entries[entries.length - 1]?.[0] as Uint8Array
  const lt = successor(last)
  for (let gte = entries[0]?.[0] as Uint8Array, end = false; !end && next < entries.length; ) {
    const page = await store.scan({ gte, lt }, { maxEntries: 4096, maxBytes: 1 << 20, signal: options.signal })
    for (const [key, value] of page.entries) {
      while (next < entries.length && compareBytes((entries[next] as Entry)[0], key) < 0) next++
      const expected = entries[next]
      if (expected === undefined || compareBytes(expected[0], key) !== 0) continue
      if (compareBytes(expected[1], value) === 0) equal.push(key)
      else left++
      next++
    }
    const reached = page.entries[page.entries.length - 1]?.[0]
    end = page.end || reached === undefined
    if (reached !== undefined) gte = successor(reached)
  }
  if (equal.length > 0) await store.apply(equal.map((key) => [key, undefined] as const), options)
  return left
}

export function newerOf(store: Store): NonNullable<Store['applyNewer']> {
  if (store.applyNewer === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it has no applyNewer' })
  return store.applyNewer.bind(store)
}
