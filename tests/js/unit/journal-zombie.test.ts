// A process that was killed and that nobody has waited for yet is still there by its pid, and holds nothing.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openJournalFile } from '../../../dist/journal/file-node.js'
import { assertFree } from '../../../dist/journal/lock-node.js'
import { inFolder } from '../support/stores.js'

const OPTIONS = { create: true, lock: true }
const statOf = (pid: string): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')

test('the lock of a zombie is taken over', { skip: !existsSync('/proc/self/stat') && 'there is no /proc' }, () =>
  inFolder(async (folder) => {
    // The shell becomes a program that never waits for its child.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const pid = String((await once(parent.stdout, 'data'))[0]).trim()
      while (statOf(pid)[0] !== 'Z') await new Promise((wake) => setTimeout(wake, 5))
      process.kill(Number(pid), 0) // it has a pid all the same
      const path = join(folder, 'j')
      for (const start of [statOf(pid)[19], '0']) {
        writeFileSync(`${path}.lock`, `${pid} ${start} x 3`)
        await assertFree(path)
        await (await openJournalFile(path, OPTIONS)).close()
        assert.deepEqual(readdirSync(folder), [])
      }
      // Of one that is alive it is not.
      writeFileSync(`${path}.lock`, `${parent.pid} ${statOf(String(parent.pid))[19]} x 3`)
      const inUse = { code: 'KEYHAUL_JOURNAL_IN_USE', message: `${path}: process ${parent.pid} is working on this journal; wait for it, or stop it` }
      await assert.rejects(openJournalFile(path, OPTIONS), inUse)
      await assert.rejects(assertFree(path), inUse)
    } finally {
      parent.kill('SIGKILL')
    }
  }))

test('who only asks leaves a lock as it is, and makes none', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'j')
    await assertFree(path)
    assert.deepEqual(readdirSync(folder), [])
    writeFileSync(`${path}.lock`, '999999999 1 x 3')
    await assertFree(path)
    assert.deepEqual(readdirSync(folder), ['j.lock'])
  }))
