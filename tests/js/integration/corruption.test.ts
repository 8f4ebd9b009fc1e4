// Entries of the target are flipped, dropped, added and moved; verify names exactly those.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Receipt } from '../../../dist/index.js'
import { fillLevel, inFolder, keyhaul, keyOf, randomFrom, readLevel, withLevel } from '../support/stores.js'

test('verify names the exact keys and exits 3; --repair mends them and verifies again', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 30_000)
    assert.equal((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--quiet'])).code, 0)
    const random = randomFrom(7)
    const expected = new Map<string, string>()
    await withLevel(b, async (db) => {
      for (let i = 0; i < 40; i++) {
        const key = keyOf(Math.floor(random() * 30_000))
        if (expected.has(key)) continue
        if (i % 4 === 0) {
          await db.del(key)
          expected.set(key, 'missing')
        } else if (i % 4 === 1) {
          const value = await db.get(key)
          await db.put(key, `${value?.slice(0, -1)}!`) // one byte flipped
          expected.set(key, 'changed')
        } else if (i % 4 === 2) {
          await db.put(`${key}x`, 'added')
          expected.set(`${key}x`, 'extra')
        } else {
          await db.put(`${key}dup`, (await db.get(key)) as string) // a duplicate under a new key
          expected.set(`${key}dup`, 'extra')
        }
      }
    })
    const found = await keyhaul(['verify', `level:${a}`, `level:${b}`, '--json'])
    assert.equal(found.code, 3, found.stderr)
    const receipt = JSON.parse(found.stdout.trimEnd().split('\n').at(-1) as string) as Receipt
    assert.deepEqual(new Map(receipt.different.map(({ key, kind }) => [key, kind])), expected)
    const repaired = await keyhaul(['verify', `level:${a}`, `level:${b}`, '--repair', '--json'])
    assert.equal(repaired.code, 0, repaired.stderr)
    const mended = JSON.parse(repaired.stdout.trimEnd().split('\n').at(-1) as string) as Receipt
    assert.equal(mended.verified, true)
    assert.equal(mended.verifyRounds, 2)
    assert.equal(mended.repairs, expected.size)
    assert.deepEqual(await readLevel(b), await readLevel(a))
  })
})

// LevelDB passes over what it cannot read, and says so at the end of an iterator: a store that
// leaves one earlier would lose the entries and verify the rest.
for (const [what, damage] of [
  ['a block that is damaged', (table: string): void => {
    const bytes = readFileSync(table)
    for (let i = 0; i < 16; i++) bytes.writeUInt8(bytes.readUInt8((bytes.length >> 1) + i) ^ 0xff, (bytes.length >> 1) + i)
    writeFileSync(table, bytes)
  }],
  ['a table that was cut off', (table: string): void => truncateSync(table, 1000)]
] as const) {
  test(`${what} stops a copy, which does not go on behind it`, async () => {
    await inFolder(async (folder) => {
      const [whole, a, b, journal] = ['whole', 'a', 'b', 'journal'].map((name) => join(folder, name)) as [string, string, string, string]
      await fillLevel(whole, 150_000, 120)
      await withLevel(whole, async (db) => db.compactRange(keyOf(0), keyOf(200_000)))
      cpSync(whole, a, { recursive: true })
      const tables = readdirSync(a).filter((name) => name.endsWith('.ldb')).sort()
      assert.ok(tables.length > 2, `${tables.length} tables`)
      const table = join(a, tables[1] as string)
      assert.ok(statSync(table).size > 100_000)
      damage(table)
      const stopped = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--verify', 'none', '--durable', 'page'])
      assert.equal(stopped.code, 1, stopped.stdout)
      assert.match(stopped.stderr, /KEYHAUL_STORE_(CORRUPT|FAILED)/)
      // What the journal holds to be copied has no gap.
      const copied = await readLevel(b)
      const keys = [...copied.keys()].sort()
      assert.deepEqual(keys, keys.map((_, i) => keyOf(i)))
      assert.ok(keys.length > 0 && keys.length < 150_000)
      const resumed = await keyhaul(['resume', journal])
      assert.equal(resumed.code, 1, resumed.stdout)
      const verified = await keyhaul(['verify', `level:${a}`, `level:${whole}`, '--quiet'])
      assert.equal(verified.code, 1, verified.stdout)
      assert.match(verified.stderr, /KEYHAUL_STORE_(CORRUPT|FAILED)/)
    })
  })
}

test('damage outside the range does not refuse the range', async () => {
  await inFolder(async (folder) => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, 150_000, 120)
    await withLevel(a, async (db) => db.compactRange(keyOf(0), keyOf(200_000)))
    const tables = readdirSync(a).filter((name) => name.endsWith('.ldb')).sort()
    for (const table of [tables[0], tables.at(-1)]) truncateSync(join(a, table as string), 1000)
    const range = `${keyOf(60_000)}..${keyOf(70_000)}`
    const copied = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--range', range, '--quiet'])
    assert.equal(copied.code, 0, copied.stderr)
    assert.equal((await readLevel(b)).size, 10_001)
    const all = await keyhaul(['copy', `level:${a}`, `level:${c}`, '--quiet'])
    assert.equal(all.code, 1, all.stdout)
    assert.match(all.stderr, /KEYHAUL_STORE_(CORRUPT|FAILED)/)
  })
})

test('a damaged store that does not open: nothing was begun, and nothing is told of a resume', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 100)
    writeFileSync(join(a, 'CURRENT'), 'nonsense')
    const ended = await keyhaul(['copy', `level:${a}`, `level:${b}`])
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /KEYHAUL_STORE_CORRUPT: store level:.*: the store says that its own data is damaged; repair it with its own tools, then run the same command again\n$/)
    assert.deepEqual(readdirSync(folder), ['a'])
  })
})
