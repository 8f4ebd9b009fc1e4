// A target that is emptied, or whose database is deleted and made anew, before anything is decided: the move ends with an
// error that names it, nothing is cut over, and the source has everything and serves.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, memoryJournal, type Migration, type MigrationError, type MigrationState } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore, readOwnership, shardedStore } from '../../../../dist/live/index.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inFolder } from '../../support/stores.ts'
import { everything, Load } from './load.ts'
import { reaches } from './reaches.ts'

const KEYS = 800
const VERIFY = ['none', 'target'] as const

interface World {
  readonly folder: string
  readonly a: GatedStore
  readonly register: Register
}

/** Its clients write `a` until it is looked at. */
async function inWorld(b: () => GatedStore, folder: string, work: (world: World, load: Load) => Promise<void>): Promise<void> {
  const dbA = new ClassicLevel(join(folder, 'a'))
  const a = gatedStore(levelStore(dbA, { name: 'a', feed: true }))
  const register = memoryRegister()
  await assignRange({ register, store: a })
  const load = new Load(shardedStore({ stores: { a, b: b() }, register }), KEYS)
  await load.fill()
  load.start({ pause: 5 })
  try {
    await work({ folder, a, register }, load)
    await load.stop()
    assert.deepEqual(await everything(a), load.expected())
    const { parts, claims } = await readOwnership(register)
    assert.ok(parts.length > 0)
    for (const { owner, epoch } of parts) assert.deepEqual([owner, epoch > 0], ['a', true])
    assert.deepEqual(claims, [])
    await a.put('still', 'served')
  } finally {
    await load.stop()
    await dbA.close()
  }
}

function assertNamesIt(error: MigrationError): void {
  assert.equal(error.code, 'KEYHAUL_NOT_OWNER', error.message)
  assert.equal(error.store, 'b')
  assert.match(error.message, /its gate does not know of what was staged there/)
  assert.equal(error.receipt?.state, 'failed')
  assert.equal(error.receipt?.verified, false)
}

const ended = (migration: Migration): Promise<MigrationError> => migration.done.then(() => assert.fail('it was cut over'), (error) => error)

for (const verify of VERIFY) {
  for (const state of ['copying', 'catchingUp', 'approaching'] as const) {
    test(`a LevelDB target that is emptied while ${state}, verification: ${verify}`, async () => {
      await inFolder(async (folder) => {
        const dbB = new ClassicLevel(join(folder, 'b'))
        const b = gatedStore(levelStore(dbB, { name: 'b', feed: true }))
        await inWorld(() => b, folder, async ({ a, register }) => {
          const engine = new Engine()
          const migration = await engine.migrate({ live: true, from: a, to: b, register, verify, follow: true })
          await reaches(migration, state)
          await dbB.clear()
          migration.finish()
          const error = await ended(migration)
          assertNamesIt(error)
          assert.match(error.message, /its gate does not know of what was staged there: it was emptied, or came back without its disk; the other store has everything/)
          assert.equal((await everything(b)).size, 0)
          engine.close()
        })
        await dbB.close()
      })
    })

    test(`a LevelDB target that is deleted while its mover was down, last seen ${state}, verification: ${verify}`, async () => {
      await inFolder(async (folder) => {
        let dbB = new ClassicLevel(join(folder, 'b'))
        const store = (): GatedStore => gatedStore(levelStore(dbB, { name: 'b', feed: true }))
        let b = store()
        await inWorld(() => b, folder, async ({ a, register }) => {
          const journal = join(folder, 'move.journal')
          const first = new Engine()
          const stopped = await first.migrate({ live: true, from: a, to: b, register, journal, verify, follow: true, pageEntries: 100, durablePages: 1 })
          await (state === 'copying' ? hasCopied(stopped) : reaches(stopped, state))
          stopped.stop()
          assert.equal((await ended(stopped)).code, 'KEYHAUL_INTERRUPTED')
          first.close()
          await dbB.close()
          rmSync(join(folder, 'b'), { recursive: true })
          dbB = new ClassicLevel(join(folder, 'b'))
          b = store()
          const engine = new Engine()
          const migration = await engine.resume({ from: a, to: b, register, journal })
          migration.finish()
          assertNamesIt(await ended(migration))
          assert.equal((await everything(b)).size, 0)
          engine.close()
        })
        await dbB.close()
      })
    })
  }

  test(`two moves into one target that is emptied, and one more that is, verification: ${verify}`, async () => {
    await inFolder(async (folder) => {
      const dbB = new ClassicLevel(join(folder, 'b'))
      const b = gatedStore(levelStore(dbB, { name: 'b', feed: true }))
      await inWorld(() => b, folder, async ({ a, register }) => {
        const engine = new Engine()
        const LOW = ['a', 'key-3~'] as const
        const HIGH = { from: 'key-4' } as const
        const move = async (range: typeof LOW | typeof HIGH): Promise<Migration> => {
          const migration = await engine.migrate({ live: true, from: a, to: b, register, verify, follow: true, ranges: [range] })
          await reaches(migration, 'approaching')
          return migration
        }
        const [low, high] = [await move(LOW), await move(HIGH)]
        await dbB.clear()
        low.finish()
        assertNamesIt(await ended(low))
        // Its gate has written its record since, for the one that gave up.
        high.finish()
        assertNamesIt(await ended(high))
        for (let tries = 0; tries < 2; tries++) {
          const again = await move(LOW)
          await dbB.clear()
          again.finish()
          assertNamesIt(await ended(again))
        }
        // Another one stages what it has, and writes the record too.
        const first = await move(LOW)
        await dbB.clear()
        const second = await move(HIGH)
        first.finish()
        assertNamesIt(await ended(first))
        second.cancel()
        assert.equal((await ended(second)).code, 'KEYHAUL_CANCELLED')
        engine.close()
      })
      await dbB.close()
    })
  })

  test(`a memory store that is a new one after a resume, verification: ${verify}`, async () => {
    await inFolder(async (folder) => {
      let b = gatedStore(memoryStore({ name: 'b' }))
      await inWorld(() => b, folder, async ({ a, register }) => {
        const journal = memoryJournal()
        const first = new Engine()
        const stopped = await first.migrate({ live: true, from: a, to: b, register, journal, verify, follow: true })
        await reaches(stopped, 'approaching')
        stopped.stop()
        await ended(stopped)
        first.close()
        b = gatedStore(memoryStore({ name: 'b' }))
        const engine = new Engine()
        const migration = await engine.resume({ from: a, to: b, register, journal })
        migration.finish()
        assertNamesIt(await ended(migration))
        engine.close()
      })
    })
  })
}

