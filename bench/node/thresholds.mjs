// From which length on which way of a checksum is quicker: the module of keyhaul/checksum as it is, with each choice
// of core/src/checksum/sparse.cc made early, and made late; around each of them, bytes that lie in its memory already.
// A choice stands well where `as it is` is the lesser of the other two. Each module in processes of its own, in turn,
// and the least of their medians: where V8 puts its code moves all lengths of a process by up to ten nanoseconds.
// npm run bench -- thresholds [--quick]
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machine } from '../shared/machine.mjs'
import { median, table, takeTurns } from '../shared/measure.mjs'

const LENGTHS = [32, 40, 48, 56, 62, 63, 64, 72, 80, 96, 448, 480, 512, 528, 544, 560, 576, 640, 16_384, 24_576, 32_768, 36_864, 49_152, 65_536, 131_072]
const KINDS = ['crc32', 'crc32c']
const MODULES = { early: 'bench_checksum_early', late: 'bench_checksum_late', 'as it is': 'checksum_simd' }
const processes = process.argv.includes('--quick') ? 3 : 9

/** Of one module, in this process: nanoseconds and results, a list of lengths for each kind. */
function measure(file) {
  const wasm = readFileSync(new URL(`../../build/wasm/wasm/keyhaul_${file}.wasm`, import.meta.url))
  const core = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports
  const stage = new Uint8Array(core.memory.buffer, core.stageAddress(), LENGTHS[LENGTHS.length - 1])
  return KINDS.map((kind) => {
    const run = core[kind]
    return LENGTHS.map((length) => {
      for (let i = 0; i < length; i++) stage[i] = Math.imul(i + 1, 2_654_435_761) >>> 13
      const result = run(length, 0)
      const times = Math.max(2, Math.ceil(40_000 / (length + 50)))
      const repeated = () => {
        for (let i = 0; i < times; i++) run(length, i)
      }
      return { result, ns: median(takeTurns({ repeated }, { rounds: 101, warmUp: 100, units: times }).repeated) }
    })
  })
}

if (process.argv[2] === '--module') {
  console.log(JSON.stringify(measure(process.argv[3])))
} else {
  console.log(`${machine()}\n`)
  const least = new Map()
  for (let round = 0; round < processes; round++) {
    for (const [name, file] of Object.entries(MODULES)) {
      const found = JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--module', file], { encoding: 'utf8' }))
      for (const [kind, list] of found.entries()) {
        for (const [i, { result, ns }] of list.entries()) {
          const at = `${KINDS[kind]} of ${LENGTHS[i]} bytes`
          const known = least.get(at) ?? { result }
          if (known.result !== result) throw new Error(`${at}, ${name}: ${result}, another has ${known.result}`)
          least.set(at, { ...known, [name]: Math.min(known[name] ?? ns, ns) })
        }
      }
    }
  }
  for (const kind of KINDS) {
    const rows = LENGTHS.map((length) => [`${length} B`, ...Object.keys(MODULES).map((name) => least.get(`${kind} of ${length} bytes`)[name].toFixed(1))])
    console.log(`${table([`${kind}, ns`, ...Object.keys(MODULES)], rows)}\n`)
  }
}
