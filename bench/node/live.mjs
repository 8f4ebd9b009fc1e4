// A shard moves between two LevelDBs while clients read, write and delete it: what they notice.
// node bench/node/live.mjs [--quick] [--rows=N]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { migrate } from '../../dist/index.js'
import { assignRange, gatedStore, shardedStore } from '../../dist/live/index.js'
import { levelRegister } from '../../dist/register/level.js'
import { levelStore } from '../../dist/stores/level.js'

const given = process.argv.find((arg) => arg.startsWith('--rows='))?.slice(7)
const SIZES = given !== undefined ? [Number(given)] : process.argv.includes('--quick') ? [10_000] : [100_000, 500_000]
const WAYS = {
  'as fast as it can, large pages': { share: 1, pageEntries: 16_384, pageBytes: 256 * 1024, windowPages: 8 },
  'a share of 0.25 (default)': {},
  'a share of 0.1': { share: 0.1 }
}
const CLIENTS = 16
const VALUE = Buffer.alloc(100, 'v')
const BEFORE_MS = 3000
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const keyOf = (i) => `key-${String(i).padStart(9, '0')}`
const number = (value) => Math.round(value).toLocaleString('en-US')
const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/** Half reads, four tenths puts, a tenth deletes, of keys at random; each write with its times. */
function startLoad(store, rows) {
  const state = { stopped: false, ops: 0, writes: [] }
  const client = async () => {
    while (!state.stopped) {
      const key = keyOf(Math.floor(Math.random() * rows))
      const kind = Math.random()
      if (kind < 0.5) {
        await store.get(key)
      } else {
        const began = performance.now()
        await (kind < 0.9 ? store.put(key, VALUE) : store.del(key))
        state.writes.push([began, performance.now()])
      }
      state.ops++
    }
  }
  const done = Promise.all(Array.from({ length: CLIENTS }, client))
  const stop = () => {
    state.stopped = true
    return done
  }
  return { state, stop }
}

function latencies(writes) {
  const ms = writes.map(([began, ended]) => ended - began).sort((a, b) => a - b)
  return [0.5, 0.99, 1].map((share) => percentile(ms, share).toFixed(1)).join(' / ')
}

async function measure(rows, way) {
  const place = mkdtempSync(join(folder, `${rows}-`))
  const [a, b] = ['a', 'b'].map((name) => new ClassicLevel(join(place, name)))
  const stores = { a: gatedStore(levelStore(a, { name: 'a', feed: true })), b: gatedStore(levelStore(b, { name: 'b', feed: true })) }
  const register = levelRegister(a)
  await assignRange({ register, store: stores.a })
  const clients = shardedStore({ stores, register })
  for (let i = 0; i < rows; i += 1000) {
    await clients.batch(Array.from({ length: Math.min(1000, rows - i) }, (_, j) => [keyOf(i + j), VALUE]))
  }
  const load = startLoad(clients, rows)
  await new Promise((wake) => setTimeout(wake, BEFORE_MS))
  const before = { ops: load.state.ops, writes: load.state.writes.splice(0) }

  const began = performance.now()
  const run = migrate({ live: true, from: stores.a, to: stores.b, register, journal: join(place, 'journal'), ...WAYS[way] })
  const pause = { from: 0, to: 0 }
  const migration = await run.migration
  migration.on('state', (state) => {
    if (state === 'fencing') pause.from = performance.now()
    if (state === 'redirecting') pause.to = performance.now()
  })
  const receipt = await run.done
  const ms = performance.now() - began
  const during = { ops: load.state.ops - before.ops, writes: load.state.writes }
  await load.stop()
  const paused = during.writes.filter(([from, to]) => to >= pause.from && from <= pause.to)
  clients.close()
  await Promise.all([a.close(), b.close()])
  const perSecond = (ops, time) => number((ops * 1000) / time)
  console.log(
    `| ${number(rows)}, ${way} | ${perSecond(before.ops, BEFORE_MS)} | ${perSecond(during.ops, ms)} | ${latencies(before.writes)} | ${latencies(during.writes)} | ` +
      `${latencies(paused)} (${paused.length}) | ${receipt.pauseMs.toFixed(1)} | ${receipt.pauseForecastMs.toFixed(1)} | ${(receipt.durationMs / 1000).toFixed(1)} | ` +
      `${number(receipt.feedChanges)} | ${number(receipt.rechecked)} | ${receipt.postponed} | ${receipt.verified} |`
  )
}

console.log('| records | ops/s before | ops/s during | a write, ms, before: p50 / p99 / max | during | of those that met the pause (how many) | pause, ms | forecast | whole move, s | feed changes | compared again | postponed | verified |')
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|---|')
for (const rows of SIZES) for (const way of Object.keys(WAYS)) await measure(rows, way)
