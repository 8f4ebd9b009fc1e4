// Keys that a level store reads as text: whatever bytes they are made of, they come out as they went in.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { MemoryLevel } from 'memory-level'
import { migrate } from '../../../../dist/index.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import type { TextPage, TextRows } from '../../../../dist/stores/level-text.js'
import { packPage } from '../../../../dist/stores/packed.js'
import type { Entry, ScanOptions, ScanPage, Store } from '../../../../dist/stores/store.js'
import { inFolder, withLevel } from '../../support/stores.ts'

type Level = ClassicLevel<string, string>
const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const digits = (i: number): Buffer => Buffer.from(`k${String(i).padStart(5, '0')}`)
const behind = (key: Uint8Array): Uint8Array => Uint8Array.from([...key, 0])
const plain = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): string[] => entries.map(([key, value]) => `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`)

/** What no decoder gives back as it was, and what looks as if. */
const ODD: Record<string, readonly number[]> = {
  'a real U+FFFD': [0xef, 0xbf, 0xbd],
  'a byte order mark': [0xef, 0xbb, 0xbf],
  'a lone surrogate': [0xed, 0xa0, 0x80],
  'an overlong zero': [0xc0, 0x80],
  'an overlong letter': [0xc1, 0x81],
  'a byte that begins nothing': [0xff],
  'the rest of a letter': [0x80],
  'half a letter': [0xd0],
  'above Unicode': [0xf4, 0x90, 0x80, 0x80],
  'Latin-1': [0xe9],
  'two bytes a letter': [...Buffer.from('ключ')],
  'an emoji': [...Buffer.from('🗝')],
  zero: [0],
  'the last of ASCII': [0x7f],
  'a long tail': [...Buffer.from('x'.repeat(300))]
}

async function fill(db: Level, entries: readonly (readonly [Uint8Array, Uint8Array])[]): Promise<void> {
  await db.clear()
  await db.batch(entries.map(([key, value]) => ({ type: 'put' as const, key, value })) as never[], BYTES as never)
}

/** The pages of a whole scan. Those of text are looked at as the driver does, and as everybody else does. */
async function scanAll(store: Store, pageOf: () => ScanOptions): Promise<{ entries: Entry[]; ofText: number }> {
  const entries: Entry[] = []
  let ofText = 0
  for (let gte: Uint8Array | undefined; ; ) {
    const page: TextPage = await store.scan({ gte }, pageOf())
    const rows = page.keyhaulRows?.(page)
    // A key that came out as another would have this go on for ever.
    assert.ok(entries.length < 10_000, 'the scan does not end')
    const packed = rows && putOf(rows)
    const first = rows?.[0]
    if (rows !== undefined) {
      ofText++
      assert.equal(rows.length, page.entries.length)
      assert.equal(rows.bytes, page.entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0))
      assert.deepEqual(plain([first as Entry]), plain(page.entries.slice(0, 1)))
      assert.ok(packed?.equals(packPage(page.entries).subarray(32)))
    }
    entries.push(...page.entries)
    if (page.end) return { entries, ofText }
    gte = behind(entries.at(-1)?.[0] as Uint8Array)
  }
}

function putOf(rows: TextRows): Buffer {
  // Not at the beginning, and more than it needs.
  const memory = new ArrayBuffer((64 + rows.length * 8 + rows.bytes + 64) & ~3)
  rows.put(64, new Uint8Array(memory), new Uint32Array(memory))
  assert.ok(new Uint8Array(memory, 64 + rows.length * 8 + rows.bytes).every((byte) => byte === 0))
  return Buffer.from(memory, 64, rows.length * 8 + rows.bytes)
}

const inOrder = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): (readonly [Uint8Array, Uint8Array])[] =>
  [...new Map(entries.map((entry) => [Buffer.from(entry[0]).toString('hex'), entry])).values()].sort(([a], [b]) => Buffer.compare(a, b))

test('each odd key among text, first, last and between', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db as LevelDatabase)
      for (const [what, bytes] of Object.entries(ODD)) {
        for (const at of [0, 20, 21, 35, 59, 199]) {
          const odd = [Buffer.from(bytes), Buffer.concat([digits(at), Buffer.from(bytes)]), Buffer.concat([digits(at), Buffer.from(bytes), Buffer.from('k')])]
          for (const some of [odd, odd.slice(1, 2)]) {
            const entries = inOrder([...Array.from({ length: 200 }, (_, i) => [digits(i), Buffer.from([i])] as const), ...some.map((key) => [key, Buffer.from(what)] as const)])
            await fill(db, entries)
            const scanned = await scanAll(store, () => ({ maxEntries: 20, maxBytes: 1 << 20 }))
            assert.deepEqual(plain(scanned.entries), plain(entries), what)
            assert.ok(at < 59 || scanned.ofText > 0, `${what}: nothing was read as text`)
          }
        }
      }
    })
  ))

