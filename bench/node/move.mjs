// LevelDB to LevelDB: keyhaul against the loops people write, in turn, each run in a process of its own (move-once.mjs:
// in one process for all, the loops fill memory that keyhaul gave back), results compared; and a
// memory-level, which is no disk. node bench/node/move.mjs [--quick] [--json] [--value=100|4096|262144] [--runs=N]
// [--memory] [--page=BYTES]; one core: taskset -c 0 node …
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { databaseOf, fill } from '../shared/databases.mjs'
import { machine } from '../shared/machine.mjs'
import { FLOOR, WAYS } from '../shared/move-ways.mjs'

const quick = process.argv.includes('--quick')
const given = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
const RUNS = Number(given('runs') ?? (quick ? 1 : 3))
const pageBytes = given('page')
const SHAPES = [
  { name: '1 M x 116 B', rows: quick ? 100_000 : 1_000_000, valueBytes: 100 },
  { name: '100 k x 4 KiB', rows: quick ? 10_000 : 100_000, valueBytes: 4096 },
  { name: '2 k x 256 KiB', rows: quick ? 400 : 2000, valueBytes: 262_144 },
  { name: 'memory-level, 200 k x 116 B', rows: quick ? 20_000 : 200_000, valueBytes: 100, memory: true },
  { name: 'memory-level, 20 k x 4 KiB', rows: quick ? 5_000 : 20_000, valueBytes: 4096, memory: true },
  { name: 'memory-level, 400 x 256 KiB', rows: quick ? 100 : 400, valueBytes: 262_144, memory: true }
].filter(({ valueBytes, memory = false }) =>
  process.argv.every((arg) => (!arg.startsWith('--value=') || (arg === `--value=${valueBytes}` && !memory)) && (arg !== '--memory' || memory)))
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const once = fileURLToPath(new URL('move-once.mjs', import.meta.url))

/** Another one begins in each run. */
const inTurn = (list, run) => [...list.slice(run % list.length), ...list.slice(0, run % list.length)]
const median = (list) => [...list].sort((x, y) => x - y)[list.length >> 1]
const rates = (seconds, rows) => {
  const [rowsPerSecond, lowest, highest] = [median(seconds), Math.max(...seconds), Math.min(...seconds)].map((s) => Math.round(rows / s))
  return { rowsPerSecond, lowest, highest }
}
const results = []
for (const shape of SHAPES) {
  const inside = shape.memory ? undefined : join(folder, String(shape.valueBytes))
  if (inside !== undefined) {
    mkdirSync(inside)
    for (const [name, rows] of [['source', shape.rows], ['source-warm', shape.rows / 10]]) {
      const db = databaseOf(join(inside, name))
      await db.open()
      await fill(db, rows, shape.valueBytes)
      await db.close()
    }
  }
  const ways = [...Object.keys(WAYS), ...(shape.memory ? [FLOOR] : [])]
  const seconds = Object.fromEntries(ways.map((way) => [way, []]))
  const verify = []
  for (let run = 0; run < RUNS; run++) {
    for (const way of inTurn(ways, run)) {
      // The slowest way needs no three runs.
      if (way === 'one by one' && run > 0) continue
      // What the way before left for the disk to do is not this one's time.
      execFileSync('sync')
      const { rows, valueBytes } = shape
      const text = execFileSync(process.execPath, [once, JSON.stringify({ way, folder: inside, rows, valueBytes, pageBytes })], { encoding: 'utf8' })
      const done = JSON.parse(text)
      if (done.fingerprint !== done.expected) throw new Error(`${way}: the target differs from the source`)
      // The loops do not read back; neither does the time they are compared with.
      seconds[way].push((done.ms - (done.verifyMs ?? 0)) / 1000)
      if (done.verifyMs !== undefined) verify.push(done.verifyMs / 1000)
      if (inside === undefined) continue
      for (const name of readdirSync(inside)) if (!name.startsWith('source')) rmSync(join(inside, name), { recursive: true })
    }
  }
  if (inside !== undefined) rmSync(inside, { recursive: true })
  const usual = median(seconds['usual loop: nextv(1000) + batch([])'])
  const bare = median(seconds['chained batch + read-ahead, nothing else on'])
  for (const [way, list] of Object.entries(seconds)) {
    const s = median(list)
    results.push({ shape: shape.name, way, ...rates(list, shape.rows), toUsual: usual / s, toBare: bare / s })
  }
  results.push({ shape: shape.name, way: 'keyhaul: reading the target back (verification)', ...rates(verify, shape.rows), toUsual: 0, toBare: 0 })
}
if (process.argv.includes('--json')) console.log(JSON.stringify(results))
else {
  console.log(`${machine('classic-level', 'abstract-level', 'memory-level')}\n`)
  console.log('| records | way | rows/s (lowest to highest) | against the usual loop | against the bare loop |\n|---|---|---|---|---|')
  for (const { shape, way, rowsPerSecond, lowest, highest, toUsual, toBare } of results) {
    const count = (n) => n.toLocaleString('en-US')
    const ratio = (x) => (x === 0 ? '' : `${x.toFixed(2)}x`)
    console.log(`| ${shape} | ${way} | ${count(rowsPerSecond)} (${count(lowest)} to ${count(highest)}) | ${ratio(toUsual)} | ${ratio(toBare)} |`)
  }
}
