// Stores that can scan and apply and nothing else: the gate gives them a feed, a fence and a place for its record.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Engine, memoryJournal, migrate, type ApplyOptions, type Capability, type ScanOptions, type ScanPage, type ScanRange, type Store, type Write } from '../../../../dist/index.js'
import { gatedStore } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { recordedStore } from '../../../../dist/stores/recorded.js'
import { SortedRows } from '../../../../dist/stores/sorted-rows.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { storeConformance } from '../../../../dist/testing/index.js'
import { randomFrom } from '../../support/stores.ts'
import { everything } from './load.ts'
import { inStores } from './world.ts'

const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)
const OWN = '!\0keyhaul!'

interface Batch {
  readonly data: string[]
  readonly log: string[]
}

/** Batches take effect whole, in whatever order, some time after they were asked for. */
class Plain implements Store {
  readonly capabilities: ReadonlySet<Capability> = new Set(['scan', 'apply'])
  /** A new one stands for a new process. */
  readonly identity: object = {}
  readonly batches: Batch[] = []
  private readonly random = randomFrom(7)

  constructor(
    readonly name: string,
    readonly rows = new SortedRows()
  ) {}

  get own(): string[] {
    return [...this.rows.from(undefined)].map(([key]) => text(key)).filter((key) => key.startsWith(OWN))
  }

  private async late(): Promise<void> {
    for (let turns = this.random() * 4; turns > 1; turns--) await new Promise((wake) => setImmediate(wake))
  }

  async scan(range: ScanRange, { maxEntries, maxBytes, signal }: ScanOptions): Promise<ScanPage> {
    signal?.throwIfAborted()
    await this.late()
    const entries: (readonly [Uint8Array, Uint8Array])[] = []
    let bytes = 0
    for (const entry of this.rows.from(range.gte)) {
      if (range.lt !== undefined && Buffer.compare(entry[0], range.lt) >= 0) break
      bytes += entry[0].length + entry[1].length
      if (entries.length > 0 && (entries.length === maxEntries || bytes > maxBytes)) return { entries, end: false }
      entries.push(entry)
    }
    return { entries, end: true }
  }

  async apply(writes: readonly Write[], { signal }: ApplyOptions): Promise<void> {
    signal?.throwIfAborted()
    const copies = writes.map(([key, value]) => [key.slice(), value?.slice()] as const)
    await this.late()
    const batch: Batch = { data: [], log: [] }
    for (const [key, value] of copies) {
      if (value === undefined) this.rows.delete(key)
      else this.rows.set(key, value)
      if (!text(key).startsWith(OWN)) batch.data.push(text(key))
      else if (key[OWN.length] === 1 && value !== undefined) batch.log.push(text(value))
    }
    if (batch.data.length > 0) this.batches.push(batch)
    await this.late()
  }
}

describe('a recorded store keeps all promises of a store with a feed', () => {
  storeConformance({
    test,
    create: async () => {
      const store = recordedStore(new Plain('plain'))
      assert.ok(store.capabilities.has('feed'))
      return {
        store,
        put: (key, value) => store.apply([[key, value]], { durable: false }),
        delete: (key) => store.apply([[key, undefined]], { durable: false })
      }
    }
  })
})

test('what changes while a feed is open stands in the log by the same batch, and the log goes with the feed', async () => {
  const plain = new Plain('plain')
  const store = recordedStore(plain)
  const bytes = (key: string): Uint8Array => new TextEncoder().encode(key)
  await store.apply([[bytes('a'), bytes('1')]], { durable: false })
  const feed = await store.openFeed?.({}, { owner: 'me' })
  await Promise.all(Array.from({ length: 50 }, (_, i) => store.apply([[bytes(`k${i}`), bytes('1')], [bytes('a'), i % 2 === 0 ? undefined : bytes('2')]], { durable: false })))
  const recorded = plain.batches.slice(-50)
  for (const { data, log } of recorded) assert.deepEqual(log, data)
  assert.ok(plain.own.length > 100)
  const page = await store.scan({}, { maxEntries: 10_000, maxBytes: 1 << 20 })
  assert.ok(page.entries.every(([key]) => !text(key).startsWith(OWN)))
  await assert.rejects(store.apply([[bytes(`${OWN}x`), bytes('1')]], { durable: false }), { code: 'KEYHAUL_INVALID_ARGUMENT' })
  await feed?.close({ discard: true })
  assert.deepEqual(plain.own, [])
})