test('any bytes in any pages', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db as LevelDatabase)
      const odd = fc.oneof(fc.constantFrom(...Object.values(ODD)), fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }))
      const place = fc.integer({ min: 0, max: 400 }).map(digits)
      const near = fc.tuple(place, odd).map(([key, tail]) => Buffer.concat([key, Buffer.from(tail)]))
      const wild = fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes))
      const row = fc.tuple(fc.oneof({ weight: 200, arbitrary: place }, { weight: 2, arbitrary: near }, { weight: 1, arbitrary: wild }), fc.uint8Array({ maxLength: 60 }))
      const limits = fc.array(fc.record({ maxEntries: fc.integer({ min: 1, max: 50 }), maxBytes: fc.integer({ min: 1, max: 2000 }) }), { minLength: 1, maxLength: 6 })
      let ofText = 0
      await fc.assert(
        fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 250, size: 'max' }), limits, async (rows, pages) => {
          const entries = inOrder(rows)
          await fill(db, entries)
          let at = 0
          const scanned = await scanAll(store, () => pages[at++ % pages.length] as (typeof pages)[0])
          ofText += scanned.ofText
          assert.deepEqual(plain(scanned.entries), plain(entries))
        }),
        { numRuns: 120 }
      )
      assert.ok(ofText > 200, `${ofText} pages of text`)
    })
  ))

/** Has its iterators leave out a key, and say so at their end only, as those of LevelDB do of a block they cannot read. */
function damage(db: Level, lost: Uint8Array): { restarts: number; undo(): void } {
  const open = db.iterator.bind(db)
  const about = { restarts: 0, undo: () => Object.assign(db, { iterator: open }) }
  let lastText: string | undefined
  Object.assign(db, {
    iterator: (options: { gte?: Uint8Array | string; lt?: Uint8Array | string; keys?: boolean; keyEncoding: string }) => {
      const iterator = open(options as never)
      const [gte, lt] = [options.gte ?? '', options.lt].map((bound) => bound === undefined ? undefined : Buffer.from(bound as string))
      const isInside = Buffer.compare(lost, gte as Buffer) >= 0 && (lt === undefined || Buffer.compare(lost, lt) < 0)
      const text = options.keyEncoding === 'utf8'
      if (!text && options.keys !== false && lastText !== undefined && (gte as Buffer).toString('latin1') > lastText) about.restarts++
      lastText = text ? (gte as Buffer).toString('latin1') : options.keys === false ? lastText : undefined
      const nextv = iterator.nextv.bind(iterator)
      iterator.nextv = (async (size: number) => {
        const rows = await nextv(size)
        if (rows.length === 0 && isInside) throw Object.assign(new Error('Corruption: a block'), { code: 'LEVEL_CORRUPTION' })
        if (rows.length === 0) return rows
        const left = rows.filter(([key]) => options.keys === false || Buffer.compare(Buffer.from(key as never), lost) !== 0)
        return left.length === 0 ? iterator.nextv(size) : left
      }) as typeof iterator.nextv
      return iterator
    }
  })
  return about
}

test('what an iterator of text passed over is told, also where it has to stop in the middle', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db as LevelDatabase)
      let restarts = 0
      for (let odd = 22; odd < 70; odd += 3) {
        const key = Buffer.concat([digits(odd), Buffer.from([0xff])])
        await fill(db, inOrder([...Array.from({ length: 120 }, (_, i) => [digits(i), Buffer.from([i])] as const), [key, Buffer.from('odd')]]))
        for (const lost of [1, odd - 12, odd - 5, odd - 2, odd - 1, odd, odd + 1, odd + 9, 119]) {
          const about = damage(db, digits(lost))
          await assert.rejects(scanAll(store, () => ({ maxEntries: 10, maxBytes: 1 << 20 })), { code: 'KEYHAUL_STORE_CORRUPT' }, `${lost} lost, ${odd} odd`)
          restarts += about.restarts
          about.undo()
        }
      }
      assert.ok(restarts > 10, `${restarts} stopped in the middle`)
    })
  ))

