// Scans in pages that take more than one read: a page may end where an iterator does, and is whole all the same.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClassicLevel } from 'classic-level'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { READ_ROWS } from '../../../../dist/stores/level-passed.js'
import { inCommon } from '../../../../dist/stores/level-text.js'
import type { ScanPage, Store } from '../../../../dist/stores/store.js'
import { inFolder, withLevel } from '../../support/stores.ts'

type Level = ClassicLevel<string, string>
type Options = { readonly gte?: unknown; readonly keys?: boolean }
const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const ROWS = 15_000
const PAGE = 2 * READ_ROWS
/** Where no row is any more each iterator ends eight times as far ahead, until no key is. */
const AT_END = 20

const KEYS: Record<string, (i: number) => Buffer> = {
  'a counter': (i) => Buffer.from(String(i).padStart(16, '0')),
  'a counter with gaps': (i) => Buffer.from(String(i * i + 7 * i).padStart(16, '0')),
  'a hash': (i) => Buffer.from(createHash('md5').update(String(i)).digest('hex')),
  'bytes of a hash': (i) => createHash('md5').update(String(i)).digest(),
  'text, and a few that are none': (i) => Buffer.concat([Buffer.from(String(i).padStart(9, '0')), Buffer.from(i % 4001 === 4000 ? [0xff] : [])])
}

async function fill(db: Level, keyOf: (i: number) => Buffer, valueBytes: (i: number) => number): Promise<[Buffer, Buffer][]> {
  await db.clear()
  const rows = Array.from({ length: ROWS }, (_, i): [Buffer, Buffer] => [keyOf(i), Buffer.alloc(valueBytes(i), i)])
  await db.batch(rows.map(([key, value]) => ({ type: 'put' as const, key, value })) as never[], BYTES as never)
  return rows.sort(([a], [b]) => Buffer.compare(a, b))
}

/** Counts reads, and iterators but for those that look whether what was read is whole. */
function counting(db: Level, lost?: Buffer): { opened: number; closed: number; reads: number; rows: number; undo(): void } {
  const open = db.iterator.bind(db)
  const counts = { opened: 0, closed: 0, reads: 0, rows: 0, undo: () => Object.assign(db, { iterator: open }) }
  Object.assign(db, {
    iterator: (options: Options & { lt?: unknown }) => {
      const iterator = open(options as never)
      const bytes = (bound: unknown): Buffer => Buffer.from((bound ?? '') as string)
      const isInside = lost !== undefined && Buffer.compare(lost, bytes(options.gte)) >= 0 && (options.lt === undefined || Buffer.compare(lost, bytes(options.lt)) < 0)
      if (options.keys !== false) counts.opened++
      const [nextv, close] = [iterator.nextv.bind(iterator), iterator.close.bind(iterator)]
      let isClosed = false
      Object.assign(iterator, {
        nextv: async function again(size: number): Promise<unknown[]> {
          const rows = (await nextv(size)) as unknown as [Buffer | string, Buffer][]
          if (rows.length === 0 && isInside) throw Object.assign(new Error('Corruption: a block'), { code: 'LEVEL_CORRUPTION' })
          if (options.keys !== false) {
            counts.reads++
            counts.rows += rows.length
          }
          const left = lost === undefined ? rows : rows.filter(([key]) => !bytes(key).equals(lost))
          return left.length === 0 && rows.length > 0 ? again(size) : left
        },
        close: () => {
          if (!isClosed && options.keys !== false) counts.closed++
          isClosed = true
          return close()
        }
      })
      return iterator
    }
  })
  return counts
}

async function* pagesOf(store: Store, maxEntries: number, maxBytes: number): AsyncGenerator<ScanPage> {
  for (let gte: Uint8Array | undefined; ; ) {
    const { entries, end } = await store.scan({ gte }, { maxEntries, maxBytes })
    yield { entries, end }
    if (end) return
    gte = Uint8Array.from([...(entries.at(-1) as readonly [Uint8Array, Uint8Array])[0], 0])
  }
}

const hex = (rows: readonly (readonly [Uint8Array, Uint8Array])[]): string[] => rows.map(([key, value]) => `${Buffer.from(key).toString('hex')} ${value.length} ${value[0]}`)

