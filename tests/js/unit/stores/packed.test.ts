// Pages that a store holds packed pass through the engine without being taken apart.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32, migrate } from '../../../../dist/index.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { packPage, unpackPage } from '../../../../dist/stores/packed.js'
import { compareBytes } from '../../../../dist/stores/bytes.js'
import type { Entry, PackedPage, Store, Write } from '../../../../dist/stores/store.js'

const bytes = fc.uint8Array({ maxLength: 40 })

test('what is packed is unpacked again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.option(bytes, { nil: undefined }))), (writes) => {
      assert.deepEqual(unpackPage(packPage(writes)), writes.map(([key, value]) => [key, value]))
    })
  )
})

const rows = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from }, (_, i): Entry => [Buffer.from(String(from + i).padStart(8, '0')), Buffer.from(`value ${from + i}`)])

const text = (entries: readonly Entry[]): string[] => entries.map((entry) => entry.map((part) => Buffer.from(part).toString()).join('='))

async function filled(name: string): Promise<Store> {
  // Without a feed: at level 1 both sides would be read for the comparison.
  const store = memoryStore({ name, packed: true, without: ['feed'] })
  for (let at = 0; at < 5000; at += 500) await store.applyPacked?.(packPage(rows(at, at + 500)), { durable: false })
  return store
}

test('from store to store: no entry is touched, and the frame that arrives carries its checksum', async () => {
  const source = await filled('a')
  const given: PackedPage[] = []
  const target = memoryStore({ name: 'b', packed: true })
  const arrived: Uint8Array[] = []
  const never = async (): Promise<never> => assert.fail('entry by entry')
  const from = Object.assign(Object.create(source) as Store, {
    scan: never,
    scanPacked: async (...args: Parameters<NonNullable<Store['scanPacked']>>) => {
      const page = await source.scanPacked?.(...args)
      if (page !== undefined) given.push(page)
      return page
    }
  })
  const to = Object.assign(Object.create(target) as Store, {
    apply: never,
    applyPacked: (...[frame, options]: Parameters<NonNullable<Store['applyPacked']>>) => {
      arrived.push(frame)
      return target.applyPacked?.(frame, options)
    }
  })
  const receipt = await migrate({ from, to }).done
  assert.deepEqual([receipt.verified, receipt.entries, target.size], [true, 5000, 5000])
  assert.deepEqual([given.length, arrived.length], [10, 10])
  arrived.forEach((frame, i) => {
    assert.ok(Buffer.from(frame.subarray(32)).equals((given[i] as PackedPage).frame.subarray(32)))
    assert.equal(new DataView(frame.buffer, frame.byteOffset).getUint32(24, true), crc32(frame.subarray(32)))
  })
  assert.deepEqual([...target].length, 5000)
})

test('to a store that knows nothing of it, and from one', async () => {
  for (const [from, to] of [[await filled('a'), memoryStore({ name: 'b' })], [memoryStore({ name: 'a', entries: rows(0, 5000).map(([k, v]) => [k, v]) }), memoryStore({ name: 'b', packed: true })]] as const) {
    const receipt = await migrate({ from, to, pageEntries: 700 }).done
    assert.deepEqual([receipt.verified, receipt.entries], [true, 5000])
    assert.deepEqual(text((await to.scan({}, { maxEntries: 10_000, maxBytes: 1 << 30 })).entries), text(rows(0, 5000)))
  }
})

test('a page that lies is refused with its key, and nothing is written', async () => {
  for (const [entries, code] of [[[...rows(5, 9), ...rows(0, 2)], 'KEYHAUL_SCAN_UNORDERED']] as const) {
    const source = memoryStore({ name: 'a' })
    const frame = packPage(entries)
    const from = Object.assign(Object.create(source) as Store, { scanPacked: async () => ({ frame, entries: entries.length, end: true }) })
    const to = memoryStore({ name: 'b' })
    await assert.rejects(migrate({ from, to }).done, (error: { code?: string; key?: unknown }) => error.code === code && error.key !== undefined)
    assert.equal(to.size, 0)
  }
  for (const [frame, entries] of [[packPage(rows(0, 3)).subarray(0, 50), 3], [packPage(rows(0, 3)), 4], [new Uint8Array(5), 0]] as const) {
    const from = Object.assign(Object.create(memoryStore({ name: 'a' })) as Store, { scanPacked: async () => ({ frame, entries, end: true }) })
    await assert.rejects(migrate({ from, to: memoryStore({ name: 'b' }) }).done, { code: 'KEYHAUL_FRAME_CORRUPT' })
  }
})

test('a store of pages is a sorted store, whatever is written to it', async () => {
  const keys = fc.uint8Array({ minLength: 1, maxLength: 2, max: 12 })
  const write = fc.tuple(keys, fc.option(bytes, { nil: undefined, freq: 4 }))
  const step = fc.record({ packed: fc.boolean(), sorted: fc.boolean(), writes: fc.array(write, { maxLength: 12 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const store = memoryStore({ packed: true })
      const model = new Map<string, Entry>()
      for (const { packed, sorted, writes } of steps) {
        const unique = [...new Map(writes.map((one) => [one[0].join(), one])).values()].sort((a, b) => compareBytes(a[0], b[0]))
        const given: Write[] = sorted ? unique.filter(([, value]) => value !== undefined) : writes
        if (packed) await store.applyPacked?.(packPage(given), { durable: false })
        else await store.apply(given, { durable: false })
        for (const [key, value] of given) value === undefined ? model.delete(key.join()) : model.set(key.join(), [key, value])
      }
      const expected = [...model.values()].sort((a, b) => compareBytes(a[0], b[0]))
      assert.deepEqual([...store].map(([key, value]) => [[...key], [...value]]), expected.map(([key, value]) => [[...key], [...value]]))
      assert.equal(store.size, expected.length)
      const to = memoryStore({ name: 'to', packed: true })
      assert.ok((await migrate({ from: store, to }).done).verified)
      assert.equal(to.size, expected.length)
    }),
    { numRuns: 150 }
  )
})
