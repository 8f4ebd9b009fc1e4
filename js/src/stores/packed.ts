import type { Entry, Write } from './store.js'

/** Of a frame; core/src/wire/FORMAT.md. */
export const FRAME_HEADER_BYTES = 32
export const DELETED = 0xffffffff

/** The entries of a page, by its header as many as it says; each a view of it. Its lengths must add up to it, as those of the engine do. */
export function unpackPage(frame: Uint8Array, entries?: number): Write[] {
  const words = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const count = entries ?? words.getUint32(8, true)
  const writes: Write[] = new Array(count)
  let at = FRAME_HEADER_BYTES + count * 8
  for (let i = 0; i < count; i++) {
    const row = FRAME_HEADER_BYTES + i * 8
    const valueBytes = words.getUint32(row + 4, true)
    const keyEnd = at + words.getUint32(row, true)
    const end = valueBytes === DELETED ? keyEnd : keyEnd + valueBytes
    writes[i] = [frame.subarray(at, keyEnd), valueBytes === DELETED ? undefined : frame.subarray(keyEnd, end)]
    at = end
  }
  return writes
}

/** A page of these entries, with the header's count and no checksum. */
export function packPage(entries: readonly (Entry | Write)[]): Uint8Array {
  const table = FRAME_HEADER_BYTES + entries.length * 8
  const frame = new Uint8Array(entries.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), table))
  const words = new DataView(frame.buffer)
  words.setUint32(8, entries.length, true)
  let at = table
  entries.forEach(([key, value], i) => {
    words.setUint32(FRAME_HEADER_BYTES + i * 8, key.length, true)
    words.setUint32(FRAME_HEADER_BYTES + i * 8 + 4, value === undefined ? DELETED : value.length, true)
    frame.set(key, at)
    at += key.length
    if (value !== undefined) frame.set(value, at)
    at += value?.length ?? 0
  })
  return frame
}
