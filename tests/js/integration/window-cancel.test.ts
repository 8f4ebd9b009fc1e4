// A move of the command line whose way back is open, killed there: what keyhaul cancel says of it, and what ends it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fillLevel, inFolder, keyhaul, readLevel } from '../support/stores.js'

test('keyhaul cancel of a move that can be reversed says so and ends; close-window ends the move', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'ab.journal')]
    await fillLevel(a, 500)
    const all = await readLevel(a)
    const killed = await keyhaul(['move', '--live', `one=level:${a}`, `two=level:${b}`, '--register', `level:${a}`, '--prefix', 'key-', '--journal', journal, '--reverse-window', '10m'], (child) => {
      let said = ''
      child.stderr?.on('data', (data) => {
        said += data
        if (said.includes('moved, and can be reversed')) child.kill('SIGKILL')
      })
    })
    assert.notEqual(killed.code, 0, 'it was not killed')
    const refused = await keyhaul(['cancel', journal])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /KEYHAUL_CANCEL_TOO_LATE: .*ab\.journal: the range has moved, and can still go back: .*keyhaul close-window \/.*ab\.journal/)
    assert.doesNotMatch(refused.stderr, /being deleted/)
    const closed = await keyhaul(['close-window', journal])
    assert.equal(closed.code, 0, closed.stderr)
    const keysOf = async (path: string): Promise<[string, string][]> => [...(await readLevel(path))].filter(([key]) => key.startsWith('key-'))
    assert.deepEqual(await keysOf(a), [])
    assert.deepEqual(await keysOf(b), [...all])
  })
})
