// Runs tests/model/cutover.pml through spin: every bound below to the end, then every sabotage,
// each of which must break a property. `node scripts/model.mjs [--all] [name ...]` prints a table;
// --all adds the bounds that are too large for npm test, and what a client notices of a sabotage.
import { execFile } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'tests/model')
const TIMEOUT_MS = 600_000
const TIMEOUT_ALL_MS = 7_200_000

const NO_FAULTS = { MIGRATIONS: 1, WRITES: 2, COORDINATOR_CRASHES: 0, DEATHS: 1, STORE_CRASHES: 0, LOST: 0, LATE: 0, SUSPICIONS: 0, WINDOWS: 0, LOSSES: 0 }

// `cycles`: a second run that searches for runs without an end; without any, servedInTheEnd needs no fairness.
const BOUNDS = [
  { name: 'late-crash', LATE: 1, COORDINATOR_CRASHES: 1, STORE_CRASHES: 1, cycles: true },
  { name: 'crashes', COORDINATOR_CRASHES: 1, STORE_CRASHES: 1, LOST: 1, SUSPICIONS: 1 },
  { name: 'late', LATE: 1, LOST: 1, SUSPICIONS: 1 },
  { name: 'late-twice', MIGRATIONS: 2, LATE: 1, LOST: 1 },
  { name: 'twice', MIGRATIONS: 2, COORDINATOR_CRASHES: 1, LOST: 1, cycles: true },
  { name: 'window', WINDOWS: 1, COORDINATOR_CRASHES: 1, STORE_CRASHES: 1, LOST: 1 },
  { name: 'window-late', WINDOWS: 1, LATE: 1, LOST: 1 },
  { name: 'window-lost', WINDOWS: 1, LOSSES: 1, COORDINATOR_CRASHES: 1, LOST: 1, cycles: true }
]

// Minutes and gigabytes; run by hand.
const LARGE = [
  { name: 'late-crash-twice', MIGRATIONS: 2, LATE: 1, COORDINATOR_CRASHES: 1, STORE_CRASHES: 1, large: true },
  { name: 'late-twice-suspicion', MIGRATIONS: 2, LATE: 1, SUSPICIONS: 1, large: true },
  { name: 'late-crash-lost', LATE: 1, COORDINATOR_CRASHES: 1, STORE_CRASHES: 1, LOST: 1, large: true }
]

const SABOTAGES = [
  { name: 'UNFENCE_BY_TIMER' },
  { name: 'SKIP_FENCE' },
  { name: 'SKIP_DRAIN' },
  { name: 'ACCEPT_OLD_EPOCH', MIGRATIONS: 2, LATE: 1 },
  { name: 'DECIDE_WITHOUT_CAS', SUSPICIONS: 1 },
  { name: 'ABORT_AFTER_UNKNOWN', LOST: 1 },
  { name: 'ABORT_SAME_EPOCH', LATE: 1 },
  { name: 'CLEANUP_BEFORE_DECIDE' },
  { name: 'VOLATILE_FENCE', STORE_CRASHES: 1 },
  { name: 'ACTIVATE_BEFORE_DECIDE' },
  { name: 'LATE_CLEANUP_OF_OLD_MIGRATION', MIGRATIONS: 2, LATE: 1 },
  { name: 'FEED_AFTER_SCAN' },
  { name: 'SKIP_FENCE_READS' },
  { name: 'DRAIN_NOT_DURABLE', STORE_CRASHES: 1 },
  { name: 'DRAIN_BY_OLD_ANSWERS', STORE_CRASHES: 1, LATE: 1 },
  { name: 'PAGE_TWICE', LATE: 1 },
  { name: 'PAGE_AT_ANY_POSITION', LATE: 1, STORE_CRASHES: 1 },
  { name: 'ARM_AFTER_ACTIVATE', WINDOWS: 1 },
  { name: 'CLEANUP_BEFORE_TURN', WINDOWS: 1 },
  { name: 'CLOSE_WITHOUT_CAS', WINDOWS: 1, cycles: true },
  { name: 'GIVE_UP_WITHOUT_CAS', WINDOWS: 1, LOSSES: 1 },
  { name: 'BACK_FROM_THE_DEAD', WINDOWS: 1, LOSSES: 1 },
  { name: 'CLEANUP_OF_THE_SAME_EPOCH_ONLY', MIGRATIONS: 2, COORDINATOR_CRASHES: 1, cycles: true }
]

function run(command, args, cwd, timeout) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, timeout, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      // pan ends with 0 whatever it found; spin -t ends with 1 at a failed assertion.
      if (error && (error.killed || command !== 'spin')) reject(new Error(`${command} ${args.join(' ')} in ${cwd}\n${error.message}\n${stdout}${stderr}`))
      else resolve(stdout + stderr)
    })
  })
}

