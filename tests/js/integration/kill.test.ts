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
  let rounds = 0
  while (kills < KILLS) {
    rounds++
    await inFolder(async (folder) => {
      const [a, b, journal] = ['a', 'b', 'journal'].map((name) => join(folder, name)) as [string, string, string]
      await fillLevel(a, RECORDS)
      const all = await readLevel(a)
      for (;;) {
        const begun = existsSync(journal)
        const args = begun
          ? ['resume', journal, '--rate', '20MB', '--quiet']
          : ['move', `level:${a}`, `level:${b}`, '--journal', journal, '--rate', '20MB', '--quiet']
        let timer: NodeJS.Timeout | undefined
        const ended = await keyhaul(args, (child) => {
          if (kills < KILLS) timer = setTimeout(() => child.kill('SIGKILL'), 150 + random() * 1200)
        })
        clearTimeout(timer)
        if (ended.signal === 'SIGKILL') {
          kills++
          await assertClaimsHold(journal, b, all)
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
  assert.ok(rounds >= 1)
})

/** What the journal says is copied and durable is in the target, byte for byte. */
async function assertClaimsHold(journal: string, target: string, all: Map<string, string>): Promise<void> {
  if (!existsSync(journal)) return
  const bytes = readFileSync(journal)
  if (bytes.length === 0) return
  let claimed: number
  try {
    claimed = inspectJournal(bytes).copiedEntries
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'KEYHAUL_JOURNAL_TORN')
    return
  }
  if (claimed === 0) return
  const held = await readLevel(target)
  for (let i = 0; i < claimed; i++) assert.equal(held.get(keyOf(i)), all.get(keyOf(i)), `${keyOf(i)} of ${claimed} claimed`)
}
