// The simulator's queue alone, in WASM: the hold model against the heap of the C++ library, which has to give the same order.
// npm run bench -- queue [--quick]
import { readFileSync } from 'node:fs'
import { machine } from '../shared/machine.mjs'
import { median, table, takeTurns } from '../shared/measure.mjs'

const module = new WebAssembly.Module(readFileSync(new URL('../../build/wasm/wasm/keyhaul_bench_queue.wasm', import.meta.url)))
// What the library would ask of a system, were it to fail.
const nothing = new Proxy({}, { get: () => () => 0 })
const { exports } = new WebAssembly.Instance(module, { env: nothing, wasi_snapshot_preview1: nothing })
exports._initialize?.()
const rounds = process.argv.includes('--quick') ? 5 : 21
const rows = [100, 1_000, 10_000, 100_000].map((pending) => {
  const events = 300_000
  for (let i = 0; i < 3; i++) {
    const [a, b] = [exports.ours(pending, events), exports.library(pending, events)]
    if (a !== b) throw new Error(`${pending} pending: the queues give other orders`)
  }
  const times = takeTurns({ ours: () => exports.ours(pending, events), library: () => exports.library(pending, events) }, { rounds, warmUp: 1, units: events })
  const rate = (ns) => (1000 / ns).toFixed(1)
  const cell = (list) => `${rate(median(list))} (${rate(list[list.length - 1])} to ${rate(list[0])})`
  return [pending.toLocaleString('en-US'), cell(times.ours), cell(times.library), `${(median(times.library) / median(times.ours)).toFixed(2)}x`]
})
console.log(`${machine()}\n`)
console.log(table(['pending', 'keyhaul, M events/s (lowest to highest)', 'std::priority_queue', 'of it'], rows))
