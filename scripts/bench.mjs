// npm run bench: every benchmark that needs no server, each with its table on stdout.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { build } from './build.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: 'inherit' })
const quick = process.argv.includes('--quick') ? ['--quick'] : []

await build()
if (readdirSync(join(root, 'bench')).includes('native') && existsSync(join(root, 'bench/native'))) {
  await bootstrap(['native', 'bench'])
  execFileSync('cmake', ['-S', '.', '-B', 'build/bench', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DKEYHAUL_BENCH=ON', '-DKEYHAUL_SIM=ON'], { cwd: root, stdio: 'ignore' })
  execFileSync('ninja', ['-C', 'build/bench', '--quiet'], { cwd: root, stdio: 'inherit' })
  if (existsSync(join(root, 'build/bench/keyhaul_bench'))) run('build/bench/keyhaul_bench', ['--benchmark_min_time=0.2'])
}
run('node', ['bench/node/checksum.mjs', ...quick])
run('node', ['bench/node/migrator.mjs', ...quick])
run('node', ['bench/node/put-options.mjs'])
run('node', ['bench/node/move.mjs', ...quick])
run('node', ['bench/node/live.mjs', ...quick])
run('node', ['bench/node/sim.mjs', ...quick])
if (existsSync('/usr/bin/chromium')) run('node', ['bench/browser/frames.mjs', ...quick])
run('node', ['--expose-gc', 'bench/node/memory.mjs', ...quick])
