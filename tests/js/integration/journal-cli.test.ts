// What the command line says of a journal that somebody works on, that has ended, or that holds nothing yet.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine } from '../../../dist/index.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import { fillLevel, inFolder, keyhaul } from '../support/stores.js'

/** Once it is said. */
const said = (child: ChildProcess, what: RegExp): Promise<void> =>
  new Promise((done) => {
    let text = ''
    child.stderr?.on('data', (data) => {
      text += data
      if (what.test(text)) done()
    })
  })

for (const live of [[], ['--live', '--register', 'R']]) {
  const way = live.length === 0 ? 'a move' : 'a live move'
  test(`${way} that is under way elsewhere is named by its process, not by the stores that it has open`, () =>
    inFolder(async (folder) => {
      const [a, b, journal] = ['a', 'b', 'j'].map((name) => join(folder, name)) as [string, string, string]
      await fillLevel(a, 20_000)
      const args = ['move', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '300kB', ...live.map((word) => (word === 'R' ? `level:${a}` : word))]
      let child: ChildProcess | undefined
      let copying: Promise<void> | undefined
      const ended = keyhaul(args, (started) => {
        child = started
        copying = said(started, /copying: /)
      })
      await copying
      try {
        for (const command of ['resume', 'cancel']) {
          const refused = await keyhaul([command, journal])
          assert.equal(refused.code, 1)
          assert.equal(refused.stderr, `error KEYHAUL_JOURNAL_IN_USE: ${journal}: process ${child?.pid} is working on this journal; wait for it, or stop it\n`)
        }
      } finally {
        child?.kill('SIGKILL')
        await ended
      }
      const cancelled = await keyhaul(['cancel', journal])
      assert.equal(cancelled.code, 0, cancelled.stderr)
    }))

  test(`${way} that a resume ends leaves no journal whose name nobody chose`, () =>
    inFolder(async (folder) => {
      const [a, b] = ['a', 'b'].map((name) => join(folder, name)) as [string, string]
      const own = `${b}.keyhaul-journal`
      await fillLevel(a, 20_000)
      const args = ['move', `level:${a}`, `level:${b}`, '--rate', '300kB', ...live.map((word) => (word === 'R' ? `level:${a}` : word))]
      for (const [command, says] of [['cancel', /cancelled/], ['resume', /^moved/]] as const) {
        await keyhaul(args, (child) => said(child, /copying: /).then(() => child.kill('SIGKILL')))
        assert.ok(existsSync(own))
        const ended = await keyhaul([command, own, ...(command === 'resume' ? ['--rate', 'none'] : [])])
        assert.equal(ended.code, 0, ended.stderr)
        assert.match(ended.stdout, says)
        assert.equal(existsSync(own), false)
      }
    }))
}

test('a resume of what has ended says that it had, and keeps a journal that somebody chose', () =>
  inFolder(async (folder) => {
    const [a, b, journal] = ['a', 'b', 'j'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, 10)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal])).stdout, /^copied 10 entries/)
    const again = await keyhaul(['resume', journal])
    assert.equal(again.code, 0)
    assert.match(again.stdout, /^this copy had ended already, and nothing was done now; its receipt:\ncopied 10 entries/)
    assert.equal(JSON.parse((await keyhaul(['resume', journal, '--json'])).stdout).state, 'done')
    assert.ok(existsSync(journal))
  }))

test('a journal that holds nothing yet is called that, in code and by each command', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'j')
    writeFileSync(file, '')
    const text = `${file}: it holds no migration yet; run the command that it was made for again`
    for (const command of ['status', 'resume', 'cancel', 'inspect']) assert.equal((await keyhaul([command, file])).stderr, `error KEYHAUL_JOURNAL_TORN: ${text}\n`, command)
    const engine = new Engine()
    await assert.rejects(engine.resume({ from: memoryStore({ name: 'a' }), to: memoryStore({ name: 'b' }), journal: file }), { code: 'KEYHAUL_JOURNAL_TORN', message: text })
    assert.equal(existsSync(`${file}.lock`), false)
    engine.close()
  }))
