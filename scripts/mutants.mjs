// Puts faults into the live engine, one at a time, and sees whether a test notices:
//   node scripts/mutants.mjs [--only=name,…] [--write]
// Works in a copy below build/mutants, builds only the live tests there, without sanitizers.
// `--write` puts the table into tests/native/README.md. The faults are in mutants.list.mjs.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { edited, mutants } from './mutants.list.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tree = join(root, 'build/mutants/tree')
const build = join(root, 'build/mutants/build')
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice(7).split(',')
const README = join(root, 'tests/native/README.md')
const TEST_SECONDS = 120

function run(command, args, seconds) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: seconds * 1000, maxBuffer: 1 << 28, killSignal: 'SIGKILL' })
  return { ok: status === 0, hung: signal === 'SIGKILL', output: `${stdout}${stderr}` }
}

function compile() {
  const { ok, output } = run('nice', ['ninja', '-C', build, '-j2', 'keyhaul_live'], 1_200)
  return ok ? undefined : output
}

function judge({ name, edits }) {
  const originals = new Map()
  try {
    for (const [file, changes] of Object.entries(edits)) {
      const path = join(tree, file)
      originals.set(path, readFileSync(path, 'utf8'))
      writeFileSync(path, edited(originals.get(path), changes, name))
    }
    const broken = compile()
    if (broken !== undefined) throw new Error(`${name} does not compile:\n${broken.slice(-3_000)}`)
    const { ok, hung, output } = run(join(build, 'keyhaul_live'), ['--gtest_brief=1', '--gtest_fail_fast'], TEST_SECONDS)
    if (ok) return { killed: false, by: '' }
    const test = /\[ {2}FAILED {2}\] (\w+\.\w+)/.exec(output)?.[1]
    return { killed: true, by: test ?? (hung ? 'does not end' : 'an assertion of the engine') }
  } finally {
    for (const [path, text] of originals) writeFileSync(path, text)
  }
}

const lineOf = ({ name, what, killed, by, harmless }) => `| ${name} | ${what} | ${killed ? by : harmless === undefined ? '**survives**' : `survives: ${harmless}`} |`

function table(rows, seconds) {
  return `| mutant | what is wrong in it | killed by |\n|---|---|---|\n${rows.map(lineOf).join('\n')}\n\n${rows.length} mutants; ${seconds} s on two shared cores, after the first build.\n`
}

/** The whole table, or with `--only` its lines. */
function write(rows, seconds) {
  const text = readFileSync(README, 'utf8')
  if (only === undefined) {
    const [before, after] = text.split(/(?<=<!-- mutants -->\n)[\s\S]*(?=<!-- end -->)/)
    return writeFileSync(README, `${before}\n${table(rows, seconds)}\n${after}`)
  }
  const lines = text.split('\n').map((line) => {
    const row = rows.find(({ name }) => line.startsWith(`| ${name} |`))
    return row === undefined ? line : lineOf(row)
  })
  writeFileSync(README, lines.join('\n'))
}

mkdirSync(tree, { recursive: true })
for (const part of ['CMakeLists.txt', 'core', 'tests/native', 'wasm', 'tests/golden']) cpSync(join(root, part), join(tree, part), { recursive: true, preserveTimestamps: true })
const configured = run('cmake', ['-S', tree, '-B', build, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1', '-DKEYHAUL_TESTS=ON', '-DKEYHAUL_SIM=OFF'], 300)
if (!configured.ok) throw new Error(configured.output)
const broken = compile()
if (broken !== undefined) throw new Error(broken.slice(-3_000))
if (!run(join(build, 'keyhaul_live'), ['--gtest_brief=1'], TEST_SECONDS).ok) throw new Error('the tests fail without any mutant')

const start = Date.now()
const rows = []
for (const mutant of mutants) {
  if (only !== undefined && !only.includes(mutant.name)) continue
  const row = { ...mutant, ...judge(mutant) }
  rows.push(row)
  console.log(`${row.killed ? 'killed  ' : 'SURVIVED'}  ${row.name.padEnd(28)} ${row.by}`)
}
compile()
if (process.argv.includes('--write')) write(rows, Math.round((Date.now() - start) / 1000))
process.exit(rows.every((row) => row.killed || row.harmless !== undefined) ? 0 : 1)
