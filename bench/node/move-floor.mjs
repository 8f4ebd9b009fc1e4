// Whether a move of large values that reads each byte can be as fast as the usual loop, which reads none. The loops that are
// known for two LevelDBs, over sizes of batches, with nothing else on, and the cheapest of them once more with the least that
// keyhaul has to do for a value: to copy it into linear memory, and to pass over it once for CRC-32C and digest, by the core's own
// code. What no loop with the pass reaches, keyhaul cannot: it also has a journal, durable writes, and the check for damage.
// Ways take turns, medians; a run is compared with the usual loop of the same round. Values of 256 KiB.
// One core: taskset -c 0 node bench/node/move-floor.mjs [--quick], after npm run bench -- record built the core's code.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { crc32c, Engine } from '../../dist/index.js'
import { levelStore } from '../../dist/stores/level.js'
import { BYTES, bareLoop, usualLoop } from '../shared/loops.mjs'
import { machine } from '../shared/machine.mjs'
import { median, table } from '../shared/measure.mjs'

const quick = process.argv.includes('--quick')
const [ROWS, ROUNDS, VALUE_BYTES] = [quick ? 200 : 1000, quick ? 3 : 5, 262_144]
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** One value at a time behind the room of a frame's header and its table (core/src/wire/FORMAT.md). */
const [HEADER_BYTES, KEY_BYTES] = [32, 16]
const core = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(new URL('../../build/wasm/wasm/keyhaul_bench_record.wasm', import.meta.url)))).exports
core._initialize?.()
const page = new Uint8Array(core.memory.buffer, core.pageAddress())
const frameBytes = HEADER_BYTES + 8 + KEY_BYTES + VALUE_BYTES
new Uint32Array(core.memory.buffer, core.pageAddress() + HEADER_BYTES, 2).set([KEY_BYTES, VALUE_BYTES])
function passOver(key, value) {
  page.set(key, HEADER_BYTES + 8)
  page.set(value, HEADER_BYTES + 8 + KEY_BYTES)
  if (core.all(1, frameBytes) !== 1) throw new Error('the page is refused')
}

/**
 * As many rows a batch as `batchBytes` hold, by the methods of the batch's class, one filled while another is written: what classic-level
 * offers at its cheapest. Written ones are filled again, which spares growing them.
 */
const refilling = (batchBytes, pass) => async (a, b) => {
  const iterator = a.iterator({ ...BYTES, fillCache: false, highWaterMarkBytes: Math.min(batchBytes, 512 << 10) })
  const free = [b.batch(), b.batch()]
  let [batch, bytes, writing] = [free.pop(), 0, undefined]
  const write = async () => {
    await writing
    const written = batch
    writing = written._write({ sync: false }).then(() => {
      written._clear()
      free.push(written)
    })
    if (free.length === 0) await writing
    batch = free.pop()
    bytes = 0
  }
  for (;;) {
    const rows = await iterator.nextv(1000)
    if (rows.length === 0) break
    for (const [key, value] of rows) {
      pass?.(key, value)
      batch._put(key, value, BYTES)
      bytes += key.length + value.length
      if (bytes >= batchBytes) await write()
    }
  }
  if (bytes > 0) await write()
  await writing
  await iterator.close()
}

const keyhaul = async (a, b) => {
  const engine = new Engine()
  const run = await engine.migrate({ from: levelStore(a), to: levelStore(b), journal: join(folder, 'journal'), checksum: 'crc32c', verify: 'none' })
  await run.done
  engine.close()
}
const KiB = 1024
const USUAL = 'usual loop: nextv(1000) + batch([])'
const SIZES = [1, 250, 1000, 4000]
const WAYS = {
  [USUAL]: usualLoop,
  ...Object.fromEntries(SIZES.slice(1).map((size) => [`bare loop, batches of ${size} KiB`, bareLoop(size * KiB)])),
  ...Object.fromEntries(SIZES.map((size) => [`refilled batches of ${size === 1 ? 'one value' : `${size} KiB`}`, refilling(size * KiB)])),
  ...Object.fromEntries(SIZES.map((size) => [`refilled batches of ${size === 1 ? 'one value' : `${size} KiB`}, with the pass`, refilling(size * KiB, passOver)])),
  keyhaul
}

const a = new ClassicLevel(join(folder, 'source'))
await a.open()
let seed = 1
for (let i = 0; i < ROWS; i++) {
  const value = new Uint32Array(VALUE_BYTES / 4).map(() => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0))
  await a.put(Buffer.from(String(i).padStart(KEY_BYTES, '0')), Buffer.from(value.buffer), BYTES)
}
await a.compactRange(Buffer.from([0]), Buffer.from([255]), { keyEncoding: 'buffer' })

async function sumOf(db) {
  let sum = 0
  for await (const [key, value] of db.iterator(BYTES)) sum = crc32c(value, crc32c(key, sum))
  return sum
}
const expected = await sumOf(a)
const results = Object.fromEntries(Object.keys(WAYS).map((name) => [name, []]))
// The first round is the compiler's.
for (let round = -1; round < ROUNDS; round++) {
  const ways = Object.entries(WAYS)
  const first = (round + ways.length) % ways.length
  for (const [name, way] of [...ways.slice(first), ...ways.slice(0, first)]) {
    const b = new ClassicLevel(join(folder, 'target'))
    await b.open()
    execFileSync('sync')
    const [cpu, faults, start] = [process.cpuUsage(), process.resourceUsage().minorPageFault, performance.now()]
    await way(a, b)
    const ms = performance.now() - start
    const { user, system } = process.cpuUsage(cpu)
    if (round >= 0) results[name].push([ms, (user + system) / 1000, process.resourceUsage().minorPageFault - faults])
    if ((await sumOf(b)) !== expected) throw new Error(`${name}: the target differs from the source`)
    await b.close()
    rmSync(join(folder, 'target'), { recursive: true })
    rmSync(join(folder, 'journal'), { force: true })
  }
}
await a.close()

const middle = (list) => median([...list].sort((x, y) => x - y))
const column = (name, i) => results[name].map((row) => row[i])
/** Of each round by itself: what the machine does meanwhile is then in both. */
const ofUsual = (name, i) => middle(column(name, i).map((x, round) => results[USUAL][round][i] / x))
console.log(machine('classic-level'))
console.log(table([`${ROWS} x 256 KiB, ms`, 'all', 'of the usual loop', 'processor', 'of the usual loop', 'page faults'],
  Object.keys(WAYS).map((name) => [name, String(Math.round(middle(column(name, 0)))), `${ofUsual(name, 0).toFixed(2)}x`, String(Math.round(middle(column(name, 1)))), `${ofUsual(name, 1).toFixed(2)}x`, String(Math.round(middle(column(name, 2))))])))
const best = (isPass, i) => Math.max(...Object.keys(WAYS).filter((name) => name !== USUAL && name !== 'keyhaul' && name.endsWith('with the pass') === isPass).map((name) => ofUsual(name, i)))
for (const [i, what] of [[0, 'time'], [1, 'processor']]) {
  console.log(`${what}: the best loop ${best(false, i).toFixed(2)}x of the usual one, the best with the pass ${best(true, i).toFixed(2)}x, keyhaul ${ofUsual('keyhaul', i).toFixed(2)}x`)
}
