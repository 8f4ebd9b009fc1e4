// LevelDB to LevelDB: keyhaul against the loops people write, in one run, results compared
// first; and a memory-level, which is no disk. node bench/node/move.mjs [--quick] [--json] [--value=100|4096|262144]
// [--runs=N] [--memory] [--page=BYTES]; one core: taskset -c 0 node …
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { crc32c, Engine } from '../../dist/index.js'
import { levelStore } from '../../dist/stores/level.js'
import { BYTES, bareLoop, usualLoop } from '../shared/loops.mjs'
import { machine } from '../shared/machine.mjs'

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

const ways = {
  'one by one': async (a, b) => {
    for await (const [key, value] of a.iterator(BYTES)) await b.put(key, value, BYTES)
  },
  'usual loop: nextv(1000) + batch([])': usualLoop,
  'chained batch + read-ahead, nothing else on': bareLoop(256 * 1024),
  'keyhaul: checksum, digest, checkpoints, journal': async (a, b, journal) => {
    const engine = new Engine()
    const run = await engine.migrate({ from: levelStore(a), to: levelStore(b), journal, checksum: 'crc32c', ...(pageBytes && { pageBytes: Number(pageBytes) }) })
    const receipt = await run.done
    engine.close()
    if (!receipt.verified) throw new Error('not verified')
    return receipt
  }
}

async function fill(db, rows, valueBytes) {
  let seed = 1
  for (let i = 0; i < rows; ) {
    const batch = db.batch()
    for (const end = Math.min(rows, i + Math.ceil(5e6 / valueBytes)); i < end; i++) {
      const value = Buffer.alloc(valueBytes)
      for (let j = 0; j < valueBytes; j += 4) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        value.writeUInt32LE(seed, j)
      }
      batch.put(Buffer.from(String(i).padStart(16, '0')), value, BYTES)
    }
    await batch.write()
  }
  await db.compactRange?.(Buffer.from([0]), Buffer.from([255]), { keyEncoding: 'buffer' })
}

/** Order, keys and values of a whole store in one number, and how many. */
async function fingerprint(db) {
  let crc = 0
  let rows = 0
  for await (const [key, value] of db.iterator(BYTES)) {
    crc = crc32c(value, crc32c(key, crc))
    rows++
  }
  return `${rows}:${crc}`
}

/** Another one begins in each run. */
const inTurn = (list, run) => [...list.slice(run % list.length), ...list.slice(0, run % list.length)]
const median = (list) => [...list].sort((x, y) => x - y)[list.length >> 1]
const rates = (seconds, rows) => {
  const [rowsPerSecond, lowest, highest] = [median(seconds), Math.max(...seconds), Math.min(...seconds)].map((s) => Math.round(rows / s))
  return { rowsPerSecond, lowest, highest }
}
const results = []
for (const shape of SHAPES) {
  const make = (path) => (shape.memory ? new MemoryLevel({ storeEncoding: 'buffer' }) : new ClassicLevel(path))
  const a = make(join(folder, `source-${shape.valueBytes}`))
  await a.open()
  await fill(a, shape.rows, shape.valueBytes)
  const expected = await fingerprint(a)
  const seconds = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
  const verify = []
  for (let run = 0; run < RUNS; run++) {
    for (const [way, work] of inTurn(Object.entries(ways), run)) {
      // The slowest way needs no three runs.
      if (way === 'one by one' && run > 0) continue
      const path = join(folder, 'target')
      const b = make(path)
      await b.open()
      // What the way before left for the disk to do is not this one's time.
      execFileSync('sync')
      const start = performance.now()
      const receipt = await work(a, b, join(folder, 'journal'))
      const total = performance.now() - start
      // The loops do not read back; neither does the time they are compared with.
      seconds[way].push((receipt === undefined ? total : total - receipt.verifyMs) / 1000)
      if (receipt !== undefined) verify.push(receipt.verifyMs / 1000)
      if ((await fingerprint(b)) !== expected) throw new Error(`${way}: the target differs from the source`)
      await b.close()
      rmSync(path, { recursive: true, force: true })
      rmSync(join(folder, 'journal'), { force: true })
    }
  }
  await a.close()
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
