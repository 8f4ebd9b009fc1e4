// One at a time works on a journal file: also between the threads of one process, which share its pid.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openJournalFile } from '../../../dist/journal/file-node.js'
import { inFolder } from '../support/stores.js'

const OPTIONS = { create: true, lock: true }
const MODULE = new URL('../../../dist/journal/file-node.js', import.meta.url).href

/** A thread that says what became of each path that it was told to open; `close` gives the last one back. */
async function opener(): Promise<{ ask(what: string): Promise<string>; end(): Promise<unknown> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
    let journal
    parentPort.on('message', async (what) => {
      const { openJournalFile } = await import(${JSON.stringify(MODULE)})
      try {
        if (what === 'close') await journal.close()
        else if (what !== '') journal = await openJournalFile(what, ${JSON.stringify(OPTIONS)})
        parentPort.postMessage('ok')
      } catch (error) {
        parentPort.postMessage(error.code + ': ' + error.message)
      }
    })`,
    { eval: true }
  )
  const ask = async (what: string): Promise<string> => {
    worker.postMessage(what)
    return (await once(worker, 'message'))[0] as string
  }
  await ask('')
  return { ask, end: () => worker.terminate() }
}

test('a journal that a thread has is in use for the others, until it is closed or the thread is gone', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'j')
    const [one, two] = await Promise.all([opener(), opener()])
    try {
      assert.equal(await one.ask(path), 'ok')
      await assert.rejects(openJournalFile(path, OPTIONS), { code: 'KEYHAUL_JOURNAL_IN_USE' })
      assert.match(await two.ask(path), /^KEYHAUL_JOURNAL_IN_USE: .*this process/)
      assert.equal(await one.ask('close'), 'ok')

      const journal = await openJournalFile(path, OPTIONS)
      assert.match(await one.ask(path), /^KEYHAUL_JOURNAL_IN_USE/)
      await journal.close()

      assert.equal(await two.ask(path), 'ok')
      await two.end()
      // Nobody gave it back.
      assert.ok(existsSync(`${path}.lock`))
      await (await openJournalFile(path, OPTIONS)).close()
      assert.deepEqual(readdirSync(folder), [])
    } finally {
      await Promise.all([one.end(), two.end()])
    }
  }))

test('of many that want one at once, in several threads, one gets it; also a stale one', () =>
  inFolder(async (folder) => {
    const threads = await Promise.all([opener(), opener(), opener()])
    try {
      for (let round = 0; round < 30; round++) {
        const path = join(folder, `j${round}`)
        // Of a process that is gone, of an earlier life of this one, or cut short.
        if (round % 2 === 1) writeFileSync(`${path}.lock`, ['', `${process.pid} 1 x 21`, '999999999 1 x 3', '999999999 1 x'][(round >> 1) % 4] as string)
        const asked = await Promise.all(threads.map(({ ask }) => ask(path)))
        const got = asked.map((answer, i) => (answer === 'ok' ? i : -1)).filter((i) => i >= 0)
        assert.equal(got.length, 1, `round ${round}: ${asked.join(' | ')}`)
        assert.ok(asked.every((answer) => answer === 'ok' || answer.startsWith('KEYHAUL_JOURNAL_IN_USE')), asked.join(' | '))
        assert.equal(readFileSync(`${path}.lock`, 'utf8').split(' ')[0], String(process.pid))
        assert.equal(await threads[got[0] as number]?.ask('close'), 'ok')
        assert.deepEqual(readdirSync(folder), [])
      }
    } finally {
      await Promise.all(threads.map(({ end }) => end()))
    }
  }))

test('a file system without links has locks too', () =>
  inFolder(async (folder) => {
    const { link } = fs
    let asked = 0
    fs.link = () => (asked++, Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' })))
    syncBuiltinESMExports()
    try {
      const path = join(folder, 'j')
      for (const stale of [undefined, '', '999999999 1 x 3']) {
        if (stale !== undefined) writeFileSync(`${path}.lock`, stale)
        const journal = await openJournalFile(path, OPTIONS)
        assert.deepEqual(readdirSync(folder), ['j.lock'])
        await assert.rejects(openJournalFile(path, OPTIONS), { code: 'KEYHAUL_JOURNAL_IN_USE' })
        await journal.close()
        assert.deepEqual(readdirSync(folder), [])
      }
      assert.ok(asked > 0)
    } finally {
      fs.link = link
      syncBuiltinESMExports()
    }
  }))
