// From which length on which way of a checksum is quicker: the module of keyhaul/checksum as it is, with each choice
// of core/src/checksum/sparse.cc made early, and made late; around each of them, bytes that lie in its memory
// already. A choice stands well where `as it is` is the lesser of the other two.
// npm run bench -- thresholds [--quick]
import { readFileSync } from 'node:fs'
import { machine } from '../shared/machine.mjs'
import { median, table, takeTurns } from '../shared/measure.mjs'

const LENGTHS = [32, 40, 48, 56, 63, 64, 72, 80, 95, 96, 400, 448, 480, 512, 544, 640, 24_576, 49_152, 57_344, 65_536, 98_304, 196_608]
const rounds = process.argv.includes('--quick') ? 51 : 501
const built = (name) => new URL(`../../build/wasm/wasm/keyhaul_${name}.wasm`, import.meta.url)
const modules = Object.entries({ early: 'bench_checksum_early', late: 'bench_checksum_late', 'as it is': 'checksum_simd' }).map(([name, file]) => {
  const core = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(built(file)))).exports
  const stage = new Uint8Array(core.memory.buffer, core.stageAddress(), LENGTHS[LENGTHS.length - 1])
  // A loop of its own for each, compiled for its module: in a common one V8 would call the second by a slower way.
  const repeat = new Function('run', 'length', 'times', `/* ${name} */ let all = 0; for (let i = 0; i < times; i++) all ^= run(length, i); return all`)
  return { name, core, stage, repeat }
})

console.log(`${machine()}\n`)
for (const kind of ['crc32', 'crc32c']) {
  const rows = LENGTHS.map((length) => {
    const times = Math.max(2, Math.ceil(40_000 / (length + 50)))
    const results = modules.map(({ core, stage, repeat }) => {
      for (let i = 0; i < length; i++) stage[i] = Math.imul(i + 1, 2_654_435_761) >>> 13
      return repeat(core[kind], length, 1)
    })
    if (results.some((result) => result !== results[0])) throw new Error(`${kind} of ${length} bytes: ${results}`)
    const ways = Object.fromEntries(modules.map(({ name, core, repeat }) => [name, () => repeat(core[kind], length, times)]))
    const spent = takeTurns(ways, { rounds, warmUp: 50, units: times })
    return [`${length} B`, ...modules.map(({ name }) => `${median(spent[name]).toFixed(1)} (${spent[name][0].toFixed(1)})`)]
  })
  console.log(`${table([`${kind}, ns: median (lowest)`, ...modules.map(({ name }) => name)], rows)}\n`)
}
