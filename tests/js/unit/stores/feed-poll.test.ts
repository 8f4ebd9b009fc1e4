// What a poll of a LevelDB feed reads: few calls of the database, and few bytes that it does not return.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLevel } from 'memory-level'
import { ownKey, WRITE_KIND } from '../../../../dist/stores/level-feed-rows.js'
import { ChangeReader } from '../../../../dist/stores/level-feed-poll.js'
import type { LevelDatabase } from '../../../../dist/stores/level.js'

const LIMITS = { maxEntries: 1000, maxBytes: 64 * 1024 }
const keyOf = (i: number): Uint8Array => new TextEncoder().encode(`key-${String(i).padStart(6, '0')}`)

/** A database with a log of changes 1, 2, 3, …, and what is read of it. */
async function logged(sizes: readonly number[]): Promise<{ reader: ChangeReader; read: number[] }> {
  const db = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' })
  await db.batch(
    sizes.flatMap((size, i) => [
      { type: 'put' as const, key: keyOf(i), value: new Uint8Array(size) },
      { type: 'put' as const, key: ownKey(WRITE_KIND, i + 1), value: keyOf(i) }
    ])
  )
  const read: number[] = []
  const getMany = db.getMany.bind(db) as (keys: Uint8Array[], options: object) => Promise<(Uint8Array | undefined)[]>
  Object.assign(db, { getMany: (keys: Uint8Array[], options: object) => (read.push(keys.length), getMany(keys, options)) })
  return { reader: new ChangeReader(db as unknown as LevelDatabase), read }
}

const all = (n: number, size: number): number[] => new Array(n).fill(size)

test('a poll whose values are about as large as those of the last takes two reads', async () => {
  const { reader, read } = await logged(all(900, 50))
  const first = await reader.read(new Uint8Array(0), {}, 0, 300, LIMITS)
  assert.deepEqual([first.changes.length, first.at, first.caughtUp], [300, 300, true])
  assert.equal(read[0], 1, 'nothing is known of them yet')
  read.length = 0
  const next = await reader.read(new Uint8Array(0), {}, 300, 800, LIMITS)
  assert.deepEqual([next.changes.length, next.at, next.caughtUp], [500, 800, true])
  assert.deepEqual(read, [64, 436])
})

test('values that are suddenly large: what is read on the word of the last poll is bounded', async () => {
  const { reader, read } = await logged([...all(200, 50), ...all(200, 30_000)])
  await reader.read(new Uint8Array(0), {}, 0, 200, LIMITS)
  read.length = 0
  const page = await reader.read(new Uint8Array(0), {}, 200, 400, LIMITS)
  assert.deepEqual([page.changes.length, page.at, page.caughtUp], [2, 202, false])
  assert.deepEqual(read, [64])
  read.length = 0
  // Now their size is known.
  await reader.read(new Uint8Array(0), {}, 202, 400, LIMITS)
  assert.deepEqual(read, [2, 1])
})

test('the limits hold, and what was not returned comes next', async () => {
  const { reader } = await logged(all(2500, 100))
  let at = 0
  let seen = 0
  for (let caughtUp = false; !caughtUp; ) {
    const page = await reader.read(new Uint8Array(0), { gte: keyOf(100) }, at, 2500, LIMITS)
    assert.ok(page.changes.length <= 1000)
    assert.ok(page.changes.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0) <= 64 * 1024)
    assert.ok(page.caughtUp || page.at > at)
    seen += page.changes.length
    at = page.at
    caughtUp = page.caughtUp
  }
  assert.equal(seen, 2400)
})

test('an aborted poll ends, and leaves nothing open', async () => {
  const { reader } = await logged(all(100, 10))
  await assert.rejects(reader.read(new Uint8Array(0), {}, 0, 100, { ...LIMITS, signal: AbortSignal.abort() }), { name: 'AbortError' })
})