for (const [kind, keyOf] of Object.entries(KEYS)) {
  test(`${kind}: every row once, in pages that are half full at least`, () =>
    inFolder((folder) =>
      withLevel(join(folder, 'db'), async (db) => {
        for (const [valueBytes, maxBytes] of [[() => 100, 1 << 20], [(i: number) => (i % 3000) + 1, 1 << 20], [() => 20, 40_000]] as const) {
          const expected = hex(await fill(db, keyOf, valueBytes))
          const counts = counting(db)
          const rows: string[] = []
          let pages = 0
          for await (const { entries, end } of pagesOf(levelStore(db as LevelDatabase), PAGE, maxBytes)) {
            pages++
            const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
            assert.ok(entries.length <= PAGE && bytes <= maxBytes)
            // The largest value may be what did not fit any more.
            assert.ok(end || 2 * entries.length >= PAGE || 2 * bytes > maxBytes - 6000, `${entries.length} rows, ${bytes} bytes`)
            rows.push(...hex(entries))
          }
          assert.deepEqual(rows, expected)
          assert.equal(counts.opened, counts.closed)
          assert.ok(counts.opened <= 2 * pages + AT_END, `${counts.opened} iterators for ${pages} pages`)
          counts.undo()
        }
      })
    ))
}

test('of a counter each page is one iterator, two reads, and no row that is not in it', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      await fill(db, KEYS['a counter'] as (i: number) => Buffer, () => 100)
      const counts = counting(db)
      const given: number[] = []
      const ahead: number[] = []
      for await (const { entries } of pagesOf(levelStore(db as LevelDatabase), PAGE, 1 << 20)) {
        given.push(entries.length)
        ahead.push(counts.rows - given.reduce((sum, count) => sum + count, 0))
      }
      assert.equal(given.reduce((sum, count) => sum + count, 0), ROWS)
      assert.equal(given.length, Math.ceil(ROWS / PAGE))
      // A full page more was read when one was given out, before pages ended where iterators do.
      assert.ok(ahead.every((rows) => rows <= 2), ahead.join(' '))
      assert.ok(counts.opened <= given.length + AT_END, `${counts.opened} iterators for ${given.length} pages`)
      // With those that only tell of the end, and ask the database nothing.
      assert.ok(counts.reads <= 3 * given.length + AT_END, `${counts.reads} reads for ${given.length} pages`)
      counts.undo()
    })
  ))

test('damage is told before a page that it may be in', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      for (const kind of ['a counter', 'a hash', 'bytes of a hash', 'text, and a few that are none']) {
        const rows = await fill(db, KEYS[kind] as (i: number) => Buffer, () => 100)
        for (const at of [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE, 9000, 9001, ROWS - 1]) {
          const lost = (rows[at] as [Buffer, Buffer])[0]
          const counts = counting(db, lost)
          let seen = 0
          await assert.rejects(async () => {
            for await (const { entries } of pagesOf(levelStore(db as LevelDatabase), PAGE, 1 << 20)) {
              for (const [key] of entries) assert.ok(Buffer.compare(key, lost) < 0, `${kind}: ${at} is missing, and what follows was given out`)
              seen += entries.length
            }
          }, { code: 'KEYHAUL_STORE_CORRUPT' }, `${kind}: ${at}`)
          assert.ok(seen <= at)
          counts.undo()
        }
      }
    })
  ))

test('who asks for few gets as many', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      await fill(db, KEYS['a hash'] as (i: number) => Buffer, () => 10)
      const sizes: number[] = []
      for await (const { entries } of pagesOf(levelStore(db as LevelDatabase), 700, 1 << 20)) sizes.push(entries.length)
      assert.deepEqual(sizes, [...Array.from({ length: Math.floor(ROWS / 700) }, () => 700), ROWS % 700])
    })
  ))

test('what bounds have in common', () => {
  assert.equal(inCommon('', 'a'), 0)
  assert.equal(inCommon('abc', 'abd'), 2)
  assert.equal(inCommon('abc', 'abcd'), 3)
})
