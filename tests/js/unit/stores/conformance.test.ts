import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import type { Capability, Store, Write } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore, type VersionOf } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { storeConformance, type StoreUnderTest, type VersionedValues } from '../../../../dist/testing/index.js'

const OPTIONAL: readonly (Capability | undefined)[] = [undefined, 'feed', 'digest', 'rangeDelete', 'stats']

function memory(without: readonly Capability[] = [], packed = false): StoreUnderTest {
  const store = memoryStore({ without, packed })
  return { store, put: async (key, value) => store.put(key, value), delete: async (key) => store.delete(key) }
}

for (const capability of OPTIONAL) {
  describe(`memory${capability === undefined ? '' : ` without ${capability}`}`, () => {
    storeConformance({ test, create: async () => memory(capability === undefined ? [] : [capability]) })
  })
}

describe('memory that keeps pages packed', () => {
  storeConformance({ test, create: async () => memory([], true) })
})

/** A version of four bytes, as text that every encoding keeps, and what follows it; a tombstone has nothing that follows. */
const versioned: VersionedValues = {
  value: (version, text) => Buffer.from(`${String(version).padStart(4, '0')}${text}`),
  tombstone: (version) => Buffer.from(String(version).padStart(4, '0'))
}
const versionOf = (value: Uint8Array): number => Number(Buffer.from(value.subarray(0, 4)).toString())
const versionOfBytes: VersionOf = (value) => value.subarray(0, 4)

describe('memory with versions', () => {
  storeConformance({ test, versioned, create: async () => { const store = memoryStore({ versionOf }); return { store, put: async (key, value) => store.put(key, value), delete: async (key) => store.delete(key) } } })
})

const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const

interface Writable extends LevelDatabase {
  put(key: Uint8Array, value: Uint8Array, options: object): Promise<void>
  del(key: Uint8Array, options: object): Promise<void>
  close(): Promise<void>
}

const open = new Map<Store, () => Promise<void>>()
async function level(db: unknown, feed: boolean, done: () => Promise<void>, more: { versionOf?: VersionOf } = {}): Promise<StoreUnderTest> {
  const database = db as Writable
  await database.open()
  const store = levelStore(database, { feed, ...more })
  open.set(store, done)
  return { store, put: (key, value) => database.put(key, value, BYTES), delete: (key) => database.del(key, BYTES) }
}
const destroy = async ({ store }: StoreUnderTest): Promise<void> => open.get(store)?.()

const classic = (feed: boolean, more: { versionOf?: VersionOf } = {}) => async (): Promise<StoreUnderTest> => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-'))
  const db = new ClassicLevel(folder)
  const done = async (): Promise<void> => {
    await db.close()
    rmSync(folder, { recursive: true })
  }
  return level(db, feed, done, more)
}

for (const feed of [false, true]) {
  const suffix = feed ? ' with a feed' : ''
  describe(`classic-level${suffix}`, () => {
    storeConformance({ test, destroy, create: classic(feed) })
  })
  describe(`classic-level with versions${suffix}`, () => {
    storeConformance({ test, destroy, versioned, create: classic(feed, { versionOf }) })
  })
  describe(`a sublevel with versions${suffix}`, () => {
    storeConformance({ test, destroy, versioned, create: async () => level(new MemoryLevel().sublevel('part'), feed, async () => {}, { versionOf: versionOfBytes }) })
  })
  describe(`memory-level${suffix}`, () => {
    storeConformance({ test, destroy, create: async () => level(new MemoryLevel(), feed, async () => {}) })
  })
  describe(`a sublevel with JSON encodings${suffix}`, () => {
    storeConformance({ test, destroy, create: async () => level(new MemoryLevel().sublevel('part', { valueEncoding: 'json' }), feed, async () => {}) })
  })
}

/** Names of the conformance tests that a store fails. */
async function failures(create: () => StoreUnderTest): Promise<string[]> {
  const cases: [string, () => Promise<void>][] = []
  storeConformance({ test: (name, run) => cases.push([name, run]), create: async () => create(), versioned })
  const failed: string[] = []
  for (const [name, run] of cases) await run().catch(() => failed.push(name))
  return failed
}

/** A memory store that breaks one promise. */
function broken(change: (store: ReturnType<typeof memoryStore>) => Partial<Store>): () => StoreUnderTest {
  return () => {
    const base = memoryStore({ versionOf })
    const methods: Partial<Store> = {}
    for (const name of ['scan', 'apply', 'openFeed', 'digest', 'deleteRange', 'estimate', 'applyNewer'] as const) {
      Object.assign(methods, { [name]: (base[name] as (...args: unknown[]) => unknown).bind(base) })
    }
    const store = { name: 'broken', identity: base, capabilities: base.capabilities, ...methods, ...change(base) } as Store
    return { store, put: async (key, value) => base.put(key, value), delete: async (key) => base.delete(key) }
  }
}

type Merge = NonNullable<Store['applyNewer']>
const merging = (base: Store, change: (writes: readonly Write[], options: Parameters<Merge>[1], merge: Merge) => Promise<number>): Partial<Store> => ({
  applyNewer: (writes, options) => change(writes, options, (base.applyNewer as Merge).bind(base))
})

