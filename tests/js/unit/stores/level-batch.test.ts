// What a store writes is what its batch was given, whichever way the puts took, and whoever listens is told.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { AbstractChainedBatch, AbstractLevel } from 'abstract-level'
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

for (const storeEncoding of ['buffer', 'view'] as const) {
  test(`a memory-level of ${storeEncoding}s holds what its batches say`, async () => {
    const db = new MemoryLevel<Uint8Array, Uint8Array>({ storeEncoding })
    const store = levelStore(db)
    const model = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(writes, async (batch) => {
        await store.apply(batch, { durable: false })
        assert.deepEqual(await contents(db as unknown as Readable), applied(model, batch))
      }),
      { numRuns: 300 }
    )
  })
}

test('a memory-level is given what put and del would have given it', async () => {
  type Operation = { type: string; key: unknown; value?: unknown; keyEncoding: string; valueEncoding?: string }
  const given: Operation[][] = []
  class Told extends MemoryLevel<Uint8Array, Uint8Array> {
    async _batch(operations: Operation[], options: object): Promise<void> {
      given.push(operations)
      // @ts-expect-error: of implementors
      return super._batch(operations, options)
    }
  }
  const db = new Told()
  const batch: Write[] = [[Buffer.from('a'), Buffer.from('1')], [Uint8Array.of(98), Uint8Array.of(50)], [Uint8Array.of(97), undefined]]
  await levelStore(db).apply(batch, { durable: false })
  const publicly = db.batch()
  for (const [key, value] of batch) {
    const options = { keyEncoding: 'view', valueEncoding: 'view' }
    if (value === undefined) publicly.del(key, options)
    else publicly.put(key, value, options)
  }
  await publicly.write()
  const plain = ({ type, key, value, keyEncoding, valueEncoding }: Operation): Operation => ({ type, key, value, keyEncoding, ...(value === undefined ? {} : { valueEncoding }) }) as Operation
  assert.deepEqual(given[0]?.map(plain), given[1]?.map(plain))
})

test('a memory-level whose hooks and listeners are there tells them', async () => {
  const db = new MemoryLevel<Uint8Array, Uint8Array>()
  await db.open()
  const seen: string[] = []
  db.hooks.prewrite.add(() => void seen.push('hook'))
  db.on('write', (operations: unknown[]) => void seen.push(`event of ${operations.length}`))
  await levelStore(db).apply([[Buffer.from('a'), Buffer.from('1')], [Buffer.from('b'), undefined]], { durable: false })
  assert.deepEqual(seen, ['hook', 'hook', 'event of 2'])
})

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

const THREE: Write[] = ['a', 'b', 'c'].map((text) => [Buffer.from(text), Buffer.from('1')])

test('what was prepared is not written past a hook or a listener that came since', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db)
      const hook = (): void => {}
      const [first, second] = [store.prepare?.(THREE), store.prepare?.(THREE)]
      db.hooks.prewrite.add(hook)
      assert.equal(await first?.write({ durable: false }), false)
      db.hooks.prewrite.delete(hook)
      db.on('write', hook)
      assert.equal(await second?.write({ durable: false }), false)
      assert.equal(store.prepare?.(THREE), undefined)
      assert.deepEqual(await contents(db), [])
    })
  ))

test('a put of the batch that somebody replaced is given every row', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const seen: string[] = []
      const open = db.batch.bind(db)
      Object.assign(db, {
        batch: () => {
          const batch = open()
          const put = batch.put.bind(batch)
          return Object.assign(batch, {
            put: (k: string, v: string, options: object) => {
              seen.push(String(k))
              return put(k, v, options)
            }
          })
        }
      })
      await levelStore(db).apply(THREE, { durable: false })
      assert.deepEqual(seen, ['a', 'b', 'c'])
    })
  ))

/** Batches of a database of Buffers, as an implementor makes them: what they are given is noted. */
class Rows extends AbstractChainedBatch<Noting, string, string> {
  _put(k: unknown, v: unknown): void {
    ;(this.db as unknown as Noting).rows.push(`${String(k)}=${String(v)}`)
  }
}
class Encrypting extends Rows {
  override put(k: never, v: never, options?: object): this {
    return super.put(k, Buffer.from(`enc:${v}`) as never, options as never)
  }
  override _put(k: unknown, v: unknown): void {
    super._put(k, v)
  }
}
class Noting extends AbstractLevel<string> {
  readonly location = '/nowhere'
  readonly rows: string[] = []
  constructor(private readonly make: typeof Rows = Rows) {
    super({ encodings: { buffer: true } } as never)
  }
  async _open(): Promise<void> {}
  _chainedBatch(): Rows {
    return new this.make(this as never)
  }
}
class Prefixing extends Noting {
  override prefixKey(k: never): never {
    return Buffer.from(`p:${k}`) as never
  }
}

for (const [what, make, rows] of [
  ['as it is', () => new Noting(), ['a=1', 'b=1', 'c=1']],
  ['that overrides put', () => new Noting(Encrypting), ['a=enc:1', 'b=enc:1', 'c=enc:1']],
  ['that maps its keys', () => new Prefixing(), ['p:a=1', 'p:b=1', 'p:c=1']]
] as const) {
  test(`a database of somebody else's ${what} gets each row the same way`, async () => {
    const db = make()
    await db.open()
    await levelStore(db as never).apply(THREE, { durable: false })
    assert.deepEqual(db.rows, rows)
  })
}
