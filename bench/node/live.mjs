// A shard moves between two LevelDBs while clients read, write and delete it: what they notice.
// node bench/node/live.mjs [--quick] [--rows=N] [--pauses=N] [--rate=N]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { migrate } from '../../dist/index.js'
import { assignRange, gatedStore, shardedStore } from '../../dist/live/index.js'
import { levelRegister } from '../../dist/register/level.js'
import { levelStore } from '../../dist/stores/level.js'
import { machine } from '../shared/machine.mjs'
import { fill, hungry, latencies, lostIn, percentile, steady } from './live-load.mjs'

const given = (name, usual) => Number(process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? usual)
const quick = process.argv.includes('--quick')
const ROWS = given('rows', quick ? 10_000 : 500_000)
const MOVES = given('pauses', quick ? 4 : 100)
const RATE = given('rate', 20_000)
const CLIENTS = 16
// As much as a receipt knows of what was before.
const BEFORE_MS = quick ? 1500 : 10_500
/** A budget that no pause keeps is waited for in vain. */
const MOVE_MS_MAX = 180_000
const LOADS = {
  [`steady, ${RATE.toLocaleString('en-US')} ops/s`]: (store, oracle) => steady(store, oracle, RATE),
  [`${CLIENTS} hungry clients`]: (store, oracle) => hungry(store, oracle, CLIENTS)
}
const WAYS = {
  'a share of 0.25 (default)': {},
  'a share of 0.1': { share: 0.1 },
  'a pause budget of 50 ms': { pauseBudgetMs: 50 },
  'a pause budget of 20 ms': { pauseBudgetMs: 20 },
  'as fast as it can': { share: 1, pageEntries: 16_384, pageBytes: 256 * 1024, windowPages: 8 }
}
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const number = (value) => Math.round(value).toLocaleString('en-US')

/** The load ends before its stores are closed, or its errors would hide that of the move. */
async function under(load, run) {
  try {
    await run(load.state, load.stop)
  } finally {
    await load.stop()
  }
}

async function withStores(run) {
  const place = mkdtempSync(join(folder, 'stores-'))
  const [a, b] = ['a', 'b'].map((name) => new ClassicLevel(join(place, name)))
  const stores = { a: gatedStore(levelStore(a, { name: 'a', feed: true })), b: gatedStore(levelStore(b, { name: 'b', feed: true })) }
  const register = levelRegister(a)
  await assignRange({ register, store: stores.a })
  const clients = shardedStore({ stores, register })
  try {
    await run({ stores, register, clients, place })
  } finally {
    clients.close()
    await Promise.all([a.close(), b.close()])
  }
}

const CLOSED = new Set(['fencing', 'draining', 'readFencing', 'deciding', 'activating'])

/** One move; when its writers were refused, attempts that were put off too, and its receipt. */
async function move({ stores, register, place }, from, to, name, options) {
  const run = migrate({ live: true, from: stores[from], to: stores[to], register, journal: join(place, `journal-${name}`), signal: AbortSignal.timeout(MOVE_MS_MAX), ...options })
  const pauses = []
  const migration = await run.migration
  migration.on('state', (state) => {
    const last = pauses.at(-1)
    if (state === 'fencing') pauses.push({ from: performance.now(), to: Number.POSITIVE_INFINITY })
    else if (last !== undefined && !CLOSED.has(state)) last.to = Math.min(last.to, performance.now())
  })
  const receipt = await run.done
  return { receipt, meets: ([began, ended]) => pauses.some(({ from, to }) => ended >= from && began <= to) }
}

/** The code, the sentence, the step it was in and what is behind it, in a cell of a table. */
function whyNot({ code, name, message, step, cause }) {
  const parts = [`${code ?? name}: ${message}`, ...(step === undefined ? [] : [`in ${step}`]), ...(cause === undefined ? [] : [`because of ${cause.code ?? cause.name}: ${cause.message}`])]
  return `not moved: ${parts.join('; ').replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}`
}

