// The checksums of the `.` entry, by the module that it has anyway. `keyhaul/checksum` is index.ts.
import { getModule } from '../engine/load.js'
import type { Checksum } from '../engine/module.js'
import { toBytes } from '../stores/bytes.js'
import { chain } from './chain.js'

/** Copied into linear memory at a time: few calls, and what was copied is still in the cache. */
const STAGE_BYTES = 65_536
let address = 0
let stage = new Uint8Array(0)
const functions: ((bytes: number, initial: number) => number)[] = []

function run(castagnoli: 0 | 1, data: string | Uint8Array, initial: number): number {
  const module = getModule()
  if (address === 0) address = module.allocate(STAGE_BYTES)
  // A view of memory that has grown since is empty.
  if (stage.length === 0) stage = new Uint8Array(module.memory.buffer, address, STAGE_BYTES)
  functions[castagnoli] ??= (module.table.get(module.checksumFunction(castagnoli)) as Checksum).bind(undefined, address)
  return chain(stage, functions[castagnoli], toBytes(data), initial)
}

/** CRC-32 (ISO-HDLC, as in zlib and PNG) of bytes or of text as UTF-8; chains by `initial`. */
export function crc32(data: string | Uint8Array, initial = 0): number {
  return run(0, data, initial)
}

/** CRC-32C (Castagnoli, as in iSCSI and LevelDB) of bytes or of text as UTF-8; chains by `initial`. */
export function crc32c(data: string | Uint8Array, initial = 0): number {
  return run(1, data, initial)
}

/** `crc32(a + b)` from `crc32(a)`, `crc32(b)` and the length of b in bytes. */
export function crc32Combine(crcA: number, crcB: number, lengthB: number): number {
  return getModule().combine(0, crcA, crcB, lengthB) >>> 0
}

/** `crc32c(a + b)` from `crc32c(a)`, `crc32c(b)` and the length of b in bytes. */
export function crc32cCombine(crcA: number, crcB: number, lengthB: number): number {
  return getModule().combine(1, crcA, crcB, lengthB) >>> 0
}
