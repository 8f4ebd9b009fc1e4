// Who opened a feed stands beside it, so that none is left behind: by a process that died before
// its journal knew of the feed, by a version that knew no owners, by a journal that was deleted.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { type Feed, migrate, type Store } from '../../../../dist/index.js'
import { closeFeed, type LevelDatabase, levelStore, listFeeds } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inFolder } from '../../support/stores.ts'

type Level = ClassicLevel<string, string>
const LIMITS = { maxEntries: 1000, maxBytes: 1 << 20 }
const OWN = '!\0keyhaul!'
const storeOf = (db: Level): Store => levelStore(db, { name: 'source', feed: true })
const open = async (store: Store, owner?: string, after?: Uint8Array): Promise<Feed> => (await store.openFeed?.({}, { owner, after })) as Feed
const lost = (work: Promise<unknown>): Promise<void> => assert.rejects(work, { code: 'KEYHAUL_FEED_POSITION_LOST' })

/** Records of feeds and rows of the log. */
const ownKeys = (db: Level): Promise<string[]> => db.keys({ gte: OWN, lt: `${OWN}\uffff` }).all()

/** One process after the other on one database. */
async function processes(...works: ((db: Level, folder: string) => Promise<void>)[]): Promise<void> {
  await inFolder(async (folder) => {
    for (const work of works) {
      const db: Level = new ClassicLevel(join(folder, 'source'))
      try {
        await work(db, folder)
      } finally {
        await db.close()
      }
    }
  })
}

async function changesOf(feed: Feed, after = feed.position): Promise<string[]> {
  const { changes, caughtUp } = await feed.poll(after, LIMITS)
  assert.ok(caughtUp)
  return changes.map(([key, value]) => `${Buffer.from(key)}=${value === undefined ? '' : Buffer.from(value)}`)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((wake) => setTimeout(wake, 5))
}

test('what a process opened and died before anybody knew ends with the next feed of that owner', async () => {
  let first: Uint8Array
  await processes(
    async (db) => {
      const store = storeOf(db)
      first = (await open(store, 'claim 1')).position
      for (let i = 0; i < 50; i++) await db.put(`k${i}`, 'v')
    },
    async (db) => {
      const store = storeOf(db)
      await db.put('x', '1')
      assert.ok((await ownKeys(db)).length > 50)
      const feed = await open(store, 'claim 1')
      await lost(open(store, 'claim 1', first))
      await db.put('y', '2')
      assert.deepEqual(await changesOf(feed), ['y=2'])
      // The record, the owner, and the one change.
      await until(async () => (await ownKeys(db)).length === 3)
      await feed.close({ discard: true })
      assert.deepEqual(await ownKeys(db), [])
    }
  )
})

test('a migration that was killed before its journal knew of the feed leaves nothing behind, once it is done', async () => {
  const rows: number[] = []
  await processes(
    async (db, folder) => {
      for (let i = 0; i < 100; i++) await db.put(`k${i}`, 'v')
      const source = storeOf(db)
      const openFeed = source.openFeed as NonNullable<Store['openFeed']>
      const opened = new Promise<void>((resolve) => {
        // It is open, and the answer never comes.
        Object.assign(source, { openFeed: (...args: Parameters<typeof openFeed>) => openFeed(...args).then(() => (resolve(), new Promise(() => {}))) })
      })
      migrate({ from: source, to: memoryStore({ name: 'target' }), journal: join(folder, 'journal'), follow: true }).done.catch(() => {})
      await opened
      for (let i = 0; i < 100; i++) await db.put(`k${i}`, 'w')
      rows.push((await ownKeys(db)).length)
    },
    async (db, folder) => {
      rmSync(join(folder, 'journal.lock'), { force: true })
      const to = memoryStore({ name: 'target' })
      const receipt = await migrate({ from: storeOf(db), to, journal: join(folder, 'journal') }).done
      assert.ok(receipt.verified)
      assert.equal(receipt.entries, 100)
      await until(async () => (await ownKeys(db)).length === 0)
      rows.push((await ownKeys(db)).length)
    }
  )
  assert.ok((rows[0] as number) > 100, 'it had been recording')
  assert.equal(rows[1], 0)
})

