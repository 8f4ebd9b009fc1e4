// Changes that a feed could lose silently: other hooks, a clock that goes back, a restart after
// a record that could not be written, a machine that lost writes.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import type { Feed, Store } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'

type Level = ClassicLevel<string, string>
const LIMITS = { maxEntries: 1000, maxBytes: 1 << 20 }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (part: Uint8Array | undefined): string | undefined => (part === undefined ? undefined : Buffer.from(part).toString())
const store = (db: unknown): Store => levelStore(db as LevelDatabase, { feed: true })
const openFeed = async (of: Store, range = {}, after?: Uint8Array): Promise<Feed> => (await of.openFeed?.(range, { after })) as Feed
const lost = (work: Promise<unknown>): Promise<void> => assert.rejects(work, { code: 'KEYHAUL_FEED_POSITION_LOST' })

async function drain(feed: Feed, after = feed.position): Promise<{ seen: Record<string, string | undefined>; position: Uint8Array }> {
  const seen: Record<string, string | undefined> = {}
  let position = after
  for (;;) {
    const page = await feed.poll(position, LIMITS)
    for (const [key, value] of page.changes) seen[text(key) as string] = text(value)
    position = page.position
    if (page.caughtUp) return { seen, position }
  }
}

async function inClassic(work: (path: string) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'keyhaul-holes-'))
  try {
    await work(path)
  } finally {
    rmSync(path, { recursive: true })
    rmSync(`${path}-old`, { recursive: true, force: true })
  }
}

/** Writes of keyhaul itself fail from now on; a chained batch begun before does not. */
function failOwnBatches(db: Level): void {
  const batch = db.batch.bind(db) as unknown as (...args: unknown[]) => { write(): Promise<void> }
  Object.assign(db, {
    batch: (...args: unknown[]) => {
      if (args.length > 0) return batch(...args)
      const chained = batch()
      chained.write = () => Promise.reject(new Error('no space'))
      return chained
    }
  })
}

/** Own rows in the log of this kind. */
const ownRows = async (db: Level | MemoryLevel, kind: string): Promise<number> => (await (db as Level).keys({ gte: `!\0keyhaul!${kind}`, lt: `!\0keyhaul!${kind}\uffff` }).all()).length
const MARKS = '\x03'

/** The next process: another object on the same directory. */
async function restart(db: Level, path: string): Promise<{ db: Level; source: Store }> {
  await db.close()
  const next = new ClassicLevel<string, string>(path)
  return { db: next, source: store(next) }
}

interface Op { key: unknown; type: string }
type Hook = (op: Op, batch: { add(op: object): void }) => void

for (const when of ['before', 'after'] as const) {
  test(`a hook that renames keys, added ${when} the feed was opened: the stored keys are in the feed`, async () => {
    const db = new MemoryLevel<string, string>()
    const source = store(db)
    const hook = (op: Op): void => {
      if (op.key === 'a') op.key = 'renamed'
    }
    if (when === 'before') db.hooks.prewrite.add(hook as never)
    const feed = await openFeed(source)
    if (when === 'after') db.hooks.prewrite.add(hook as never)
    await db.put('a', '1')
    await db.batch().put('b', '2').put('a', '3').write()
    await db.batch([{ type: 'put', key: 'a', value: '4' }, { type: 'del', key: 'b' }])
    const { seen } = await drain(feed)
    assert.equal(seen['renamed'], '4')
    assert.ok('b' in seen && seen['b'] === undefined)
    await sleep(5)
    assert.equal(await ownRows(db, MARKS), 0, 'no mark is left behind')
  })
}

test('what another hook adds to a batch is in the feed, even a copy of our own operation', async () => {
  const db = new MemoryLevel<string, string>()
  const feed = await openFeed(store(db))
  const hook: Hook = (op, batch) => {
    if (typeof op.key === 'string') batch.add({ ...op, key: `index:${op.key}` })
  }
  db.hooks.prewrite.add(hook as never)
  await db.put('a', '1')
  await db.batch().put('b', '2').write()
  assert.deepEqual((await drain(feed)).seen, { a: '1', 'index:a': '1', b: '2', 'index:b': '2' })
})

test('a renamed key whose record fails: lost, also after a restart', async () => {
  await inClassic(async (path) => {
    const db: Level = new ClassicLevel(path)
    const feed = await openFeed(store(db))
    const hook = (op: Op): void => {
      if (op.key === 'a') op.key = 'renamed'
    }
    db.hooks.prewrite.add(hook as never)
    failOwnBatches(db)
    await db.put('a', '1')
    await lost(drain(feed))
    const next = await restart(db, path)
    await lost(openFeed(next.source, {}, feed.position))
    const fresh = await openFeed(next.source)
    await next.db.put('b', '2')
    assert.deepEqual((await drain(fresh)).seen, { b: '2' })
    assert.equal(await ownRows(next.db, MARKS), 0)
    await next.db.close()
  })
})

