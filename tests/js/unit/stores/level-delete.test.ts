// deleteEqual of a level store while others write the same keys: no acknowledged write is lost.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import type { Entry, Store } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'

type Level = MemoryLevel<string, string>
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const entries = (...pairs: [string, string][]): Entry[] => pairs.map(([key, value]) => [bytes(key), bytes(value)])
const level = (db: unknown, feed = false): Store => levelStore(db as LevelDatabase, { feed })
const deleteEqual = (of: Store, ...pairs: [string, string][]): Promise<number> => of.deleteEqual?.(entries(...pairs), { durable: false }) as Promise<number>

/** Everything but keyhaul's own records. */
const all = async (db: Level): Promise<[string, string][]> => (await db.iterator().all()).filter(([key]) => !key.startsWith('!\0'))

/** Makes each write of the store be overtaken by one more of these, after its hooks have run. */
function beforeWrite(db: Level, ...works: (() => Promise<unknown>)[]): void {
  const inner = db as unknown as { _batch(operations: object[], options: object): Promise<void> }
  const batch = inner._batch.bind(db)
  let isOther = false
  inner._batch = async (operations, options) => {
    const work = isOther ? undefined : works.shift()
    if (work !== undefined) {
      await undefined // What is called within the store's own call counts as its own.
      isOther = true
      await work()
      isOther = false
    }
    await batch(operations, options)
  }
}

/** Runs `work` once, after the next read, before its answer is given. */
function afterRead(db: Level, work: () => Promise<unknown>): void {
  const getMany = db.getMany.bind(db) as unknown as (...args: unknown[]) => Promise<unknown>
  let left = 1
  Object.assign(db, {
    getMany: async (...args: unknown[]) => {
      const values = await getMany(...args)
      if (left-- > 0) await work()
      return values
    }
  })
}

for (const feed of [false, true]) {
  const fresh = async (): Promise<{ db: Level; store: Store }> => {
    const db: Level = new MemoryLevel()
    await db.batch([{ type: 'put', key: 'a', value: '1' }, { type: 'put', key: 'b', value: '1' }])
    return { db, store: level(db, feed) }
  }
  const suffix = feed ? ', with a feed' : ''

  test(`a write between the read and the delete stays${suffix}`, async () => {
    const { db, store } = await fresh()
    afterRead(db, () => db.put('a', '2'))
    assert.equal(await deleteEqual(store, ['a', '1'], ['b', '1']), 1)
    assert.deepEqual(await all(db), [['a', '2']])
  })

  test(`a write that the delete overtakes is made again; one that it follows as well${suffix}`, async () => {
    const { db, store } = await fresh()
    beforeWrite(db, () => db.put('a', '2'), () => db.put('a', '3'), () => db.put('a', '4'))
    assert.equal(await deleteEqual(store, ['a', '1'], ['b', '1']), 1)
    assert.deepEqual(await all(db), [['a', '4']])
  })

  test(`a delete by another writer stays a delete${suffix}`, async () => {
    const { db, store } = await fresh()
    beforeWrite(db, () => db.put('a', '2'), () => db.del('a'))
    assert.equal(await deleteEqual(store, ['a', '1'], ['b', '1']), 0)
    assert.deepEqual(await all(db), [])
  })

  test(`writes through a sublevel and to other keys are told apart${suffix}`, async () => {
    const { db } = await fresh()
    const part = db.sublevel('part')
    await part.batch([{ type: 'put', key: 'a', value: '1' }, { type: 'put', key: 'b', value: '1' }])
    beforeWrite(db, () => db.batch([{ type: 'put', key: 'a', value: '2', sublevel: part }, { type: 'put', key: 'a', value: 'root' }]))
    assert.equal(await deleteEqual(level(part, feed), ['a', '1'], ['b', '1']), 1)
    assert.deepEqual(await part.iterator().all(), [['a', '2']])
    assert.equal(await db.get('a'), 'root')
  })
}

test('racing writers of LevelDB lose no acknowledged write', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-delete-'))
  const db = new ClassicLevel<string, string>(folder)
  try {
    const store = level(db)
    await deleteEqual(store)
    for (let round = 0; round < 150; round++) {
      const pairs = Array.from({ length: 400 }, (_, i): [string, string] => [`k${i}`, `old${round}`])
      await db.batch(pairs.map(([key, value]) => ({ type: 'put', key, value })))
      const expected = new Map<string, string>()
      // Each key once, so that every write that is lost shows.
      const writer = async (first: number): Promise<void> => {
        for (let n = first; n < 40; n += 4) {
          await db.put(`k${n * 10}`, `new${round}`)
          expected.set(`k${n * 10}`, `new${round}`)
        }
      }
      const deleting = deleteEqual(store, ...pairs)
      await Promise.all([deleting, ...[0, 1, 2, 3].map(writer)])
      assert.deepEqual(new Map(await db.iterator().all()), expected, `round ${round}`)
    }
  } finally {
    await db.close()
    rmSync(folder, { recursive: true })
  }
})
