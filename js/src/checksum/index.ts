import { toBytes } from '../stores/bytes.js'
import { loadChecksums } from './load.js'

let loaded: ReturnType<typeof loadChecksums> | undefined
const checksums = (): ReturnType<typeof loadChecksums> => {
  loaded ??= loadChecksums()
  return loaded
}

/** Whoever means the checksum of two texts would get that of the first. */
function toCrc(initial: number): number {
  if (typeof initial !== 'number') throw new TypeError('the checksum before is not a number')
  return initial
}

/** CRC-32 (ISO-HDLC, as in zlib and PNG) of bytes or of text as UTF-8; chains by `initial`. */
export function crc32(data: string | Uint8Array, initial = 0): number {
  return checksums().crc32(toBytes(data), toCrc(initial))
}

/** CRC-32C (Castagnoli, as in iSCSI and LevelDB) of bytes or of text as UTF-8; chains by `initial`. */
export function crc32c(data: string | Uint8Array, initial = 0): number {
  return checksums().crc32c(toBytes(data), toCrc(initial))
}

/** `crc32(a + b)` from `crc32(a)`, `crc32(b)` and the length of b in bytes, without the bytes. */
export function crc32Combine(crcA: number, crcB: number, lengthB: number): number {
  return checksums().combine(0, crcA, crcB, lengthB)
}

/** `crc32c(a + b)` from `crc32c(a)`, `crc32c(b)` and the length of b in bytes, without the bytes. */
export function crc32cCombine(crcA: number, crcB: number, lengthB: number): number {
  return checksums().combine(1, crcA, crcB, lengthB)
}
