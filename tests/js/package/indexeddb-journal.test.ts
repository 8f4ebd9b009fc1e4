// The journal of browsers, in headless Chromium: what its interface says, two tabs, a worker that
// dies, a real migration.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { build } from 'esbuild'
import { inPage, PAGE } from '../support/page.ts'
import { inFolder } from '../support/stores.js'

const root = new URL('../../..', import.meta.url).pathname

async function inBrowser(body: string, worker = ''): Promise<unknown> {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, 'index.html'), PAGE)
    const files = { main: `const run = async () => {${body}}
const tell = (value) => { document.title = JSON.stringify(value) }
run().then((value) => tell({ value }), (error) => tell({ failed: String(error.stack) }))`, worker }
    for (const [name, code] of Object.entries(files)) {
      await build({ stdin: { contents: COMMON + code, resolveDir: root }, bundle: true, format: 'esm', outfile: join(folder, `${name}.js`) })
    }
    const { value, failed } = JSON.parse(await inPage(folder, 60_000)) as { value?: unknown; failed?: string }
    assert.equal(failed, undefined)
    return value
  })
}

const COMMON = `
import { BrowserLevel } from 'browser-level'
import { inspectJournal, migrate, resume } from './dist/index.js'
import { describeJournal } from './dist/journal/index.js'
import { deleteIndexedDbJournal, indexedDbJournal, indexedDbJournals } from './dist/journal/indexeddb.js'
import { levelStore } from './dist/stores/level.js'
import { journalConformance } from './dist/testing/index.js'
const code = (promise) => promise.then(() => 'none', (error) => error.code)
`

test('it keeps what a journal has to keep, one tab at a time', async () => {
  const result = await inBrowser(`
    const cases = []
    journalConformance({ test: (name, run) => cases.push([name, run]), exclusive: true, open: (name) => indexedDbJournal(name) })
    const failed = []
    for (const [name, run] of cases) await run().catch((error) => failed.push(name + ': ' + error.message))
    return { many: cases.length > 8, failed }`)
  assert.deepEqual(result, { many: true, failed: [] })
})

test('appends that nobody waits for stand in their order; what is not closed is told apart by name', async () => {
  const result = await inBrowser(`
    const a = indexedDbJournal('a')
    await Promise.all([1, 2, 3, 4, 5].map((value) => a.append(new Uint8Array(value).fill(value))))
    const held = await code(deleteIndexedDbJournal('a'))
    const bytes = [...await a.read()]
    await a.close()
    const b = indexedDbJournal('b', { database: 'elsewhere' })
    await b.append(new Uint8Array(1))
    await b.close()
    const names = [await indexedDbJournals(), await indexedDbJournals({ database: 'elsewhere' })]
    await deleteIndexedDbJournal('a')
    await deleteIndexedDbJournal('never there')
    return { bytes, held, names, after: await indexedDbJournals() }`)
  assert.deepEqual(result, { bytes: [1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5], held: 'KEYHAUL_JOURNAL_IN_USE', names: [['a'], ['b']], after: [] })
})

test('a part that somebody took out is a gap, and said', async () => {
  const result = await inBrowser(`
    const journal = indexedDbJournal('a')
    for (let i = 0; i < 3; i++) await journal.append(new Uint8Array(10))
    const db = await new Promise((resolve) => { const request = indexedDB.open('keyhaul-journals'); request.onsuccess = () => resolve(request.result) })
    await new Promise((resolve) => { const t = db.transaction('parts', 'readwrite'); t.objectStore('parts').delete(['a', 10]); t.oncomplete = resolve })
    db.close()
    return code(journal.read())`)
  assert.equal(result, 'KEYHAUL_JOURNAL_CORRUPT')
})

const DELETED = `
const gone = (realm) => new Promise((resolve, reject) => { const request = realm.indexedDB.deleteDatabase('keyhaul-journals'); request.onsuccess = resolve; request.onblocked = request.onerror = reject })
const databases = async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name === 'keyhaul-journals')
`

test('somebody deletes the database under it: it takes no more until it is closed, keeps its lock, makes no other', async () => {
  const result = await inBrowser(`${DELETED}
    const journal = indexedDbJournal('a')
    await journal.append(new Uint8Array(10))
    await gone(window)
    const refused = [await code(journal.append(new Uint8Array(3))), await code(journal.truncate(0))]
    const made = await databases()
    const held = await code(indexedDbJournal('a').append(new Uint8Array(3)))
    const seen = (await journal.read()).length
    refused.push(await code(journal.append(new Uint8Array(3))))
    await journal.close()
    await journal.append(new Uint8Array(3))
    const { length } = await journal.read()
    await journal.close()
    return { refused, made, held, seen, length }`)
  const failed = 'KEYHAUL_JOURNAL_WRITE_FAILED'
  assert.deepEqual(result, { refused: [failed, failed, failed], made: [], held: 'KEYHAUL_JOURNAL_IN_USE', seen: 0, length: 3 })
})

