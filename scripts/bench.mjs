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

async function browser() {
  await bootstrap(['browser'])
  await buildWasm('keyhaul_bench_record')
  run('node', ['bench/browser/run.mjs', ...quick])
  run('node', ['bench/browser/frames.mjs', ...quick])
}

const inNode = (name, flags = []) => () => run('node', [...flags, `bench/node/${name}.mjs`, ...quick])
const natively = (name, target) => () => buildNative(target).then(inNode(name))
const inWasm = (name, ...targets) => () => buildWasm(...targets).then(inNode(name))
const topics = {
  native: natively('native', 'keyhaul_bench'),
  checksum: inNode('checksum'),
  'checksum-parts': inWasm('checksum-parts', 'keyhaul_checksum_simd'),
  lags: inNode('lags'),
  thresholds: inWasm('thresholds', 'keyhaul_checksum_simd', 'keyhaul_bench_checksum_early', 'keyhaul_bench_checksum_late'),
  start: inNode('start'),
  unpack: inNode('unpack'),
  migrator: inNode('migrator'),
  record: inWasm('record', 'keyhaul_bench_record'),
  queue: inWasm('queue', 'keyhaul_bench_queue'),
  engine: inNode('engine'),
  'put-options': inNode('put-options'),
  move: inNode('move'),
  'move-parts': inNode('move-parts'),
  'move-floor': inWasm('move-floor', 'keyhaul_bench_record'),
  gate: inNode('gate'),
  live: inNode('live'),
  rehearse: inNode('rehearse'),
  // Natively too: its hashes are compared with those of the module.
  sim: natively('sim', 'keyhaul_sim'),
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
