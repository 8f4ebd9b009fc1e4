// What a feed must survive beyond the conformance suite: batches that are built slowly or
// across its opening, several stores on one database, restarts, clear(), stale positions.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import type { Feed, Store } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { MARK_KIND, readRows } from '../../../../dist/stores/level-feed-rows.js'
import { memoryStore } from '../../../../dist/stores/memory.js'

const LIMITS = { maxEntries: 1000, maxBytes: 1 << 20 }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (part: Uint8Array | undefined): string | undefined => (part === undefined ? undefined : Buffer.from(part).toString())

type Level = MemoryLevel<string, string>
const store = (db: unknown): Store => levelStore(db as LevelDatabase, { feed: true })
const openFeed = async (of: Store, range = {}, after?: Uint8Array): Promise<Feed> => (await of.openFeed?.(range, { after })) as Feed

/** The last value of each key beyond `after`; fails where the engine would give up. */
async function drain(feed: Feed, after = feed.position, limits = LIMITS): Promise<{ seen: Record<string, string | undefined>; position: Uint8Array }> {
  const seen: Record<string, string | undefined> = {}
  let position = after
  for (;;) {
    const page = await feed.poll(position, limits)
    const moved = page.changes.length > 0 || page.caughtUp || Buffer.compare(page.position, position) !== 0
    assert.ok(moved, 'a page that is empty, not caught up and does not move on ends a migration')
    for (const [key, value] of page.changes) seen[text(key) as string] = text(value)
    position = page.position
    if (page.caughtUp) return { seen, position }
  }
}

const lost = (work: Promise<unknown>): Promise<void> => assert.rejects(work, { code: 'KEYHAUL_FEED_POSITION_LOST' })

async function inClassic(work: (path: string) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'keyhaul-feed-'))
  try {
    await work(path)
  } finally {
    rmSync(path, { recursive: true })
  }
}

test('a chained batch begun before the feed and written after is in it', async () => {
  const db: Level = new MemoryLevel()
  const source = store(db)
  await db.put('x', '0')
  await (await openFeed(source)).close({ discard: true })
  const batch = db.batch().put('straddles', '1').del('x')
  const feed = await openFeed(source)
  await batch.write()
  assert.deepEqual((await drain(feed)).seen, { straddles: '1', x: undefined })
})

test('a chained batch that is built slowly is in the feed when it lands', async () => {
  const db: Level = new MemoryLevel()
  const feed = await openFeed(store(db))
  const batch = db.batch().put('slow', '1')
  await sleep(2300)
  await db.put('quick', '2')
  const { seen, position } = await drain(feed)
  assert.equal(seen['quick'], '2')
  await batch.write()
  assert.equal((await drain(feed, position)).seen['slow'], '1')
})

test('a poll while writes are under way neither stands still nor passes them', async () => {
  await inClassic(async (path) => {
    const db = new ClassicLevel<string, string>(path)
    const feed = await openFeed(store(db))
    let position = feed.position
    const all: Record<string, string | undefined> = {}
    for (let round = 0; round < 30; round++) {
      const writes = Array.from({ length: 20 }, (_, i) => db.put(`k${i}`, `${round}`, { sync: i % 7 === 0 }))
      const drained = await drain(feed, position)
      await Promise.all(writes)
      position = drained.position
      Object.assign(all, drained.seen)
    }
    Object.assign(all, (await drain(feed, position)).seen)
    assert.deepEqual(all, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, '29'])))
    await db.close()
  })
})

test('a batch that is given up does not hold the feed for ever', async () => {
  const db: Level = new MemoryLevel()
  const feed = await openFeed(store(db))
  await db.batch().put('never', '1').close()
  await db.put('a', '1')
  assert.deepEqual((await drain(feed)).seen, { a: '1' })
})

test('a batch that is refused for one of its keys is in no feed, and no feed waits for it', async () => {
  const db: Level = new MemoryLevel()
  const its = store(db)
  const feed = await openFeed(its)
  const refused = its.apply([[bytes('a'), bytes('1')], [bytes('!\0keyhaul!x'), bytes('2')]], { durable: false })
  await assert.rejects(refused, { code: 'KEYHAUL_INVALID_ARGUMENT' })
  await db.put('b', '3')
  assert.deepEqual((await drain(feed)).seen, { b: '3' })
  // What a poll gives up waiting for leaves a mark.
  assert.deepEqual(await readRows(db as unknown as LevelDatabase, MARK_KIND), [])
})

test('several stores on one database do not disturb each other', async () => {
  const db: Level = new MemoryLevel()
  const [first, second] = [store(db), store(db)]
  const feed = await openFeed(first)
  const other = await openFeed(second)
  await db.put('a', '1')
  await other.close({ discard: true })
  await other.close({ discard: true })
  await db.put('b', '2')
  assert.deepEqual((await drain(feed)).seen, { a: '1', b: '2' })
  await feed.close({ discard: true })
  assert.deepEqual(await db.keys().all(), ['a', 'b'])
})

test('two objects of one sublevel are one store, and a write through any object is seen', async () => {
  const db: Level = new MemoryLevel()
  const [one, two] = [store(db.sublevel('part')), store(db.sublevel('part'))]
  assert.equal(one.identity, two.identity)
  assert.notEqual(one.identity, store(db.sublevel('other')).identity)
  assert.notEqual(one.identity, store(db).identity)
  assert.notEqual(one.identity, store(new MemoryLevel().sublevel('part')).identity)
  const feed = await openFeed(one)
  await db.sublevel('part').put('a', '1')
  await db.put('!part!b', '2')
  await db.sublevel('other').put('c', '3')
  await db.batch([{ type: 'put', key: 'd', value: '4', sublevel: db.sublevel('part') }])
  assert.deepEqual((await drain(feed)).seen, { a: '1', b: '2', d: '4' })
})

