// npm test: installs what is missing, builds, runs everything. One line a step; the whole
// output of a step only when it fails. `npm test -- --only=js` runs one, `--only=lint,types` two.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'
import { build } from './build.mjs'
import { model } from './model.mjs'
import { CONFIGURE, work } from './work.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice(7).split(',')
const known = []
let failures = 0

function sh(command) {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    // What it wrote last may come after its exit; what it left running may hold its streams for ever.
    child.on('exit', (code, signal) => {
      const end = () => (code === 0 ? resolve(output) : reject(new Error(`${command}\n${output}\nended with ${signal ?? code}`)))
      child.on('close', end)
      setTimeout(end, 2000).unref()
    })
  })
}

/** As Promise.all, but nothing of them runs on behind a failure. */
async function allOf(promises) {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** Two at a time, in this order. */
async function inLanes(items, run) {
  const results = []
  const left = items.entries()
  const lane = async () => {
    for (const [at, item] of left) results[at] = await run(item)
  }
  await allOf([lane(), lane()])
  return results
}

async function step(name, run) {
  known.push(name)
  if (only !== undefined && !only.includes(name)) return
  const start = Date.now()
  try {
    const note = (await run()) ?? ''
    console.log(`ok    ${name.padEnd(12)} ${((Date.now() - start) / 1000).toFixed(1).padStart(6)} s  ${note}`)
  } catch (error) {
    failures++
    console.log(`FAIL  ${name.padEnd(12)} ${((Date.now() - start) / 1000).toFixed(1).padStart(6)} s\n${error.message}`)
  }
}

const testFiles = (folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true })
        .filter((file) => file.endsWith('.test.mjs') || file.endsWith('.test.ts'))
        .map((file) => join(folder, file))
        .sort()
    : []

/** With three files at once two cores stand still for an eighth of the time, with two for longer. */
async function nodeTests(folder, concurrency) {
  const files = testFiles(folder)
  if (files.length === 0) return 'none'
  const output = await sh(`node --import tsx --test --test-concurrency=${concurrency} ${files.join(' ')}`)
  return /# tests (\d+)/.exec(output)?.[0] ?? output.match(/tests \d+/)?.[0]
}

async function native() {
  await bootstrap(['native'])
  await sh('cmake -S . -B build/debug -G Ninja -DCMAKE_BUILD_TYPE=Debug -DKEYHAUL_DEV=ON -DKEYHAUL_TESTS=ON -DKEYHAUL_PCH=ON -DKEYHAUL_SANITIZE=address,undefined && ninja -C build/debug --quiet')
  const output = await sh('ctest --test-dir build/debug --output-on-failure -V -j2')
  const counts = [...output.matchAll(/\[ {2}PASSED {2}\] (\d+) test/g)].map((match) => match[1])
  return `${counts.join(' + ')} tests, address and undefined sanitizers`
}

const buildSimulation = (target) => sh(`${CONFIGURE} && ninja -C build/simulation --quiet ${target}`)

/** The same seeds as in `native` and many more: without sanitizers they are much faster. */
async function simulation() {
  await buildSimulation('keyhaul_simulation')
  const parts = Array.from({ length: 8 }, (_, part) => `GTEST_TOTAL_SHARDS=8 GTEST_SHARD_INDEX=${part} build/simulation/keyhaul_simulation`)
  const passed = await inLanes(parts, async (command) => Number(/\[ {2}PASSED {2}\] (\d+) test/.exec(await sh(command))?.[1]))
  return `${passed.reduce((sum, count) => sum + count, 0)} tests`
}

/** On each checksum kernel that this processor has: every native test of the core, and seeds of copies and of live moves, which have the same hashes on all. */
async function kernels() {
  const kinds = ['unit', 'property', 'live', 'allocation']
  await buildSimulation(`${kinds.map((kind) => `keyhaul_${kind}`).join(' ')} keyhaul_transcript keyhaul_sim`)
  const all = await allOf(
    ['portable', 'sparse', 'sse42', 'pclmul', 'vpclmul256', 'vpclmul512'].map(async (kernel) => {
      const on = (command) => sh(`KEYHAUL_CHECKSUM_KERNEL=${kernel} build/simulation/${command}`)
      try {
        await on('keyhaul_unit --gtest_brief=1')
      } catch (error) {
        if (error.message.includes('no checksum kernel')) return [] // on this processor
        throw error
      }
      // Eight hundred simulated moves tell nothing of a checksum.
      for (const kind of kinds) if (kind !== 'unit') await on(`keyhaul_${kind} --gtest_brief=1 --gtest_filter=-LiveForecast.*`)
      await on('keyhaul_transcript tests/golden/transcripts/*.txt')
      const hashes = await Promise.all(['swarm --seeds 1..200', 'live-swarm --seeds 1..100'].map((seeds) => on(`keyhaul_sim --each --scenario ${seeds}`)))
      return [{ kernel, hashes: hashes.join('') }]
    })
  )
  const ran = all.flat()
  if (ran[0]?.kernel !== 'portable') throw new Error('not even the portable kernel ran')
  const other = ran.find(({ hashes }) => hashes !== ran[0].hashes)
  if (other !== undefined) throw new Error(`seeds have other hashes on ${other.kernel} than on portable`)
  return ran.map(({ kernel }) => kernel).join(', ')
}

