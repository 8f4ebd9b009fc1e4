// Flags that are promised, from the command line to what they change.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Receipt } from '../../../dist/index.js'
import { fillLevel, inFolder, keyhaul, keyOf, readLevel, withLevel } from '../support/stores.js'

/** The plan record's checksum kind (core/src/journal/FORMAT.md): 0 none, 1 CRC-32, 2 CRC-32C. */
function checksumKindOf(journal: Uint8Array): number {
  let at = 16 + 12
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = journal[at++] as number
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  for (let texts = 0; texts < 2; texts++) {
    const length = varint()
    at += length
  }
  // Capabilities of both, mode, verify, require, level, priority, flags.
  for (let numbers = 0; numbers < 8; numbers++) varint()
  return varint()
}

test('--concurrency is the lanes of the plan', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, 2_000)
    const ended = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--concurrency', '3', '--journal', journal])
    assert.equal(ended.code, 0, ended.stderr)
    const plan = JSON.parse((await keyhaul(['inspect', journal])).stdout.split('\n')[0] as string)
    assert.equal(plan.lanes, 3)
    assert.deepEqual(await readLevel(b), await readLevel(a))
  })
})

for (const [kind, number] of [['none', 0], ['crc32', 1], ['crc32c', 2]] as const) {
  test(`--checksum ${kind} is what the pages of a copy and of its resume carry`, async () => {
    await inFolder(async (folder) => {
      const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
      await fillLevel(a, 20_000)
      const args = ['copy', `level:${a}`, `level:${b}`, '--checksum', kind, '--journal', journal, '--rate', '2MB']
      const stopped = await keyhaul(args, (child) => child.stderr?.on('data', (text) => /copying/.test(String(text)) && child.kill('SIGINT')))
      assert.equal(stopped.code, 4, stopped.stderr)
      assert.equal(checksumKindOf(readFileSync(journal)), number)
      const ended = await keyhaul(['resume', journal])
      assert.equal(ended.code, 0, ended.stderr)
      assert.match(ended.stdout, /verified: both sides hold 20,000 entries/)
      assert.deepEqual(await readLevel(b), await readLevel(a))
    })
  })
}

for (const [each, perCheckpoint] of [['checkpoint', 256], ['page', 1]] as const) {
  test(`--durable ${each}: a durable write every ${perCheckpoint} pages at least`, async () => {
    await inFolder(async (folder) => {
      const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
      await fillLevel(a, each === 'page' ? 150_000 : 300_000)
      const ended = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--durable', each, '--journal', journal, '--json'])
      assert.equal(ended.code, 0, ended.stderr)
      const { copiedPages } = JSON.parse(ended.stdout) as Receipt
      assert.ok(copiedPages > 30, `${copiedPages} pages`)
      const records = (await keyhaul(['inspect', journal])).stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { record: string; pages: number })
      const checkpoints = records.filter(({ record }) => record === 'checkpoint')
      assert.equal(checkpoints.reduce((sum, { pages }) => sum + pages, 0), copiedPages)
      // A slow machine makes one each second too.
      assert.ok(checkpoints.every(({ pages }) => pages <= perCheckpoint) && checkpoints.length >= copiedPages / perCheckpoint)
      assert.equal(checkpoints.length === copiedPages, each === 'page')
    })
  })
}

test('--verify both finds what changed on the source behind the copy; --verify target cannot', async () => {
  for (const [depth, exit] of [['target', 0], ['both', 3]] as const) {
    await inFolder(async (folder) => {
      const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
      await fillLevel(a, 40_000)
      const args = ['copy', `level:${a}`, `level:${b}`, '--verify', depth, '--journal', journal, '--durable', 'page', '--rate', '1MB']
      const stopped = await keyhaul(args, (child) => child.stderr?.on('data', (text) => /copying: /.test(String(text)) && child.kill('SIGINT')))
      assert.equal(stopped.code, 4, stopped.stderr)
      const copied = (await readLevel(b)).size
      assert.ok(copied > 10 && copied < 40_000, `${copied} copied before the stop`)
      await withLevel(a, async (db) => {
        await db.put(keyOf(3), 'changed behind the copy')
        await db.del(keyOf(5))
        await db.put(`${keyOf(7)}x`, 'added behind the copy')
      })
      const ended = await keyhaul(['resume', journal, '--json'])
      assert.equal(ended.code, exit, ended.stderr)
      const { different, verified } = JSON.parse(ended.stdout.trimEnd().split('\n').at(-1) as string) as Receipt
      const found = depth === 'target' ? [] : [`changed ${keyOf(3)}`, `extra ${keyOf(5)}`, `missing ${keyOf(7)}x`]
      assert.deepEqual(different.map(({ key, kind }) => `${kind} ${key}`).sort(), found)
      assert.equal(verified, depth === 'target')
    })
  }
})
