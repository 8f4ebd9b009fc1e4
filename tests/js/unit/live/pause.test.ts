// What clients do behind a fence: they wait, and are there as soon as it is over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignRange, type GatedStore, gatedStore, shardedStore } from '../../../../dist/live/index.js'
import { Waiters } from '../../../../dist/live/waiters.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'

const claim = new Uint8Array(16).fill(9)
type Verb = 'fence' | 'fenceReads' | 'unfence' | 'redirect'

interface Watched {
  readonly a: GatedStore
  readonly register: Register
  readonly counts: { calls: number; reads: number }
  change(verb: Verb, epoch?: number): Promise<void>
}

/** A store that owns all keys; how often clients called it, and read the register. */
async function watched(): Promise<Watched> {
  const a = gatedStore(memoryStore({ name: 'a' }))
  const register = memoryRegister()
  await assignRange({ register, store: a })
  const counts = { calls: 0, reads: 0 }
  for (const name of ['batch', 'get'] as const) {
    const plain = a[name].bind(a) as (...args: unknown[]) => Promise<unknown>
    Object.assign(a, { [name]: (...args: unknown[]) => (counts.calls++, plain(...args)) })
  }
  const read = register.read.bind(register)
  Object.assign(register, { read: () => (counts.reads++, read()) })
  const change = async (verb: Verb, epoch = 2): Promise<void> => a.mover.gate?.change({ verb, claim, coordEpoch: 1, epoch, target: 'b', ranges: [{}] })
  return { a, register, counts, change }
}

test('a hundred writers behind a fence: one is refused, the others wait unasked, and all are let in at once', async (t) => {
  // After 100 ms behind a fence a client asks the register, which on a busy machine comes too early here.
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { a, register, counts, change } = await watched()
  const clients = shardedStore({ stores: { a }, register })
  await clients.put('before', '')
  await change('fence')
  Object.assign(counts, { calls: 0, reads: 0 })
  const first = clients.put('k0', 'v')
  await new Promise((wake) => setImmediate(wake))
  const others = Array.from({ length: 99 }, (_, i) => clients.put(`k${i + 1}`, 'v'))
  await new Promise((wake) => setImmediate(wake))
  assert.deepEqual(counts, { calls: 1, reads: 0 })
  assert.equal((await clients.get('before'))?.length, 0, 'readers do not wait behind a fence of writes')
  await change('fenceReads')
  const read = clients.get('before')
  await new Promise((wake) => setImmediate(wake))
  assert.equal(counts.calls, 2)
  // An epoch of its own takes the fence back.
  await change('unfence', 3)
  await Promise.all([first, ...others, read])
  assert.deepEqual(counts, { calls: 2 + 100 + 1, reads: 0 })
  clients.close()
})

test('a closed shardedStore answers nobody who asks later; who waits behind a fence is let in', async () => {
  const { a, register, counts, change } = await watched()
  const clients = shardedStore({ stores: { a }, register })
  await clients.put('k', 'v')
  await change('fence')
  const late = [1, 2, 3].map((i) => clients.put(`k${i}`, 'v').then(() => 'written', (error: { code: string }) => error.code))
  await new Promise((wake) => setImmediate(wake))
  clients.close()
  await change('unfence', 3)
  assert.deepEqual(await Promise.all(late), ['written', 'written', 'written'])
  const fresh = shardedStore({ stores: { a }, register })
  const first = fresh.put('first', 'v')
  fresh.close()
  await first // as of a Level: it was asked for before
  Object.assign(counts, { calls: 0, reads: 0 })
  const k = Buffer.from('k')
  const asked: Record<string, () => Promise<unknown>> = {
    get: () => clients.get(k), getMany: () => clients.getMany([k]), put: () => clients.put(k, 'w'), del: () => clients.del(k),
    batch: () => clients.batch([[k, 'w']]), batchAcross: () => clients.batchAcross([[k, 'w']]), page: () => clients.page({}),
    'page back': () => clients.page({}, { reverse: true }), iterator: () => clients.iterator().next()
  }
  for (const [what, ask] of Object.entries(asked)) await assert.rejects(ask(), { code: 'KEYHAUL_CLOSED' }, what)
  assert.deepEqual(counts, { calls: 0, reads: 0 })
  clients.close()
  assert.equal(Buffer.from((await a.get('k')) ?? '').toString(), 'v')
})

