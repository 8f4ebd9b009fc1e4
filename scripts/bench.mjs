// npm run bench: every benchmark that needs no server, each with its table on stdout.
// npm run bench -- [--quick] [topic …]: native, browser, or a file of bench/node by its name.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { build, buildWasm } from './build.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: 'inherit' })
const quick = process.argv.includes('--quick') ? ['--quick'] : []

async function buildNative(target) {
  await bootstrap(['native', 'bench'])
  execFileSync('cmake', ['-S', '.', '-B', 'build/bench', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DKEYHAUL_BENCH=ON', '-DKEYHAUL_SIM=ON'], { cwd: root, stdio: 'ignore' })
  run('ninja', ['-C', 'build/bench', '--quiet', target])
}

async function native() {
  await buildNative('keyhaul_bench')
  run('node', ['bench/node/native.mjs', ...quick])
}

/** Natively too: its hashes are compared with those of the module. */
async function sim() {
  await buildNative('keyhaul_sim')
  run('node', ['bench/node/sim.mjs', ...quick])
}

async function record() {
  await buildWasm('keyhaul_bench_record')
  run('node', ['bench/node/record.mjs', ...quick])
}

async function queue() {
  await buildWasm('keyhaul_bench_queue')
  run('node', ['bench/node/queue.mjs', ...quick])
}

async function thresholds() {
  await buildWasm('keyhaul_checksum_simd', 'keyhaul_bench_checksum_early', 'keyhaul_bench_checksum_late')
  run('node', ['bench/node/thresholds.mjs', ...quick])
}

async function checksumParts() {
  await buildWasm('keyhaul_checksum_simd')
  run('node', ['bench/node/checksum-parts.mjs', ...quick])
}

async function browser() {
  await bootstrap(['browser'])
  await buildWasm('keyhaul_bench_record')
  run('node', ['bench/browser/run.mjs', ...quick])
  run('node', ['bench/browser/frames.mjs', ...quick])
}

const inNode = (name, flags = []) => () => run('node', [...flags, `bench/node/${name}.mjs`, ...quick])
const topics = {
  native,
  checksum: inNode('checksum'),
  'checksum-parts': checksumParts,
  lags: inNode('lags'),
  thresholds,
  start: inNode('start'),
  unpack: inNode('unpack'),
  migrator: inNode('migrator'),
  record,
  queue,
  engine: inNode('engine'),
  'put-options': inNode('put-options'),
  move: inNode('move'),
  'move-parts': inNode('move-parts'),
  gate: inNode('gate'),
  live: inNode('live'),
  rehearse: inNode('rehearse'),
  sim,
  memory: inNode('memory', ['--expose-gc']),
  browser
}

const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
const unknown = wanted.filter((topic) => !Object.hasOwn(topics, topic))
if (unknown.length > 0) {
  console.error(`no topic ${unknown.join(', ')}; there are ${Object.keys(topics).join(', ')}`)
  process.exit(2)
}
await build()
for (const [topic, bench] of Object.entries(topics)) {
  if (wanted.length === 0 || wanted.includes(topic)) await bench()
}
