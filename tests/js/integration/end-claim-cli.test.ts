// A live move of the command line is killed, and its journal is deleted or damaged: from a terminal its claim comes to an end all the same.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { describeJournal } from '../../../dist/journal/index.js'
import { fillLevel, inFolder, keyhaul, readLevel } from '../support/stores.js'

const KEYS = 20_000

/** What the live move says when it is there, and what has become of the range then. */
const KILLED = [
  { says: /^copying: .*[1-9]/m, flags: ['--rate', '400k'], owner: 'a', claim: ['a', 'b', 'claimed'] },
  { says: /^deleting from the source/m, flags: [], owner: 'b', claim: ['a', 'b', 'decided'] },
  { says: /^moved, and can be reversed/m, flags: ['--reverse-window', '10m'], owner: 'b', claim: ['b', 'a', 'claimed'] }
] as const

interface Shown {
  readonly parts: readonly { readonly owner: string }[]
  readonly claims: readonly { readonly id: string; readonly from: string; readonly to: string; readonly state: string; readonly ranges: readonly object[] }[]
}

/** Where the first record ends, which is the plan. */
function planEnd(bytes: Uint8Array): number {
  for (let end = 17; end < bytes.length; end++) if (describeJournal(bytes.subarray(0, end)).startsWith('{"record":"plan"')) return end
  return assert.fail('it has no plan')
}

for (const [damage, kills] of [['deleted', KILLED], ['damaged', KILLED.slice(0, 2)]] as const) {
  for (const { says, flags, owner, claim } of kills) {
    test(`journal ${damage}, killed when it said ${says.source}: ${owner} has all of it, and another move works`, { timeout: 120_000 }, async () => {
      await inFolder(async (folder) => {
        const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'ab.journal')]
        const [one, two, register] = [`one=level:${a}`, `two=level:${b}`, `level:${a}`]
        await fillLevel(a, KEYS)
        const all = await readLevel(a)
        const move = ['move', '--live', one, two, '--register', register, '--prefix', 'key-', '--journal', journal]
        const killed = await keyhaul([...move, ...flags], (child) => {
          let said = ''
          child.stderr?.on('data', (data) => {
            said += data
            if (says.test(said)) child.kill('SIGKILL')
          })
        })
        assert.notEqual(killed.code, 0, 'it was not killed')
        if (damage === 'deleted') rmSync(journal)
        else {
          const whole = readFileSync(journal)
          const plan = planEnd(whole)
          for (const at of [plan >> 1, plan + 10]) {
            const bytes = Uint8Array.from(whole)
            bytes[at] = (bytes[at] as number) ^ 1
            writeFileSync(journal, bytes)
            for (const words of [['resume', journal], ['cancel', journal], move]) {
              const { code, stderr } = await keyhaul(words)
              assert.equal(code, 1)
              // What is not known to be of a live move may be of another one.
              const text = at < plan ? /KEYHAUL_JOURNAL_CORRUPT: .*; but if it is of a live move, end its claim instead: keyhaul cancel --register level:PATH/ : new RegExp(`KEYHAUL_JOURNAL_CORRUPT: .*: keyhaul cancel --register ${register} ${one} ${two}`)
              assert.match(stderr, text)
              if (at > plan) assert.doesNotMatch(stderr, /into-nonempty/)
            }
          }
        }
        // Nobody may move it again, and who tries is told of the claim.
        const again = ['move', '--live', one, two, '--register', register, '--prefix', 'key-', '--journal', join(folder, 'next.journal')]
        const refused = await keyhaul(again)
        assert.equal(refused.code, 1)
        assert.match(refused.stderr, claim[0] === 'a' && claim[2] === 'claimed' ? /KEYHAUL_RANGE_CLAIMED.*keyhaul cancel --register/ : /KEYHAUL_NOT_OWNER|KEYHAUL_RANGE_CLAIMED/)

        const name = (letter: string): string => (letter === 'a' ? 'one' : 'two')
        const shown = JSON.parse((await keyhaul(['status', '--register', register, '--json'])).stdout) as Shown
        assert.deepEqual(shown.claims.map(({ from, to, state }) => [from, to, state]), [[name(claim[0]), name(claim[1]), claim[2]]])
        const text = (await keyhaul(['status', '--register', register])).stdout
        assert.ok(text.includes(`--claim ${shown.claims[0]?.id}`), text)
        assert.match(text, /keys from key- to before key\./)
        const unnamed = await keyhaul(['cancel', '--register', register])
        assert.equal(unnamed.code, 2)
        assert.ok(unnamed.stdout.includes(shown.claims[0]?.id as string))

        const ended = await keyhaul(['cancel', '--register', register, one, two, '--json'])
        const isCancelled = claim[2] === 'claimed'
        assert.equal(ended.code, isCancelled ? 0 : 1, ended.stderr)
        const { state, outcome, owner: has, removedEntries } = JSON.parse(ended.stdout) as Record<string, unknown>
        assert.deepEqual([state, outcome, has], [isCancelled ? 'cancelled' : 'done', isCancelled ? 'cancelled' : 'finished', name(owner)])
        assert.ok((removedEntries as number) > 0)
        if (!isCancelled) assert.match(ended.stderr, /KEYHAUL_CANCEL_TOO_LATE: .*: it was decided already, so it was finished: two owns the range, [\d,]+ entries deleted from one/)

        const [mine, other] = owner === 'a' ? [a, b] : [b, a]
        const keysOf = async (path: string): Promise<[string, string][]> => [...(await readLevel(path))].filter(([key]) => key.startsWith('key-'))
        assert.deepEqual(await keysOf(mine), [...all])
        assert.deepEqual(await keysOf(other), [])
        for (const store of [a, b]) assert.match((await keyhaul(['inspect', `level:${store}`])).stdout, /has no open feed$/m)
        const none = await keyhaul(['cancel', '--register', register, one, two])
        assert.equal(none.code, 1)
        assert.match(none.stderr, /KEYHAUL_NOT_FOUND: there is no claim/)

        const [from, to] = owner === 'a' ? [one, two] : [two, one]
        const next = await keyhaul(['move', '--live', from, to, '--register', register, '--prefix', 'key-', '--journal', join(folder, 'last.journal')])
        assert.equal(next.code, 0, next.stderr)
        assert.deepEqual(await keysOf(other), [...all])
        assert.deepEqual(await keysOf(mine), [])
      })
    })
  }
}

test('what cannot be meant is refused before anything is opened', async () => {
  await inFolder(async (folder) => {
    const register = `level:${join(folder, 'a')}`
    const refusals = [
      [['cancel', '--register', register, 'one=level:./a'], /name both stores of the claim/],
      [['cancel', '--claim', '00', 'x.journal'], /--claim needs --register/],
      [['cancel', 'a.journal', 'b.journal'], /one journal or id, not 2/],
      [['cancel', '--register', register, '--service', './s', '3f'], /a service has its register/]
    ] as const
    for (const [words, text] of refusals) {
      const { code, stderr } = await keyhaul(words)
      assert.equal(code, 2, stderr)
      assert.match(stderr, text)
    }
  })
})
