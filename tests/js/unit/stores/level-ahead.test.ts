// A scan of LevelDB reads to an end that it guesses, where LevelDB tells of damage: nothing is read twice,
// and no page is given out that lacks a row.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import type { Entry } from '../../../../dist/index.js'
import { KeysAhead } from '../../../../dist/stores/level-ahead.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { randomFrom } from '../../support/stores.js'

type Level = ClassicLevel<Uint8Array, Uint8Array>

const folder = mkdtempSync(join(tmpdir(), 'keyhaul-ahead-'))
after(() => rmSync(folder, { recursive: true }))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const row = (text: string): Entry => [bytes(text), bytes('')]
const decimal = (i: number): string => `user:${String(i).padStart(8, '0')}`

function learned(keys: readonly string[]): KeysAhead {
  const ahead = new KeysAhead()
  ahead.look(bytes(keys[0] as string), keys.map(row))
  return ahead
}

/** The number of the decimal key that is guessed. */
function guessed(ahead: KeysAhead, from: number, to: number, rows: number, wanted: number): number {
  const key = ahead.after(bytes(decimal(from)), bytes(decimal(to)), rows, wanted)
  return Number(new TextDecoder().decode(key).slice(5, 13))
}

test('decimal keys are counted on, over every border of ten', () => {
  const ahead = learned(Array.from({ length: 2000 }, (_, i) => decimal(i)))
  for (const [from, to, wanted, expected] of [[0, 100, 100, 200], [9_900, 9_990, 20, 10_010], [99_000, 99_999, 1_000, 101_000], [500, 1_500, 3_000, 4_500]] as const) {
    const key = guessed(ahead, from, to, to - from, wanted)
    assert.ok(Math.abs(key - expected) <= 1, `${key}, not ${expected}`)
  }
})

test('where no row was it looks eight times as far, and nowhere farther than that', () => {
  const ahead = learned(Array.from({ length: 2000 }, (_, i) => decimal(i)))
  for (const [rows, expected] of [[0, 1_900], [1, 1_900], [1_000_000, 1_012]] as const) {
    const key = guessed(ahead, 900, 1_000, rows, 1_000)
    assert.ok(Math.abs(key - expected) <= 101, `${rows} rows: ${key}`)
  }
})

test('whatever it was shown, a guess is greater than where it goes on; without two bytes that differ there is none', () => {
  const key = fc.uint8Array({ minLength: 0, maxLength: 12 })
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 40 }), key, key, fc.nat(5000), fc.integer({ min: 1, max: 5000 }), (shown, a, b, rows, wanted) => {
      const [from, to] = [a, b].sort((x, y) => Buffer.compare(x, y)) as [Uint8Array, Uint8Array]
      fc.pre(Buffer.compare(from, to) !== 0)
      const keys = [...shown].sort((x, y) => Buffer.compare(x, y))
      const ahead = new KeysAhead()
      assert.equal(ahead.after(from, to, rows, wanted), undefined)
      ahead.look(keys[0] as Uint8Array, keys.map((shownKey) => [shownKey, new Uint8Array(0)]))
      const guess = ahead.after(from, to, rows, wanted)
      assert.ok(guess === undefined || Buffer.compare(guess, to) > 0)
    }),
    { numRuns: 3000 }
  )
})

/** Counts what is read: rows, and passes over what was read already. */
function counting(db: Level): { rows: number; passes: number } {
  const counts = { rows: 0, passes: 0 }
  const open = db.iterator.bind(db) as unknown as (options: object) => { nextv(size: number): Promise<unknown[]> }
  Object.assign(db, {
    iterator: (options: { keys?: boolean }) => {
      const iterator = open(options)
      if (options.keys === false) {
        counts.passes++
        return iterator
      }
      const nextv = iterator.nextv.bind(iterator)
      iterator.nextv = async (size) => {
        const rows = await nextv(size)
        counts.rows += rows.length
        return rows
      }
      return iterator
    }
  })
  return counts
}

