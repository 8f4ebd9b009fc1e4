import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLevel } from 'memory-level'
import { Engine } from '../../../../dist/index.js'
import { assignRange, gatedStore } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import type { Store } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const claim = new Uint8Array(16).fill(5)
const ALL = { maxEntries: 100, maxBytes: 10_000 }
const kinds: readonly (readonly [string, () => Store])[] = [
  ['memory', () => memoryStore({ name: 'a' })],
  ['level', () => levelStore(new MemoryLevel(), { name: 'a', feed: true })],
  ['a sublevel', () => levelStore(new MemoryLevel().sublevel('part'), { name: 'a', feed: true })]
]

for (const [name, create] of kinds) {
  test(`${name}: what is deleted after a move is in no feed, what clients delete is`, async () => {
    const store = gatedStore(create())
    await assignRange({ register: memoryRegister(), store })
    await store.batch(['a', 'b', 'c'].map((key) => [bytes(key), bytes(key)] as const))
    const feed = await store.mover.openFeed?.({})
    assert.ok(feed !== undefined)
    await store.del('a')
    const change = async (verb: 'fence' | 'redirect'): Promise<void> => store.mover.gate?.change({ verb, claim, coordEpoch: 1, epoch: 2, target: 'b', ranges: [{}] })
    await change('fence')
    // Not before it has moved away, and not at another epoch.
    const cleanUp = (epoch: number): Promise<void> => store.mover.apply([[bytes('b'), undefined]], { durable: true, cleanUp: { epoch } })
    await assert.rejects(cleanUp(2), { code: 'KEYHAUL_SUPERSEDED' })
    await change('redirect')
    await assert.rejects(cleanUp(3), { code: 'KEYHAUL_SUPERSEDED' })
    await cleanUp(2)
    const page = await feed.poll(feed.position, ALL)
    assert.deepEqual(page.changes.map(([key, value]) => [Buffer.from(key).toString(), value]), [['a', undefined]])
    assert.equal(page.caughtUp, true)
    await feed.close({ discard: true })
    assert.deepEqual((await store.mover.scan({}, ALL)).entries.map(([key]) => Buffer.from(key).toString()), ['c'])
    await assert.rejects(store.get('c'), { code: 'KEYHAUL_MOVED', owner: 'b', epoch: 2 })
  })

  test(`${name}: what is staged is invisible, and only its own migration writes it`, async () => {
    const store = gatedStore(create())
    const ranges = [{ gte: bytes('b'), lt: bytes('d') }, { gte: bytes('m') }]
    const change = async (verb: 'prepare' | 'activate' | 'discard', coordEpoch = 2): Promise<void> => store.mover.gate?.change({ verb, claim, coordEpoch, epoch: 7, target: '', ranges })
    const write = (key: string, about: { claim?: Uint8Array; coordEpoch?: number } = {}): Promise<void> =>
      store.mover.apply([[bytes(key), bytes('x')]], { durable: false, staged: { claim, coordEpoch: 2, ranges, ...about } })
    await assert.rejects(write('b'), { code: 'KEYHAUL_SUPERSEDED' })
    await change('prepare')
    await store.mover.apply(['b', 'c', 'z', 'm'].map((key) => [bytes(key), bytes('x')] as const), { durable: true, staged: { claim, coordEpoch: 2, ranges } })
    await assert.rejects(write('e'), { code: 'KEYHAUL_SUPERSEDED' })
    await assert.rejects(write('b', { coordEpoch: 1 }), { code: 'KEYHAUL_SUPERSEDED' })
    await assert.rejects(write('b', { claim: new Uint8Array(16) }), { code: 'KEYHAUL_SUPERSEDED' })
    await assert.rejects(store.mover.apply([[bytes('b'), bytes('x')]], { durable: false }), { code: 'KEYHAUL_UNSUPPORTED' })
    await assert.rejects(store.get('b'), { code: 'KEYHAUL_RETRY' })
    await assert.rejects(store.scan({ gte: bytes('b') }, ALL), { code: 'KEYHAUL_RETRY' })
    await assert.rejects(store.put('z', 'mine'), { code: 'KEYHAUL_RETRY' })
    await change('activate')
    assert.equal((await store.get('z'))?.length, 1)
    // A page ends where the store's part does, and what lies behind is somebody else's.
    const page = await store.scan({ gte: bytes('b') }, ALL)
    assert.deepEqual([page.entries.length, page.end], [2, false])
    await assert.rejects(store.scan({ gte: bytes('c\0') }, ALL), { code: 'KEYHAUL_MOVED' })
    await assert.rejects(store.batch([[bytes('b'), bytes('1')], [bytes('e'), bytes('2')]]), { code: 'KEYHAUL_MOVED' })
    assert.equal(Buffer.from((await store.get('b')) as Uint8Array).toString(), 'x')
    await assert.rejects(change('discard', 3), { code: 'KEYHAUL_NOT_OWNER' })
  })
}