test('a page is what its reader makes of it', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db as LevelDatabase)
      await fill(db, Array.from({ length: 200 }, (_, i) => [digits(i), Buffer.from([i])]))
      const pages: TextPage[] = []
      for (let gte: Uint8Array | undefined, end = false; !end; ) {
        const page: TextPage = await store.scan({ gte }, { maxEntries: 20, maxBytes: 1 << 20 })
        // Which is no look at it.
        const rows = page.keyhaulRows?.(page)
        gte = behind(digits(pages.length * 20 + 19))
        end = page.end || pages.length === 9
        pages.push(page)
        if (pages.length > 2) assert.ok(rows)
      }
      const [a, b, c, d, e] = pages.slice(3) as [TextPage, TextPage, TextPage, TextPage, TextPage]
      const copy: TextPage = { ...a }
      assert.equal(copy.keyhaulRows?.(copy), undefined)
      assert.deepEqual(plain(copy.entries), Array.from({ length: 20 }, (_, i) => `${digits(60 + i).toString('hex')} ${Buffer.from([60 + i]).toString('hex')}`))
      assert.equal(a.keyhaulRows?.(a), undefined, 'its entries were looked at')
      ;(b.entries as Entry[]).pop()
      assert.equal(b.keyhaulRows?.(b), undefined)
      assert.equal(b.entries.length, 19)
      assert.equal(Object.assign(c, { entries: [] }).entries.length, 0)
      assert.equal(c.keyhaulRows?.(c), undefined)
      const others: Record<string, (page: TextPage) => TextPage> = {
        inherits: (page) => Object.create(page, { entries: { get: () => page.entries.slice(1) } }) as TextPage,
        proxy: (page) => new Proxy(page, { get: (of, name) => (name === 'entries' ? of.entries.slice(1) : of[name as keyof TextPage]) }),
        redefined: (page) => {
          const { get } = Object.getOwnPropertyDescriptor(page, 'entries') as { get: () => Entry[] }
          return Object.defineProperty(page, 'entries', { get: () => get.call(page).slice(1) })
        }
      }
      for (const [how, other] of Object.entries(others)) {
        assert.ok(d.keyhaulRows?.(d))
        const page = other(how === 'redefined' ? e : d)
        assert.equal(page.keyhaulRows?.(page), undefined, how)
      }
      assert.deepEqual(Object.keys(d), ['end', 'entries'])
      assert.deepEqual(JSON.parse(JSON.stringify(d)).entries.length, 20)
    })
  ))

async function contents(db: LevelDatabase): Promise<string[]> {
  const all: [Uint8Array, Uint8Array][] = []
  const iterator = db.iterator({ keyEncoding: 'view', valueEncoding: 'view' })
  for (;;) {
    const rows = (await iterator.nextv(1000)) as [Uint8Array, Uint8Array][]
    if (rows.length === 0) break
    all.push(...rows)
  }
  await iterator.close()
  return plain(all)
}

test('a copy has the bytes of its source, whoever takes it', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'a'), (a) =>
      withLevel(join(folder, 'b'), async (b) => {
        const odd = Object.values(ODD).map((bytes, i) => [Buffer.concat([digits(9000 + i), Buffer.from(bytes)]), Buffer.from([i])] as const)
        await fill(a, inOrder([...Array.from({ length: 12_000 }, (_, i) => [digits(i), Buffer.from(`v${i}`)] as const), ...odd]))
        const expected = await contents(a as LevelDatabase)
        const from = levelStore(a as LevelDatabase)
        let told = 0
        const listen = (operations: unknown[]): void => {
          told += operations.length
        }
        const wrapped = (store: Store): Store => Object.create(store, { prepare: { value: undefined }, name: { value: 'wrapped' }, identity: { value: {} } }) as Store
        for (const [who, target, to] of [
          ['a classic-level', b, levelStore(b as LevelDatabase)],
          ['one that is listened to', b, levelStore(b as LevelDatabase)],
          ['one without prepare', b, wrapped(levelStore(b as LevelDatabase))],
          ['a sublevel', b.sublevel('part'), levelStore(b.sublevel('part') as unknown as LevelDatabase)],
          ['a memory-level', new MemoryLevel(), undefined]
        ] as const) {
          await b.clear()
          if (who === 'one that is listened to') b.on('write', listen)
          const receipt = await migrate({ from, to: to ?? levelStore(target as LevelDatabase), mode: 'copy' }).done
          b.off('write', listen)
          assert.ok(receipt.verified, who)
          assert.deepEqual(await contents(target as LevelDatabase), expected, who)
        }
        assert.equal(told, expected.length)
        // Wrappers of the source that leave out every tenth, at once or when they are asked.
        const thin = (page: ScanPage): Entry[] => page.entries.filter(([key]) => key[5] !== 0x30)
        for (const pageOf of [
          (page: ScanPage) => ({ ...page, entries: thin(page) }),
          (page: ScanPage) => Object.create(page, { entries: { get: () => thin(page) } }) as ScanPage,
          (page: ScanPage) => new Proxy(page, { get: (of, name) => (name === 'entries' ? thin(of) : of[name as keyof ScanPage]) })
        ]) {
          const thinned = Object.create(from, {
            scan: { value: async (...asked: Parameters<Store['scan']>) => pageOf(await from.scan(...asked)) },
            name: { value: 'thinned' }
          }) as Store
          await b.clear()
          await migrate({ from: thinned, to: levelStore(b as LevelDatabase), mode: 'copy' }).done
          assert.deepEqual(await contents(b as LevelDatabase), expected.filter((row) => !/^.{10}30/.test(row)))
        }
      })
    )
  ))