async function filled(name: string, count: number, keyOf: (i: number) => string, valueBytes: (i: number) => number): Promise<Level> {
  const db: Level = new ClassicLevel(join(folder, name), { keyEncoding: 'view', valueEncoding: 'view', compression: false })
  await db.open()
  for (let i = 0; i < count; ) {
    const batch = db.batch()
    for (const end = Math.min(i + 500, count); i < end; i++) batch.put(bytes(keyOf(i)), new Uint8Array(valueBytes(i)).fill(i))
    await batch.write()
  }
  return db
}

async function scanned(db: Level, maxBytes: number, onPage: (entries: readonly Entry[]) => void = () => {}): Promise<number> {
  const store = levelStore(db as unknown as LevelDatabase)
  let gte: Uint8Array | undefined
  for (let pages = 1; ; pages++) {
    const page = await store.scan({ gte }, { maxEntries: 1 << 20, maxBytes })
    onPage(page.entries)
    if (page.end) return pages
    const [key] = page.entries.at(-1) as Entry
    gte = Uint8Array.from([...key, 0])
  }
}

const random = randomFrom(7)
for (const [name, keyOf, valueBytes, passesMax] of [
  ['decimal', decimal, () => 100, 2],
  ['hex', (i: number) => (Math.imul(i + 1, 2654435761) >>> 0).toString(16).padStart(8, '0'), () => 100, 3],
  ['far apart, then close', (i: number) => decimal(i < 1000 ? i * 5000 : 5_000_000 + i), () => 100, 12],
  ['of words', (i: number) => `${['user', 'order', 'item', 'session'][i % 4]}:${(i * 7919) % 100_003}`, () => 100, 60],
  ['rows as large as a page', (i: number) => decimal(i % 600), () => 16_000, 60],
  ['rows of every size', decimal, () => Math.floor(random() ** 6 * 60_000), 200]
] as const) {
  test(`${name}: rows are read once, and few pages are passed over again`, async () => {
    const db = await filled(name, 12_000, keyOf, valueBytes)
    const counts = counting(db)
    let rows = 0
    const pages = await scanned(db, 16_384, (entries) => {
      rows += entries.length
    })
    // Of an unsteady one some are read again where an iterator is given up; none would be 12,000.
    assert.ok(counts.rows <= rows * 1.02, `${counts.rows} read for ${rows}`)
    assert.ok(counts.passes <= passesMax, `${counts.passes} passes for ${pages} pages`)
    assert.ok(pages > 3 * counts.passes, `${pages}`)
    await db.close()
  })
}

test('damage anywhere ends a scan before the page that would have a gap', async () => {
  const count = 30_000
  const db = await filled('damaged', count, decimal, () => 100)
  const whole: string[] = []
  await scanned(db, 16_384, (entries) => whole.push(...entries.map(([key]) => new TextDecoder().decode(key))))
  assert.equal(whole.length, count)
  const bounds = { keyEncoding: 'view' } as const
  await db.compactRange(bytes('a'), bytes('z'), bounds)
  await db.close()
  const tables = readdirSync(join(folder, 'damaged')).filter((file) => file.endsWith('.ldb'))
  assert.ok(tables.length > 0)
  let stopped = 0
  for (let i = 0; i < 24; i++) {
    const copy = join(folder, `damaged-${i}`)
    cpSync(join(folder, 'damaged'), copy, { recursive: true })
    const file = join(copy, tables[i % tables.length] as string)
    const table = readFileSync(file)
    // The type of the compression behind a block, and a whole stretch with it; not the index at the end.
    const at = Math.floor(random() * (table.length * 0.9))
    table.fill(0xff, at, at + 9_000)
    writeFileSync(file, table)
    const again: Level = new ClassicLevel(copy, { keyEncoding: 'view', valueEncoding: 'view' })
    const seen: string[] = []
    try {
      await again.open()
      await scanned(again, 16_384, (entries) => seen.push(...entries.map(([key]) => new TextDecoder().decode(key))))
    } catch (error) {
      stopped++
      assert.match((error as { code: string }).code, /^KEYHAUL_STORE_(CORRUPT|FAILED)$/)
    } finally {
      await again.close()
    }
    // What was given out is how it was, from the beginning on, without a gap.
    assert.deepEqual(seen, whole.slice(0, seen.length), `damage ${i} at ${at}`)
    rmSync(copy, { recursive: true })
  }
  assert.equal(stopped, 24)
})
