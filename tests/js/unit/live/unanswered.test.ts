// Stores that take their time: whoever waits for one can be told so, and may give up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitingText } from '../../../../js/src/cli/live-output.ts'
import type { Store, Write } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'

const soon = (): Promise<void> => new Promise((wake) => setImmediate(wake))
const textOf = (writes: readonly Write[]): string => writes.map(([key]) => Buffer.from(key).toString()).join(' ')

/** A store whose writes are carried out when the test says so. */
function held(): { store: Store & { get(key: string): unknown }; calls: { text: string; go(): void }[] } {
  const store = memoryStore({ name: 'a' })
  const calls: { text: string; go(): void }[] = []
  const apply = store.apply.bind(store)
  Object.defineProperty(store, 'apply', {
    value: async (...args: Parameters<typeof apply>) => {
      await new Promise<void>((go) => calls.push({ text: textOf(args[0]), go }))
      return apply(...args)
    }
  })
  return { store: store as never, calls }
}

async function owned(store: Store, options?: { callTimeoutMs: number }): Promise<GatedStore> {
  const gated = gatedStore(store, options)
  await assignRange({ register: memoryRegister(), store: gated })
  return gated
}

test('two gates of one store are one queue: what is written through either is a group, in the order of the calls', async () => {
  const { store, calls } = held()
  const [one, two] = [await owned(store), gatedStore(store)]
  const written = ['a', 'b', 'c', 'd'].map((key, i) => (i % 2 === 0 ? one : two).put(key, '1'))
  await soon()
  assert.deepEqual(calls.map(({ text }) => text), ['a'])
  assert.deepEqual([one.unanswered?.().calls, two.unanswered?.().calls], [4, 4])
  calls[0]?.go()
  await soon()
  assert.deepEqual(calls.map(({ text }) => text), ['a', 'b c d'])
  calls[1]?.go()
  await Promise.all(written)
  assert.deepEqual(one.unanswered?.(), { calls: 0, oldestMs: 0 })
})

test('a write that is not answered in time is given up, is in flight for a fence, and what had no turn is never done', async () => {
  const { store, calls } = held()
  const gated = await owned(store, { callTimeoutMs: 30 })
  const [begun, queued] = [gated.put('begun', '1'), gated.put('queued', '1')]
  const stalled = { code: 'KEYHAUL_STORE_STALLED', message: /^store a: it has not answered within 30 ms; .*neither done nor not done$/ }
  await Promise.all([assert.rejects(begun, stalled), assert.rejects(queued, stalled)])
  const { calls: count, oldestMs } = gated.unanswered?.() ?? { calls: 0, oldestMs: 0 }
  // The one that had no turn has left.
  assert.equal(count, 1)
  assert.ok(oldestMs >= 25)
  let isFenced = false
  const fence = gated.mover.gate?.change({ verb: 'fence', claim: new Uint8Array(16).fill(5), coordEpoch: 1, epoch: 2, target: 'b', ranges: [{}] }).then(() => {
    isFenced = true
  })
  await new Promise((wake) => setTimeout(wake, 20))
  assert.equal(isFenced, false, 'a write in flight could land behind the fence')
  calls[0]?.go()
  await fence
  assert.deepEqual(calls.map(({ text }) => text), ['begun'])
  assert.deepEqual([store.get('begun') !== undefined, store.get('queued')], [true, undefined])
})

test('reads too; without a deadline they wait, and a deadline that is none is refused', async () => {
  const store = memoryStore({ name: 'a' })
  Object.defineProperty(store, 'getMany', { value: () => new Promise(() => {}) })
  Object.defineProperty(store, 'scan', { value: () => new Promise(() => {}) })
  const gated = await owned(store, { callTimeoutMs: 20 })
  const stalled = { code: 'KEYHAUL_STORE_STALLED', message: 'store a: it has not answered within 20 ms; see whether it hangs' }
  await assert.rejects(gated.get('k'), stalled)
  await assert.rejects(gated.scan({}, { maxEntries: 1, maxBytes: 1 }), stalled)
  for (const callTimeoutMs of [0, -1, Number.NaN, 4e6]) assert.throws(() => gatedStore(store, { callTimeoutMs }), { code: 'KEYHAUL_INVALID_ARGUMENT', message: /callTimeoutMs is .*1 to 3600000/ })
})

test('the status of a service names a store that clients wait for, and no other', () => {
  assert.equal(waitingText([{ name: 'fast', calls: 9, oldestMs: 12 }]), '')
  assert.equal(waitingText([{ name: 'shard\n1', calls: 1234, oldestMs: 12_345 }]), 'shard\\u000a1 has not answered a call for 12.3 s; 1,234 calls of clients wait\n')
  assert.equal(waitingText([{ name: 'a', calls: 1, oldestMs: 1_000 }]), 'a has not answered a call for 1.0 s; 1 call of clients waits\n')
})
