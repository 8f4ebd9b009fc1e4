// Peak memory must follow the window, not the data: the same move with 100 k, 1 M and 3 M records,
// each in a process of its own. Anonymous memory only: LevelDB maps its files, and those pages
// belong to the kernel's cache. Stores that hold nothing (what is left is keyhaul), two LevelDBs, and the
// plain loop between two LevelDBs without keyhaul (what LevelDB itself takes); and both once more with
// tables of 16 MiB and blocks of 64 KiB, because LevelDB holds an index of every table that it has open.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { machine } from '../shared/machine.mjs'

const keyOf = (i) => String(i).padStart(16, '0')
const valueFor = (i) => String(i).padEnd(100, 'v')

/** Records that come into being when they are read; none is kept, and what is written is only counted. */
function generated(name, size, written = size) {
  const encoder = new TextEncoder()
  const numberOf = (bytes) => Number(new TextDecoder().decode(bytes.subarray(0, 16))) + (bytes.length > 16 ? 1 : 0)
  const state = { written }
  return {
    name,
    identity: {},
    capabilities: new Set(['scan', 'apply']),
    async scan({ gte, lt }, { maxEntries, maxBytes }) {
      const entries = []
      const end = Math.min(state.written, lt === undefined ? size : numberOf(lt))
      let at = gte === undefined ? 0 : numberOf(gte)
      for (let bytes = 0; at < end && entries.length < maxEntries && bytes + 116 <= maxBytes; at++, bytes += 116) {
        entries.push([encoder.encode(keyOf(at)), encoder.encode(valueFor(at))])
      }
      return { entries, end: at >= end }
    },
    async apply(writes) {
      state.written += writes.length
    }
  }
}

async function moved(from, to) {
  const { Engine } = await import('../../dist/index.js')
  const engine = new Engine()
  const run = await engine.migrate({ from, to })
  return run.done
}

const FEW_TABLES = { maxFileSize: 16 << 20, blockSize: 64 << 10 }

async function keyhaulMoves(from, to, options = {}) {
  const { levelStore } = await import('../../dist/stores/level.js')
  return moved(levelStore(new ClassicLevel(from, options)), levelStore(new ClassicLevel(to, options)))
}

async function loopMoves(from, to, options = {}) {
  const [a, b] = [new ClassicLevel(from, options), new ClassicLevel(to, options)]
  await Promise.all([a.open(), b.open()])
  const iterator = a.iterator({ keyEncoding: 'buffer', valueEncoding: 'buffer' })
  let entries = 0
  for (;;) {
    const rows = await iterator.nextv(1000)
    if (rows.length === 0) break
    entries += rows.length
    const batch = b.batch()
    for (const [key, value] of rows) batch.put(key, value, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
    await batch.write()
  }
  return { entries, verified: 'no' }
}

/** Each a promise of `{ entries, verified }`. */
const ways = {
  'stores that hold nothing': (size) => moved(generated('a', size), generated('b', size, 0)),
  'LevelDB to LevelDB': (size, from, to) => keyhaulMoves(from, to),
  'plain loop, LevelDB to LevelDB': (size, from, to) => loopMoves(from, to),
  'LevelDB to LevelDB, large tables': (size, from, to) => keyhaulMoves(from, to, FEW_TABLES),
  'plain loop, large tables': (size, from, to) => loopMoves(from, to, FEW_TABLES)
}

if (process.argv[2] === 'move') {
  const [way, size, from, to] = process.argv.slice(3)
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]))
  }, 10)
  const { entries, verified } = await ways[way](Number(size), from, to)
  clearInterval(timer)
  console.log(JSON.stringify({ entries, verified, peakMB: Math.round(peak / 1000) }))
  process.exit(0)
}

// V8 lets garbage lie while there is room, and glibc keeps what was freed for each of its arenas, one a thread
// or so: a small heap and one arena show what is really held.
const V8 = ['--max-semi-space-size=2', '--max-old-space-size=64']
const env = { ...process.env, MALLOC_ARENA_MAX: '1' }
const sizes = process.argv.includes('--quick') ? [50_000, 200_000, 600_000] : [100_000, 1_000_000, 3_000_000]
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
async function filled(size, options) {
  const path = join(folder, `a${size}${options === undefined ? '' : '-large'}`)
  const db = new ClassicLevel(path, options)
  await db.open()
  for (let i = 0; i < size; ) {
    const batch = db.batch()
    for (const end = i + 10_000; i < end; i++) batch.put(keyOf(i), valueFor(i))
    await batch.write()
  }
  await db.close()
  return path
}
const sources = []
for (const size of sizes) sources.push([await filled(size), await filled(size, FEW_TABLES)])
console.log(`${machine('classic-level')}\n`)
console.log(`| peak anonymous memory | ${sizes.map((size) => size.toLocaleString('en-US')).join(' | ')} | most of least |`)
console.log(`|---|${'---|'.repeat(sizes.length + 1)}`)
for (const way of Object.keys(ways)) {
  const peaks = sizes.map((size, i) => {
    const to = join(folder, 'b')
    const output = execFileSync(process.execPath, [...V8, import.meta.filename, 'move', way, String(size), sources[i][way.includes('large') ? 1 : 0], to], { encoding: 'utf8', env })
    rmSync(to, { recursive: true, force: true })
    const { entries, verified, peakMB } = JSON.parse(output)
    if (entries !== size || verified === false) throw new Error(`${way}: ${entries} of ${size} records, verified: ${verified}`)
    return peakMB
  })
  console.log(`| ${way} | ${peaks.map((peak) => `${peak} MB`).join(' | ')} | ${(Math.max(...peaks) / Math.min(...peaks)).toFixed(2)}x |`)
}
rmSync(folder, { recursive: true })
