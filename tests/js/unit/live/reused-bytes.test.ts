// A client that fills one buffer again and again has written what was in it when it called, as with a ClassicLevel; and
// it has read that, too.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { assignRange, gatedStore, shardedStore } from '../../../../dist/live/index.js'
import { ShardedLevel } from '../../../../dist/live/level.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import type { Store } from '../../../../dist/stores/store.js'
import { inFolder } from '../../support/stores.ts'

type Bytes = Uint8Array
interface Clients {
  put(key: Bytes, value: Bytes): Promise<void>
  del(key: Bytes): Promise<void>
  get(key: Bytes): Promise<Bytes | undefined>
  getMany(keys: Bytes[]): Promise<(Bytes | undefined)[]>
  batch(writes: [Bytes, Bytes | undefined][]): Promise<void>
}

const KINDS = { 'a Buffer': (text: string): Bytes => Buffer.from(text), 'a Uint8Array': (text: string): Bytes => new TextEncoder().encode(text) }
const textOf = (bytes: Bytes | undefined): string | undefined => bytes && Buffer.from(bytes).toString()
const fill = (bytes: Bytes, text: string): void => bytes.set(Buffer.from(text))

/** What is found when each call is made with the same bytes, which are changed as soon as it has returned. */
async function outcome(clients: Clients, bytesOf: (text: string) => Bytes): Promise<unknown> {
  const [key, value] = [bytesOf('k0'), bytesOf('old')]
  const calls: Promise<unknown>[] = []
  const at = <T>(k: string, v: string, call: () => Promise<T>): Promise<T> => {
    fill(key, k)
    fill(value, v)
    const answer = call()
    calls.push(answer)
    fill(key, 'zz')
    fill(value, 'bad')
    return answer
  }
  void at('k1', 'one', () => clients.put(key, value))
  void at('k2', 'two', () => clients.put(key, value))
  void at('k3', 'six', () => clients.batch([[key, value], [bytesOf('k4'), bytesOf('ten')]]))
  await Promise.all(calls)
  void at('k4', '', () => clients.del(key))
  await Promise.all(calls)
  const keys = ['k1', 'k2', 'k3', 'k4', 'zz']
  return Promise.all(keys.map(async (k) => textOf(await clients.get(bytesOf(k)))))
}

async function readOutcome(clients: Clients, bytesOf: (text: string) => Bytes): Promise<unknown> {
  const key = bytesOf('k1')
  const one = clients.get(key)
  fill(key, 'k2')
  const two = clients.get(key)
  fill(key, 'k3')
  const many = clients.getMany([key])
  fill(key, 'zz')
  return [textOf(await one), textOf(await two), ...(await many).map(textOf)]
}

const WANTED = ['one', 'two', 'six', undefined, undefined]
const READ = ['one', 'two', 'six']

for (const [kind, bytesOf] of Object.entries(KINDS)) {
  test(`${kind} that is used again: through a gate, over shards, and as a Level, as with a ClassicLevel`, () =>
    inFolder(async (folder) => {
      const db = new ClassicLevel<Bytes, Bytes>(join(folder, 'db'), { keyEncoding: 'view', valueEncoding: 'view' })
      const asLevel = (level: { put: unknown }): Clients => {
        const it = level as unknown as Clients & { batch(ops: object[]): Promise<void> }
        return {
          put: (k, v) => it.put(k, v), del: (k) => it.del(k), get: (k) => it.get(k), getMany: (k) => it.getMany(k),
          batch: (writes) => it.batch(writes.map(([k, v]) => (v === undefined ? { type: 'del', key: k } : { type: 'put', key: k, value: v })))
        }
      }
      await db.open()
      assert.deepEqual(await outcome(asLevel(db), bytesOf), WANTED)
      await db.clear()
      for (const make of [(): Store => memoryStore({ name: 'a' }), (): Store => levelStore(db, { name: 'a', feed: true })]) {
        const [a, register] = [gatedStore(make()), memoryRegister()]
        await assignRange({ register, store: a })
        assert.deepEqual(await outcome(a as never, bytesOf), WANTED, 'gated')
        assert.deepEqual(await readOutcome(a as never, bytesOf), READ, 'gated')
        const clients = shardedStore({ stores: { a }, register })
        assert.deepEqual(await outcome(clients as never, bytesOf), WANTED, 'sharded')
        assert.deepEqual(await readOutcome(clients as never, bytesOf), READ, 'sharded')
        const level = new ShardedLevel<Bytes, Bytes>({ stores: { a }, register, keyEncoding: 'view', valueEncoding: 'view' })
        await level.open()
        assert.deepEqual(await outcome(asLevel(level), bytesOf), WANTED, 'as a Level')
        assert.deepEqual(await readOutcome(asLevel(level), bytesOf), READ, 'as a Level')
        const key = bytesOf('c1')
        const chained = level.batch().put(key, bytesOf('one'))
        fill(key, 'c2')
        await chained.put(key, bytesOf('two')).write()
        fill(key, 'c1')
        const iterator = level.keys({ gte: key })
        fill(key, 'k2')
        assert.deepEqual((await iterator.all()).map(textOf), ['c1', 'c2', 'k1', 'k2', 'k3'])
        await level.close()
        clients.close()
      }
      await db.close()
    }))
}