/** Checksums and digests as an ARMv8 computes them, under qemu. */
async function arm() {
  await bootstrap(['native', 'arm'])
  const gtest = '/usr/src/googletest/googletest'
  const flags = `-std=c++20 -O1 -march=armv8-a+crc+crypto -Icore/include -Icore/src -Itests/native -I${gtest}/include -I${gtest}`
  const halves = [
    `tests/native/property/checksum_laws_test.cc ${gtest}/src/gtest-all.cc`,
    `tests/native/property/digest_quality_test.cc ${gtest}/src/gtest_main.cc core/src/base/*.cc core/src/checksum/*.cc core/src/digest/*.cc core/src/range/*.cc`
  ]
  await sh('mkdir -p build/arm')
  await allOf(halves.map((sources, half) => sh(`aarch64-linux-gnu-g++ ${flags} -r ${sources} -o build/arm/half${half}.o`)))
  await sh('aarch64-linux-gnu-g++ -static build/arm/half0.o build/arm/half1.o -o build/arm/laws')
  const output = await sh('qemu-aarch64 build/arm/laws --gtest_brief=1')
  return `${/PASSED {2}\] (\d+)/.exec(output)?.[1]} tests of checksums and digests`
}

async function generated() {
  for (const [kind, file] of [
    ['errors', 'js/src/errors.generated.ts'],
    ['layout', 'js/src/engine/layout.generated.ts']
  ]) {
    await sh(`build/debug/gen_layout ${kind} | diff - ${file}`).catch((error) => {
      throw new Error(`${file} is not what npm run generate makes:\n${error.message}`)
    })
  }
}

async function fuzz() {
  await bootstrap(['fuzz'])
  await sh('CXX=clang++-14 cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -DKEYHAUL_FUZZ=ON -DKEYHAUL_PCH=ON -DKEYHAUL_SANITIZE=address,undefined && ninja -C build/fuzz --quiet')
  const targets = readdirSync(join(root, 'build/fuzz')).filter((file) => file.endsWith('_fuzz'))
  await inLanes(targets, (target) => sh(`cd build/fuzz && ./${target} -max_total_time=8 -rss_limit_mb=1500 -timeout=5 -verbosity=0`))
  return targets.join(', ')
}

/** Without precompiled headers, so that each file of the core is found that forgot one; how fast it is matters to nobody here. */
async function installed() {
  await sh('cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O0 -DNDEBUG" && ninja -C build/release keyhaul --quiet && rm -rf build/install build/install-test && cmake --install build/release --prefix build/install')
  await sh('cmake -S tests/native/install -B build/install-test -G Ninja -DCMAKE_PREFIX_PATH=$PWD/build/install && cmake --build build/install-test && build/install-test/uses_keyhaul')
}

// What a step needs it installs itself, or says so; who may installs all at once, as each time Debian's lists are read anew.
await bootstrap(only === undefined && process.getuid?.() === 0 ? ['npm', 'native', 'arm', 'work', 'fuzz', 'model', 'build', 'browser'] : ['npm'])
await step('native', native)
await step('simulation', simulation)
await step('kernels', kernels)
await step('arm', arm)
await step('work', work)
await step('generated', generated)
if (readdirSync(join(root, 'tests/native')).includes('fuzz') && globFuzz()) await step('fuzz', fuzz)
if (existsSync(join(root, 'tests/native/install'))) await step('install', installed)
await step('model', model)
await step('build', build)
// Neither needs both processors all the time.
await Promise.all([
  step('lint', () => sh('npm run -s lint -- --diagnostic-level=error --max-diagnostics=30').then(() => undefined)).then(() =>
    step('types', () => sh('npx tsc -p tsconfig.tests.json --noEmit').then(() => undefined))
  ),
  step('parity', async () => {
    await bootstrap(['native'])
    await buildSimulation('keyhaul_sim') // tests/js/parity/simulation.test.ts compares with it
    return nodeTests('tests/js/parity', 2)
  })
])
await step('js', () => nodeTests('tests/js/unit', 3))
await step('tidy', () => nodeTests('tests/js/tidy', 2))
await step('integration', () => nodeTests('tests/js/integration', 3))
if (testFiles('tests/js/package').length > 0) {
  await step('package', async () => {
    await bootstrap(['browser'])
    return nodeTests('tests/js/package', 2)
  })
}
const unknown = (only ?? []).filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`no step ${unknown.join(', ')}; there are ${known.join(', ')}`)
  process.exit(2)
}
console.log(failures === 0 ? 'all passed' : `${failures} step${failures > 1 ? 's' : ''} failed`)
process.exit(failures === 0 ? 0 : 1)

function globFuzz() {
  return readdirSync(join(root, 'tests/native/fuzz')).some((file) => file.endsWith('_fuzz.cc'))
}