test('feeds of a version that knew no owners: read, listed, taken up, named and ended', async () => {
  // As it wrote them: 8 bytes of start, 8 of the oldest position held, for each feed in a row.
  const [start, other, at] = [1_700_000_000_000_000n, 1_700_000_000_500_000n, 1_700_000_001_000_000n]
  const words = (...all: bigint[]): Buffer => Buffer.concat(all.map((word) => (() => { const bytes = Buffer.alloc(8); bytes.writeBigUInt64BE(word); return bytes })()))
  const key = (kind: number, position?: bigint): Buffer => Buffer.concat([Buffer.from(OWN), Buffer.of(kind), ...(position === undefined ? [] : [words(position)])])
  await processes(
    async (db) => {
      const raw = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
      await db.open()
      await (db as unknown as ClassicLevel<Buffer, Buffer>).batch(
        [
          { type: 'put', key: key(0), value: words(start, start, other, other) },
          { type: 'put', key: key(1, at), value: Buffer.from('changed') },
          { type: 'put', key: Buffer.from('changed'), value: Buffer.from('1') }
        ],
        raw
      )
    },
    async (db) => {
      const feeds = await listFeeds(db)
      assert.deepEqual(feeds.map(({ owner, changes, bytes, inUse }) => ({ owner, changes, bytes, inUse })), [
        { owner: undefined, changes: 1, bytes: 7, inUse: false },
        { owner: undefined, changes: 1, bytes: 7, inUse: false }
      ])
      assert.equal(feeds[0]?.openedAt.toISOString(), '2023-11-14T22:13:20.000Z')
      const feed = await open(storeOf(db), 'claim 1', words(start, start))
      assert.deepEqual(await changesOf(feed), ['changed=1'])
      assert.deepEqual((await listFeeds(db)).map(({ owner, inUse }) => [owner, inUse]), [['claim 1', true], [undefined, false]])
      // That version still reads it: the names stand elsewhere.
      assert.deepEqual(Buffer.from((await db.getMany([key(0)] as never[], { keyEncoding: 'buffer', valueEncoding: 'buffer' }))[0] as never), words(start, start, other, other))
    },
    async (db) => {
      const again = await open(storeOf(db), 'claim 1')
      assert.deepEqual((await listFeeds(db)).map(({ owner }) => owner), [undefined, 'claim 1'])
      assert.equal(await closeFeed(db, String(other)), true)
      assert.equal(await closeFeed(db, String(other)), false)
      await again.close({ discard: true })
      assert.deepEqual(await ownKeys(db), [])
    }
  )
})

test('the owner of a feed that such a version closed is not given to another', async () => {
  await processes(
    async (db) => {
      await open(storeOf(db), 'claim 1')
      // It deletes the record and leaves the row of the owner.
      await db.del(`${OWN}\0`)
    },
    async (db) => {
      assert.deepEqual(await listFeeds(db), [])
      await (await open(storeOf(db))).close({ discard: true })
      assert.deepEqual(await ownKeys(db), [])
    }
  )
})

