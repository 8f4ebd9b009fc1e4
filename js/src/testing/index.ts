import { packPage, unpackPage } from '../stores/packed.js'
import type { Capability, Entry, Store, Write } from '../stores/store.js'
import { feedTests } from './feed.js'
import { check, checkEntries, key, numbered, same, scanAll, type StoreUnderTest } from './support.js'
import { type VersionedValues, versionTests } from './version.js'

export { type JournalConformanceOptions, journalConformance } from './journal.js'
export { ConformanceError, type StoreUnderTest } from './support.js'
export type { VersionedValues } from './version.js'

export interface ConformanceOptions {
  /** Of node:test, vitest, mocha, …: registers a test. */
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** A fresh, empty store for each test. */
  readonly create: () => Promise<StoreUnderTest>
  readonly destroy?: (under: StoreUnderTest) => Promise<void>
  /** For a store with `version`, which fails without it. */
  readonly versioned?: VersionedValues
}

type Case = readonly [name: string, run: (under: StoreUnderTest) => Promise<void>]

const LARGE = { maxEntries: 10_000, maxBytes: 1 << 20 }
/** In byte order, which is neither that of UTF-16 nor that of a locale. */
const ORDERED: readonly Uint8Array[] = [
  [0], [0, 0], [0, 255], [1], [10], [65], [66], [97], [97, 0], [97, 98], [98], [195, 40], [239, 191, 191], [240, 144, 128, 128], [255], [255, 0], [255, 255]
].map((bytes) => Uint8Array.from(bytes))

/**
 * Shows whether a store keeps the promises that migrations rely on. A store that passes with
 * a capability can be used at the levels that need it.
 */
export function storeConformance({ test, create, destroy, versioned }: ConformanceOptions): void {
  const withVersions = versionTests.map(([name, run]): Case => [name, async (under) => {
    if (!under.store.capabilities.has('version')) return
    check(versioned !== undefined, 'the store has versions; give `versioned`, so that the suite can make some')
    await run(under, versioned)
  }])
  for (const [name, run] of [...scanTests, ...applyTests, ...optionalTests, ...feedTests, ...withVersions]) {
    test(name, async () => {
      const under = await create()
      try {
        await run(under)
      } finally {
        await destroy?.(under)
      }
    })
  }
}

async function fill(store: Store, entries: readonly Entry[]): Promise<void> {
  await store.apply(entries, { durable: false })
}

const rows = (count: number): Entry[] => Array.from({ length: count }, (_, i): Entry => [numbered(i), key(`value ${i}`)])

const scanTests: readonly Case[] = [
  ['an empty store says END at once', async ({ store }) => {
    const page = await store.scan({}, LARGE)
    check(page.entries.length === 0 && page.end, 'an empty store must give no entries and END')
  }],
  ['scans in byte order', async ({ store }) => {
    const entries = ORDERED.map((k): Entry => [k, k])
    await fill(store, [...entries].reverse())
    checkEntries(await scanAll(store, {}, LARGE), entries, 'scan')
  }],
  ['gte is included, lt is not, an absent bound is none', async ({ store }) => {
    const entries = rows(10)
    await fill(store, entries)
    const [low, high] = [numbered(3), numbered(7)]
    checkEntries(await scanAll(store, { gte: low, lt: high }, LARGE), entries.slice(3, 7), 'both bounds')
    checkEntries(await scanAll(store, { gte: low }, LARGE), entries.slice(3), 'gte only')
    checkEntries(await scanAll(store, { lt: high }, LARGE), entries.slice(0, 7), 'lt only')
    checkEntries(await scanAll(store, { gte: key('k00003x'), lt: key('k00006x') }, LARGE), entries.slice(4, 7), 'bounds between keys')
    checkEntries(await scanAll(store, { gte: high, lt: high }, LARGE), [], 'an empty range')
  }],
  ['every page size gives every entry once and then END', async ({ store }) => {
    const entries = rows(23)
    await fill(store, entries)
    for (const maxEntries of [1, 2, 3, 7, 11, 22, 23, 24, 100]) {
      checkEntries(await scanAll(store, {}, { maxEntries, maxBytes: 1 << 20 }), entries, `pages of ${maxEntries}`)
    }
    for (const maxBytes of [1, 14, 28, 100, 500]) {
      checkEntries(await scanAll(store, {}, { maxEntries: 1000, maxBytes }), entries, `pages of ${maxBytes} bytes`)
    }
  }],
  ['an entry larger than a page comes alone, and is not lost', async ({ store }) => {
    const entries: Entry[] = [[key('a'), key('1')], [key('b'), new Uint8Array(200_000).fill(7)], [key('c'), key('3')]]
    await fill(store, entries)
    checkEntries(await scanAll(store, {}, { maxEntries: 100, maxBytes: 64 }), entries, 'scan')
  }],
  ['a key that is there all the time is returned exactly once while others come and go', async ({ store, put, delete: del }) => {
    const entries = rows(60)
    await fill(store, entries)
    let n = 0
    const seen = await scanAll(store, {}, { maxEntries: 5, maxBytes: 1 << 20 }, async () => {
      await put(key(`k${String(n * 5).padStart(5, '0')}x`), key('new'))
      await del(key(`k${String((n++ - 1) * 5).padStart(5, '0')}x`))
    })
    for (const [k] of entries) check(seen.filter(([other]) => same(k, other)).length === 1, 'a key was lost or doubled')
  }],
  ['an aborted signal ends a scan', async ({ store }) => {
    await fill(store, rows(5))
    const failed = await store.scan({}, { ...LARGE, signal: AbortSignal.abort() }).then(() => false, () => true)
    check(failed, 'a scan with an aborted signal must reject')
  }]
]

