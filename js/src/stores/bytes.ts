import type { ScanRange } from './store.js'

/** Byte order, the order of every range here: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function inRange(key: Uint8Array, range: ScanRange): boolean {
  if (range.gte !== undefined && compareBytes(key, range.gte) < 0) return false
  return range.lt === undefined || compareBytes(key, range.lt) < 0
}

const encoder = /* @__PURE__ */ new TextEncoder()

/** Text as UTF-8; bytes as they are. */
export function toBytes(key: string | Uint8Array): Uint8Array {
  return typeof key === 'string' ? encoder.encode(key) : key
}

/** A position of a counting feed: eight bytes, big endian, so that they sort. */
export function encodePosition(position: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(position))
  return bytes
}

/** Nothing when the bytes are not one of ours. */
export function decodePosition(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined
  const position = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0)
  return position <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(position) : undefined
}
