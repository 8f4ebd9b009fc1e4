// What would destroy the only copies though each command alone does what it says: a repair beside a move that is not at its
// end, a move whose target was lost meanwhile, and what passes the gate of a database that a service owns.
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspectJournal } from '../../../dist/index.js'
import { fillLevel, inFolder, keyhaul, keyOf, readLevel, withLevel } from '../support/stores.js'

const RECORDS = 40_000

/** Its journal is the one beside the target; killed once a record of it says that it deletes. */
async function killWhileDeleting(a: string, b: string): Promise<void> {
  const isDeleting = (): boolean => {
    try {
      return inspectJournal(readFileSync(`${b}.keyhaul-journal`)).step === 'deleting'
    } catch {
      return false // Not there yet.
    }
  }
  let poll: NodeJS.Timeout | undefined
  const killed = await keyhaul(['move', `level:${a}`, `level:${b}`, '--rate', '8MB'], (child) => {
    poll = setInterval(() => isDeleting() && child.kill('SIGKILL'), 2)
  })
  clearInterval(poll)
  assert.equal(killed.signal, 'SIGKILL', killed.stderr)
}

test('a repair beside a move that is not at its end is refused, in both directions, and the command that ends it is named', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, RECORDS)
    const all = await readLevel(a)
    await killWhileDeleting(a, b)
    for (const [from, to] of [[a, b], [b, a]] as const) {
      const refused = await keyhaul(['verify', `level:${from}`, `level:${to}`, '--repair'])
      assert.equal(refused.code, 1, refused.stdout)
      assert.match(refused.stderr, /KEYHAUL_TARGET_NOT_EMPTY: .*is not at its end.*keyhaul resume .*b\.keyhaul-journal/)
    }
    const ended = await keyhaul(['resume', `${b}.keyhaul-journal`])
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(await readLevel(b), all)
    assert.equal((await readLevel(a)).size, 0)
    // Nothing stands against it then: it does what it was told to.
    const repaired = await keyhaul(['verify', `level:${b}`, `level:${a}`, '--repair'])
    assert.equal(repaired.code, 0, repaired.stderr)
    assert.deepEqual(await readLevel(a), all)
  })
})

test('a move whose target was lost while it deleted keeps what is left, and does not end well', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, RECORDS)
    await killWhileDeleting(a, b)
    const left = await readLevel(a)
    assert.ok(left.size > 0, 'it was killed after its deletions')
    rmSync(b, { recursive: true })
    const gone = await keyhaul(['resume', `${b}.keyhaul-journal`])
    assert.equal(gone.code, 1, gone.stdout)
    assert.match(gone.stderr, /KEYHAUL_STORE_NOT_FOUND: .*b.*no such directory/)
    // Another database in its place.
    await withLevel(b, (db) => db.put(keyOf(RECORDS - 1), 'of another'))
    const another = await keyhaul(['resume', `${b}.keyhaul-journal`])
    assert.equal(another.code, 3, another.stderr)
    assert.match(another.stdout, /left .* keys on the source: .*or the target lost them; keyhaul verify names what differs/)
    assert.deepEqual(await readLevel(a), left)
    // Whoever asks again is told the same.
    assert.equal((await keyhaul(['resume', `${b}.keyhaul-journal`])).code, 3)
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
    for (const command of [['move', owned, plain, '--into-nonempty'], ['move', plain, owned, '--into-nonempty'], ['copy', plain, owned, '--into-nonempty'], ['verify', plain, owned, '--repair']]) {
      const refused = await keyhaul(command)
      assert.equal(refused.code, 1, command.join(' '))
      assert.match(refused.stderr, /KEYHAUL_UNSUPPORTED: .*level:.*\/a.* belongs to a service.*--live.*--past-gate/, command.join(' '))
    }
    assert.deepEqual(await readLevel(a), before)
    assert.equal((await readLevel(c)).size, 10)
    // Reading changes nothing.
    const target = `level:${join(folder, 'd')}`
    assert.equal((await keyhaul(['copy', owned, target])).code, 0)
    assert.equal((await keyhaul(['verify', owned, target])).code, 0)
    const meant = await keyhaul(['move', owned, target, '--into-nonempty', '--past-gate'])
    assert.equal(meant.code, 0, meant.stderr)
    const keysOf = async (path: string): Promise<string[]> => [...(await readLevel(path)).keys()].filter((key) => key.startsWith('key-'))
    assert.deepEqual(await keysOf(a), [])
    assert.equal((await keysOf(join(folder, 'd'))).length, 100)
  })
})