// Once it is decided, only the new owner may serve: what it had is at the source, which is not cleaned up.
test('a target that is emptied between the decision and its activation is not served, and nothing is deleted', async () => {
  await inFolder(async (folder) => {
    const dbA = new ClassicLevel(join(folder, 'a'))
    let dbB = new ClassicLevel(join(folder, 'b'))
    const a = gatedStore(levelStore(dbA, { name: 'a', feed: true }))
    const register = memoryRegister()
    await assignRange({ register, store: a })
    for (let i = 0; i < 100; i++) await a.put(`key-${i}`, 'value')
    const journal = join(folder, 'move.journal')
    const first = new Engine()
    const stopped = await first.migrate({ live: true, from: a, to: gatedStore(levelStore(dbB, { name: 'b', feed: true })), register: diesAtTheDecision(register), journal })
    while ((await readOwnership(register)).claims[0]?.state !== 'decided') await new Promise((wake) => setTimeout(wake, 5))
    stopped.stop()
    await ended(stopped)
    first.close()
    await dbB.close()
    rmSync(join(folder, 'b'), { recursive: true })
    dbB = new ClassicLevel(join(folder, 'b'))
    const b = gatedStore(levelStore(dbB, { name: 'b', feed: true }))
    for (let tries = 0; tries < 2; tries++) {
      const engine = new Engine()
      const error = await ended(await engine.resume({ from: a, to: b, register, journal }))
      assert.equal(error.code, 'KEYHAUL_NOT_OWNER', error.message)
      assert.equal(error.store, 'b')
      assert.equal(error.resumable, true)
      engine.close()
    }
    await assert.rejects(b.get('key-1'), { code: 'KEYHAUL_MOVED' })
    await dbB.close()
    await dbA.close()
    const left = new ClassicLevel<string, string>(join(folder, 'a'))
    assert.equal(await left.get('key-99'), 'value')
    await left.close()
  })
})

function hasCopied(migration: Migration): Promise<void> {
  return new Promise((done, fail) => {
    const look = (): void => {
      const { state, entries } = migration.progress()
      if (state !== ('copying' satisfies MigrationState) || entries < 200) return void setImmediate(look)
      done()
    }
    migration.done.catch(fail)
    look()
  })
}

/** Its answer to the swap that decides is the last that anybody gets. */
function diesAtTheDecision(register: Register): Register {
  let dead = false
  return {
    ...register,
    read: async () => {
      if (dead) throw new Error('away')
      return register.read()
    },
    compareAndSet: async (version: number, document: Uint8Array) => {
      if (dead) throw new Error('away')
      const answer = await register.compareAndSet(version, document)
      dead = (await readOwnership(register)).claims[0]?.state === 'decided'
      if (dead) throw new Error('away')
      return answer
    }
  } as Register
}
