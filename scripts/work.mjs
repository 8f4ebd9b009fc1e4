// Counts the instructions of tests/native/work/work.cc by callgrind and compares them with those
// that were recorded: node scripts/work.mjs [--record]. A count does not depend on how busy the
// machine is; on the compiler it does.
import { execFileSync, execSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const TABLE = join(root, 'tests/native/work/instructions.json')
const MORE_MAX = 0.05
/** With another compiler than the recorded one only what is grossly more can be told. */
const MORE_MAX_ELSEWHERE = 0.3

/** The build without sanitizers, of which scripts/test.mjs wants the most. */
export const CONFIGURE = 'cmake -S . -B build/simulation -G Ninja -DCMAKE_BUILD_TYPE=Release -DKEYHAUL_TESTS=ON -DKEYHAUL_SIM=ON -DKEYHAUL_PCH=ON'

function build() {
  execSync(CONFIGURE, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const built = spawnSync('ninja', ['-C', 'build/simulation', '--quiet', 'keyhaul_work'], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(built.stdout + built.stderr)
}

/** Instructions a piece of work, by name. */
function count() {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-work-'))
  try {
    const flags = ['--tool=callgrind', '--collect-atstart=no', '--collect-jumps=no', `--callgrind-out-file=${join(folder, 'out')}`]
    const ran = spawnSync('valgrind', [...flags, join(root, 'build/simulation/keyhaul_work')], { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(`the work ended with ${ran.signal ?? ran.status}\n${ran.stdout}${ran.stderr}`)
    const items = new Map(ran.stdout.trim().split('\n').map((line) => line.split('\t')).map(([number, name]) => [name, Number(number)]))
    const counted = {}
    for (const file of readdirSync(folder).sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))) {
      const text = readFileSync(join(folder, file), 'utf8')
      const name = /^desc: Trigger: Client Request: (.*)$/m.exec(text)?.[1]
      if (name === undefined || !items.has(name)) continue
      counted[name] = Number((Number(/^(?:totals|summary): (\d+)/m.exec(text)?.[1]) / items.get(name)).toPrecision(6))
    }
    const missing = [...items.keys()].filter((name) => counted[name] === undefined)
    if (missing.length > 0) throw new Error(`callgrind said nothing of: ${missing.join('; ')}`)
    return counted
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const compiler = () => `g++ ${execFileSync('g++', ['-dumpfullversion'], { encoding: 'utf8' }).trim()}`

/** Throws where something takes more instructions than it did. */
export async function work({ record = false } = {}) {
  await bootstrap(['native', 'work'])
  build()
  const counted = count()
  if (record) {
    writeFileSync(TABLE, `${JSON.stringify({ compiler: compiler(), instructions: counted }, null, 2)}\n`)
    return `${Object.keys(counted).length} counts recorded`
  }
  const recorded = JSON.parse(readFileSync(TABLE, 'utf8'))
  const same = recorded.compiler === compiler()
  const most = same ? MORE_MAX : MORE_MAX_ELSEWHERE
  const worse = []
  const better = []
  for (const name of new Set([...Object.keys(recorded.instructions), ...Object.keys(counted)])) {
    const [before, now] = [recorded.instructions[name], counted[name]]
    const line = `${name}: ${before} -> ${now} instructions each`
    if (before === undefined || now === undefined || now > before * (1 + most)) worse.push(line)
    else if (now < before * (1 - MORE_MAX)) better.push(line)
  }
  const again = 'node scripts/work.mjs --record'
  if (worse.length > 0) {
    throw new Error(`more work than recorded (by more than ${most * 100} %):\n${worse.join('\n')}\nMend it; or where it is worth that, record it with a reason in the commit: ${again}`)
  }
  const where = same ? '' : `, ${recorded.compiler} was recorded and ${compiler()} counted`
  const less = better.length === 0 ? '' : `; less than recorded, so record it (${again}): ${better.join('; ')}`
  return `${Object.keys(counted).length} instruction counts within ${most * 100} %${where}${less}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await work({ record: process.argv.includes('--record') }).catch((error) => {
    process.exitCode = 1
    return error.message
  }))
}