test('the journal of a stopped migration was deleted: its feed is seen and can be ended, also from a sublevel', async () => {
  await processes(
    async (db, folder) => {
      for (let i = 0; i < 500; i++) await db.put(`k${i}`, 'v')
      const journal = join(folder, 'journal')
      const run = migrate({ from: storeOf(db), to: memoryStore({ name: 'target' }), journal, follow: true })
      for await (const { state } of run) if (state === 'catchingUp') break
      assert.deepEqual((await listFeeds(db)).map(({ owner, inUse }) => ({ owner, inUse })), [{ owner: `journal ${journal}`, inUse: true }])
      run.stop()
      await assert.rejects(run.done, { code: 'KEYHAUL_INTERRUPTED' })
      assert.deepEqual((await listFeeds(db)).map(({ inUse }) => inUse), [false])
      rmSync(journal)
      await db.put('later', 'v')
    },
    async (db) => {
      const part = db.sublevel('part') as unknown as LevelDatabase
      const [feed] = await listFeeds(part)
      assert.ok(feed)
      assert.equal(feed.changes, 1)
      assert.equal(feed.bytes, 'later'.length)
      assert.ok(Math.abs(feed.openedAt.getTime() - Date.now()) < 3_600_000)
      assert.equal(await closeFeed(part, feed.id), true)
      assert.deepEqual(await listFeeds(db), [])
      assert.deepEqual(await ownKeys(db), [])
      await db.put('unrecorded', 'v')
      assert.deepEqual(await ownKeys(db), [])
    }
  )
})

test('a feed whose end could not be written goes on recording: the next process misses nothing', async () => {
  let position: Uint8Array
  await processes(
    async (db) => {
      const feed = await open(storeOf(db), 'claim 1')
      const { batch } = db
      Object.assign(db, { batch: (...args: unknown[]) => Object.assign((batch as (...all: unknown[]) => object).apply(db, args), { write: () => Promise.reject(new Error('no space')) }) })
      await assert.rejects(feed.close({ discard: true }), /no space/)
      Object.assign(db, { batch })
      await db.put('k', 'after')
      position = feed.position
    },
    async (db) => {
      const feed = await open(storeOf(db), 'claim 1', position)
      assert.deepEqual(await changesOf(feed), ['k=after'])
      await feed.close({ discard: true })
      assert.deepEqual(await ownKeys(db), [])
    }
  )
})

test('a feed that could not be opened leaves the one before, and records nothing', async () => {
  await processes(async (db) => {
    const store = storeOf(db)
    const first = await open(store, 'claim 1')
    const { batch } = db
    Object.assign(db, { batch: (...args: unknown[]) => Object.assign((batch as (...all: unknown[]) => object).apply(db, args), { write: () => Promise.reject(new Error('no space')) }) })
    await assert.rejects(open(store, 'claim 1'), /no space/)
    Object.assign(db, { batch })
    await db.put('k', '1')
    assert.deepEqual(await changesOf(first), ['k=1'])
    assert.equal((await listFeeds(db)).length, 1)
    await first.close({ discard: true })
    assert.deepEqual(await ownKeys(db), [])
  })
})

test('opened by two at once under one name: the last is open, and all its changes are kept', async () => {
  await processes(async (db) => {
    const store = storeOf(db)
    const feeds = await Promise.all(Array.from({ length: 5 }, () => open(store, 'claim 1')))
    await db.put('k', '1')
    const listed = await listFeeds(db)
    assert.equal(listed.length, 1)
    assert.deepEqual(await changesOf(feeds[4] as Feed), ['k=1'])
    for (const feed of feeds.slice(0, 4)) await lost(feed.poll(feed.position, LIMITS))
    for (const feed of feeds) await feed.close({ discard: true })
    assert.deepEqual(await ownKeys(db), [])
  })
})

test('a database that its owner has closed is not opened again', () =>
  inFolder(async (folder) => {
    const db: Level = new ClassicLevel(folder)
    await db.open()
    assert.deepEqual(await listFeeds(db), [])
    await db.close()
    await assert.rejects(listFeeds(db), { code: 'KEYHAUL_STORE_CLOSED', store: `level:${folder}` })
    await assert.rejects(closeFeed(db.sublevel('x') as unknown as LevelDatabase, '1'), { code: 'KEYHAUL_STORE_CLOSED' })
    assert.equal(db.status, 'closed')
    // One that opens by itself is waited for, and what keeps it from that has keyhaul's code.
    assert.deepEqual(await listFeeds(new ClassicLevel(folder)), [])
    await assert.rejects(listFeeds(new ClassicLevel(folder)), { code: 'KEYHAUL_STORE_LOCKED' })
  }))