const applyTests: readonly Case[] = [
  ['puts, overwrites and deletes, in order', async ({ store }) => {
    await store.apply([[key('a'), key('1')], [key('b'), key('2')]], { durable: false })
    await store.apply([[key('a'), key('3')], [key('b'), undefined], [key('c'), key('4')], [key('c'), key('5')]], { durable: true })
    checkEntries(await scanAll(store, {}, LARGE), [[key('a'), key('3')], [key('c'), key('5')]], 'after two batches')
  }],
  ['the same batch twice has the effect of once', async ({ store }) => {
    const batch = [[key('a'), key('1')], [key('b'), undefined], [key('c'), key('3')]] as const
    await store.apply(batch, { durable: false })
    await store.apply(batch, { durable: false })
    checkEntries(await scanAll(store, {}, LARGE), [[key('a'), key('1')], [key('c'), key('3')]], 'after the second time')
  }],
  ['empty values and every byte are kept', async ({ store }) => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const entries: Entry[] = [[all.subarray(1), new Uint8Array(0)], [key('z'), all]]
    await store.apply(entries, { durable: true })
    checkEntries(await scanAll(store, {}, LARGE), entries, 'scan')
  }],
  ['an empty batch is nothing', async ({ store }) => {
    await store.apply([], { durable: true })
    check((await store.scan({}, LARGE)).entries.length === 0, 'there is an entry')
  }],
  ['a large batch is whole', async ({ store }) => {
    const entries = rows(5000)
    await store.apply(entries, { durable: true })
    checkEntries(await scanAll(store, {}, LARGE), entries, 'scan')
  }]
]

const METHODS: readonly (readonly [Capability, keyof Store])[] = [['scan', 'scan'], ['apply', 'apply'], ['feed', 'openFeed'], ['feedEarly', 'openFeed'], ['version', 'applyNewer'], ['digest', 'digest'], ['rangeDelete', 'deleteRange'], ['stats', 'estimate']]