test('the suite finds stores that break their promises', async () => {
  assert.deepEqual(await failures(broken(() => ({}))), [])
  const cases: [string, Parameters<typeof broken>[0]][] = [
    ['loses the last page', (base) => ({ scan: async (range, o) => { const page = await base.scan(range, o); return page.end && page.entries.length > 3 ? { entries: page.entries.slice(0, -1), end: true } : page } })],
    ['says END by an empty page', (base) => ({ scan: async (range, o) => { const page = await base.scan(range, o); return { entries: page.entries, end: false } } })],
    ['says END too early', (base) => ({ scan: async (range, o) => ({ ...(await base.scan(range, o)), end: true }) })],
    ['orders by UTF-16', (base) => ({ scan: async (range, o) => { const page = await base.scan(range, o); const text = (k: Uint8Array) => Buffer.from(k).toString(); return { ...page, entries: [...page.entries].sort((x, y) => (text(x[0]) < text(y[0]) ? -1 : 1)) } } })],
    ['ignores the limits', (base) => ({ scan: (range, o) => base.scan(range, { ...o, maxEntries: 1e9, maxBytes: 1e9 }) })],
    ['includes lt', (base) => ({ scan: (range, o) => base.scan(range.lt === undefined ? range : { ...range, lt: Uint8Array.from([...range.lt, 0]) }, o) })],
    ['takes an absent bound for an empty one', (base) => ({ scan: (range, o) => base.scan({ ...range, lt: range.lt ?? new Uint8Array(0) }, o) })],
    ['drops oversize entries', (base) => ({ scan: async (range, o) => { const page = await base.scan(range, o); return { ...page, entries: page.entries.filter(([, v]) => v.length < 1e5) } } })],
    ['drops deletes', (base) => ({ apply: (writes, o) => base.apply(writes.filter(([, v]) => v !== undefined), o) })],
    ['keeps the first of two writes', (base) => ({ apply: (writes, o) => base.apply([...writes].reverse(), o) })],
    ['is not repeatable', (base) => { const seen = new Set<string>(); return { apply: async (writes: readonly Write[], o) => { const id = writes.map(([k]) => String(k)).join(); if (seen.has(id)) throw new Error('again'); seen.add(id); return base.apply(writes, o) } } }],
    ['ignores the signal', (base) => ({ scan: (range, { signal: _, ...o }) => base.scan(range, o) })],
    ['claims what it has not', () => ({ digest: undefined as never })],
    ['opens its feed late', (base) => ({ openFeed: async (range, o) => { const feed = await base.openFeed?.(range, o); let first = true; return { ...feed, poll: async (after: Uint8Array, l: never) => { const page = await feed?.poll(after, l); if (page === undefined || !first) return page; first = false; return { ...page, changes: page.changes.slice(1) } } } as never } })],
    ['forgets its feed when it is left', (base) => ({ openFeed: async (range, o) => base.openFeed?.(range, o?.after === undefined ? o : {}) as never })],
    ['knows no owner of a feed', (base) => ({ openFeed: async (range, o) => base.openFeed?.(range, { after: o?.after }) as never })],
    ['has one feed for all', (base) => ({ openFeed: async (range, o) => base.openFeed?.(range, { ...o, owner: 'one' }) as never })],
    ['knows no versions', (base) => ({ applyNewer: async (writes, o) => { await base.apply(writes, o); return 0 } })],
    ['has no applyNewer', () => ({ applyNewer: undefined as never })],
    ['takes the same version once more', (base) => merging(base, async (writes, o, merge) => { const left = await merge(writes, o); for (const [k, v] of writes) { const now = base.get(k); if (v && now && versionOf(now) === versionOf(v)) base.put(k, v) } return left })],
    ['takes the last of a batch, not the newest', (base) => merging(base, (writes, o, merge) => merge([...new Map(writes.map((write) => [String(write[0]), write])).values()], o))],
    ['does not say what it left', (base) => merging(base, async (writes, o, merge) => void (await merge(writes, o)) as never)],
    ['says what it left, equal ones too', (base) => merging(base, async (writes, o, merge) => { const held = writes.filter(([k, v]) => { const now = base.get(k); return v && now && versionOf(now) >= versionOf(v) }).length; await merge(writes, o); return held })],
    ['counts writes that it left, not keys', (base) => merging(base, async (writes, o, merge) => { let left = 0; for (const write of writes) left += await merge([write], o); return left })],
    ['takes every tombstone', (base) => merging(base, async (writes, o, merge) => { const left = await merge(writes, o); for (const [k, v] of writes) if (v?.length === 4) base.put(k, v); return left })],
    ['carries every delete out', (base) => merging(base, (writes, o, merge) => merge(writes, { ...o, deletes: true }))],
    ['carries no delete out', (base) => merging(base, (writes, o, merge) => merge(writes, { ...o, deletes: false }))],
    ['reads first, and writes when others have written', (base) => merging(base, async (writes, o, merge) => { if (o.deletes) return merge(writes, o); const newer = writes.filter(([k, v]) => { const now = base.get(k); return v && (!now || versionOf(v) > versionOf(now)) }); const left = writes.filter(([k, v]) => { const now = base.get(k); return v && now && versionOf(v) < versionOf(now) }).length; await new Promise((wake) => setImmediate(wake)); await base.apply(newer, { durable: false }); return left })],
    ['estimates nonsense', () => ({ estimate: async () => ({ bytes: Number.NaN }) })]
  ]
  for (const [name, change] of cases) {
    assert.notDeepEqual(await failures(broken(change)), [], `a store that ${name} passed`)
  }
})