test('behind a fence nobody asks another store before it is the owner, and then without a timer', async () => {
  const { a, register, counts, change } = await watched()
  const b = gatedStore(memoryStore({ name: 'b' }))
  const clients = shardedStore({ stores: { a, b }, register })
  await clients.put('before', '')
  await change('fence')
  let isThere = false
  const put = clients.put('k', 'v').then(() => (isThere = true))
  await new Promise((wake) => setImmediate(wake))
  counts.calls = 0
  // As a decision that gives the range to b, which has staged it and is not active yet.
  await b.mover.gate?.change({ verb: 'prepare', claim, coordEpoch: 1, epoch: 2, target: '', ranges: [{}] })
  const document = await ownedBy('b')
  const { version } = await register.read()
  assert.equal((await register.compareAndSet(version, document)).swapped, true)
  await new Promise((wake) => setImmediate(wake))
  assert.equal(isThere, false)
  await b.mover.gate?.change({ verb: 'activate', claim, coordEpoch: 1, epoch: 2, target: '', ranges: [{}] })
  await put
  assert.equal(new TextDecoder().decode(await b.get('k')), 'v')
  assert.equal(counts.calls, 0)
  clients.close()
})

/** The document of a register in which one store owns everything. */
async function ownedBy(name: string): Promise<Uint8Array> {
  const register = memoryRegister()
  await assignRange({ register, store: gatedStore(memoryStore({ name })) })
  return (await register.read()).document
}

test('a store that cannot say whether it is fenced is asked again', async () => {
  const { a, register, counts, change } = await watched()
  Object.assign(a, { isRefusing: undefined, onGateChange: undefined })
  const clients = shardedStore({ stores: { a }, register })
  await change('fence')
  const put = clients.put('k', 'v')
  while (counts.calls < 4) await new Promise((wake) => setTimeout(wake, 1))
  await change('unfence', 3)
  await put
  clients.close()
})

test('who waits is asked at each wake, and after its time is told that it is not over', async () => {
  const waiters = new Waiters()
  let isOver = false
  const [long, short] = [waiters.until(() => isOver, 10_000), waiters.until(() => isOver, 1)]
  assert.equal(waiters.isEmpty, false)
  assert.equal(await short, false)
  waiters.wake()
  isOver = true
  waiters.wake()
  assert.equal(await long, true)
  assert.equal(waiters.isEmpty, true)
  assert.equal(await waiters.until(() => true, 10_000), true)
})

test('a listener that throws keeps nobody from hearing', async () => {
  const { a, change } = await watched()
  const thrown: unknown[] = []
  const unheard = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => thrown.push(error))
  try {
    let told = 0
    a.onGateChange?.(() => {
      throw new Error('mine')
    })
    a.onGateChange?.(() => told++)
    await change('fence')
    await new Promise((wake) => setTimeout(wake, 5))
    assert.equal(told > 0, true)
    assert.equal(thrown.length, told)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of unheard) process.on('uncaughtException', listener)
  }
})

test('a face that is closed is told no more', async () => {
  const { a, register } = await watched()
  const turn = (): Promise<void> => new Promise((wake) => setImmediate(wake))
  await turn()
  let told = 0
  const end = a.onGateChange?.(() => told++)
  const clients = shardedStore({ stores: { a }, register })
  clients.close()
  const change = (verb: Verb, epoch: number): Promise<void> | undefined => a.mover.gate?.change({ verb, claim, coordEpoch: 1, epoch, target: 'b', ranges: [{}] })
  await change('fence', 2)
  await turn()
  assert.equal(told, 1)
  end?.()
  await change('unfence', 3)
  await turn()
  assert.equal(told, 1)
})