const optionalTests: readonly Case[] = [
  ['a capability has its method, and a stable identity and a name', async ({ store }) => {
    for (const [capability, method] of METHODS) {
      check(!store.capabilities.has(capability) || typeof store[method] === 'function', `it claims ${capability} and has no ${method}`)
    }
    check(store.capabilities.has('scan') && store.capabilities.has('apply'), 'scan and apply are needed by everything')
    const { identity } = store
    check(identity !== undefined && identity === store.identity, 'identity must be the same each time')
    check(store.name.length > 0, 'a store needs a name')
  }],
  ['packed pages say what a scan says, and are taken in as a batch is', async ({ store, put, delete: del }) => {
    if (store.applyPacked !== undefined) {
      const writes: Write[] = [...rows(40).slice(20), ...rows(10), [numbered(3), undefined], [numbered(25), key('new')]]
      for (const page of [packPage(rows(60).slice(40)), packPage(rows(60).slice(40)), packPage([]), packPage(writes)]) await store.applyPacked(page, { durable: true })
      const expected = [...rows(10), ...rows(60).slice(20)].filter(([k]) => !same(k, numbered(3))).map((entry): Entry => (same(entry[0], numbered(25)) ? [entry[0], key('new')] : entry))
      checkEntries(await scanAll(store, {}, LARGE), expected, 'after four pages')
      await store.applyPacked(packPage(rows(90).slice(70)), { durable: false })
      await put(numbered(75), key('changed'))
      await del(numbered(76))
    } else {
      await fill(store, rows(60))
    }
    if (store.scanPacked === undefined) return
    for (const range of [{}, { gte: numbered(40) }, { gte: numbered(45) }, { gte: key('k00009x') }, { gte: numbered(40), lt: numbered(60) }, { lt: numbered(50) }, { gte: numbered(5), lt: numbered(72) }]) {
      for (const limits of [LARGE, { maxEntries: 7, maxBytes: 1 << 20 }, { maxEntries: 100, maxBytes: 300 }]) {
        const seen: Entry[] = []
        for (let gte: Uint8Array | undefined = range.gte, end = false; !end; ) {
          const from = { ...range, ...(gte === undefined ? {} : { gte }) }
          const packed = await store.scanPacked(from, limits)
          check(packed === undefined || packed.entries <= limits.maxEntries, 'a packed page is larger than asked for')
          const page = packed === undefined ? await store.scan(from, limits) : { entries: unpackPage(packed.frame, packed.entries) as Entry[], end: packed.end }
          check(page.end || page.entries.length > 0, 'a page is empty and does not say END')
          seen.push(...page.entries)
          end = page.end
          gte = new Uint8Array([...(seen[seen.length - 1]?.[0] ?? []), 0])
        }
        checkEntries(seen, await scanAll(store, range, LARGE), 'packed pages, and scans where there is none')
      }
    }
  }],
  ['writes that were prepared are written as they were, once, or not at all', async ({ store }) => {
    if (store.prepare === undefined) return
    const [wanted, unwanted] = [store.prepare(rows(20)), store.prepare(rows(30).slice(20))]
    if (wanted === undefined) return
    check((await scanAll(store, {}, LARGE)).length === 0, 'it was written before it was asked for')
    const own = rows(3).map(([k, v]): Entry => [k.slice(), v.slice()])
    const overwritten = store.prepare(own)
    for (const bytes of own.flat()) bytes.fill(0)
    unwanted?.discard()
    check(await wanted.write({ durable: true }), 'nothing changed since, and it was not written')
    checkEntries(await scanAll(store, {}, LARGE), rows(20), 'what was prepared')
    await store.apply([[numbered(0), undefined]], { durable: false })
    if (overwritten !== undefined && (await overwritten.write({ durable: false }))) checkEntries(await scanAll(store, {}, LARGE), rows(20), 'bytes that changed afterwards')
  }],
  ['digest hands out what a scan returns', async ({ store }) => {
    if (!store.capabilities.has('digest')) return
    await fill(store, rows(50))
    const seen: Entry[] = []
    await store.digest?.({ gte: numbered(5), lt: numbered(45) }, { add: (entries) => seen.push(...entries) })
    checkEntries(seen, rows(50).slice(5, 45), 'digest')
  }],
  ['deleteRange removes the range and nothing else', async ({ store }) => {
    if (!store.capabilities.has('rangeDelete')) return
    await fill(store, rows(20))
    await store.deleteRange?.({ gte: numbered(5), lt: numbered(15) }, { durable: true })
    checkEntries(await scanAll(store, {}, LARGE), [...rows(20).slice(0, 5), ...rows(20).slice(15)], 'what is left')
  }],
  ['an estimate is made of numbers', async ({ store }) => {
    if (!store.capabilities.has('stats')) return
    await fill(store, rows(20))
    const guess = await store.estimate?.({})
    for (const value of [guess?.entries, guess?.bytes]) check(value === undefined || (Number.isFinite(value) && value >= 0), 'not a number')
  }]
]
