// What would destroy the only copies though each command alone does what it says: a repair beside a move that is not at its
// end, a move whose target was lost meanwhile, and what passes the gate of a database that a service owns.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspectJournal } from '../../../dist/index.js'
import { assignRange, gatedStore } from '../../../dist/live/index.js'
import { levelRegister } from '../../../dist/register/level.js'
import { levelStore } from '../../../dist/stores/level.js'
import { fillLevel, inFolder, keyhaul, keyOf, readLevel, withLevel } from '../support/stores.js'

const RECORDS = 40_000

/** Killed once a record of the journal says that it deletes; unless another one is given the journal is beside the target. */
async function killWhileDeleting(a: string, b: string, journal = `${b}.keyhaul-journal`): Promise<void> {
  const isDeleting = (): boolean => {
    try {
      return inspectJournal(readFileSync(journal)).step === 'deleting'
    } catch {
      return false // Not there yet.
    }
  }
  let poll: NodeJS.Timeout | undefined
  const killed = await keyhaul(['move', `level:${a}`, `level:${b}`, '--prefix', 'key-', '--rate', '8MB', '--journal', journal], (child) => {
    poll = setInterval(() => isDeleting() && child.kill('SIGKILL'), 2)
  })
  clearInterval(poll)
  assert.equal(killed.signal, 'SIGKILL', killed.stderr)
}

const marksIn = (path: string): string[] => readdirSync(path).filter((name) => name.endsWith('.unfinished'))

async function refusedRepair(from: string, to: string, ...flags: string[]): Promise<string> {
  const refused = await keyhaul(['verify', `level:${from}`, `level:${to}`, '--repair', ...flags])
  assert.equal(refused.code, 1, `${from} ${to}: ${refused.stdout}`)
  assert.match(refused.stderr, /KEYHAUL_RANGE_CLAIMED: .*could delete the only copies/)
  return refused.stderr
}

test('a repair beside a move that is not at its end is refused under each name of its stores, and the command that ends it is named', { timeout: 180_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b, link, journal] = ['a', 'b', 'link', 'chosen.journal'].map((name) => join(folder, name)) as [string, string, string, string]
    await fillLevel(a, RECORDS)
    const all = await readLevel(a)
    await killWhileDeleting(a, b, journal)
    symlinkSync(b, link)
    for (const [from, to] of [[a, b], [b, a], [a, link], [link, a]] as const) {
      assert.match(await refusedRepair(from, to), new RegExp(`keyhaul resume ${journal}`))
    }
    assert.match(await refusedRepair(a, b, '--range', `${keyOf(7)}..`), /keyhaul resume/)
    // Other keys are none of its business.
    assert.equal((await keyhaul(['verify', `level:${a}`, `level:${b}`, '--repair', '--range', 'x..z'])).code, 0)
    // In another folder, where the names in the journal lead nowhere.
    const sub = join(folder, 'sub')
    mkdirSync(sub)
    for (const path of [a, b, journal]) renameSync(path, path.replace(folder, sub))
    assert.match(await refusedRepair(join(sub, 'a'), join(sub, 'b')), /chosen\.journal, which is not there; .*rm .*\.unfinished/)
    for (const path of [a, b, journal]) renameSync(path.replace(folder, sub), path)
    const ended = await keyhaul(['resume', journal])
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(await readLevel(b), all)
    assert.equal((await readLevel(a)).size, 0)
    assert.deepEqual([...marksIn(a), ...marksIn(b)], [])
    // Nothing stands against it then: it does what it was told to, but for what would empty the other.
    const emptied = await keyhaul(['verify', `level:${a}`, `level:${b}`, '--repair'])
    assert.equal(emptied.code, 1, emptied.stdout)
    assert.match(emptied.stderr, /it holds no key in the range, and a repair would delete all that level:.*b holds there/)
    const repaired = await keyhaul(['verify', `level:${b}`, `level:${a}`, '--repair'])
    assert.equal(repaired.code, 0, repaired.stderr)
    assert.deepEqual(await readLevel(a), all)
  })
})