/** What a trail says: the property that failed, and the requests up to there. */
async function readTrail(folder, defines) {
  const trail = await run('spin', ['-t', '-T', ...defines, 'cutover.pml'], folder, 10_000)
  const [, file, line] = /(\w+\.pml):(\d+), Error: assertion violated/.exec(trail) ?? []
  const text = file === undefined ? '' : readFileSync(join(source, file), 'utf8').split('\n')[Number(line) - 1]
  const property = /(?:inner|outcome)\((\w+),/.exec(text ?? '')?.[1]
  return { property: property ?? 'servedInTheEnd: a run without an end', requests: trail.split('\n').filter((text) => /^ *\d: /.test(text)).map((text) => text.trim()) }
}

async function check(job, timeout) {
  const { name, sabotage, cycles, outcomesOnly, large, ...bounds } = job
  const folder = join(root, 'build/model', [name, cycles && 'cycles', outcomesOnly && 'outcomes'].filter(Boolean).join('-'))
  cpSync(source, folder, { recursive: true })
  const defines = Object.entries({ ...NO_FAULTS, ...bounds }).map(([key, value]) => `-D${key}=${value}`)
  if (sabotage) defines.push(`-DSABOTAGE_${name}`)
  if (outcomesOnly) defines.push('-DOUTCOMES_ONLY')
  await run('spin', [...defines, '-a', 'cutover.pml'], folder, 10_000)
  // -O1: the search of a sabotage is shorter than a better compilation would be.
  await run('gcc', [sabotage ? '-O1' : '-O2', '-w', cycles ? '-DNP' : '-DSAFETY', '-DNOREDUCE', '-DNOFAIR', '-DVECTORSZ=1024', ...(large ? ['-DCOLLAPSE'] : []), '-o', 'pan', 'pan.c'], folder, timeout)
  const output = await run('./pan', ['-m5000', '-w22', ...(cycles ? ['-l'] : [])], folder, timeout)
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? -1)
  const states = Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0)
  if (errors < 0 || (errors === 0 && /not completed|too small|out of memory|truncated/i.test(output))) throw new Error(`spin did not get to the end of ${name}:\n${output}`)
  const result = { ...job, errors, states, seconds: Number(/elapsed time ([\d.]+)/.exec(output)?.[1] ?? 0) }
  return errors === 0 ? result : { ...result, ...(await readTrail(folder, defines)) }
}

async function checkAll(jobs, timeout, report) {
  const queue = [...jobs]
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) report(await check(job, timeout))
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker))
}

const show = (result) => result.requests.map((text) => `  ${text}`).join('\n')

/** For npm test. Throws when the model fails, or a sabotage does not. */
export async function model() {
  await bootstrap(['model'])
  let states = 0
  const failures = []
  await checkAll([...BOUNDS.flatMap(withCycles), ...SABOTAGES.map(asSabotage)], TIMEOUT_MS, (result) => {
    if (result.sabotage && result.errors === 0) failures.push(`SABOTAGE_${result.name} breaks nothing in ${result.states} states`)
    if (!result.sabotage && result.errors > 0) failures.push(`the model with the bounds "${result.name}" breaks ${result.property}:\n${show(result)}`)
    if (!result.sabotage && !result.cycles) states += result.states
  })
  if (failures.length > 0) throw new Error(failures.join('\n'))
  return `${states} states in ${BOUNDS.length} bounds, ${SABOTAGES.length} sabotages caught`
}

const withCycles = ({ cycles, ...bound }) => (cycles ? [bound, { ...bound, cycles }] : [bound])
const asSabotage = (sabotage) => ({ ...sabotage, sabotage: true })

async function main() {
  const all = process.argv.includes('--all')
  const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
  await bootstrap(['model'])
  const outcomes = all ? SABOTAGES.filter((sabotage) => !sabotage.cycles).map((sabotage) => ({ ...asSabotage(sabotage), outcomesOnly: true })) : []
  const jobs = [...BOUNDS, ...(all ? LARGE : [])].flatMap(withCycles).concat(SABOTAGES.map(asSabotage), outcomes)
  await checkAll(names.length === 0 ? jobs : jobs.filter((job) => names.includes(job.name)), TIMEOUT_ALL_MS, (result) => {
    const kind = result.sabotage ? (result.outcomesOnly ? 'outcome of' : 'sabotage') : result.cycles ? 'cycles of' : 'bounds'
    console.log(`${kind.padEnd(10)} ${result.name.padEnd(30)} ${String(result.states).padStart(9)} states ${result.seconds.toFixed(1).padStart(6)} s  ${result.property ?? 'holds'}`)
    if (result.requests && names.length > 0) console.log(show(result))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