async function measure(load, way) {
  await withStores(async (world) => {
    const oracle = await fill(world.clients, ROWS)
    await under(LOADS[load](world.clients, oracle), async (state, stop) => {
      await new Promise((wake) => setTimeout(wake, BEFORE_MS))
      const before = { ops: state.ops, writes: state.writes.splice(0) }
      const began = performance.now()
      const moved = await move(world, 'a', 'b', 'once', WAYS[way]).catch((error) => error)
      if (moved instanceof Error) {
        await stop()
        await noneLost(world.clients, oracle)
        return console.log(`| ${load} | ${way} | ${whyNot(moved)} |`)
      }
      const { receipt, meets } = moved
      const ms = performance.now() - began
      const during = { ops: state.ops - before.ops, writes: state.writes }
      await stop()
      const lost = await noneLost(world.clients, oracle)
      const paused = during.writes.filter(meets)
      const { waited, waitedP50Ms, waitedP99Ms, waitedMaxMs, perSecondBefore, perSecondDuring } = receipt.writes
      const [usual, then] = [(before.ops * 1000) / BEFORE_MS, (during.ops * 1000) / ms]
      console.log(
        `| ${load} | ${way} | ${number(usual)} | ${number(then)} | ${Math.round((1 - then / usual) * 100)} % | ${latencies(before.writes)} | ${latencies(during.writes)} | ` +
          `${latencies(paused)} (${paused.length}) | ${receipt.pauseMs.toFixed(1)} | ${receipt.pauseForecastMs.toFixed(1)} | ${(receipt.durationMs / 1000).toFixed(1)} | ` +
          `${number(receipt.feedChanges)} | ${number(receipt.rechecked)} | ${receipt.postponed} | ${receipt.verified} | ${lost} | ` +
          `${waited}: ${[waitedP50Ms, waitedP99Ms, waitedMaxMs].map((ms) => ms.toFixed(1)).join(' / ')} | ${perSecondBefore === undefined ? 'unknown' : number(perSecondBefore)}, ${number(perSecondDuring)} |`
      )
    })
  })
}

/** Each key holds what was acknowledged last, or nothing that was measured counts. */
async function noneLost(clients, oracle) {
  const lost = await lostIn(clients, oracle)
  if (lost > 0) throw new Error(`${number(lost)} of ${number(oracle.rows)} keys do not hold what was acknowledged`)
  return lost
}

/** There and back again, until there are enough pauses for a percentile. */
async function pauses(rows) {
  await withStores(async (world) => {
    const oracle = await fill(world.clients, rows)
    await under(steady(world.clients, oracle, RATE), async (state, stop) => {
      const receipts = []
      const met = []
      for (let i = 0; i < MOVES; i++) {
        const moved = await move(world, i % 2 ? 'b' : 'a', i % 2 ? 'a' : 'b', String(i), {}).catch((error) => error)
        if (moved instanceof Error) {
          // It may not be where the next one would look for it.
          console.log(`\n${i} moves of ${number(rows)} records, the next one ${whyNot(moved)}`)
          break
        }
        const { receipt, meets } = moved
        receipts.push(receipt)
        met.push(...state.writes.splice(0).filter(meets))
      }
      await stop()
      const lost = await noneLost(world.clients, oracle)
      const ms = receipts.map((receipt) => receipt.pauseMs).sort((x, y) => x - y)
      console.log(`\n| ${receipts.length} moves of ${number(rows)} records, ${number(RATE)} ops/s | p50 | p90 | p99 | max |\n|---|---|---|---|---|`)
      console.log(`| pause of the receipts, ms | ${[0.5, 0.9, 0.99, 1].map((share) => percentile(ms, share).toFixed(1)).join(' | ')} |`)
      const waits = met.map(([began, ended]) => ended - began).sort((x, y) => x - y)
      console.log(`| a write that met one (${number(waits.length)}), ms | ${[0.5, 0.9, 0.99, 1].map((share) => percentile(waits, share).toFixed(1)).join(' | ')} |`)
      const waitedP99 = receipts.map(({ writes }) => writes.waitedP99Ms).sort((x, y) => x - y)
      console.log(`| p99 of the receipts' waits, ms | ${[0.5, 0.9, 0.99, 1].map((share) => percentile(waitedP99, share).toFixed(1)).join(' | ')} |`)
      const unverified = receipts.filter((receipt) => !receipt.verified).length
      console.log(`\n${lost} keys lost; ${unverified} of ${receipts.length} were not verified, ${receipts.reduce((sum, receipt) => sum + receipt.postponed, 0)} attempts were put off.`)
    })
  })
}

console.log(`${machine('classic-level')}\n`)
console.log(
  `| ${number(ROWS)} records, load | way | ops/s before | ops/s during | lost | a write, ms, before: p50 / p99 / max | during | of those that met the pause (how many) | pause, ms | forecast | whole move, s | feed changes | compared again | postponed | verified | keys lost | receipt: writes that waited, ms: p50 / p99 / max | receipt: keys written a second before, during |`
)
console.log(`${'|---'.repeat(18)}|`)
for (const load of Object.keys(LOADS)) for (const way of Object.keys(WAYS)) await measure(load, way)
await pauses(Math.min(ROWS, 10_000))