test('a range moves live under load between two stores that can only scan and apply', async () => {
  const [left, right] = [new Plain('left'), new Plain('right')]
  await inStores(gatedStore(left), gatedStore(right), 700, async ({ a, b, register, load, check }) => {
    load.start({ pause: 1 })
    const run = migrate({ live: true, from: a, to: b, register, pageEntries: 100 })
    const receipt = await run.done
    assert.deepEqual([receipt.state, receipt.level, receipt.verified], ['done', 3, true])
    assert.ok(receipt.feedChanges > 0, 'nobody wrote meanwhile')
    await load.stop()
    await check('b')
    // And back, so that the other gate gives its feed too.
    await migrate({ live: true, from: b, to: a, register }).done
    await check('a')
  })
  // The records of the gates are left with their marks, and no log.
  for (const { own } of [left, right]) assert.deepEqual(own.map((key) => key.charCodeAt(OWN.length)), [4, 8])
})

test('another process goes on with the feed and the gate that the store has kept', async () => {
  const [left, right] = [new Plain('left'), new Plain('right')]
  const journal = memoryJournal()
  const register = memoryRegister()
  await inStores(gatedStore(left), gatedStore(right), 2_000, async ({ a, b, load }) => {
    load.start({ pause: 1 })
    const engine = new Engine()
    const first = await engine.migrate({ live: true, from: a, to: b, register, journal, requireLevel: 3, pageEntries: 50, rate: 400_000 })
    first.done.catch(() => {})
    while (first.progress().state !== 'copying' || first.progress().entries < 300) await new Promise((wake) => setTimeout(wake, 2))
    await load.stop()
    engine.close()
    // The same entries, and nothing of what the first process knew.
    const [again, other] = [gatedStore(new Plain('left', left.rows)), gatedStore(new Plain('right', right.rows))]
    await again.put('key-00000000', load.expected().get('key-00000000') as string)
    const second = await new Engine().resume({ from: again, to: other, register, journal })
    const receipt = await second.done
    assert.deepEqual([receipt.state, receipt.verified, receipt.incarnations], ['done', true, 2])
    assert.ok(receipt.entries < 2_000 + 300, `${receipt.entries} entries: it began anew`)
    await assert.rejects(again.get('key-00000000'), { code: 'KEYHAUL_MOVED' })
    assert.deepEqual(await everything(other), load.expected())
    assert.equal((await everything(again)).size, 0)
  }, register)
})

test('single keys are looked up by scans where a store has no getMany', async () => {
  const store = memoryStore({ name: 'm' })
  Object.defineProperty(store, 'getMany', { value: undefined })
  await inStores(gatedStore(store), gatedStore(memoryStore({ name: 'n' })), 300, async ({ a, b, register, load, check }) => {
    const keys = ['key-00000007', 'nothing', 'key-00000299'].map((key) => new TextEncoder().encode(key))
    assert.deepEqual((await a.getMany(keys)).map((value) => value?.length), [40, undefined, 40])
    load.start({ pause: 1 })
    assert.equal((await migrate({ live: true, from: a, to: b, register }).done).state, 'done')
    await load.stop()
    await check('b')
  })
})

test('a store whose identity is no object is refused with a reason', () => {
  const store: Store = { name: 'x', identity: 'x', capabilities: new Set(['scan', 'apply']), scan: async () => ({ entries: [], end: true }), apply: async () => {} }
  assert.throws(() => gatedStore(store), { code: 'KEYHAUL_UNSUPPORTED', message: /identity is no object/ })
})
