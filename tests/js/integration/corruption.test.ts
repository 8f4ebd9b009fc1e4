// Entries of the target are flipped, dropped, added and moved; verify names exactly those.
import assert from 'node:assert/strict'
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
