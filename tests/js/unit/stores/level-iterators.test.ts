// A level store keeps an iterator, or the rows of one that it has read to its end, between the pages of a scan:
// nobody may notice but by the clock.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { MemoryLevel } from 'memory-level'
import type { Entry, KeyhaulError, ScanPage, ScanRange, Store } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'

type Level = MemoryLevel<string, string> | ClassicLevel<string, string>
interface Iterators {
  opened: number
  closed: number
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (key: Uint8Array | undefined): string => new TextDecoder().decode(key)
const name = (i: number): string => `k${String(i).padStart(5, '0')}`
const behind = (key: Uint8Array): Uint8Array => Uint8Array.from([...key, 0])
const keysOf = (page: ScanPage): string[] => page.entries.map(([key]) => text(key))
const next = (page: ScanPage): Uint8Array => behind(page.entries.at(-1)?.[0] as Uint8Array)
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const TEN = { maxEntries: 10, maxBytes: 1 << 20 }

const folder = mkdtempSync(join(tmpdir(), 'keyhaul-iterators-'))
after(() => rmSync(folder, { recursive: true }))
let folders = 0
const kinds: [string, () => Level][] = [
  ['memory-level', () => new MemoryLevel()],
  ['classic-level', () => new ClassicLevel(join(folder, String(folders++)))]
]

/** Counts the iterators of a database, but for those that look whether a page is whole, which are closed with it. */
function counting(db: Level): Iterators {
  const counts = { opened: 0, closed: 0 }
  const open = db.iterator.bind(db) as (options: object) => { close(): Promise<void> }
  Object.assign(db, {
    iterator: (options: { keys?: boolean }) => {
      const iterator = open(options)
      if (options.keys === false) return iterator
      const close = iterator.close.bind(iterator)
      let isClosed = false
      counts.opened++
      iterator.close = () => {
        if (!isClosed) counts.closed++
        isClosed = true
        return close()
      }
      return iterator
    }
  })
  return counts
}

async function filled(make: () => Level, rows: number, options: { feed?: boolean } = {}): Promise<{ db: Level; store: Store; counts: Iterators }> {
  const db = make()
  await db.open()
  for (let i = 0; i < rows; i++) await db.put(name(i), 'old')
  return { db, counts: counting(db), store: levelStore(db as LevelDatabase, options) }
}

async function scanAll(store: Pick<Store, 'scan'>, range: ScanRange, pageOf: () => { maxEntries: number; maxBytes: number }): Promise<Entry[][]> {
  const pages: Entry[][] = []
  for (let { gte } = range; ; ) {
    const page = await store.scan({ gte, lt: range.lt }, pageOf())
    pages.push([...page.entries])
    if (page.end) return pages
    gte = next(page)
  }
}

for (const [kind, make] of kinds) {
  const isMemory = kind === 'memory-level'
  test(`${kind}: pages are those of fresh iterators`, async () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 3 })
    const data = fc.uniqueArray(fc.tuple(key, fc.uint8Array({ maxLength: 40 })), { maxLength: 60, selector: ([k]) => String(k) })
    const limits = fc.array(fc.record({ maxEntries: fc.integer({ min: 1, max: 9 }), maxBytes: fc.integer({ min: 1, max: 120 }) }), { minLength: 1, maxLength: 20 })
    const bounds = fc.record({ gte: fc.option(key, { nil: undefined }), lt: fc.option(key, { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(data, limits, bounds, fc.boolean(), async (entries, pages, range, isPart) => {
        const db = make()
        await db.open()
        const part = (isPart ? db.sublevel('part') : db) as unknown as LevelDatabase
        const store = levelStore(part)
        await store.apply(entries, { durable: false })
        // Among keys of the root, and none of the data.
        await levelStore(db as LevelDatabase, { feed: true }).openFeed?.({})
        let at = 0
        const pageOf = (): (typeof pages)[0] => pages[at++ % pages.length] as (typeof pages)[0]
        const kept = await scanAll(store, range, pageOf)
        at = 0
        const fresh = await scanAll({ scan: async (asked, options) => {
          // Drops what is kept.
          await store.apply([], { durable: false })
          return store.scan(asked, options)
        } }, range, pageOf)
        assert.deepEqual(kept, fresh)
        const inside = ([k]: Entry): boolean => (range.gte === undefined || Buffer.compare(k, range.gte) >= 0) && (range.lt === undefined || Buffer.compare(k, range.lt) < 0)
        const expected = entries.filter(inside).sort(([a], [b]) => Buffer.compare(a, b))
        assert.deepEqual(kept.flat().map(([k, value]) => [[...k], [...value]]), expected.map(([k, value]) => [[...k], [...value]]))
        await db.close()
      }),
      { numRuns: kind === 'memory-level' ? 150 : 25 }
    )
  })

  test(`${kind}: one iterator serves ${isMemory ? 'many pages' : 'a page or two'}, and is closed at the end`, async () => {
    const { db, store, counts } = await filled(make, 205)
    const pages = await scanAll(store, {}, () => TEN)
    assert.equal(pages.flat().length, 205)
    assert.equal(counts.opened, counts.closed)
    assert.ok(counts.opened <= (isMemory ? 1 : 2 * pages.length), String(counts.opened))
    await db.close()
  })

  test(`${kind}: no iterator serves a whole long scan`, async () => {
    const { db, store, counts } = await filled(make, 200)
    await scanAll(store, {}, () => ({ ...TEN, maxEntries: 1 }))
    assert.equal(counts.opened, counts.closed)
    assert.ok(isMemory ? counts.opened === 7 : counts.opened >= 7, String(counts.opened))
    await db.close()
  })

  for (const [what, write] of [
    ['apply', (store: Store) => store.apply([[bytes(name(10)), bytes('new')], [bytes(name(11)), undefined]], { durable: false })],
    ['deleteEqual', (store: Store) => store.deleteEqual?.([[bytes(name(11)), bytes('old')]], { durable: false })],
    ['deleteRange', (store: Store) => store.deleteRange?.({ gte: bytes(name(11)), lt: bytes(name(12)) }, { durable: false })]
  ] as const) {
    test(`${kind}: ${what} between two pages is seen, by another store of the database too`, async () => {
      const { db, store, counts } = await filled(make, 40)
      const page = await store.scan({}, TEN)
      await write(levelStore(db as LevelDatabase))
      const second = await store.scan({ gte: next(page) }, TEN)
      assert.deepEqual(keysOf(second).slice(0, 2), [name(10), name(12)])
      assert.equal(text(second.entries[0]?.[1]), what === 'apply' ? 'new' : 'old')
      // That of classic-level was read, and the next ones end where the second page does or so.
      assert.deepEqual(counts, isMemory ? { opened: 2, closed: 1 } : { opened: 2, closed: 2 })
      await db.close()
    })
  }

  test(`${kind}: a write while a page is read is seen by the next page`, async () => {
    const { db, store, counts } = await filled(make, 40)
    const open = db.iterator.bind(db) as (options: object) => { nextv(size: number): Promise<unknown> }
    let write: (() => Promise<void>) | undefined = () => store.apply([[bytes(name(12)), bytes('new')]], { durable: false })
    Object.assign(db, {
      iterator: (options: object) => {
        const iterator = open(options)
        const nextv = iterator.nextv.bind(iterator)
        iterator.nextv = async (size) => {
          const rows = await nextv(size)
          const work = write
          write = undefined
          await work?.()
          return rows
        }
        return iterator
      }
    })
    const page = await store.scan({}, TEN)
    assert.equal(write, undefined)
    const second = await store.scan({ gte: next(page) }, TEN)
    assert.equal(text(second.entries[2]?.[1]), 'new')
    assert.equal(counts.opened, 2)
    await db.close()
  })

  test(`${kind}: a write through a sublevel is seen by a scan of the root`, async () => {
    const { db, store } = await filled(make, 20)
    const part = levelStore(db.sublevel('part') as unknown as LevelDatabase)
    await part.apply([[bytes('a'), bytes('old')], [bytes('b'), bytes('old')]], { durable: false })
    const page = await store.scan({}, { ...TEN, maxEntries: 1 })
    await part.apply([[bytes('b'), bytes('new')]], { durable: false })
    const second = await store.scan({ gte: next(page) }, { ...TEN, maxEntries: 1 })
    assert.deepEqual([keysOf(second), text(second.entries[0]?.[1])], [['!part!b'], 'new'])
    await db.close()
  })

  test(`${kind}: what a poll has told of is in the next page`, async () => {
    const { db, store } = await filled(make, 40, { feed: true })
    const feed = await store.openFeed?.({})
    if (feed === undefined) throw new Error('no feed')
    const page = await store.scan({}, TEN)
    await db.put(name(12), 'new')
    const { changes } = await feed.poll(feed.position, TEN)
    assert.deepEqual(changes.map(([key]) => text(key)), [name(12)])
    const second = await store.scan({ gte: next(page) }, TEN)
    assert.equal(text(second.entries[2]?.[1]), 'new')
    await db.close()
  })

  test(`${kind}: an iterator opened while a poll is under way does not outlive it`, async () => {
    const { db, store } = await filled(make, 40, { feed: true })
    const feed = await store.openFeed?.({})
    if (feed === undefined) throw new Error('no feed')
    const batch = db.batch().put(name(12), 'new', {})
    const polling = feed.poll(feed.position, TEN)
    const page = await store.scan({}, TEN)
    await batch.write()
    assert.deepEqual((await polling).changes.map(([key]) => text(key)), [name(12)])
    const second = await store.scan({ gte: next(page) }, TEN)
    assert.equal(text(second.entries[2]?.[1]), 'new')
    await db.close()
  })

  test(`${kind}: a feed holds what a page after its opening does not`, async () => {
    const { db, store } = await filled(make, 40, { feed: true })
    const page = await store.scan({}, TEN)
    await db.put(name(12), 'new')
    await store.openFeed?.({})
    const second = await store.scan({ gte: next(page) }, TEN)
    assert.equal(text(second.entries[2]?.[1]), 'new')
    await db.close()
  })

  test(`${kind}: the iterators of abandoned scans are closed, the oldest first, and all in a second or so`, async () => {
    const { db, store, counts } = await filled(make, 40)
    for (let i = 0; i < 7; i++) await store.scan({ gte: bytes(name(i)) }, TEN)
    assert.deepEqual(counts, { opened: 7, closed: isMemory ? 3 : 7 })
    const later = await store.scan({ gte: behind(bytes(name(15))) }, TEN)
    assert.equal(keysOf(later)[0], name(16))
    await wait(1300)
    assert.equal(counts.opened, counts.closed)
    if (isMemory) assert.equal(counts.opened, 7)
    await db.close()
  })

  test(`${kind}: an iterator that is too old is not read when the timer had no time`, async () => {
    const { db, store } = await filled(make, 40)
    const page = await store.scan({}, TEN)
    await db.put(name(12), 'new')
    for (const start = performance.now(); performance.now() - start < 1050; );
    const second = await store.scan({ gte: next(page) }, TEN)
    assert.equal(text(second.entries[2]?.[1]), 'new')
    await db.close()
  })

  test(`${kind}: another range, or another part of the database, has an iterator of its own`, async () => {
    const { db, store, counts } = await filled(make, 40)
    await db.sublevel('part').put(name(20), 'part')
    const page = await store.scan({ gte: bytes('k'), lt: bytes(name(30)) }, TEN)
    await store.scan({ gte: next(page), lt: bytes(name(29)) }, TEN)
    await store.scan({ gte: next(page) }, TEN)
    await store.scan({ gte: bytes(name(10)), lt: bytes(name(30)) }, TEN)
    assert.equal(counts.opened, 4)
    const part = await levelStore(db.sublevel('part') as unknown as LevelDatabase).scan({ gte: next(page), lt: bytes(name(30)) }, TEN)
    assert.deepEqual(keysOf(part), [name(20)])
    const second = await store.scan({ gte: next(page), lt: bytes(name(30)) }, TEN)
    assert.deepEqual([keysOf(second)[0], second.entries.length], [name(10), 10])
    await db.close()
  })

  test(`${kind}: the same page asked for twice at once is given twice`, async () => {
    const { db, store } = await filled(make, 40)
    const page = await store.scan({}, TEN)
    const [one, other] = await Promise.all([store.scan({ gte: next(page) }, TEN), store.scan({ gte: next(page) }, TEN)])
    assert.deepEqual(one, other)
    assert.deepEqual(keysOf(one)[0], name(10))
    await db.close()
  })

  test(`${kind}: an abort and an error close the iterator`, async () => {
    const { db, store, counts } = await filled(make, 40)
    const page = await store.scan({}, TEN)
    const controller = new AbortController()
    const reading = store.scan({ gte: next(page) }, { ...TEN, signal: controller.signal })
    controller.abort()
    await assert.rejects(reading, { code: 'KEYHAUL_INTERRUPTED' })
    assert.deepEqual(counts, isMemory ? { opened: 1, closed: 1 } : { opened: 2, closed: 2 })
    const again = await store.scan({ gte: next(page) }, TEN)
    assert.equal(keysOf(again)[0], name(10))
    await db.close()
  })

  test(`${kind}: a database closes while an iterator is kept, and goes on when it is opened again`, async () => {
    const { db, store, counts } = await filled(make, 40)
    const page = await store.scan({}, TEN)
    await db.close()
    assert.deepEqual(counts, { opened: 1, closed: 1 })
    await assert.rejects(store.scan({ gte: next(page) }, TEN), (error: KeyhaulError) => error.code === 'KEYHAUL_STORE_CLOSED')
    await db.open()
    assert.deepEqual(keysOf(await store.scan({ gte: next(page) }, TEN))[0], name(10))
    await db.close()
  })

  test(`${kind}: a sublevel closes while an iterator is kept`, async () => {
    const db = make()
    await db.open()
    const part = db.sublevel('part')
    await part.open()
    for (let i = 0; i < 40; i++) await part.put(name(i), 'old')
    const store = levelStore(part as unknown as LevelDatabase)
    const page = await store.scan({}, TEN)
    await part.close()
    await part.open()
    assert.deepEqual(keysOf(await store.scan({ gte: next(page) }, TEN))[0], name(10))
    await db.close()
  })
}

test('callers may change what they gave and got', async () => {
  const { db, store } = await filled(() => new MemoryLevel(), 40)
  const lt = Buffer.from(name(30))
  const page = await store.scan({ lt }, TEN)
  const gte = next(page)
  page.entries[9]?.[0].fill(0)
  lt.fill(0)
  const second = await store.scan({ gte, lt: bytes(name(30)) }, TEN)
  assert.deepEqual([keysOf(second)[0], second.entries.length], [name(10), 10])
  await db.close()
})