test('a mark that says nothing, and one of what has ended, are no end and no hindrance', { timeout: 60_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = ['a', 'b', 'journal'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, 100)
    const copied = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal])
    assert.equal(copied.code, 0, copied.stderr)
    assert.deepEqual([...marksIn(a), ...marksIn(b)], [])
    // Killed right before it was removed.
    const { mark: id } = inspectJournal(readFileSync(journal)).hostInfo as { mark: string }
    writeFileSync(join(b, `keyhaul-${id}.unfinished`), JSON.stringify({ id, journal, mode: 'move', from: `level:${a}`, to: `level:${b}` }))
    assert.equal((await keyhaul(['verify', `level:${a}`, `level:${b}`, '--repair'])).code, 0)
    assert.deepEqual(marksIn(b), [])
    for (const text of ['', '{', 'null', '7', '{"journal":5,"mode":"move"}']) {
      writeFileSync(join(b, 'keyhaul-x.unfinished'), text)
      await refusedRepair(a, b)
    }
  })
})

test('a move whose target was lost while it deleted keeps what is left, and does not end well', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b, kept] = ['a', 'b', 'kept'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, RECORDS)
    await killWhileDeleting(a, b)
    const left = await readLevel(a)
    assert.ok(left.size > 0, 'it was killed after its deletions')
    const journal = `${b}.keyhaul-journal`
    cpSync(b, kept, { recursive: true })
    rmSync(b, { recursive: true })
    const refused = async (code: string, pattern: RegExp): Promise<void> => {
      for (const command of [['resume', journal], ['move', `level:${a}`, `level:${b}`, '--prefix', 'key-']]) {
        const { code: exit, stderr } = await keyhaul(command)
        assert.equal(exit, 1, command.join(' '))
        assert.match(stderr, new RegExp(`${code}: .*${pattern.source}.*holds the only copies of what was deleted from level:.*a, which has the rest: bring it back, then keyhaul resume`))
      }
    }
    await refused('KEYHAUL_STORE_NOT_FOUND', /is not there/)
    writeFileSync(b, 'a file')
    await refused('KEYHAUL_STORE_NOT_FOUND', /is not there/)
    rmSync(b)
    // Another database in its place.
    await withLevel(b, (db) => db.put(keyOf(RECORDS - 1), 'of another'))
    await refused('KEYHAUL_JOURNAL_MISMATCH', /is not the database that this move wrote to/)
    assert.equal((await readLevel(b)).size, 1)
    assert.deepEqual(await readLevel(a), left)
    // It comes back, but lost something itself.
    rmSync(b, { recursive: true })
    cpSync(kept, b, { recursive: true })
    await withLevel(b, (db) => db.del(keyOf(RECORDS - 1)))
    const ended = await keyhaul(['resume', journal])
    assert.equal(ended.code, 3, ended.stderr)
    assert.match(ended.stdout, /left 1 key on the source: .*or the target lost them; keyhaul verify names them as changed or missing/)
    assert.deepEqual([...(await readLevel(a)).keys()], [keyOf(RECORDS - 1)])
    // Whoever asks again is told the same, and a repair would take what was moved.
    assert.equal((await keyhaul(['resume', journal])).code, 3)
    assert.match(await refusedRepair(a, b), /left a key on the source that had changed.*the same command with --into-nonempty$/m)
  })
})

test('what was left on the source is moved by the same command, and then nothing stands against a repair', { timeout: 60_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, RECORDS)
    const all = await readLevel(a)
    await killWhileDeleting(a, b)
    await withLevel(a, (db) => db.put(keyOf(RECORDS - 1), 'changed meanwhile'))
    const ended = await keyhaul(['move', `level:${a}`, `level:${b}`, '--prefix', 'key-'])
    assert.equal(ended.code, 3, ended.stderr)
    assert.match(await refusedRepair(a, b), /the same command with --into-nonempty$/m)
    // Refused, it takes nothing of what is known of it.
    assert.match((await keyhaul(['move', `level:${a}`, `level:${b}`, '--prefix', 'key-'])).stderr, /KEYHAUL_TARGET_NOT_EMPTY/)
    await refusedRepair(a, b)
    const again = await keyhaul(['move', `level:${a}`, `level:${b}`, '--prefix', 'key-', '--into-nonempty'])
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(await readLevel(b), new Map([...all, [keyOf(RECORDS - 1), 'changed meanwhile']]))
    assert.deepEqual([...marksIn(a), ...marksIn(b)], [])
  })
})

