// What a rehearsal forecasts, and what then happens: copies and live moves of real LevelDBs.
// npm run bench -- rehearse [--quick], or node bench/node/rehearse.mjs [--quick] [--live] [--times=N]: no copies; each live move so often
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
// First, because its module is the larger one.
import { assignRange, gatedStore, shardedStore } from '../../dist/live/index.js'
import { migrate } from '../../dist/index.js'
import { levelRegister } from '../../dist/register/level.js'
import { rehearse } from '../../dist/rehearse/index.js'
import { levelStore } from '../../dist/stores/level.js'
import { machine } from '../shared/machine.mjs'

const quick = process.argv.includes('--quick')
const TIMES = Number(process.argv.find((one) => one.startsWith('--times='))?.split('=')[1] ?? 1)
const COPIES = process.argv.includes('--live') ? [] : quick ? [[20_000, 100], [2_000, 4096]] : [[100_000, 100], [1_000_000, 100], [20_000, 4096]]
const LIVES = quick ? [[20_000, 1_000]] : [[100_000, 1_000], [100_000, 4_000], [300_000, 2_000]]
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const keyOf = (i) => `key-${String(i).padStart(9, '0')}`
const ms = (value) => (value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`)
const ratio = (forecast, fact) => `${(forecast / fact).toFixed(2)}x`
const count = (value) => value.toLocaleString('en-US')

let seed = 1
function randomValue(bytes) {
  const value = Buffer.alloc(bytes)
  for (let j = 0; j + 4 <= bytes; j += 4) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    value.writeUInt32LE(seed, j)
  }
  return value
}

async function fill(store, rows, bytes) {
  for (let i = 0; i < rows; i += 1000) {
    await store.apply(Array.from({ length: Math.min(1000, rows - i) }, (_, j) => [Buffer.from(keyOf(i + j)), randomValue(bytes)]), { durable: false })
  }
}

const open = async (place, name) => {
  const db = new ClassicLevel(join(place, name), { writeBufferSize: 16 << 20 })
  await db.open()
  return db
}

async function copy(rows, bytes) {
  const place = mkdtempSync(join(folder, 'copy-'))
  const [a, b, s] = await Promise.all(['a', 'b', 's'].map((name) => open(place, name)))
  const from = levelStore(a)
  await fill(from, rows, bytes)
  const { calm } = await rehearse({ from, scratch: levelStore(s) })
  await s.close()
  const receipt = await migrate({ from, to: levelStore(b), journal: join(place, 'journal') }).done
  await Promise.all([a.close(), b.close()])
  rmSync(place, { recursive: true, force: true })
  console.log(`| copy, ${count(rows)} x ${bytes} B | ${ms(calm.durationMs.p50)} / ${ms(calm.durationMs.p95)} | ${ms(receipt.durationMs)} | ${ratio(calm.durationMs.p50, receipt.durationMs)} | ${ms(calm.copyMs.p50)} | ${ms(receipt.copyMs)} | ${ratio(calm.copyMs.p50, receipt.copyMs)} | | | |`)
}

/** Puts at a steady rate, whatever they take. */
function writer(clients, rows, perSecond) {
  let [stopped, done] = [false, 0]
  const began = performance.now()
  const pending = new Set()
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) * perSecond) / 1000; !stopped && done < due && pending.size < 10_000; done++) {
      const one = clients.put(keyOf(Math.floor(Math.random() * rows)), randomValue(100)).finally(() => pending.delete(one))
      pending.add(one)
    }
  }, 1)
  return async () => {
    stopped = true
    clearInterval(timer)
    const rate = (done * 1000) / (performance.now() - began)
    await Promise.all(pending)
    return rate
  }
}

/** Of the live moves: the forecast of a pause by what it was. */
const pauses = []

async function live(rows, writes) {
  const place = mkdtempSync(join(folder, 'live-'))
  const [a, b, s, t] = await Promise.all(['a', 'b', 's', 't'].map((name) => open(place, name)))
  const from = levelStore(a, { name: 'a', feed: true })
  await fill(from, rows, 100)
  const scratch = { scratch: levelStore(t, { name: 't', feed: true }), scratchSource: levelStore(s, { name: 's', feed: true }), scratchRegister: levelRegister(s) }
  const forecast = await rehearse({ from, ...scratch, mode: 'live', writes })
  await Promise.all([s.close(), t.close()])
  const { calm, mild } = forecast
  const stores = { a: gatedStore(from), b: gatedStore(levelStore(b, { name: 'b', feed: true })) }
  const register = levelRegister(a)
  await assignRange({ register, store: stores.a })
  const clients = shardedStore({ stores, register })
  const stop = writer(clients, rows, writes)
  await new Promise((wake) => setTimeout(wake, 1000))
  const receipt = await migrate({ live: true, from: stores.a, to: stores.b, register, journal: join(place, 'journal') }).done
  const rate = await stop()
  clients.close()
  await Promise.all([a.close(), b.close()])
  rmSync(place, { recursive: true, force: true })
  const [p50, p95, worst] = [calm.pauseMs.p50, calm.pauseMs.p95, Math.max(calm.pauseMs.max, mild.pauseMs.max)]
  pauses.push({ p50: p50 / receipt.pauseMs, p95: p95 / receipt.pauseMs, worst: worst / receipt.pauseMs })
  if (calm.done < calm.runs) console.log(`The next line: ${calm.done} of ${calm.runs} calm runs ended well. ${forecast.text}.`)
  console.log(
    `| live, ${count(rows)} x 100 B, ${count(writes)} writes/s (were ${count(Math.round(rate))}) | ${ms(calm.durationMs.p50)} / ${ms(calm.durationMs.p95)} | ${ms(receipt.durationMs)} | ${ratio(calm.durationMs.p50, receipt.durationMs)} | ` +
      `${ms(calm.copyMs.p50)} | ${ms(receipt.copyMs)} | ${ratio(calm.copyMs.p50, receipt.copyMs)} | ${ms(p50)} / ${ms(p95)} / ${ms(worst)} | ${ms(receipt.pauseMs)} | ${ratio(p50, receipt.pauseMs)} / ${ratio(p95, receipt.pauseMs)} / ${ratio(worst, receipt.pauseMs)} |`
  )
}

console.log(`${machine('classic-level')}\n`)
console.log('| what | ETA forecast, p50 / p95 | was | forecast / fact | copying, forecast p50 | was | forecast / fact | pause forecast, p50 / p95 / worst | was | forecast / fact |')
console.log('|---|---|---|---|---|---|---|---|---|---|')
for (const [rows, bytes] of COPIES) await copy(rows, bytes)
for (let time = 0; time < TIMES; time++) for (const [rows, writes] of LIVES) await live(rows, writes)
const [shortest, middle, longest] = [0, 0.5, 1].map((share) => pauses.map(({ p50 }) => p50).sort((x, y) => x - y)[Math.floor((pauses.length - 1) * share)])
const covered = (which) => pauses.filter((one) => one[which] >= 1).length
console.log(
  `\n${pauses.length} pauses: p50 of the forecast ${[shortest, middle, longest].map((one) => `${one.toFixed(2)}x`).join(' / ')} of the fact (least, median, most); ` +
    `p95 not shorter than the fact in ${covered('p95')}, the worst in ${covered('worst')}. Load of the machine at the end: ${loadavg().map((one) => one.toFixed(1)).join(', ')}.`
)