function clockBack(t: TestContext, ms: number): void {
  const now = Date.now.bind(Date)
  t.mock.method(Date, 'now', () => now() - ms)
}

test('a clock that goes back: positions grow within a process and across a restart', async (t) => {
  await inClassic(async (path) => {
    let db: Level = new ClassicLevel(path)
    let source = store(db)
    let feed = await openFeed(source)
    await db.put('a', '1')
    let { position } = await drain(feed)
    clockBack(t, 3_600_000)
    await db.put('b', '2')
    let drained = await drain(feed, position)
    assert.deepEqual(drained.seen, { b: '2' })
    // Trimmed, so that no row of the log says how far it had come.
    await feed.trim?.(drained.position)
    ;({ db, source } = await restart(db, path))
    clockBack(t, 7_200_000)
    // Given positions before the log is read.
    const first = [db.put('c', '3'), db.batch([{ type: 'put', key: 'd', value: '4' }])]
    await Promise.all(first)
    feed = await openFeed(source, {}, drained.position)
    await db.put('e', '5')
    drained = await drain(feed, drained.position)
    assert.deepEqual(drained.seen, { c: '3', d: '4', e: '5' })
    ;({ position } = drained)
    ;({ db, source } = await restart(db, path))
    feed = await openFeed(source, {}, position)
    await db.put('f', '6')
    assert.deepEqual((await drain(feed, position)).seen, { f: '6' })
    await sleep(5)
    assert.equal(await ownRows(db, MARKS), 0)
    await db.close()
  })
})

test('a clear() before the log was read ends the feed, whatever the clock says', async (t) => {
  await inClassic(async (path) => {
    let db: Level = new ClassicLevel(path)
    let source = store(db)
    const feed = await openFeed(source)
    await db.put('a', '1')
    const { position } = await drain(feed)
    ;({ db, source } = await restart(db, path))
    clockBack(t, 3_600_000)
    await db.clear({ gte: 'a', lt: 'b' })
    await lost(openFeed(source, {}, position).then((again) => again.poll(position, LIMITS)))
    await db.close()
  })
})

test('a position beyond what the store still holds is lost: the machine took writes with it', async () => {
  await inClassic(async (path) => {
    const db: Level = new ClassicLevel(path)
    const feed = await openFeed(store(db))
    await db.put('a', '1')
    cpSync(path, `${path}-old`, { recursive: true })
    await db.put('a', '2')
    const { position } = await drain(feed)
    await db.close()
    const old: Level = new ClassicLevel(`${path}-old`)
    const source = store(old)
    await old.put('b', '3')
    await lost(openFeed(source, {}, position))
    assert.deepEqual((await drain(await openFeed(source, {}, feed.position), feed.position)).seen, { a: '1', b: '3' })
    await old.close()
  })
})

test('sublevels named keyhaul are anyone’s: followed, scanned, and no record of ours', async () => {
  const db = new MemoryLevel<string, string>()
  const part = db.sublevel('keyhaul')
  const [root, own] = [store(db), store(part)]
  const [ofRoot, ofPart] = [await openFeed(root), await openFeed(own)]
  await part.put('\0', 'zero')
  await part.put('\x01', 'one')
  assert.deepEqual((await drain(ofRoot)).seen, { '!keyhaul!\0': 'zero', '!keyhaul!\x01': 'one' })
  assert.deepEqual((await drain(ofPart)).seen, { '\0': 'zero', '\x01': 'one' })
  const keys = async (of: Store): Promise<(string | undefined)[]> => (await of.scan({}, LIMITS)).entries.map(([key]) => text(key))
  assert.deepEqual(await keys(root), ['!keyhaul!\0', '!keyhaul!\x01'])
  assert.deepEqual(await keys(own), ['\0', '\x01'])
  await own.apply([[bytes('k'), bytes('v')]], { durable: true })
  assert.equal(await part.get('k'), 'v')
})

test('a batch of before the feed whose record fails: lost, also after a restart', async () => {
  await inClassic(async (path) => {
    const db: Level = new ClassicLevel(path)
    const source = store(db)
    await (await openFeed(source)).close({ discard: true })
    const batch = db.batch().put('straddles', '1')
    const feed = await openFeed(source)
    failOwnBatches(db)
    await batch.write()
    await lost(drain(feed))
    const next = await restart(db, path)
    await lost(openFeed(next.source, {}, feed.position))
    await next.db.close()
  })
})

