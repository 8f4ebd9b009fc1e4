// A source that never comes back while it is kept for a way back, on real stores: it is given up, and
// should it come back after all, nobody is served there.
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, inspectJournal, type KeyhaulError, type Migration } from '../../../../dist/index.js'
import { assignRange, gatedStore, goneStore, readOwnership, shardedStore } from '../../../../dist/live/index.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { levelStore, listFeeds } from '../../../../dist/stores/level.js'
import { inFolder, keyhaul } from '../../support/stores.ts'
import { reaches } from './reaches.ts'

const KEYS = 300
const keyOf = (i: number): string => `key-${String(i).padStart(4, '0')}`

/** In the window of a move from a to b, whose database is closed under it. */
async function inLostWindow(work: (at: { folder: string; journal: string; b: ReturnType<typeof gatedStore>; register: ReturnType<typeof levelRegister>; dbB: ClassicLevel }) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const [dbA, dbB] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
    const [a, b] = [gatedStore(levelStore(dbA, { name: 'a', feed: true })), gatedStore(levelStore(dbB, { name: 'b', feed: true }))]
    const register = levelRegister(dbB)
    await assignRange({ register, store: a })
    for (let i = 0; i < KEYS; i++) await a.put(keyOf(i), `v${i}`)
    const engine = new Engine({ retries: 1 })
    const journal = join(folder, 'move.journal')
    const migration = await engine.migrate({ live: true, from: a, to: b, register, journal, reverseWindowMs: 600_000, pauseBudgetMs: 5000 })
    await reaches(migration, 'reversible')
    await b.put(keyOf(7), 'written in the window')
    await dbA.close()
    // What it is brought up to date with next finds that it is gone.
    await b.put(keyOf(8), 'and this')
    await assert.rejects(migration.done, (error: KeyhaulError & { resumable?: boolean }) => error.resumable === true)
    engine.close()
    try {
      await work({ folder, journal, b, register, dbB })
    } finally {
      await dbB.close()
    }
  })
}

test('it stays stopped for as long as nobody says anything, and closeWindow({ giveUpSource }) ends it', async () => {
  await inLostWindow(async ({ folder, journal, b, register, dbB }) => {
    const engine = new Engine({ retries: 1 })
    const from = goneStore('a')
    const resume = (): Promise<Migration> => engine.resume({ from, to: b, register, journal })
    const waits = await resume()
    await assert.rejects(waits.done, { code: 'KEYHAUL_STORE_CLOSED' })
    assert.equal((await readOwnership(register)).claims.length, 1)

    const migration = await resume()
    migration.closeWindow({ giveUpSource: true })
    const receipt = await migration.done
    assert.equal(receipt.state, 'done')
    assert.equal(receipt.sourceGivenUp, true)
    assert.equal(receipt.reversed, false)
    assert.equal(receipt.windowError, 'KEYHAUL_SOURCE_GIVEN_UP')
    assert.match(receipt.notPromised.join(), /that a holds nothing of the ranges: it was given up/)
    assert.equal(inspectJournal(new Uint8Array(readFileSync(journal))).receipt?.sourceGivenUp, true)
    const { parts, claims } = await readOwnership(register)
    assert.deepEqual(parts.map(({ owner }) => owner), ['b'])
    assert.deepEqual(claims, [])
    // Its feed would record for nobody.
    assert.deepEqual(await listFeeds(dbB), [])

    const clients = shardedStore({ stores: { b }, register })
    assert.equal(Buffer.from((await clients.get(keyOf(7))) ?? []).toString(), 'written in the window')
    await clients.put(keyOf(9), 'goes on')
    clients.close()

    const dbA = new ClassicLevel(join(folder, 'a'))
    const back = gatedStore(levelStore(dbA, { name: 'a', feed: true }))
    const moved = (error: KeyhaulError): boolean => error.code === 'KEYHAUL_MOVED' && error.owner === 'b'
    await assert.rejects(back.get(keyOf(7)), moved)
    await assert.rejects(back.put(keyOf(7), 'lost'), moved)
    await assert.rejects(back.scan({}, { maxEntries: 10, maxBytes: 1000 }), moved)
    const options = { live: true, from: b, to: back, register, pauseBudgetMs: 5000 } as const
    await assert.rejects((await engine.migrate(options)).done, { code: 'KEYHAUL_TARGET_NOT_EMPTY' })
    await assert.rejects(back.get(keyOf(7)), (error: KeyhaulError) => error.code === 'KEYHAUL_MOVED')
    await dbA.clear({ gte: keyOf(0), lte: keyOf(KEYS) })
    const again = await (await engine.migrate(options)).done
    assert.equal(again.verified, true)
    assert.equal(Buffer.from((await back.get(keyOf(9))) ?? []).toString(), 'goes on')
    engine.close()
    await dbA.close()
  })
})

test('it is refused where the range has not moved', async () => {
  await inFolder(async (folder) => {
    const [dbA, dbB] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
    const [a, b] = [gatedStore(levelStore(dbA, { name: 'a', feed: true })), gatedStore(levelStore(dbB, { name: 'b', feed: true }))]
    const register = levelRegister(dbB)
    await assignRange({ register, store: a })
    const engine = new Engine()
    const migration = await engine.migrate({ live: true, from: a, to: b, register, reverseWindowMs: 600_000 })
    assert.throws(() => migration.closeWindow({ giveUpSource: true }), { code: 'KEYHAUL_UNSUPPORTED' })
    await reaches(migration, 'reversible')
    migration.closeWindow()
    assert.equal((await migration.done).sourceGivenUp, false)
    engine.close()
    await dbA.close()
    await dbB.close()
  })
})

test('keyhaul close-window --give-up-source, with the journal of a move of its own', async () => {
  await inFolder(async (folder) => {
    const [left, right] = [join(folder, 'left'), join(folder, 'right')]
    const db = new ClassicLevel(left)
    for (let i = 0; i < KEYS; i++) await db.put(keyOf(i), `v${i}`)
    await db.close()
    const journal = join(folder, 'move.journal')
    const store = `right=level:${right}`
    const interrupt = (child: ChildProcess): void => {
      const look = setInterval(() => {
        if (!isReversible(journal)) return
        clearInterval(look)
        child.kill('SIGINT')
      }, 20)
    }
    const stopped = await keyhaul(['move', '--live', `left=level:${left}`, store, '--register', `level:${right}`, '--prefix', 'key-', '--reverse-window', '10m', '--journal', journal], interrupt)
    assert.equal(stopped.code, 4, stopped.stderr)
    rmSync(left, { recursive: true })
    const resumed = await keyhaul(['resume', journal])
    assert.equal(resumed.code, 1)
    const done = await keyhaul(['close-window', journal, '--give-up-source', '--json'])
    assert.equal(done.code, 0, done.stderr)
    assert.equal((JSON.parse(done.stdout.trimEnd().split('\n').pop() as string) as { sourceGivenUp: boolean }).sourceGivenUp, true)
    const status = await keyhaul(['status', journal, '--register', `level:${right}`, '--json'])
    assert.match(status.stdout, /"owner":"right"/)
  })
})

function isReversible(journal: string): boolean {
  try {
    return inspectJournal(new Uint8Array(readFileSync(journal))).state === 'reversible'
  } catch {
    return false
  }
}
