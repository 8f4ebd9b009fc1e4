import type { Entry, NewerOptions, Store, Write } from '../stores/store.js'
import { check, checkEntries, hex, key, numbered, same, scanAll, type StoreUnderTest } from './support.js'

/** How values of a store with `version` are made, as its own writers make them. Versions are whole numbers of 1 to 1000. */
export interface VersionedValues {
  value(version: number, text: string): Uint8Array
  /** The record of a delete. */
  tombstone(version: number): Uint8Array
}

const LARGE = { maxEntries: 10_000, maxBytes: 1 << 20 }
const SHARED: NewerOptions = { durable: false, deletes: false }

type Case = readonly [name: string, run: (under: StoreUnderTest, values: VersionedValues) => Promise<void>]

/** What stands there after a merge of these writes, and what the store says that it left. */
async function merged(store: Store, writes: readonly Write[], left: number, expected: readonly Entry[], where: string): Promise<void> {
  const said = await store.applyNewer?.(writes, SHARED)
  check(said === left, `${where}: applyNewer gave ${said}; something newer is there of ${left} keys`)
  checkEntries(await scanAll(store, {}, LARGE), expected, where)
}

/** The same numbers each time. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x100000000) * below)
  }
}

export const versionTests: readonly Case[] = [
  ['version: a newer one takes the place of an older, and not the other way round', async ({ store }, { value }) => {
    const [a, b] = [key('a'), key('b')]
    await merged(store, [[a, value(5, 'five')]], 0, [[a, value(5, 'five')]], 'where nothing was')
    await merged(store, [[a, value(4, 'four')], [b, value(1, 'one')]], 1, [[a, value(5, 'five')], [b, value(1, 'one')]], 'an older one')
    await merged(store, [[a, value(300, 'new')]], 0, [[a, value(300, 'new')], [b, value(1, 'one')]], 'a newer one')
    await merged(store, [[a, value(299, 'old')], [b, value(2, 'two')]], 1, [[a, value(300, 'new')], [b, value(2, 'two')]], 'one of two')
  }],
  ['version: of one version the store keeps what it has', async ({ store }, { value }) => {
    const a = key('a')
    const kept: Entry[] = [[a, value(7, 'first')]]
    await merged(store, kept, 0, kept, 'where nothing was')
    await merged(store, kept, 0, kept, 'the same once more')
    await merged(store, [[a, value(7, 'second')]], 0, kept, 'the same version with another value')
  }],
  ['version: in one batch the newest of a key counts, in whatever order', async ({ store }, { value }) => {
    const [a, b] = [key('a'), key('b')]
    await merged(store, [[a, value(3, 'x')], [a, value(9, 'y')], [a, value(6, 'z')], [b, value(2, 'x')], [b, value(1, 'y')]], 0, [[a, value(9, 'y')], [b, value(2, 'x')]], 'several of a key')
    await merged(store, [[a, value(7, 'x')], [a, value(8, 'y')], [b, value(1, 'x')], [b, value(3, 'y')]], 1, [[a, value(9, 'y')], [b, value(3, 'y')]], 'several of a key that are older, and one of them is not')
  }],
  ['version: a tombstone is an entry, older and newer as any other', async ({ store }, { value, tombstone }) => {
    const a = key('a')
    await merged(store, [[a, value(3, 'x')]], 0, [[a, value(3, 'x')]], 'a value')
    await merged(store, [[a, tombstone(2)]], 1, [[a, value(3, 'x')]], 'an older tombstone')
    await merged(store, [[a, tombstone(5)]], 0, [[a, tombstone(5)]], 'a newer tombstone')
    await merged(store, [[a, value(4, 'y')]], 1, [[a, tombstone(5)]], 'a value that is older than the tombstone')
    await merged(store, [[a, value(6, 'z')]], 0, [[a, value(6, 'z')]], 'a value that is newer')
  }],
  ['version: a delete, which has none, is left out where others write and carried out where nobody does', async ({ store }, { value }) => {
    const [a, b] = [key('a'), key('b')]
    const both: Entry[] = [[a, value(1, 'x')], [b, value(1, 'y')]]
    await merged(store, both, 0, both, 'two')
    await merged(store, [[a, undefined], [key('none'), undefined]], 0, both, 'deletes, and others may write')
    await store.applyNewer?.([[a, undefined], [b, undefined], [b, value(1, 'again')]], { durable: true, deletes: true })
    checkEntries(await scanAll(store, {}, LARGE), [[b, value(1, 'again')]], 'deletes, and nobody else writes')
  }],
  ['version: a plain write counts, whatever its version', async ({ store }, { value }) => {
    const a = key('a')
    await store.apply([[a, value(9, 'x')]], { durable: false })
    await store.apply([[a, value(3, 'y')]], { durable: false })
    checkEntries(await scanAll(store, {}, LARGE), [[a, value(3, 'y')]], 'absolute')
  }],
  ['version: any order and any number of times give what the sorted writes give', async ({ store }, { value, tombstone }) => {
    const below = random(20)
    const newest = new Map<number, number>()
    const writes: Write[] = []
    const make = (k: number, version: number): Uint8Array => ((k + version) % 5 === 0 ? tombstone(version) : value(version, `${k}@${version}`))
    for (let i = 0; i < 600; i++) {
      const [k, version] = [below(40), 1 + below(1000)]
      newest.set(k, Math.max(version, newest.get(k) ?? 0))
      for (let times = 1 + below(3); times > 0; times--) writes.splice(below(writes.length + 1), 0, [numbered(k), make(k, version)])
    }
    // Batches beside each other, as those of several migrations are.
    const under: Promise<unknown>[] = []
    while (writes.length > 0) {
      const batch = writes.splice(0, 1 + below(30))
      under.push(store.applyNewer?.(batch, SHARED) ?? Promise.resolve())
      if (under.length >= 4) await Promise.all(under.splice(0))
    }
    await Promise.all(under)
    const expected = [...newest].sort(([a], [b]) => a - b).map(([k, version]): Entry => [numbered(k), make(k, version)])
    checkEntries(await scanAll(store, {}, LARGE), expected, 'the newest of each key')
  }],
  ['version: what others write at that moment stands where it is newer', async ({ store, put }, { value }) => {
    for (let i = 0; i < 100; i++) {
      const k = numbered(i % 7)
      const [ours, theirs] = [value(1 + 2 * i, 'ours'), value(2 + 2 * i, 'theirs')]
      const calls = [(): Promise<unknown> => store.applyNewer?.([[k, ours]], SHARED) ?? Promise.resolve(), (): Promise<unknown> => put(k, theirs)]
      await Promise.all((i % 2 === 0 ? calls : calls.reverse()).map((call) => call()))
      const [found] = (await store.scan({ gte: k }, { maxEntries: 1, maxBytes: 1 << 20 })).entries
      check(found !== undefined && same(found[1], theirs), `round ${i}: ${hex(found?.[1])} stands there, and what was written at the same time is newer: ${hex(theirs)}`)
    }
  }]
]
