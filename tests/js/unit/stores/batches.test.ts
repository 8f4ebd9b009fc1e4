// Batches of classic-level that are emptied and filled once more: what was in them before is gone, and they end with their database.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { levelStore } from '../../../../dist/stores/level.js'
import type { Store, Write } from '../../../../dist/stores/store.js'
import { inFolder, withLevel } from '../../support/stores.ts'

type Database = ClassicLevel<string, string>
const put = (key: string, value: string): Write => [Buffer.from(key), Buffer.from(value)]
const del = (key: string): Write => [Buffer.from(key), undefined]

/** How many batches a database made. */
function countBatches(db: Database): { count: number } {
  const made = { count: 0 }
  const batch = db.batch.bind(db) as unknown as (...args: unknown[]) => unknown
  Object.assign(db, { batch: (...args: unknown[]) => (made.count++, batch(...args)) })
  return made
}

const prepared = (store: Store, writes: Write[]): NonNullable<ReturnType<NonNullable<Store['prepare']>>> => {
  const filled = store.prepare?.(writes)
  assert.ok(filled)
  return filled
}

const withStore = (work: (store: Store, db: Database, made: { count: number }) => Promise<void>): Promise<void> =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const made = countBatches(db as Database)
      await work(levelStore(db), db as Database, made)
    })
  )

const opened = async (db: Database): Promise<Database> => (await db.open(), db)

const all = async (db: Database): Promise<Record<string, string>> => Object.fromEntries(await db.iterator().all())

test('the second is the first one again, with none of its writes', () =>
  withStore(async (store, db, made) => {
    await store.apply([put('a', '1'), put('b', '1'), put('c', '1')], { durable: false })
    await db.del('c')
    await store.apply([put('b', '2'), del('a')], { durable: true })
    await store.apply([put('d', '3')], { durable: false })
    assert.deepEqual(await all(db), { b: '2', d: '3' })
    assert.equal(made.count, 1)
  }))

test('one is filled while another is written, and each holds its own', () =>
  withStore(async (store, db, made) => {
    for (let i = 0; i < 50; i += 2) {
      const one = prepared(store, [put(`k${i}`, `${i}`), put('last', `${i}`)])
      const two = prepared(store, [put(`k${i + 1}`, `${i + 1}`), put('last', `${i + 1}`)])
      assert.deepEqual(await Promise.all([one.write({ durable: i % 8 === 0 }), two.write({ durable: false })]), [true, true])
    }
    assert.equal(made.count, 2)
    const rows = await all(db)
    assert.equal(Object.keys(rows).length, 51)
    for (let i = 0; i < 50; i++) assert.equal(rows[`k${i}`], String(i))
  }))

test('one that was given up is filled again, and what it held is written by nobody', () =>
  withStore(async (store, db, made) => {
    await store.apply([put('a', '1')], { durable: false })
    prepared(store, [put('lost', '1'), del('a')]).discard()
    await assert.rejects(prepared(store, [put('lost', '2')]).write({ durable: false, signal: AbortSignal.abort() }), { code: 'KEYHAUL_INTERRUPTED' })
    const overtaken = prepared(store, [put('lost', '3')])
    const listener = (): void => {}
    db.on('write', listener)
    assert.equal(await overtaken.write({ durable: false }), false)
    db.off('write', listener)
    await store.apply([put('b', '1')], { durable: false })
    assert.deepEqual(await all(db), { a: '1', b: '1' })
    assert.equal(made.count, 1)
  }))

test('one that is given up twice, or while it is written, is nobody else’s', () =>
  withStore(async (store, db) => {
    await store.apply([put('a', '1')], { durable: false })
    const twice = prepared(store, [put('lost', '1')])
    twice.discard()
    twice.discard()
    const [one, two] = [prepared(store, [put('one', '1')]), prepared(store, [put('two', '1')])]
    const writing = one.write({ durable: true })
    one.discard()
    const three = prepared(store, [put('three', '1')])
    await Promise.all([writing, two.write({ durable: false }), three.write({ durable: false })])
    assert.deepEqual(await all(db), { a: '1', one: '1', two: '1', three: '1' })
  }))