test('a write into a nested sublevel is recorded under its full key', async () => {
  const db: Level = new MemoryLevel()
  const feed = await openFeed(store(db))
  const nested = db.sublevel('a').sublevel('b')
  await nested.put('k', '1')
  await db.batch([{ type: 'put', key: 'l', value: '2', sublevel: nested }])
  await db.batch().put('m', '3', { sublevel: nested }).write()
  assert.deepEqual((await drain(feed)).seen, { '!a!!b!k': '1', '!a!!b!l': '2', '!a!!b!m': '3' })
})

test('a position of a feed that was given up is lost, also while another is open', async () => {
  for (const source of [memoryStore(), store(new MemoryLevel())]) {
    const put = (key: string): Promise<void> => source.apply([[bytes(key), bytes('1')]], { durable: false })
    const old = await openFeed(source)
    await put('a')
    const { position } = await drain(old)
    await old.close({ discard: true })
    await put('unrecorded')
    const takenUp = (): Promise<unknown> => openFeed(source, {}, position).then((feed) => feed.poll(position, LIMITS))
    await lost(takenUp())
    const feed = await openFeed(source)
    await lost(takenUp())
    await lost(feed.poll(position, LIMITS))
    assert.deepEqual((await drain(feed)).seen, {})
  }
})

test('a position before what was trimmed is lost', async () => {
  for (const source of [memoryStore(), store(new MemoryLevel())]) {
    const feed = await openFeed(source)
    await source.apply([[bytes('a'), bytes('1')]], { durable: false })
    const { position } = await drain(feed)
    await feed.trim?.(position)
    await lost(feed.poll(feed.position, LIMITS))
    assert.deepEqual((await drain(feed, position)).seen, {})
  }
})

test('a feed that is left and taken up ends with its own discard, and a full log loses the oldest', async () => {
  const source = memoryStore({ feedLimit: 10 })
  const feed = await openFeed(source)
  await feed.close({ discard: false })
  const again = await openFeed(source, {}, feed.position)
  source.put('a', '1')
  await again.close({ discard: true })
  await lost(openFeed(source, {}, feed.position))
  const next = await openFeed(source)
  for (let i = 0; i < 30; i++) source.put(`k${i}`, '1')
  await lost(next.poll(next.position, LIMITS))
})

test('clear() ends the feed of what it touched and no other, also after a restart', async () => {
  await inClassic(async (path) => {
    let db = new ClassicLevel<string, string>(path)
    const source = store(db)
    const [low, high] = [await openFeed(source, { lt: bytes('m') }), await openFeed(source, { gte: bytes('m') })]
    await db.batch([{ type: 'put', key: 'a', value: '1' }, { type: 'put', key: 'x', value: '2' }])
    await db.clear({ gte: 'p', lt: 'z' })
    assert.deepEqual((await drain(low)).seen, { a: '1' })
    await lost(high.poll(high.position, LIMITS))
    await sleep(20)
    await db.close()
    db = new ClassicLevel(path)
    const restarted = store(db)
    await db.put('b', '3')
    const lowAgain = await openFeed(restarted, { lt: bytes('m') }, low.position)
    assert.deepEqual((await drain(lowAgain, low.position)).seen, { a: '1', b: '3' })
    await lost(openFeed(restarted, { gte: bytes('m') }, high.position).then((feed) => feed.poll(high.position, LIMITS)))
    await db.close()
  })
})

test('deleteRange of the store is in no feed, ends none and spares the records', async () => {
  const db: Level = new MemoryLevel()
  const source = store(db)
  const feed = await openFeed(source)
  await db.put('!a', '1')
  await db.put('z', '2')
  await source.deleteRange?.({}, { durable: true })
  assert.deepEqual((await source.scan({}, LIMITS)).entries, [])
  await db.put('y', '3')
  assert.deepEqual((await drain(feed)).seen, { '!a': undefined, z: undefined, y: '3' })
})

test('a page of changes keeps to its bytes', async () => {
  const db: Level = new MemoryLevel()
  const feed = await openFeed(store(db))
  for (let i = 0; i < 20; i++) await db.put(`k${i}`, 'x'.repeat(10_000))
  const page = await feed.poll(feed.position, { maxEntries: 1000, maxBytes: 25_000 })
  assert.equal(page.changes.length, 2)
  assert.equal(Object.keys((await drain(feed, feed.position, { maxEntries: 1000, maxBytes: 25_000 })).seen).length, 20)
})

test('without an open feed nothing is recorded, also when none was ever asked for', async () => {
  const db: Level = new MemoryLevel()
  store(db)
  for (let i = 0; i < 50; i++) await db.put(`k${i}`, '1')
  await sleep(20)
  await db.put('last', '1')
  assert.deepEqual((await db.keys().all()).filter((key) => key.startsWith('!')), [])
})

test('a database that its owner closed is not opened again', async () => {
  const db: Level = new MemoryLevel()
  const source = levelStore(db as unknown as LevelDatabase)
  await source.scan({}, LIMITS)
  await db.close()
  await assert.rejects(source.scan({}, LIMITS), { code: 'KEYHAUL_STORE_CLOSED' })
  assert.equal(db.status, 'closed')
})
