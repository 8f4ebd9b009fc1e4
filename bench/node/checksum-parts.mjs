// Where the time of a checksum from JavaScript goes: the copy into linear memory alone, the kernel alone on bytes that lie
// there already, both as `keyhaul/checksum` does it, and what each goal of the ratios to others demands. In one run, in turns.
// npm run bench -- checksum-parts [--quick]
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { createCRC32 } from 'hash-wasm'
import { crc32, crc32c } from '../../dist/checksum/index.js'
import { machine } from '../shared/machine.mjs'
import { median, table, takeTurns } from '../shared/measure.mjs'

const SIZES = [['4 KiB', 4096], ['16 KiB', 16_384], ['64 KiB', 65_536], ['1 MiB', 1 << 20], ['16 MiB', 16 << 20]]
const PIECE = 256 * 1024 // KEYHAUL_STAGE_BYTES of wasm/CMakeLists.txt
const rounds = process.argv.includes('--quick') ? 15 : 61

const wasm = readFileSync(new URL('../../build/wasm/wasm/keyhaul_checksum_simd.wasm', import.meta.url))
const core = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports
const stage = new Uint8Array(core.memory.buffer, core.stageAddress(), PIECE)
const bytes = Uint8Array.from({ length: 16 << 20 }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 13)
const hasher = async (polynomial) => {
  const made = await createCRC32(polynomial)
  return (part) => Number.parseInt(made.init().update(part).digest(), 16)
}

/** Of each peer: how many times as fast the goal is, up to how many bytes. This one as in checksum.mjs: not installed with the others. */
function fastCrc32c() {
  try {
    const { calculate } = createRequire(import.meta.url)('fast-crc32c/impls/sse4_crc32c')
    return [['fast-crc32c', 1.5, 1 << 20, (part) => calculate(Buffer.from(part.buffer, part.byteOffset, part.length))]]
  } catch {
    return []
  }
}

const KINDS = {
  'CRC-32': { both: crc32, run: core.crc32, peers: [['zlib.crc32', 2, Infinity, zlibCrc32], ['hash-wasm', 5, Infinity, await hasher()]] },
  'CRC-32C': { both: crc32c, run: core.crc32c, peers: [['hash-wasm', 5, Infinity, await hasher(0x82f63b78)], ...fastCrc32c()] }
}

/** All pieces of a message one after another, as `chain` of js/src/checksum does it. */
const pieces = (size, run) => (part) => {
  for (let at = 0; at < size; at += PIECE) run(part, at, Math.min(PIECE, size - at))
}

console.log(`${machine('zlib', 'hash-wasm', 'fast-crc32c')}\n`)
for (const [kind, { both, run, peers }] of Object.entries(KINDS)) {
  const rows = SIZES.map(([name, size]) => {
    const part = bytes.subarray(0, size)
    const expected = both(part)
    for (const [peer, , , way] of peers) if (way(part) !== expected) throw new Error(`${kind} of ${name}: ${peer} has another result`)
    const ways = {
      copy: pieces(size, (from, at, length) => stage.set(length === from.length ? from : from.subarray(at, at + length))),
      kernel: pieces(size, (_, at, length) => run(length, at)),
      both,
      ...Object.fromEntries(peers.map(([peer, , , way]) => [peer, way]))
    }
    const calls = Math.max(1, Math.ceil(400_000 / size))
    const repeated = Object.fromEntries(Object.entries(ways).map(([way, one]) => [way, () => {
      for (let i = 0; i < calls; i++) one(part)
    }]))
    const times = takeTurns(repeated, { rounds, warmUp: 5, units: calls })
    const ns = (way) => median(times[way])
    const rate = (time) => (size / time).toFixed(1)
    const cells = peers.map(([peer, goal, upTo]) => {
      if (size > upTo) return 'no goal'
      const demanded = ns(peer) / goal
      const left = demanded - ns('copy')
      return `${rate(demanded)} (kernel ${left > 0 ? rate(left) : 'without time'}): ${ns('both') <= demanded ? 'reached' : 'not reached'}`
    })
    return [name, rate(ns('copy')), rate(ns('kernel')), rate(ns('copy') + ns('kernel')), rate(ns('both')), ...cells]
  })
  console.log(`${table([`${kind}, GB/s`, 'copy alone', 'kernel alone', 'one after the other', 'as it is', ...peers.map(([peer, goal]) => `demanded by ${goal}x ${peer}`)], rows)}\n`)
}
