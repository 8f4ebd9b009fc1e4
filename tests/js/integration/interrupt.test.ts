// Ctrl-C in the command line: what it prints goes on, word for word, in a shell.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspectJournal, type Receipt } from '../../../dist/index.js'
import { CLI, type Ended, fillLevel, inFolder, keyhaul, keyOf, readLevel } from '../support/stores.js'

const RECORDS = 40_000

/** Sends signals, the first once `seen` stands on stderr, the next as soon as the one before is answered. */
function interrupt(seen: RegExp, signals: readonly NodeJS.Signals[]): (child: ChildProcess) => void {
  return (child) => {
    let text = ''
    const left = [...signals]
    child.stderr?.on('data', (data) => {
      text += data
      const due = left.length === signals.length ? seen : /once more stops at once/
      if (left.length > 0 && due.test(text)) child.kill(left.shift())
    })
  }
}

/** Runs the command that was printed in a shell that finds `keyhaul`. */
function shell(folder: string, ended: Ended): string {
  const command = /; go on with: (keyhaul resume .*)$/m.exec(ended.stderr)?.[1]
  assert.ok(command !== undefined, ended.stderr)
  const bin = join(folder, 'bin')
  if (!existsSync(bin)) {
    mkdirSync(bin)
    writeFileSync(join(bin, 'keyhaul'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, { mode: 0o755 })
  }
  return execFileSync('sh', ['-c', command], { cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1' } })
}

for (const [what, signals, name] of [
  ['one Ctrl-C', ['SIGINT'], "an odd $(name) o'journal"],
  ['SIGTERM', ['SIGTERM'], 'journal'],
  ['two Ctrl-C', ['SIGINT', 'SIGINT'], 'two words']
] as const) {
  for (const mode of ['copy', 'move'] as const) {
    test(`${what} in a ${mode}: exit 4, and the printed command ends it, verified`, async () => {
      await inFolder(async (folder) => {
        const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, name)]
        await fillLevel(a, RECORDS)
        const all = await readLevel(a)
        const args = [mode, `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '1MB']
        const ended = await keyhaul(args, interrupt(/copying: /, signals))
        assert.deepEqual([ended.code, ended.signal], [4, null], ended.stderr)
        const info = inspectJournal(readFileSync(journal))
        assert.equal(info.resumable, true)
        // Once: drained, and said so. Twice: as after a crash, unless the first was faster.
        const drained = info.stopped === 'KEYHAUL_INTERRUPTED'
        assert.ok(drained || signals.length > 1, info.stopped)
        if (signals.length === 1) assert.equal(existsSync(`${journal}.lock`), false)
        assert.match(shell(folder, ended), /verified: both sides hold 40,000 entries[\s\S]*resumed 1 time/)
        assert.deepEqual(await readLevel(b), all)
        assert.equal((await readLevel(a)).size, mode === 'move' ? 0 : RECORDS)
      })
    })
  }
}

test('a rate goes on with a resume; another one that a resume was given is in the command that it prints', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, RECORDS)
    const first = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '1MB', '--durable', 'page'], interrupt(/copying: /, ['SIGINT']))
    assert.match(first.stderr, new RegExp(`; go on with: keyhaul resume ${journal}\n`))
    assert.match((await keyhaul(['status', journal])).stdout, /\n {2}at most 1\.0 MB\/s\n/)
    const second = await keyhaul(['resume', journal, '--rate', '400kB'], interrupt(/copying: /, ['SIGINT']))
    assert.match(second.stderr, new RegExp(`; go on with: keyhaul resume ${journal} --rate 400000\n`))
    const { copiedEntries } = inspectJournal(readFileSync(journal))
    const ended = await keyhaul(['resume', journal, '--json'])
    assert.equal(ended.code, 0, ended.stderr)
    const { entries, bytes, copyMs } = JSON.parse(ended.stdout) as Receipt
    const leftBytes = (bytes * (entries - copiedEntries)) / entries
    // No machine is too slow for this: it is how fast it may be at most.
    assert.ok(copyMs > (0.8 * leftBytes) / 1000, `${leftBytes} bytes in ${copyMs} ms`)
    assert.equal((await keyhaul(['verify', `level:${a}`, `level:${b}`, '--rate', 'none'])).code, 0)
  })
})

test('a second Ctrl-C does not wait for what is under way', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, RECORDS)
    // The first may be done before the second comes; not ten times.
    for (let i = 0; i < 10; i++) {
      const [b, journal] = [join(folder, `b${i}`), join(folder, `j${i}`)]
      const ended = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '1MB'], (child) => {
        let text = ''
        let sent = false
        child.stderr?.on('data', (data) => {
          text += data
          if (sent || !/copying: /.test(text)) return
          sent = true
          child.kill('SIGINT')
          setTimeout(() => child.kill('SIGINT'), 1)
        })
      })
      assert.deepEqual([ended.code, ended.signal], [4, null], ended.stderr)
      if (inspectJournal(readFileSync(journal)).stopped !== undefined) continue
      assert.match(shell(folder, ended), /verified: both sides hold 40,000 entries/)
      return
    }
    assert.fail('the second was never faster than what the first waited for')
  })
})

test('verify --repair, interrupted, goes on from its journal and mends the rest', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, RECORDS)
    await fillLevel(b, 10_000)
    const args = ['verify', `level:${a}`, `level:${b}`, '--repair', '--journal', journal, '--rate', '2MB']
    const ended = await keyhaul(args, interrupt(/verifying: |repairing: /, ['SIGINT']))
    assert.equal(ended.code, 4, ended.stderr)
    assert.match(shell(folder, ended), /repaired 30,000 keys, then verified again/)
    assert.deepEqual(await readLevel(b), await readLevel(a))
  })
})

test('without --journal: the journal beside the target is named, the same command goes on too, and a later one starts anew', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, RECORDS)
    const args = ['copy', `level:${a}`, `level:${b}`, '--rate', '1MB']
    const first = await keyhaul(args, interrupt(/copying: /, ['SIGINT']))
    assert.equal(first.code, 4, first.stderr)
    const second = await keyhaul([...args, '--json'], (child) => setTimeout(() => child.kill('SIGINT'), 1500))
    assert.equal(second.code, 4, second.stderr)
    const last = JSON.parse(second.stdout.trimEnd().split('\n').at(-1) as string) as Record<string, string>
    assert.deepEqual([last.state, last.code, last.resume], ['stopped', 'KEYHAUL_INTERRUPTED', `keyhaul resume ${b}.keyhaul-journal`])
    assert.match(shell(folder, second), /resumed 2 times/)
    assert.deepEqual(await readLevel(b), await readLevel(a))
    // The journal that nobody named must not stand in the way.
    const again = await keyhaul([...args.slice(0, 3), '--into-nonempty'])
    assert.equal(again.code, 0, again.stderr)
    assert.equal(existsSync(`${b}.keyhaul-journal`), false)
  })
})

test('an interrupted verify without a journal promises no resume', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, RECORDS)
    await fillLevel(b, RECORDS)
    const ended = await keyhaul(['verify', `level:${a}`, `level:${b}`, '--rate', '1MB'], interrupt(/verifying: /, ['SIGINT']))
    assert.equal(ended.code, 4, ended.stderr)
    assert.match(ended.stderr, /run the same command again/)
    assert.doesNotMatch(ended.stderr, /keyhaul resume/)
  })
})

test('a second Ctrl-C while a move deletes stops at once, and the printed command deletes the rest', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, 200_000)
    const ended = await keyhaul(['move', `level:${a}`, `level:${b}`, '--journal', journal], interrupt(/deleting/, ['SIGINT', 'SIGINT']))
    assert.deepEqual([ended.code, ended.signal], [4, null], ended.stderr)
    assert.equal(inspectJournal(readFileSync(journal)).resumable, true)
    assert.match(shell(folder, ended), /verified: both sides hold 200,000 entries/)
    assert.equal((await readLevel(a)).size, 0)
    assert.equal((await readLevel(b)).size, 200_000)
  })
})

test('Ctrl-C at the very end, once or twice, while the stores are being closed: what the end was stands', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 1_000)
    const before = await readLevel(a)
    for (const [name, signals] of [['one', ['SIGINT']], ['two', ['SIGINT', 'SIGTERM']]] as const) {
      let b = ''
      let ended: Awaited<ReturnType<typeof keyhaul>>
      // One that has left its event loop already is killed as any process is; then once more.
      for (let tries = 1; ; tries++) {
        b = join(folder, `${name}-${tries}`)
        ended = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--json'], (child) => {
          // The receipt is the last thing that is written: from here on it only closes.
          child.stdout?.once('data', () => {
            for (const signal of signals) child.kill(signal)
          })
        })
        if (ended.signal === null || tries === 10) break
      }
      assert.deepEqual([ended.code, ended.signal], [0, null], ended.stderr)
      assert.equal((JSON.parse(ended.stdout) as Receipt).state, 'done')
      assert.doesNotMatch(ended.stderr, /stopp|resume/)
      assert.deepEqual(await readLevel(b), before)
      // As good as new: nothing of the run stands in the way of the next one.
      assert.equal((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--into-nonempty'])).code, 0)
      assert.equal((await keyhaul(['verify', `level:${a}`, `level:${b}`])).code, 0)
    }
  })
})

test('a move interrupted while it deletes goes on deleting', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'j')]
    await fillLevel(a, 200_000)
    const ended = await keyhaul(['move', `level:${a}`, `level:${b}`, '--journal', journal], interrupt(/deleting/, ['SIGINT']))
    assert.equal(ended.code, 4, ended.stderr)
    const status = await keyhaul(['status', journal])
    assert.match(status.stdout, /^move .*: stopped while deleting from the source$/m)
    const [, gone, left] = (/^ {2}([\d,]+) of 200,000 entries deleted from the source, ([\d,]+) to go$/m.exec(status.stdout) ?? []).map((text) => Number(text.replaceAll(',', '')))
    assert.equal(left, (await readLevel(a)).size, status.stdout)
    const { state, step, removedEntries, leftEntries, totalEntries } = JSON.parse((await keyhaul(['status', journal, '--json'])).stdout) as Record<string, unknown>
    assert.deepEqual({ state, step, removedEntries, leftEntries, totalEntries }, { state: 'stopped', step: 'deleting', removedEntries: gone, leftEntries: 0, totalEntries: 200_000 })
    const late = await keyhaul(['cancel', journal])
    assert.equal(late.code, 1)
    assert.match(late.stderr, new RegExp(`KEYHAUL_CANCEL_TOO_LATE: ${journal}: verified entries are being deleted from the source.*: keyhaul resume ${journal}\n`))
    assert.match(shell(folder, ended), /verified: both sides hold 200,000 entries/)
    assert.equal((await readLevel(a)).size, 0)
    const moved = await readLevel(b)
    assert.equal(moved.size, 200_000)
    assert.ok(moved.has(keyOf(199_999)))
  })
})
