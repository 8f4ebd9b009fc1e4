// Where the time of a move of large values goes: until the first write, in writes, in those of them that are durable, between
// writes, and behind the last; what the process has the disk write, and how many pages of memory the system had to make for it
// (minor page faults). LevelDB to LevelDB, 256 KiB each; nothing
// is read back. And what the engine alone costs the processor for as many bytes, between stores that do nothing.
// Ways take turns, medians. node bench/node/move-parts.mjs [--quick]; one core: taskset -c 0 node …
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { Engine } from '../../dist/index.js'
import { levelStore } from '../../dist/stores/level.js'
import { BYTES, bareLoop, usualLoop } from '../shared/loops.mjs'
import { machine } from '../shared/machine.mjs'
import { median, table } from '../shared/measure.mjs'

const quick = process.argv.includes('--quick')
const [ROWS, ROUNDS, VALUE_BYTES] = [quick ? 400 : 1000, quick ? 3 : 5, 262_144]
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const keyhaul = (options) => async (a, b) => {
  const engine = new Engine()
  const run = await engine.migrate({ from: levelStore(a), to: levelStore(b), checksum: 'crc32c', verify: 'none', ...options })
  await run.done
  engine.close()
}
const journal = join(folder, 'journal')
const WAYS = {
  'usual loop: nextv(1000) + batch([])': usualLoop,
  'bare loop, batches of 256 KiB': bareLoop(256 * 1024),
  'bare loop, batches of 1 MiB': bareLoop(1000 * 1024),
  'the same, every 64th durable': bareLoop(1000 * 1024, (page) => page % 64 === 0),
  keyhaul: keyhaul({ journal }),
  'keyhaul, a checkpoint every 64 pages': keyhaul({ journal, durablePages: 64 }),
  'keyhaul without a journal': keyhaul({}),
  'keyhaul without a checksum': keyhaul({ journal, checksum: 'none' })
}

/** MB that the process gave the disk to write by now. Of Linux alone. */
const written = () => Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))[1]) / 1e6

/** Has each batch note when it was written: by the methods of its class, as keyhaul's are filled and written again by those. */
function watch(db, writes) {
  const timed = (of, name, options) => {
    const method = of[name]
    of[name] = async function (...args) {
      const begin = performance.now()
      await method.apply(this, args)
      writes.push({ begin, end: performance.now(), durable: options(args)?.sync === true })
    }
    return () => {
      of[name] = method
    }
  }
  const undo = [timed(Object.getPrototypeOf(db.batch()), '_write', ([given]) => given), timed(ClassicLevel.prototype, '_batch', ([, given]) => given)]
  return () => {
    for (const each of undo) each()
  }
}

const a = new ClassicLevel(join(folder, 'source'))
await a.open()
let seed = 1
for (let i = 0; i < ROWS; i++) {
  const value = new Uint32Array(VALUE_BYTES / 4).map(() => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0))
  await a.put(Buffer.from(String(i).padStart(16, '0')), Buffer.from(value.buffer), BYTES)
}
await a.compactRange(Buffer.from([0]), Buffer.from([255]), { keyEncoding: 'buffer' })

const results = Object.fromEntries(Object.keys(WAYS).map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round++) {
  const ways = Object.entries(WAYS)
  for (const [name, way] of [...ways.slice(round % ways.length), ...ways.slice(0, round % ways.length)]) {
    const b = new ClassicLevel(join(folder, 'target'))
    await b.open()
    const writes = []
    const unwatch = watch(b, writes)
    execFileSync('sync')
    const [cpu, disk, faults, start] = [process.cpuUsage(), written(), process.resourceUsage().minorPageFault, performance.now()]
    await way(a, b)
    const end = performance.now()
    unwatch()
    const { user, system } = process.cpuUsage(cpu)
    const made = process.resourceUsage().minorPageFault - faults
    let rows = 0
    for await (const _ of b.keys()) rows++
    if (rows !== ROWS) throw new Error(`${name}: ${rows} rows`)
    const of = (some) => some.reduce((sum, write) => sum + write.end - write.begin, 0)
    const [first, last] = [writes[0].begin - start, end - writes[writes.length - 1].end]
    const durable = writes.filter((write) => write.durable)
    results[name].push([end - start, first, of(writes), of(durable), durable.length, end - start - of(writes) - first - last, last, (user + system) / 1000, written() - disk, writes.length, made])
    await b.close()
    rmSync(join(folder, 'target'), { recursive: true })
    rmSync(journal, { force: true })
  }
}
await a.close()

/** Values that are in no cache when their turn comes, as pages of the size that a LevelDB gives. */
const values = Array.from({ length: 256 }, (_, i) => Buffer.alloc(VALUE_BYTES, i))
const nothing = { capabilities: new Set(['scan', 'apply']), apply: async () => {} }
const inMemory = (name) => ({
  ...nothing, name, identity: {},
  async scan({ gte }) {
    const first = gte === undefined ? 0 : Number(Buffer.from(gte).toString('latin1', 0, 16)) + 1
    const rows = Array.from({ length: Math.min(3, ROWS - first) }, (_, i) => [Buffer.from(String(first + i).padStart(16, '0')), values[(first + i) % values.length]])
    return { entries: rows, end: first + rows.length === ROWS }
  }
})
const dropping = (name) => ({ ...nothing, name, identity: {}, scan: async () => ({ entries: [], end: true }) })
const engineAlone = (checksum) => async () => {
  const engine = new Engine()
  await (await engine.migrate({ from: inMemory('memory'), to: dropping('nowhere'), checksum, verify: 'none' })).done
  engine.close()
}
const room = new Uint8Array(16 * VALUE_BYTES)
const ALONE = {
  'keyhaul from memory to nowhere': engineAlone('crc32c'),
  'keyhaul from memory to nowhere, without a checksum': engineAlone('none'),
  'copying into one array, and nothing else': async () => {
    for (let i = 0; i < ROWS; i++) room.set(values[i % values.length], (i % 16) * VALUE_BYTES)
  }
}
const alone = Object.fromEntries(Object.keys(ALONE).map((name) => [name, []]))
// The first two are the compiler's.
for (let round = 0; round < ROUNDS + 2; round++) {
  for (const [name, way] of Object.entries(ALONE)) {
    const cpu = process.cpuUsage()
    await way()
    const { user, system } = process.cpuUsage(cpu)
    if (round > 1) alone[name].push((user + system) / 1000)
  }
}
console.log(machine('classic-level'))
console.log(table([`${ROWS} x 256 KiB, ms`, 'all', 'until the first write', 'writes', 'of them durable', 'how many', 'between writes', 'behind the last', 'processor', 'written, MB', 'writes, how many', 'page faults'],
  Object.entries(results).map(([name, list]) => [name, ...list[0].map((_, i) => String(Math.round(median(list.map((row) => row[i]).sort((x, y) => x - y)))))])))
console.log(table([`${ROWS} x 256 KiB, ms`, 'processor'], Object.entries(alone).map(([name, list]) => [name, String(Math.round(median(list.sort((x, y) => x - y))))])))