test('a batch of before the feed that lands well leaves no mark', async () => {
  await inClassic(async (path) => {
    const db: Level = new ClassicLevel(path)
    const source = store(db)
    await (await openFeed(source)).close({ discard: true })
    const batch = db.batch().put('straddles', '1')
    const feed = await openFeed(source)
    assert.equal(await ownRows(db, MARKS), 1)
    await batch.write()
    const { position } = await drain(feed)
    assert.equal(await ownRows(db, MARKS), 0)
    const next = await restart(db, path)
    assert.deepEqual((await drain(await openFeed(next.source, {}, feed.position), feed.position)).seen, { straddles: '1' })
    assert.deepEqual((await drain(await openFeed(next.source, {}, position), position)).seen, {})
    await next.db.close()
  })
})

test('a slow batch whose second record fails: lost now, and in the feed after a restart', async () => {
  await inClassic(async (path) => {
    const db: Level = new ClassicLevel(path)
    const feed = await openFeed(store(db))
    const [slow, never] = [db.batch().put('slow', '1'), db.batch().put('never', '1')]
    await sleep(300)
    const { position } = await drain(feed)
    assert.equal(await ownRows(db, MARKS), 2)
    failOwnBatches(db)
    await slow.write()
    await lost(feed.poll(position, LIMITS))
    await never.close()
    await db.put('later', '2')
    const next = await restart(db, path)
    const again = await openFeed(next.source, {}, position)
    assert.deepEqual((await drain(again, position)).seen, { slow: '1', later: '2' })
    assert.equal(await ownRows(next.db, MARKS), 0)
    await next.db.close()
  })
})

test('a clear() whose record fails goes with the next write, and ends the feed after a restart', async () => {
  await inClassic(async (path) => {
    const db: Level = new ClassicLevel(path)
    const feed = await openFeed(store(db))
    await db.put('a', '1')
    failOwnBatches(db)
    await db.clear({ gte: 'a', lt: 'b' })
    await sleep(5)
    await db.put('z', '1')
    const next = await restart(db, path)
    const again = await openFeed(next.source, {}, feed.position)
    await lost(again.poll(feed.position, LIMITS))
    await next.db.close()
  })
})

test('a page reads few bytes more than it returns', async () => {
  const db = new MemoryLevel<string, string>()
  const feed = await openFeed(store(db))
  for (let i = 0; i < 300; i++) await db.put(`k${i}`, 'x'.repeat(i % 50 === 0 ? 10_000 : 1000))
  let read = 0
  const getMany = db.getMany.bind(db) as unknown as (...args: unknown[]) => Promise<(Uint8Array | undefined)[]>
  Object.assign(db, {
    getMany: async (...args: unknown[]) => {
      const values = await getMany(...args)
      for (const value of values) read += value?.length ?? 0
      return values
    }
  })
  const all = new Set<string | undefined>()
  for (let position = feed.position; ; ) {
    read = 0
    const page = await feed.poll(position, { maxEntries: 1000, maxBytes: 20_000 })
    const returned = page.changes.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0)
    assert.ok(returned <= 20_000, `${returned} bytes in a page`)
    assert.ok(read <= 60_000, `${read} bytes read for ${returned}`)
    for (const [key] of page.changes) all.add(text(key))
    position = page.position
    if (page.caughtUp) break
  }
  assert.equal(all.size, 300)
})

test('a write that is no bytes is refused before any of its batch is recorded', async () => {
  await inClassic(async (path) => {
    const db = new ClassicLevel<string, string>(path)
    const level = store(db)
    const feed = await openFeed(level)
    const rows = async (): Promise<number> => (await db.keys({ lt: 'a' }).all()).length
    const before = await rows()
    for (const bad of [null, 'text', 7]) {
      const writes = [[bytes('a'), bytes('1')], [bytes('b'), bad]] as unknown as [Uint8Array, Uint8Array][]
      await assert.rejects(level.apply(writes, { durable: false }), { code: 'KEYHAUL_INVALID_ARGUMENT' })
    }
    await level.apply([[bytes('c'), bytes('1')]], { durable: false })
    assert.deepEqual((await drain(feed)).seen, { c: '1' })
    // One change, and no mark of a batch that never landed.
    assert.equal(await rows(), before + 1)
    await db.close()
  })
})