test('one that was given up or written is not written again, over what another has filled in it', () =>
  withStore(async (store, db) => {
    await store.apply([put('a', '1')], { durable: false })
    const ghost = prepared(store, [put('ghost', '1')])
    ghost.discard()
    const other = prepared(store, [put('other', '1')])
    await assert.rejects(ghost.write({ durable: false }))
    assert.deepEqual(await all(db), { a: '1' })
    await other.write({ durable: false })
    const later = prepared(store, [put('later', '1')])
    await assert.rejects(other.write({ durable: false }))
    assert.deepEqual(await all(db), { a: '1', other: '1' })
    const beside = prepared(store, [put('beside', '1')])
    await Promise.all([later.write({ durable: false }), beside.write({ durable: false })])
    assert.deepEqual(await all(db), { a: '1', other: '1', later: '1', beside: '1' })
  }))

test('a hook and a listener that come between two of them see the second', () =>
  withStore(async (store, db) => {
    await store.apply([put('a', '1')], { durable: false })
    const seen: string[] = []
    db.hooks.prewrite.add(({ key }: { key?: unknown }) => void seen.push(`hook ${String(key)}`))
    db.on('write', (operations: readonly { key?: unknown }[]) => void seen.push(...operations.map(({ key }) => `event ${String(key)}`)))
    await store.apply([put('b', '1')], { durable: false })
    assert.deepEqual(seen, ['hook b', 'event b'])
  }))

test('what is not Buffers goes the public way, between those that are', () =>
  withStore(async (store, db) => {
    await store.apply([put('a', '1')], { durable: false })
    await store.apply([put('b', '1'), [new TextEncoder().encode('c'), new TextEncoder().encode('1')]], { durable: false })
    await store.apply([[new TextEncoder().encode('a'), undefined]], { durable: false })
    await store.apply([put('d', '1')], { durable: false })
    assert.deepEqual(await all(db), { b: '1', c: '1', d: '1' })
  }))

test('a database that was closed meanwhile is not written, and one that was opened again is', () =>
  inFolder(async (folder) => {
    const db = new ClassicLevel<string, string>(join(folder, 'db'))
    await db.open()
    const store = levelStore(db)
    await store.apply([put('a', '1')], { durable: false })
    const late = prepared(store, [put('late', '1')])
    await db.close()
    await assert.rejects(late.write({ durable: false }), { code: 'KEYHAUL_STORE_CLOSED' })
    const later = prepared(levelStore(await opened(db)), [put('later', '1')])
    await store.apply([put('b', '1')], { durable: false })
    await db.close()
    await db.open()
    for (const each of [late, later]) await assert.rejects(each.write({ durable: false }))
    assert.deepEqual(await all(db), { a: '1', b: '1' })
    await db.close()
  }))

test('a close waits for one that is being written', () =>
  inFolder(async (folder) => {
    const db = new ClassicLevel<string, string>(join(folder, 'db'))
    await db.open()
    const store = levelStore(db)
    await store.apply([put('a', '1')], { durable: false })
    const rows = Array.from({ length: 20_000 }, (_, i) => put(`k${i}`, 'x'.repeat(100)))
    const written = prepared(store, rows).write({ durable: true })
    await Promise.all([written, db.close()])
    await db.open()
    assert.equal((await db.keys().all()).length, 20_001)
    await db.close()
  }))

test('a large one and one that nobody used for a second are let go', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    await withStore(async (store, _, made) => {
      await store.apply([put('large', 'x'.repeat(5 << 20))], { durable: false })
      await store.apply([put('a', '1')], { durable: false })
      assert.equal(made.count, 2, 'large')
      mock.timers.tick(999)
      await store.apply([put('a', '2')], { durable: false })
      assert.equal(made.count, 2)
      mock.timers.tick(1000)
      await store.apply([put('a', '3')], { durable: false })
      assert.equal(made.count, 3, 'idle')
    })
  } finally {
    mock.timers.reset()
  }
})