test('a repair that was begun before a move is not gone on with beside it', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = ['a', 'b', 'repair.journal'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, RECORDS)
    await fillLevel(b, 10)
    const stopped = await keyhaul(['verify', `level:${a}`, `level:${b}`, '--repair', '--journal', journal, '--rate', '1MB'], (child) => {
      child.stderr?.on('data', (data) => /verifying: [1-9]/.test(String(data)) && child.kill('SIGKILL'))
    })
    assert.equal(stopped.signal, 'SIGKILL', stopped.stderr)
    rmSync(b, { recursive: true })
    await killWhileDeleting(a, b)
    const refused = await keyhaul(['resume', journal])
    assert.equal(refused.code, 1, refused.stdout)
    assert.match(refused.stderr, /KEYHAUL_RANGE_CLAIMED: .*keyhaul resume .*b\.keyhaul-journal/)
    assert.equal((await keyhaul(['resume', `${b}.keyhaul-journal`])).code, 0)
  })
})

test('what lies in the place of a target is neither written to nor emptied by a resume, a cancel or the same command', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, RECORDS)
    const all = await readLevel(a)
    const stopped = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--rate', '1MB'], (child) => {
      child.stderr?.on('data', (data) => /copying: [1-9]/.test(String(data)) && child.kill('SIGKILL'))
    })
    assert.equal(stopped.signal, 'SIGKILL')
    rmSync(b, { recursive: true })
    await fillLevel(b, 300)
    const other = await readLevel(b)
    const journal = `${b}.keyhaul-journal`
    for (const command of [['resume', journal], ['cancel', journal], ['copy', `level:${a}`, `level:${b}`]]) {
      const { code, stderr } = await keyhaul(command)
      assert.equal(code, 1, command.join(' '))
      assert.match(stderr, new RegExp(`KEYHAUL_JOURNAL_MISMATCH: .*level:.*a has all of it: .*rm ${journal}`))
    }
    assert.deepEqual(await readLevel(b), other)
    // What the copy had not reached yet would be deleted from the one that is right.
    rmSync(b, { recursive: true })
    rmSync(journal)
    const halfway = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--rate', '1MB'], (child) => {
      child.stderr?.on('data', (data) => /copying: [1-9]/.test(String(data)) && child.kill('SIGKILL'))
    })
    assert.equal(halfway.signal, 'SIGKILL')
    assert.match(await refusedRepair(b, a), /a copy from .* is not at its end.*keyhaul cancel/)
    rmSync(b, { recursive: true })
    rmSync(journal)
    const again = await keyhaul(['copy', `level:${a}`, `level:${b}`])
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(await readLevel(b), all)
  })
})

test('a database that a service owns is not changed past its gate unless that is meant', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, 300)
    await fillLevel(c, 10)
    const live = await keyhaul(['move', '--live', `one=level:${a}`, `two=level:${b}`, '--register', `level:${a}`, '--range', `${keyOf(100)}..`])
    assert.equal(live.code, 0, live.stderr)
    const [owned, plain] = [`level:${a}`, `level:${c}`]
    const before = await readLevel(a)
    for (const command of [['move', owned, plain, '--into-nonempty'], ['move', plain, owned, '--into-nonempty'], ['copy', plain, owned, '--into-nonempty'], ['verify', plain, owned, '--repair'], ['move', owned, `level:${join(folder, 'none')}`], ['move', owned, plain, '--dry-run']]) {
      const refused = await keyhaul(command)
      assert.equal(refused.code, 1, command.join(' '))
      assert.match(refused.stderr, /KEYHAUL_UNSUPPORTED: .*level:.*\/a.* has the gate of a service.*--live.*--past-gate/, command.join(' '))
    }
    assert.deepEqual(await readLevel(a), before)
    assert.equal((await readLevel(c)).size, 10)
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('none')), [])
    // Reading changes nothing.
    const target = `level:${join(folder, 'd')}`
    assert.equal((await keyhaul(['copy', owned, target])).code, 0)
    assert.equal((await keyhaul(['verify', owned, target])).code, 0)
    // Also that of a sublevel.
    const sub = join(folder, 'sub')
    await withLevel(sub, async (db) => {
      const gated = gatedStore(levelStore(db.sublevel('users'), { name: 'users', feed: true }))
      await assignRange({ register: levelRegister(db), store: gated })
    })
    assert.match((await keyhaul(['move', `level:${sub}`, `level:${join(folder, 'e')}`])).stderr, /KEYHAUL_UNSUPPORTED: .*\/sub.* has the gate/)
    const meant = await keyhaul(['move', owned, target, '--into-nonempty', '--past-gate'])
    assert.equal(meant.code, 0, meant.stderr)
    const keysOf = async (path: string): Promise<string[]> => [...(await readLevel(path)).keys()].filter((key) => key.startsWith('key-'))
    assert.deepEqual(await keysOf(a), [])
    assert.equal((await keysOf(join(folder, 'd'))).length, 100)
  })
})
