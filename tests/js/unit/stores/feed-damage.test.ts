// LevelDB passes over a block or a table that it cannot read, and says so at the end of an iterator only:
// a feed that leaves one earlier would lose the changes in it, and nobody would ever know.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { inFolder, keyOf, randomFrom } from '../../support/stores.ts'

const CHANGES = 60_000
/** Of text that does not compress, so that there are several tables. */
const random = randomFrom(5)
const KEYS = Array.from({ length: CHANGES }, (_, i) => `${keyOf(i)}-${Array.from({ length: 5 }, () => random().toString(36).slice(2)).join('')}`)

async function open(path: string): Promise<ClassicLevel<string, string>> {
  const db = new ClassicLevel<string, string>(path, { maxFileSize: 1 << 20 })
  await db.open()
  return db
}
const fed = (db: ClassicLevel<string, string>) => levelStore(db as unknown as LevelDatabase, { name: 'a', feed: true })

test('a log that is damaged in the middle ends a feed, and no page of it has a gap', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const whole = join(folder, 'whole')
    let db = await open(whole)
    const feed = await fed(db).openFeed?.({})
    const after = feed?.position as Uint8Array
    for (let i = 0; i < CHANGES; i += 5000) await db.batch(Array.from({ length: 5000 }, (_, j) => ({ type: 'put', key: KEYS[i + j] as string, value: '' })))
    await feed?.close({ discard: false })
    await db.compactRange('', '~')
    await db.close()
    // The log lies before all keys.
    const tables = readdirSync(whole).filter((name) => name.endsWith('.ldb')).sort()
    assert.ok(tables.length > 3, `${tables.length} tables`)
    for (const damage of [
      undefined,
      (table: string): void => {
        const bytes = readFileSync(table)
        // A block and more: fewer bytes could be read as other data, which LevelDB does not notice.
        bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 8192)
        writeFileSync(table, bytes)
      },
      (table: string): void => truncateSync(table, 1000)
    ]) {
      const a = join(folder, 'a')
      cpSync(whole, a, { recursive: true })
      damage?.(join(a, tables[1] as string))
      db = await open(a)
      const seen: string[] = []
      const follow = async (): Promise<void> => {
        const again = await fed(db).openFeed?.({}, { after })
        for (let position = after, isOver = false; !isOver; ) {
          const page = await again?.poll(position, { maxEntries: 1000, maxBytes: 1 << 20 })
          assert.ok(page !== undefined)
          for (const [key] of page.changes) seen.push(Buffer.from(key).toString())
          position = page.position
          isOver = page.caughtUp
        }
      }
      if (damage === undefined) await follow()
      else await assert.rejects(follow(), (error: { code?: string }) => /^KEYHAUL_(STORE_CORRUPT|STORE_FAILED|FEED_POSITION_LOST)$/.test(error.code ?? ''))
      await db.close()
      assert.deepEqual(seen, KEYS.slice(0, seen.length), 'a change is missing')
      assert.equal(seen.length === CHANGES, damage === undefined)
      rmSync(a, { recursive: true })
    }
  })
})
