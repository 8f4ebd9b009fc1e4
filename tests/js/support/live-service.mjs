// A service that moves a shard while it is used: killed and started again by live-kill.test.ts.
// Prints "ack KEY VERSION" after each acknowledged write, and "moved" with the receipt.
// With STATE it kills itself when the migration gets there; "back:STATE" is the state after the cutover, on the
// way back or to its end; "1:STATE" and "2:STATE" is one of the first or second half of what was split, and "between" and
// "1:between" that the one before has ended and the journal of the next half has not begun; with "openFeed" once the source has opened a feed and before anybody knows its position.
// node live-service.mjs FOLDER KEYS ACKS.json MODE [STATE]
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { inspectJournal, migrate } from '../../../dist/index.js'
import { assignRange, gatedStore, inspectParts, shardedStore } from '../../../dist/live/index.js'
import { levelRegister } from '../../../dist/register/level.js'
import { levelStore } from '../../../dist/stores/level.js'

/** What is done to a migration that has come to a state, and the options that go with it. */
const MODES = {
  move: { options: {}, at: {} },
  cancel: { options: {}, at: { copying: (run) => run.cancel(), catchingUp: (run) => run.cancel(), verifying: (run) => run.cancel(), approaching: (run) => run.cancel() } },
  // The first fence of each process takes longer than that.
  budget: { options: { pauseBudgetMs: 1500 }, at: {} },
  // So does each fence of all of it, until it is split.
  split: { options: { pauseBudgetMs: 1500, splitMax: 2 }, at: {} },
  reverse: { options: { reverseWindowMs: 3_600_000, pauseBudgetMs: 60_000 }, at: { reversible: (run) => void run.reverse() } },
  window: { options: { reverseWindowMs: 3_600_000, pauseBudgetMs: 60_000 }, at: { reversible: (run) => run.closeWindow() } }
}
const FENCE_MS = 2000

const [folder, keys, file, mode, dieIn] = process.argv.slice(2)
const { options, at } = MODES[mode]
const count = Number(keys)
const acks = JSON.parse(readFileSync(file, 'utf8'))
const [one, two] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
const source = levelStore(one, { name: 'a', feed: true })
const { openFeed } = source
const die = () => process.kill(process.pid, 'SIGKILL')
if (dieIn === 'openFeed') source.openFeed = (...args) => openFeed(...args).then(die)
const a = gatedStore(source)
const b = gatedStore(levelStore(two, { name: 'b', feed: true }))
const register = levelRegister(one)
await assignRange({ register, store: a })
const clients = shardedStore({ stores: { a, b }, register })

const keyOf = (i) => `key-${String(i).padStart(6, '0')}`
/** Every fourth version of a key is its deletion. */
const textOf = (i, version) => (version % 4 === 3 ? undefined : `${i}/${version}`)

/** What the last process had begun when it was killed may have happened or not; nothing else. */
async function versionOf(i) {
  const value = await clients.get(keyOf(i))
  const text = value === undefined ? undefined : String(Buffer.from(value))
  for (const version of [acks[i], acks[i] + 1]) if (textOf(i, version) === text) return version
  console.log(`lost ${keyOf(i)}: it is ${text}, acknowledged was ${textOf(i, acks[i])}`)
  process.exit(1)
}

/** A view of a store whose first fence takes its time, as where a write is under way for so long. */
function slow(store) {
  const { gate } = store.mover
  let fences = 0
  const change = async (call) => {
    await gate.change(call)
    if (call.verb !== 'fence') return
    const isLong = mode === 'split' ? call.ranges.some(({ gte, lt }) => gte === undefined && lt === undefined) : fences++ === 0
    if (isLong) await new Promise((wake) => setTimeout(wake, FENCE_MS))
  }
  return Object.create(store.mover, { gate: { value: { ...gate, change } } })
}

const journal = join(folder, 'journal')
let run
let ended = 0
/** Of which half, by the journals that are there. */
function nameOf(state, turned) {
  if (mode !== 'split') return turned ? `back:${state}` : state
  const half = existsSync(`${journal}.2`) ? '2:' : existsSync(`${journal}.1`) ? '1:' : ''
  if (state === 'closing') ended++
  return state === 'claiming' && ended > 0 && half !== '2:' ? `${half}between` : `${half}${state}`
}
function begin() {
  run = migrate({ live: true, from: mode === 'budget' || mode === 'split' ? slow(a) : a, to: b, register, journal, pageEntries: 200, durablePages: 2, rate: 150_000, ...options })
  run.migration.then(
    (migration) => {
      const see = (state) => {
        const name = nameOf(state, migration.progress().live?.turned === true)
        if (name === dieIn) die()
        else at[state]?.(migration)
      }
      migration.on('state', see)
      see(migration.progress().state)
    },
    () => {}
  )
}

// A predecessor may have left reads fenced: they are answered once the migration goes on.
if (acks.length > 0) begin()
const versions = []
for (let i = 0; i < count; i++) versions.push(acks.length === 0 ? 0 : await versionOf(i))
// What landed unacknowledged is known from here on: else a second kill would find the version after it.
versions.forEach((version, i) => void (acks.length > 0 && version !== acks[i] && console.log(`ack ${i} ${version}`)))
if (acks.length === 0) await clients.batch(versions.map((_, i) => [keyOf(i), textOf(i, 0)]))
console.log('ready')

let stopped = false
const writer = async (first) => {
  for (let i = first; !stopped; i = i + 4 < count ? i + 4 : first) {
    const version = versions[i] + 1
    const value = textOf(i, version)
    await (value === undefined ? clients.del(keyOf(i)) : clients.put(keyOf(i), value))
    versions[i] = version
    console.log(`ack ${i} ${version}`)
    await new Promise((wake) => setTimeout(wake, 1))
  }
}
const writers = [0, 1, 2, 3].map(writer)
if (run === undefined) begin()
const receipt = await run.done.catch(async (error) => {
  if (error.code === 'KEYHAUL_CANCELLED') return error.receipt
  // Killed right after its last record.
  if (error.code !== 'KEYHAUL_ALREADY_COMPLETE') throw error
  return mode === 'split' ? (await inspectParts(journal)).receipt : inspectJournal(readFileSync(journal)).receipt
})
stopped = true
await Promise.all(writers)
for (let i = 0; i < count; i++) acks[i] = versions[i]
for (let i = 0; i < count; i++) if ((await versionOf(i)) !== versions[i]) process.exit(1)
const held = {}
let feedRows = 0
for (const [name, db] of [['a', one], ['b', two]]) {
  held[name] = (await db.keys({ gte: 'key-', lt: 'key.' }).all()).length
  // Records of feeds, the log of changes, clears, marks and owners.
  for await (const key of db.keys({ gte: '!\0keyhaul!', lt: '!\0keyhaul"' })) if ([0, 1, 2, 3, 6].includes(key.charCodeAt(10))) feedRows++
}
const there = versions.filter((version, i) => textOf(i, version) !== undefined).length
console.log(`moved ${JSON.stringify({ ...receipt, held, there, feedRows })}`)
await Promise.all([one.close(), two.close()])
