// What a store writes is what its batch was given, whichever way the puts took, and whoever listens is told.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryLevel } from 'memory-level'
import { levelStore } from '../../../../dist/stores/level.js'
import type { Write } from '../../../../dist/stores/store.js'
import { inFolder, withLevel } from '../../support/stores.ts'

const key = fc.uint8Array({ maxLength: 3, max: 3 })
const value = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
/** Each side a Buffer or not, by turns: only Buffers need no encoding. */
const write = fc.tuple(key, value, fc.boolean(), fc.boolean()).map(
  ([k, v, ofKey, ofValue]): Write => [ofKey ? asBuffer(k) : k, v !== undefined && ofValue ? asBuffer(v) : v]
)
const writes = fc.array(write, { maxLength: 12 })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

interface Readable {
  iterator(options: object): { all(): Promise<[Uint8Array, Uint8Array][]> }
}
async function contents(db: Readable): Promise<[string, string][]> {
  const rows = await db.iterator({ keyEncoding: 'buffer', valueEncoding: 'buffer' }).all()
  return rows.map(([k, v]) => [hex(k), hex(v)])
}

function applied(model: Map<string, string>, batch: readonly Write[]): [string, string][] {
  for (const [k, v] of batch) {
    if (v === undefined) model.delete(hex(k))
    else model.set(hex(k), hex(v))
  }
  return [...model].sort(([a], [b]) => (a < b ? -1 : 1))
}

test('a LevelDB holds what its batches say, applied and prepared', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db)
      const model = new Map<string, string>()
      await fc.assert(
        fc.asyncProperty(writes, fc.boolean(), async (batch, isPrepared) => {
          if (isPrepared) assert.equal(await store.prepare?.(batch)?.write({ durable: false }), true)
          else await store.apply(batch, { durable: false })
          assert.deepEqual(await contents(db), applied(model, batch))
        }),
        { numRuns: 300 }
      )
    })
  ))

test('hooks and listeners are told of every put', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db)
      const batch: Write[] = ['a', 'b', 'c'].map((text) => [Buffer.from(text), Buffer.from('1')])
      const seen: string[] = []
      const hook = ({ key }: { key: unknown }): void => void seen.push(`hook ${String(key)}`)
      db.hooks.prewrite.add(hook)
      await store.apply(batch, { durable: false })
      db.hooks.prewrite.delete(hook)
      db.on('write', (operations: { key: unknown }[]) => void seen.push(...operations.map((operation) => `event ${String(operation.key)}`)))
      await store.apply(batch, { durable: false })
      assert.deepEqual(seen, ['hook a', 'hook b', 'hook c', 'event a', 'event b', 'event c'])
    })
  ))

test('a database whose batches take operations as objects gets them, and a sublevel its prefix', async () => {
  const db = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await db.open()
  // As if it were one on a disk: then its rows are asked for, and its batches filled, as Buffers.
  Object.assign(db, { location: '/nowhere' })
  const batch: Write[] = ['a', 'b', 'c'].map((text) => [Buffer.from(text), Buffer.from('1')])
  await levelStore(db).apply(batch, { durable: false })
  await levelStore(db.sublevel('s')).apply(batch, { durable: false })
  const keys = (await contents(db as unknown as Readable)).map(([k]) => Buffer.from(k, 'hex').toString())
  assert.deepEqual(keys, ['!s!a', '!s!b', '!s!c', 'a', 'b', 'c'])
})
