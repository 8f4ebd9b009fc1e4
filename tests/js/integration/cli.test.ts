import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fillLevel, inFolder, keyhaul, readLevel, withLevel } from '../support/stores.js'

test('usage errors exit 2 with a stable code', async () => {
  for (const args of [['copy'], ['copy', 'level:a', 'level:b', '--bogus'], ['fly'], ['copy', 'a', 'b'], ['copy', 'level:a', 'level:b', '--range', 'x'], ['copy', 'level:a', 'level:b', '--range', 'hex:0..b'], ['copy', 'level:a', 'level:b', '--rate', 'fast']]) {
    const ended = await keyhaul(args)
    assert.equal(ended.code, 2, `${args}: ${ended.stderr}`)
    assert.match(ended.stderr, /KEYHAUL_USAGE/)
  }
  assert.match((await keyhaul(['copy', '--help'])).stdout, /Example:/)
})

test('wrong stores exit 1 and say what to do', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${b}`])).stderr, /KEYHAUL_STORE_NOT_FOUND.*check the path/)
    assert.equal(existsSync(b), false)
    await fillLevel(a, 10)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${a}/../a`])).stderr, /KEYHAUL_SAME_STORE/)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--range', 'z..a'])).stderr, /KEYHAUL_INVALID_RANGE/)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--range', 'a..m', '--range', 'k..z'])).stderr, /KEYHAUL_OVERLAPPING_RANGES/)
    await withLevel(a, async () => {
      const locked = await keyhaul(['copy', `level:${a}`, `level:${b}`])
      assert.equal(locked.code, 1)
      assert.match(locked.stderr, /KEYHAUL_STORE_LOCKED/)
    })
    assert.equal((await keyhaul(['copy', `level:${a}`, `level:${b}`])).code, 0)
    assert.equal(existsSync(`${b}.keyhaul-journal`), false)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${b}`])).stderr, /KEYHAUL_TARGET_NOT_EMPTY/)
    assert.equal((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--into-nonempty'])).code, 0)
  })
})

test('dry-run changes nothing', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 10)
    const ended = await keyhaul(['move', `level:${a}`, `level:${b}`, '--dry-run'])
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(ended.stdout, /nothing was changed/)
    assert.equal((await readLevel(a)).size, 10)
  })
})

/** However long the machine takes to come so far. */
const interruptCopying = (child: ChildProcess): void => void child.stderr?.on('data', (text) => /copying: /.test(String(text)) && child.kill('SIGINT'))

test('Ctrl-C stops resumably with the command to go on; status, inspect, resume, cancel', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, 40_000)
    const stopped = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '1MB'], interruptCopying)
    assert.equal(stopped.code, 4, stopped.stderr)
    assert.match(stopped.stderr, new RegExp(`go on with: keyhaul resume ${journal}`))
    assert.equal(JSON.parse((await keyhaul(['status', journal, '--json'])).stdout).resumable, true)
    const lines = (await keyhaul(['inspect', journal])).stdout.trimEnd().split('\n').map((line) => JSON.parse(line))
    assert.equal(lines[0].record, 'plan')
    assert.equal(lines.at(-1).record, 'summary')
    const other = await keyhaul(['move', `level:${a}`, `level:${b}`, '--journal', journal])
    assert.match(other.stderr, /KEYHAUL_JOURNAL_MISMATCH/)
    assert.equal((await keyhaul(['resume', journal])).code, 0)
    assert.deepEqual(await readLevel(b), await readLevel(a))
    const again = await keyhaul(['resume', journal])
    assert.equal(again.code, 0)
    assert.match(again.stdout, /verified/)
    assert.match((await keyhaul(['cancel', journal])).stderr, /KEYHAUL_ALREADY_COMPLETE/)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal])).stderr, /KEYHAUL_ALREADY_COMPLETE/)
    const second = join(folder, 'c')
    const journal2 = join(folder, 'j2')
    await keyhaul(['copy', `level:${a}`, `level:${second}`, '--journal', journal2, '--rate', '1MB'], interruptCopying)
    assert.equal((await keyhaul(['cancel', journal2])).code, 0)
    assert.equal((await readLevel(second)).size, 0)
  })
})

test('damaged journals are refused precisely; a torn tail is cut off', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, 20_000)
    await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '1MB'], (child) => setTimeout(() => child.kill('SIGKILL'), 1500))
    const good = readFileSync(journal)
    const expect = async (bytes: Uint8Array, code: string): Promise<void> => {
      writeFileSync(journal, bytes)
      const ended = await keyhaul(['resume', journal, '--quiet'])
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, new RegExp(code))
    }
    const flipped = Buffer.from(good)
    flipped[60] = (flipped[60] as number) ^ 1
    await expect(flipped, 'KEYHAUL_JOURNAL_CORRUPT')
    await expect(Buffer.from('not a journal at all'), 'KEYHAUL_JOURNAL_NOT_A_JOURNAL')
    await expect(good.subarray(0, 9), 'KEYHAUL_JOURNAL_TORN')
    assert.match((await keyhaul(['status', join(folder, 'none')])).stderr, /KEYHAUL_JOURNAL_NOT_FOUND/)
    writeFileSync(journal, Buffer.concat([good, Buffer.from([9, 9, 9])]))
    const ended = await keyhaul(['resume', journal])
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(await readLevel(b), await readLevel(a))
  })
})
