// What a service pays for a gate before its database: the same operations on a ClassicLevel as it
// is, and through shardedStore and gatedStore with a feed that nobody has open. What both hold in the end is compared.
// node bench/node/gate.mjs [--quick]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { crc32c } from '../../dist/checksum/index.js'
import { assignRange, gatedStore, shardedStore } from '../../dist/live/index.js'
import { levelRegister } from '../../dist/register/level.js'
import { levelStore } from '../../dist/stores/level.js'
import { machine } from '../shared/machine.mjs'

const quick = process.argv.includes('--quick')
const ROWS = 20_000
const OPS = quick ? 4000 : 40_000
const RUNS = quick ? 1 : 5
const CLIENTS = [1, 16, 64, 512]
const VALUE = Buffer.alloc(100, 'v')
const VIEW = { keyEncoding: 'utf8', valueEncoding: 'view' }
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const keyOf = (i) => `key-${String(i).padStart(9, '0')}`

/** The same numbers in each run: a client's own keys, so that the end does not depend on who is faster. */
function numbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Half reads, four tenths puts, a tenth deletes. */
async function client(store, id, clients) {
  const next = numbers(id + 1)
  for (let left = Math.floor(OPS / clients); left > 0; left--) {
    const key = keyOf(Math.floor((next() * ROWS) / clients) * clients + id)
    const kind = next()
    if (kind < 0.5) await store.get(key)
    else if (kind < 0.9) await store.put(key, VALUE)
    else await store.del(key)
  }
}

async function fingerprint(db) {
  let crc = 0
  for await (const [key, value] of db.iterator({ gt: 'key-', lt: 'key.', keyEncoding: 'utf8', valueEncoding: 'view' })) crc = crc32c(value, crc32c(Buffer.from(key), crc))
  return crc
}

const ways = {
  'ClassicLevel as it is': async (db) => ({ get: (key) => db.get(key, VIEW), put: (key, value) => db.put(key, value, VIEW), del: (key) => db.del(key, VIEW), close: () => {} }),
  'shardedStore of a gatedStore': async (db) => {
    const store = gatedStore(levelStore(db, { name: 'a', feed: true }))
    const register = levelRegister(db)
    await assignRange({ register, store })
    return shardedStore({ stores: { a: store }, register })
  }
}

async function once(way, clients, path) {
  const db = new ClassicLevel(path)
  await db.open()
  await db.batch(Array.from({ length: ROWS }, (_, i) => ({ type: 'put', key: keyOf(i), value: VALUE, ...VIEW })))
  const store = await ways[way](db)
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, (_, id) => client(store, id, clients)))
  const ms = performance.now() - began
  store.close()
  const end = await fingerprint(db)
  await db.close()
  rmSync(path, { recursive: true })
  return { perSecond: (Math.floor(OPS / clients) * clients * 1000) / ms, end }
}

const sorted = (list) => [...list].sort((x, y) => x - y)
const shown = (list) => `${Math.round(sorted(list)[list.length >> 1]).toLocaleString('en-US')} (${Math.round(Math.min(...list)).toLocaleString('en-US')} to ${Math.round(Math.max(...list)).toLocaleString('en-US')})`
console.log(`${machine('classic-level')}\n`)
console.log(`| clients, ops/s (lowest to highest of ${RUNS}) | ${Object.keys(ways).join(' | ')} | ratio |\n|---|---|---|---|`)
for (const clients of CLIENTS) {
  const all = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
  for (let run = 0; run < RUNS; run++) {
    const ends = new Set()
    for (const way of Object.keys(ways)) {
      const { perSecond, end } = await once(way, clients, join(folder, 'db'))
      all[way].push(perSecond)
      ends.add(end)
    }
    if (ends.size !== 1) throw new Error('the databases differ')
  }
  const [plain, gated] = Object.values(all).map((list) => sorted(list)[list.length >> 1])
  console.log(`| ${clients} | ${Object.values(all).map(shown).join(' | ')} | ${(gated / plain).toFixed(2)}x |`)
}
