import { getModule } from './engine/load.js'
import { toBytes } from './stores/bytes.js'

/** Bytes staged in linear memory at a time. */
const STAGE_BYTES = 256 * 1024
let stage = 0

function run(kind: 'crc32' | 'crc32c', data: string | Uint8Array, initial: number): number {
  const bytes = toBytes(data)
  const module = getModule()
  if (stage === 0) stage = module.allocate(STAGE_BYTES)
  let crc = initial >>> 0
  for (let at = 0; at < bytes.length; at += STAGE_BYTES) {
    const part = bytes.subarray(at, at + STAGE_BYTES)
    new Uint8Array(module.memory.buffer, stage, part.length).set(part)
    crc = module[kind](stage, part.length, crc) >>> 0
  }
  return crc
}

/** CRC-32 (ISO-HDLC, as in zlib and PNG) of bytes or of text as UTF-8; chains by `initial`. */
export function crc32(data: string | Uint8Array, initial = 0): number {
  return run('crc32', data, initial)
}

/** CRC-32C (Castagnoli, as in iSCSI and LevelDB) of bytes or of text as UTF-8; chains by `initial`. */
export function crc32c(data: string | Uint8Array, initial = 0): number {
  return run('crc32c', data, initial)
}

/** `crc32(a + b)` from `crc32(a)`, `crc32(b)` and the length of b in bytes. */
export function crc32Combine(crcA: number, crcB: number, lengthB: number): number {
  return getModule().combine(0, crcA, crcB, lengthB) >>> 0
}

/** `crc32c(a + b)` from `crc32c(a)`, `crc32c(b)` and the length of b in bytes. */
export function crc32cCombine(crcA: number, crcB: number, lengthB: number): number {
  return getModule().combine(1, crcA, crcB, lengthB) >>> 0
}