test('a migration that cannot keep up slows the writers of its keys, and nobody else', async () => {
  const store = gatedStore(memoryStore({ name: 'a' }))
  await assignRange({ register: memoryRegister(), store })
  const ranges = [{ gte: bytes('b'), lt: bytes('d') }]
  // A write in three hours: the second one waits for its second.
  store.mover.gate?.limitWrites?.(0.0001, ranges)
  await store.put('b', '1')
  const written: string[] = []
  const second = store.put('c', '2').then(() => written.push('c'))
  await store.put('a', '1')
  await store.batch([[bytes('d'), bytes('1')], [bytes('e'), undefined]])
  assert.deepEqual(written, [])
  // Another migration of the store takes nothing back that this one asks for.
  store.mover.gate?.limitWrites?.(0, [{ gte: bytes('x') }])
  await new Promise((wake) => setImmediate(wake))
  assert.deepEqual(written, [])
  store.mover.gate?.limitWrites?.(0, ranges)
  await second
  await store.put('c', '3')
  assert.equal(Buffer.from((await store.get('c')) as Uint8Array).toString(), '3')
})

test('what the engine asks of the writers reaches them, and whoever listens', async () => {
  const register = memoryRegister()
  const [from, to] = [gatedStore(memoryStore({ name: 'a' })), gatedStore(memoryStore({ name: 'b' }))]
  await assignRange({ register, store: from })
  await from.put('k', '0')
  const engine = new Engine()
  const migration = await engine.migrate({ live: true, from, to, register, follow: true })
  const asked: number[] = []
  migration.on('limit', ({ perSecond }) => asked.push(perSecond))
  // As the engine says it of the source: kThrottleWriters of core/include/keyhaul/engine.h.
  const { driver } = engine as unknown as { driver: { storeName(node: number): string | undefined } }
  const node = Array.from({ length: 1 << 17 }, (_, id) => id).find((id) => driver.storeName(id) === 'a')
  const say = (perSecond: number): void => (migration as unknown as { onNotice(notice: object): void }).onNotice({ kind: 5, state: 0, difference: 0, error: 0, node, perSecond, payload: new Uint8Array(0) })
  say(0.0001)
  await from.put('k', '1')
  let isThrough = false
  const held = from.put('k', '2').then(() => {
    isThrough = true
  })
  await new Promise((wake) => setImmediate(wake))
  assert.equal(isThrough, false)
  // Closed under it, it asks nobody for anything any more.
  engine.close()
  await held
  await assert.rejects(migration.done, { code: 'KEYHAUL_CLOSED' })
  assert.deepEqual(asked, [0.0001])
})

test('whoever waits for a turn keeps it, may give up, and is refused at once behind a fence', async () => {
  const store = gatedStore(memoryStore({ name: 'a' }))
  await assignRange({ register: memoryRegister(), store })
  const ranges = [{}]
  store.mover.gate?.limitWrites?.(500, ranges)
  const order: number[] = []
  const writes = Array.from({ length: 20 }, (_, i) => {
    // The later ones have the shorter timers, and are not to overtake.
    const until = performance.now() + 1
    while (performance.now() < until);
    return store.put('k', String(i)).then(() => order.push(i))
  })
  await Promise.all(writes)
  assert.deepEqual(order, Array.from({ length: 20 }, (_, i) => i))
  assert.equal(Buffer.from((await store.get('k')) as Uint8Array).toString(), '19')
  store.mover.gate?.limitWrites?.(0.0001, ranges)
  await store.put('k', 'one more')
  const stop = new AbortController()
  const given = assert.rejects(store.apply([[bytes('k'), bytes('never')]], { durable: false, signal: stop.signal }), { name: 'AbortError' })
  stop.abort()
  await given
  const refused = assert.rejects(store.put('k', 'never'), { code: 'KEYHAUL_RETRY' })
  await store.mover.gate?.change({ verb: 'fence', claim, coordEpoch: 1, epoch: 2, target: 'b', ranges })
  await refused
  assert.equal(Buffer.from((await store.get('k')) as Uint8Array).toString(), 'one more')
})

test('a database and a part of it have no two gates, parts that lie apart have', () => {
  const db = new MemoryLevel()
  const part = (...names: string[]): Store => levelStore(names.reduce((level, name) => level.sublevel(name), db as LevelDatabase & MemoryLevel), { name: names.join('/') })
  const refused = (store: Store, other: string): void => assert.throws(() => gatedStore(store), { code: 'KEYHAUL_SAME_STORE', message: new RegExp(`shares keys with ${other}, which has a gate already`) })
  gatedStore(part('users'))
  gatedStore(part('users'))
  gatedStore(part('users2'))
  refused(levelStore(db, { name: 'all' }), 'users')
  refused(part('users', 'new'), 'users')
  gatedStore(part('orders', 'new'))
  refused(part('orders'), 'orders/new')
  const whole = new MemoryLevel()
  gatedStore(levelStore(whole, { name: 'whole' }))
  refused(levelStore(whole.sublevel('x'), { name: 'x' }), 'whole')
})
