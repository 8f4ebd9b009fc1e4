import { chain } from './chain.js'
import { scalar, simd } from './inline.js'

/** The exports of wasm/checksum/checksum.cc; results are signed. */
interface ChecksumModule {
  memory: WebAssembly.Memory
  stageAddress(): number
  crc32(bytes: number, initial: number): number
  crc32c(bytes: number, initial: number): number
  combine(castagnoli: number, a: number, b: number, lengthLow: number, lengthHigh: number): number
}

/** KEYHAUL_STAGE_BYTES of wasm/CMakeLists.txt. */
const STAGE_BYTES = 256 * 1024

/** As scripts/build.mjs wrote it. */
function fromLetters(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (text.charCodeAt(2 * i) - 97) * 16 + text.charCodeAt(2 * i + 1) - 97
  return bytes
}

const instantiate = (bytes: Uint8Array<ArrayBuffer>): ChecksumModule =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as ChecksumModule

/** The module with SIMD, or where there is none, or `kind` says so, the one without. */
export function loadChecksums(kind: 'best' | 'scalar' = 'best') {
  const wide = fromLetters(simd)
  const hasSimd = kind === 'best' && WebAssembly.validate(wide)
  const module = instantiate(hasSimd ? wide : fromLetters(scalar))
  const stage = new Uint8Array(module.memory.buffer, module.stageAddress(), STAGE_BYTES)
  const { crc32, crc32c, combine } = module
  return {
    kind: hasSimd ? 'simd' : 'scalar',
    crc32: (bytes: Uint8Array, initial: number): number => chain(stage, crc32, bytes, initial),
    crc32c: (bytes: Uint8Array, initial: number): number => chain(stage, crc32c, bytes, initial),
    // A number becomes 32 bits on its way in: what is above them, and behind the point, goes.
    combine: (castagnoli: 0 | 1, a: number, b: number, lengthB: number): number => combine(castagnoli, a, b, lengthB, lengthB / 2 ** 32) >>> 0
  }
}
