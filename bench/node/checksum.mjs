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

const ROUNDS = process.argv.includes('--quick') ? 7 : 31
const SIZES = [64, 256, 1024, 4096, 16_384, 65_536, 1 << 20, 16 << 20]
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
const asBuffer = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

const KINDS = {
  'CRC-32': {
    'keyhaul (WASM)': (bytes) => crc32(bytes),
    'zlib.crc32': zlibCrc32,
    'crc-32 (JavaScript)': (bytes) => pure.buf(bytes) >>> 0,
    'hash-wasm (WASM)': hashed(ieee),
    '@node-rs/crc32 (native)': (bytes) => nodeRs.crc32(asBuffer(bytes))
  },
  'CRC-32C': {
    'keyhaul (WASM)': (bytes) => crc32c(bytes),
    'crc-32 (JavaScript)': (bytes) => pureC.buf(bytes) >>> 0,
    'hash-wasm (WASM)': hashed(castagnoli),
    '@node-rs/crc32 (native)': (bytes) => nodeRs.crc32c(asBuffer(bytes)),
    ...fastCrc32c()
  }
}

let seed = 1
const data = Uint8Array.from({ length: SIZES[SIZES.length - 1] }, () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed >>> 24
})

function nsPerCall(run, bytes) {
  const calls = Math.max(1, Math.ceil(400_000 / (bytes.length + 200)))
  const start = process.hrtime.bigint()
  for (let i = 0; i < calls; i++) run(bytes)
  return Number(process.hrtime.bigint() - start) / calls
}

const sizeName = (n) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${n >> 10} KiB` : `${n >> 20} MiB`)
const middle = (list) => list[list.length >> 1]
for (const [kind, ways] of Object.entries(KINDS)) {
  const names = Object.keys(ways)
  console.log(`| ${kind}, GB/s (lowest to highest) | ${names.join(' | ')} |${kind === 'CRC-32' ? ' of zlib |' : ''} of hash-wasm |`)
  console.log(`|---|${names.map(() => '---|').join('')}---|${kind === 'CRC-32' ? '---|' : ''}`)
  for (const size of SIZES) {
    const bytes = data.subarray(0, size)
    const results = names.map((name) => ways[name](bytes))
    for (let i = 1; i < names.length; i++) {
      if (results[i] !== results[0]) throw new Error(`${kind} of ${size} bytes: ${names[0]} ${results[0]}, ${names[i]} ${results[i]}`)
    }
    const times = names.map(() => [])
    for (const name of names) nsPerCall(ways[name], bytes)
    for (let round = 0; round < ROUNDS; round++) {
      names.forEach((name, i) => {
        times[i].push(nsPerCall(ways[name], bytes))
      })
    }
    for (const list of times) list.sort((a, b) => a - b)
    const cell = (list) => `${(size / middle(list)).toFixed(2)} (${(size / list[list.length - 1]).toFixed(2)} to ${(size / list[0]).toFixed(2)})`
    const against = (name) => `${(middle(times[names.indexOf(name)]) / middle(times[0])).toFixed(2)}x |`
    console.log(`| ${sizeName(size)} | ${times.map(cell).join(' | ')} | ${kind === 'CRC-32' ? `${against('zlib.crc32')} ` : ''}${against('hash-wasm (WASM)')}`)
  }
  console.log()
}
