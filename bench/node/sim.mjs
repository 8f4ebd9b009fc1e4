// Events a second of the simulator with all oracles, in WASM and natively, by processor time; the
// hashes are compared before anything is timed. The native command is built by `npm run bench`
// (build/bench/keyhaul_sim), or KEYHAUL_SIM names it. node bench/node/sim.mjs [--quick]
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { runSimCommand } from '../../dist/sim/command.js'
import { machine } from '../shared/machine.mjs'

const native = process.env.KEYHAUL_SIM ?? new URL('../../build/bench/keyhaul_sim', import.meta.url).pathname
const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 7
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

function inWasm(args) {
  const start = process.cpuUsage()
  const { text } = runSimCommand(args)
  const { user, system } = process.cpuUsage(start)
  return { text, us: user + system }
}

function natively(args) {
  const before = childrenUs()
  const { stdout } = spawnSync(native, args, { encoding: 'utf8' })
  return { text: stdout, us: childrenUs() - before }
}

/** Of children that have ended, from the kernel: user and system, in ticks of 10 ms. */
function childrenUs() {
  const { stdout } = spawnSync('cat', [`/proc/${process.pid}/stat`], { encoding: 'utf8' })
  const fields = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10_000
}

const hasNative = existsSync(native)
if (!hasNative) console.log(`no ${native}; WASM only\n`)
console.log(`${machine()}\n`)
console.log('| events, M/s | WASM (lowest to highest) | native | native of WASM |\n|---|---|---|---|')
for (const scenario of ['swarm', 'follow', 'many', 'live-swarm', 'live-shared']) {
  const args = ['--seeds', quick ? '1..100' : '1..400', '--scenario', scenario]
  const warm = inWasm(args).text
  const events = Number(/(\d+) events/.exec(warm)[1])
  if (hasNative && natively(args).text !== warm) throw new Error(`${scenario}: native and WASM differ`)
  const [wasm, other] = [[], []]
  for (let round = 0; round < rounds; round++) {
    wasm.push(events / inWasm(args).us)
    if (hasNative) other.push(events / natively(args).us)
  }
  const f = (n) => n.toFixed(2)
  const rest = hasNative ? `${f(median(other))} | ${f(median(other) / median(wasm))}x` : '- | -'
  console.log(`| ${scenario} | ${f(median(wasm))} (${f(Math.min(...wasm))} to ${f(Math.max(...wasm))}) | ${rest} |`)
}
