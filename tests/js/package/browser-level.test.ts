// BrowserLevel, which is IndexedDB, as source and as target in headless Chromium.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { inPage, PAGE } from '../support/page.ts'
import { inFolder } from '../support/stores.js'

const root = new URL('../../..', import.meta.url).pathname

/** Runs the body of a function in a page; what it returns comes back. */
async function inBrowser(body: string): Promise<unknown> {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, 'index.html'), PAGE)
    const contents = `${COMMON}
const run = async () => {${body}}
const tell = (value) => { document.title = JSON.stringify(value) }
run().then((value) => tell({ value }), (error) => tell({ failed: String(error.stack) }))
`
    await build({ stdin: { contents, resolveDir: root }, bundle: true, format: 'esm', outfile: join(folder, 'main.js') })
    const { value, failed } = JSON.parse(await inPage(folder, 60_000)) as { value?: unknown; failed?: string }
    assert.equal(failed, undefined)
    return value
  })
}

const COMMON = `
import { BrowserLevel } from 'browser-level'
import { Engine, memoryJournal, migrate, resume } from './dist/index.js'
import { levelStore } from './dist/stores/level.js'
import { memoryStore } from './dist/stores/memory.js'
import { storeConformance } from './dist/testing/index.js'

const COUNT = 5000
const keyOf = (i) => 'k' + String(i).padStart(6, '0')
const valueOf = (i) => new Uint8Array(i % 300).fill(i & 255)
const options = { valueEncoding: 'view' }
let made = 0
const fresh = () => new BrowserLevel('db' + made++, options)
const filled = async () => {
  const db = fresh()
  await db.batch(Array.from({ length: COUNT }, (_, i) => ({ type: 'put', key: keyOf(i), value: valueOf(i) })))
  return db
}
/** How many of the records are there as they were made, and how many others. */
const compare = async (db) => {
  let equal = 0
  let others = 0
  for (const [key, value] of await db.iterator().all()) {
    const i = Number(key.slice(1))
    const same = key === keyOf(i) && i < COUNT && value.length === i % 300 && value.every((byte) => byte === (i & 255))
    if (same) equal++
    else others++
  }
  return [equal, others]
}
`

test('5,000 records from BrowserLevel to BrowserLevel: verified, and equal when read by its own iterator', async () => {
  const result = await inBrowser(`
    const [a, b] = [await filled(), fresh()]
    const { state, verified, entries } = await migrate({ from: levelStore(a), to: levelStore(b) }).done
    return { state, verified, entries, a: await compare(a), b: await compare(b) }`)
  assert.deepEqual(result, { state: 'done', verified: true, entries: 5000, a: [5000, 0], b: [5000, 0] })
})

test('5,000 records from memory to BrowserLevel and back', async () => {
  const result = await inBrowser(`
    const from = memoryStore({ name: 'memory' })
    for (let i = 0; i < COUNT; i++) from.put(keyOf(i), valueOf(i))
    const b = fresh()
    const there = await migrate({ from, to: levelStore(b), verify: 'both' }).done
    const to = memoryStore({ name: 'memory again' })
    const back = await migrate({ from: levelStore(b), to }).done
    const text = (store) => JSON.stringify([...store].map(([key, value]) => [[...key], [...value]]))
    return { there: there.verified, back: back.verified, equal: text(from) === text(to), b: await compare(b) }`)
  assert.deepEqual(result, { there: true, back: true, equal: true, b: [5000, 0] })
})

test('a move that is stopped, resumed and ended; other keys stay', async () => {
  const result = await inBrowser(`
    const [a, b, journal, stop] = [await filled(), fresh(), memoryJournal(), new AbortController()]
    await a.put('other', new Uint8Array(1))
    const [from, to] = [levelStore(a), levelStore(b)]
    const first = migrate({ from, to, mode: 'move', ranges: [{ prefix: 'k' }], journal, signal: stop.signal, pageEntries: 50, durablePages: 5, rate: 400_000 })
    for await (const { entries } of first) if (entries > 500) break
    stop.abort()
    const code = await first.done.then(() => 'done', (error) => error.code)
    const { verified, entries, deletedEntries, incarnations } = await resume({ from, to, journal }).done
    return { code, verified, entries, deletedEntries, incarnations, a: await compare(a), b: await compare(b) }`)
  assert.deepEqual(result, { code: 'KEYHAUL_INTERRUPTED', verified: true, entries: 5000, deletedEntries: 5000, incarnations: 2, a: [0, 1], b: [5000, 0] })
})

test('writes made meanwhile are followed (L1)', async () => {
  const result = await inBrowser(`
    const [a, b] = [await filled(), fresh()]
    const from = levelStore(a, { feed: true })
    const engine = new Engine()
    const run = await engine.migrate({ from, to: levelStore(b), pageEntries: 100, follow: true })
    for (let i = 0; i < 50; i++) {
      await a.put(keyOf(i * 90), Uint8Array.of(1, 2, 3))
      await a.del(keyOf(i * 90 + 1))
    }
    run.finish()
    const { verified, level } = await run.done
    return { verified, level, a: await compare(a), b: await compare(b) }`)
  assert.deepEqual(result, { verified: true, level: 1, a: [4900, 50], b: [4900, 50] })
})

test('the conformance suite passes in the browser', async () => {
  const result = await inBrowser(`
    const cases = []
    for (const feed of [false, true]) {
      storeConformance({
        test: (name, run) => cases.push([name + (feed ? ' with a feed' : ''), run]),
        create: async () => {
          const db = new BrowserLevel('db' + made++, { keyEncoding: 'view', valueEncoding: 'view' })
          const store = levelStore(db, { feed })
          await db.open()
          return { store, put: (key, value) => db.put(key, value), delete: (key) => db.del(key) }
        }
      })
    }
    const failed = []
    for (const [name, run] of cases) await run().catch((error) => failed.push(name + ': ' + error.message))
    return { many: cases.length > 20, failed }`)
  assert.deepEqual(result, { many: true, failed: [] })
})