test('a journal that ends elsewhere than it was written to takes no more', async () => {
  const result = await inBrowser(`
    const journal = indexedDbJournal('a')
    await journal.append(new Uint8Array(10))
    const db = await new Promise((resolve) => { const request = indexedDB.open('keyhaul-journals'); request.onsuccess = () => resolve(request.result) })
    await new Promise((resolve) => { const t = db.transaction('parts', 'readwrite'); t.objectStore('parts').clear(); t.oncomplete = resolve })
    db.close()
    const refused = await code(journal.append(new Uint8Array(3)))
    return { refused, length: (await journal.read()).length }`)
  assert.deepEqual(result, { refused: 'KEYHAUL_JOURNAL_WRITE_FAILED', length: 0 })
})

test('a second page deletes the database during a move: the move fails, and no journal begins in its middle', async () => {
  const result = await inBrowser(`${DELETED}
    const [a, b] = [new BrowserLevel('a', { valueEncoding: 'view' }), new BrowserLevel('b', { valueEncoding: 'view' })]
    await a.batch(Array.from({ length: 4000 }, (_, i) => ({ type: 'put', key: 'k' + String(i).padStart(6, '0'), value: new Uint8Array(100) })))
    const other = window.open('about:blank')
    const run = migrate({ from: levelStore(a, { name: 'a' }), to: levelStore(b, { name: 'b' }), mode: 'move', journal: indexedDbJournal('move'), pageEntries: 50, durablePages: 2, rate: 150_000 })
    const ended = code(run.done)
    let deleted
    const followed = (async () => { for await (const { entries } of run) if (entries > 600) deleted ??= gone(other) })().catch(() => {})
    const failed = await ended
    await followed
    await deleted
    return { failed, isOther: other.indexedDB !== indexedDB, wasDeleted: deleted !== undefined, made: await databases(), left: (await a.keys().all()).length }`)
  assert.deepEqual(result, { failed: 'KEYHAUL_JOURNAL_WRITE_FAILED', isOther: true, wasDeleted: true, made: [], left: 4000 })
})

// The worker dies at a moment of the page's choosing, in the middle of a move.
test('a worker that is killed in the middle: the lock goes with it, and another goes on from the journal', async () => {
  const result = await inBrowser(`
    const keyOf = (i) => 'k' + String(i).padStart(6, '0')
    const [a, b] = [new BrowserLevel('a', { valueEncoding: 'view' }), new BrowserLevel('b', { valueEncoding: 'view' })]
    await a.batch(Array.from({ length: 4000 }, (_, i) => ({ type: 'put', key: keyOf(i), value: new Uint8Array(100).fill(i) })))
    await a.close()
    const rounds = []
    for (let round = 0; round < 4; round++) {
      const worker = new Worker('./worker.js', { type: 'module' })
      await new Promise((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message))
        worker.onmessage = ({ data }) => data > 600 * (round + 1) && resolve()
      })
      const held = await code(indexedDbJournal('move').read())
      worker.terminate()
      // The browser takes the lock back when it has ended the worker.
      let info
      while (info === undefined) {
        const journal = indexedDbJournal('move')
        info = await journal.read().then(inspectJournal, () => undefined)
        await journal.close()
      }
      rounds.push([held, info.resumable, info.copiedEntries > 0])
    }
    const receipt = await resume({ from: levelStore(a, { name: 'a' }), to: levelStore(b, { name: 'b' }), journal: indexedDbJournal('move') }).done
    const left = await a.keys().all()
    const moved = await b.iterator().all()
    const same = moved.every(([key, value], i) => key === keyOf(i) && value.length === 100 && value.every((byte) => byte === (i & 255)))
    const journal = indexedDbJournal('move')
    const text = describeJournal(await journal.read())
    return { rounds, verified: receipt.verified, incarnations: receipt.incarnations, deleted: receipt.deletedEntries, left: left.length, moved: moved.length, same, ends: /finished/.test(text) }`, `
    const stores = ['a', 'b'].map((name) => levelStore(new BrowserLevel(name), { name }))
    const [from, to] = stores
    const journal = indexedDbJournal('move')
    const bytes = await journal.read()
    await journal.close()
    const pages = { pageEntries: 50, durablePages: 2, rate: 150_000 }
    const run = bytes.length > 0 ? resume({ from, to, journal, rate: 150_000 }) : migrate({ from, to, mode: 'move', verify: 'both', journal, ...pages })
    for await (const { entries } of run) postMessage(entries)`)
  const round = ['KEYHAUL_JOURNAL_IN_USE', true, true]
  assert.deepEqual(result, { rounds: [round, round, round, round], verified: true, incarnations: 5, deleted: 4000, left: 0, moved: 4000, same: true, ends: true })
})
