// CRC-32 and CRC-32C of a Uint8Array, the copy into WASM included, against the packages people
// use. Results are compared first; ways take turns, so that noise hits all of them.
// node bench/node/checksum.mjs [--quick]
import { createRequire } from 'node:module'
import { crc32 as zlibCrc32 } from 'node:zlib'
import * as nodeRs from '@node-rs/crc32'
import pure from 'crc-32'
import pureC from 'crc-32/crc32c.js'
import { createCRC32 } from 'hash-wasm'
import { crc32, crc32c } from '../../dist/checksum/index.js'
import { loadChecksums } from '../../dist/checksum/load.js'
import { checksumTables } from '../shared/checksum.mjs'
import { machine } from '../shared/machine.mjs'

const ROUNDS = process.argv.includes('--quick') ? 7 : 31
const [ieee, castagnoli] = [await createCRC32(), await createCRC32(0x82f63b78)]
const hashed = (hasher) => (bytes) => Number.parseInt(hasher.init().update(bytes).digest(), 16)

/** Not installed with the others, because it compiles: see bench/README.md. */
function fastCrc32c() {
  try {
    const { calculate } = createRequire(import.meta.url)('fast-crc32c/impls/sse4_crc32c')
    return { 'fast-crc32c (native)': (bytes) => calculate(asBuffer(bytes)) }
  } catch {
    return {}
  }
}
/** What a machine without SIMD runs. */
const scalar = loadChecksums('scalar')
const asBuffer = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

const KINDS = {
  'CRC-32': {
    'keyhaul (WASM)': (bytes) => crc32(bytes),
    'keyhaul without SIMD': (bytes) => scalar.crc32(bytes, 0),
    'zlib.crc32': zlibCrc32,
    'crc-32 (JavaScript)': (bytes) => pure.buf(bytes) >>> 0,
    'hash-wasm (WASM)': hashed(ieee),
    '@node-rs/crc32 (native)': (bytes) => nodeRs.crc32(asBuffer(bytes))
  },
  'CRC-32C': {
    'keyhaul (WASM)': (bytes) => crc32c(bytes),
    'keyhaul without SIMD': (bytes) => scalar.crc32c(bytes, 0),
    'crc-32 (JavaScript)': (bytes) => pureC.buf(bytes) >>> 0,
    'hash-wasm (WASM)': hashed(castagnoli),
    '@node-rs/crc32 (native)': (bytes) => nodeRs.crc32c(asBuffer(bytes)),
    ...fastCrc32c()
  }
}

const against = { 'zlib.crc32': 'of zlib', 'hash-wasm (WASM)': 'of hash-wasm', 'fast-crc32c (native)': 'of fast-crc32c' }
console.log(`${machine('zlib', 'crc-32', 'hash-wasm', '@node-rs/crc32', 'fast-crc32c')}\n`)
console.log(checksumTables(KINDS, { rounds: ROUNDS, against, atOnce: 400_000 }).join('\n\n'))
