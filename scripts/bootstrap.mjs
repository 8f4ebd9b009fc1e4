// Finds what a step needs and installs what is missing. Uses nothing but Node.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

// [probe, Debian package]
const NEEDS = {
  build: [
    ['em++', 'emscripten'],
    ['cmake', 'cmake'],
    ['ninja', 'ninja-build']
  ],
  native: [
    ['g++', 'g++'],
    ['cmake', 'cmake'],
    ['ninja', 'ninja-build'],
    ['/usr/include/gtest/gtest.h', 'libgtest-dev']
  ],
  fuzz: [
    ['clang++-14', 'clang-14'],
    ['/usr/lib/llvm-14/lib/clang', 'libclang-rt-14-dev'],
    ['/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a', 'libclang-rt-14-dev']
  ],
  arm: [
    ['aarch64-linux-gnu-g++', 'g++-aarch64-linux-gnu'],
    ['qemu-aarch64', 'qemu-user'],
    ['/usr/src/googletest/googletest/src/gtest-all.cc', 'googletest']
  ],
  work: [
    ['valgrind', 'valgrind'],
    ['/usr/include/valgrind/callgrind.h', 'valgrind']
  ],
  bench: [
    ['g++', 'g++'],
    ['/usr/include/benchmark/benchmark.h', 'libbenchmark-dev'],
    ['/usr/include/isa-l/crc.h', 'libisal-dev'],
    ['/usr/include/libdeflate.h', 'libdeflate-dev']
  ],
  model: [
    ['spin', 'spin'],
    ['gcc', 'gcc'],
    ['cpp', 'cpp']
  ],
  browser: [['chromium', 'chromium']]
}

const has = (probe) => (probe.startsWith('/') ? existsSync(probe) : spawnSync('sh', ['-c', `command -v ${probe}`]).status === 0)

function installNpm() {
  const stamp = join(root, 'node_modules/.package-lock.json')
  const lock = join(root, 'package-lock.json')
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return
  console.log('installing npm packages')
  const flags = ['--no-fund', '--no-audit', '--loglevel=error']
  // npm ci refuses a lock that was written where a registry lacks the optional packages of
  // other platforms; what matters is pinned in package.json as well.
  if (spawnSync('npm', ['ci', ...flags], { cwd: root }).status === 0) return
  execFileSync('npm', ['install', '--no-save', ...flags], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}

/**
 * Debian's emscripten brings Debian's nodejs, which is too old for keyhaul: where no package owns the file of
 * this Node, apt-get would write over it.
 */
function assertNodeStays(missing) {
  const isDebiansPlace = process.execPath === '/usr/bin/node' && missing.includes('emscripten')
  if (!isDebiansPlace || spawnSync('dpkg', ['-S', process.execPath]).status === 0) return
  console.error(
    `apt-get would put Debian's Node in the place of ${process.execPath} (${process.version}), because emscripten depends on it, and keyhaul needs Node 20.19 or later. Move yours to /usr/local/bin, or install it as a package, and run this again.`
  )
  process.exit(1)
}

/** `kinds`: keys of NEEDS, and 'npm'. Exits with what to do when it cannot install. */
export async function bootstrap(kinds) {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20) {
    console.error(`keyhaul needs Node 20.19 or later; this is ${process.version}`)
    process.exit(1)
  }
  const missing = [...new Set(kinds.flatMap((kind) => (NEEDS[kind] ?? []).filter(([probe]) => !has(probe)).map(([, name]) => name)))]
  if (missing.length > 0) {
    const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`
    if (process.getuid?.() !== 0 || !has('apt-get')) {
      console.error(`missing: ${missing.join(', ')}. Install them and run this again, on Debian:\n  sudo sh -c '${command}'`)
      process.exit(1)
    }
    assertNodeStays(missing)
    console.log(`installing ${missing.join(', ')} (apt-get)`)
    execFileSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  }
  if (kinds.includes('npm')) installNpm()
}
