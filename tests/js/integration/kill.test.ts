// A real move between LevelDBs, killed with SIGKILL at random moments until it is done.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspectJournal } from '../../../dist/index.js'
import { fillLevel, inFolder, keyhaul, keyOf, randomFrom, readLevel } from '../support/stores.js'

const RECORDS = 100_000
const KILLS = Number(process.env.KEYHAUL_KILLS ?? 50)
const SEED = Number(process.env.KEYHAUL_SEED ?? 20_261_124)

test(`a move of ${RECORDS} records survives ${KILLS} kills (seed ${SEED})`, { timeout: 900_000 }, async () => {
  const random = randomFrom(SEED)
  let kills = 0
  /** What was under way when it was killed, by the journal; `begun` is before the first checkpoint. */
  const states = new Map<string, number>()
  while (kills < KILLS) {
    await inFolder(async (folder) => {
      const [a, b, journal] = ['a', 'b', 'journal'].map((name) => join(folder, name)) as [string, string, string]
      await fillLevel(a, RECORDS)
      const all = await readLevel(a)
      for (;;) {
        const begun = existsSync(journal)
        const args = begun
          ? ['resume', journal, '--rate', '20MB']
          : ['move', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '20MB']
        let timer: NodeJS.Timeout | undefined
        const ended = await keyhaul(args, (child) => {
          if (kills >= KILLS) return
          const ms = random() * 1200
          // From its first line on, however long the machine takes to come so far.
          child.stderr?.once('data', () => {
            timer = setTimeout(() => child.kill('SIGKILL'), ms)
          })
        })
        clearTimeout(timer)
        if (ended.signal === 'SIGKILL') {
          kills++
          const state = await assertClaimsHold(journal, b, all)
          states.set(state, (states.get(state) ?? 0) + 1)
          continue
        }
        assert.equal(ended.code, 0, ended.stderr)
        break
      }
      assert.deepEqual(await readLevel(b), all)
      assert.equal((await readLevel(a)).size, 0)
      assert.equal(inspectJournal(readFileSync(journal)).receipt?.verified, true)
    })
  }
  // If each kill came before the first checkpoint, nothing of resuming would be shown.
  const seen = JSON.stringify(Object.fromEntries(states))
  assert.ok(kills - (states.get('begun') ?? 0) >= KILLS / 10, seen)
})

/** What the journal says is copied and durable is in the target, byte for byte. Gives the state in the journal. */
async function assertClaimsHold(journal: string, target: string, all: Map<string, string>): Promise<string> {
  if (!existsSync(journal)) return 'begun'
  const bytes = readFileSync(journal)
  if (bytes.length === 0) return 'begun'
  let claimed: number
  let state: string
  try {
    ;({ copiedEntries: claimed, state } = inspectJournal(bytes))
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'KEYHAUL_JOURNAL_TORN')
    return 'begun'
  }
  if (claimed === 0) return 'begun'
  const held = await readLevel(target)
  for (let i = 0; i < claimed; i++) assert.equal(held.get(keyOf(i)), all.get(keyOf(i)), `${keyOf(i)} of ${claimed} claimed`)
  return state
}
