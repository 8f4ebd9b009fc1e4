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

/** The bounds that it has: for abstract-level any value is a bound. */
export function present(range: ScanRange): { gte?: Uint8Array; lt?: Uint8Array } {
  return {
    ...(range.gte === undefined ? {} : { gte: range.gte }),
    ...(range.lt === undefined ? {} : { lt: range.lt })
  }
}

const encoder = /* @__PURE__ */ new TextEncoder()

/** Text as UTF-8; bytes as they are. A TypeError of anything else, of which an ArrayBuffer has no length and `undefined` would delete. */
export function toBytes(key: string | Uint8Array): Uint8Array {
  if (typeof key === 'string') return encoder.encode(key)
  if (key instanceof Uint8Array) return key
  throw new TypeError('neither text nor Uint8Array')
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Precondition: two digits a byte. */
export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
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

/** The position of a feed: where the feed began, which tells feeds apart, and where in it. */
export function encodeFeedPosition(start: number, at: number): Uint8Array {
  return concatBytes([encodePosition(start), encodePosition(at)])
}

export function decodeFeedPosition(bytes: Uint8Array): { start: number; at: number } | undefined {
  if (bytes.length !== 16) return undefined
  const start = decodePosition(bytes.subarray(0, 8))
  const at = decodePosition(bytes.subarray(8))
  return start === undefined || at === undefined ? undefined : { start, at }
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) end = putBytes(all, part, end)
  return all
}

/** Below this many bytes a loop is cheaper than TypedArray.set. */
export const LOOP_BYTES = 24

/** Copies bytes into memory; where they end. */
export function putBytes(memory: Uint8Array, bytes: Uint8Array, at: number): number {
  const length = bytes.length
  if (length <= LOOP_BYTES) {
    let i = 0
    // Four are read before one is written: V8 cannot know that they are not the same memory, and
    // looks up where the bytes are again after each write (bench/node/migrator.mjs).
    for (; i < length - 3; i += 4) {
      const a = bytes[i] as number
      const b = bytes[i + 1] as number
      const c = bytes[i + 2] as number
      const d = bytes[i + 3] as number
      memory[at + i] = a
      memory[at + i + 1] = b
      memory[at + i + 2] = c
      memory[at + i + 3] = d
    }
    for (; i < length; i++) memory[at + i] = bytes[i] as number
  } else {
    memory.set(bytes, at)
  }
  return at + length
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false
  for (let i = 0; i < prefix.length; i++) {
    if (bytes[i] !== prefix[i]) return false
  }
  return true
}

/** The least key above, as the core names it. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/** Bytes as a string that can be a member of a set. */
export function idOf(key: Uint8Array): string {
  let id = ''
  for (const byte of key) id += String.fromCharCode(byte)
  return id
}
