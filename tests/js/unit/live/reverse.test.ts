// The reverse window on real stores: gates, feeds and a register that know nothing of the engine.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine, inspectJournal, KeyhaulError, memoryJournal, type MigrateOptions, Migration, type Receipt } from '../../../../dist/index.js'
import { gatedStore } from '../../../../dist/live/index.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { readFileSync } from 'node:fs'
import { everything } from './load.ts'
import { inLevels, inMemory, type World } from './world.ts'

const plan = ({ a, b, register }: World, more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  live: true, from: a, to: b, register, journal: memoryJournal(), pageEntries: 500, durablePages: 4, reverseWindowMs: 600_000, pauseBudgetMs: 5000, ...more
})

/** Resolves once it is there; rejects where it ends before. */
function reaches(migration: Migration, wanted: string): Promise<void> {
  return new Promise((done, fail) => {
    const look = (): boolean => migration.progress().state === wanted
    if (look()) return done()
    migration.on('state', (state) => {
      if (state === wanted) done()
    })
    migration.done.then(() => fail(new Error(`it ended before ${wanted}`)), fail)
  })
}

/** So many more writes were acknowledged. */
async function writes(world: World, count: number): Promise<void> {
  const wanted = world.load.writes + count
  while (world.load.writes < wanted) await new Promise((wake) => setTimeout(wake, 5))
}

function assertReversed(receipt: Receipt, reversed: boolean): void {
  assert.equal(receipt.state, 'done')
  assert.equal(receipt.verified, true)
  assert.equal(receipt.reversed, reversed)
}

for (const [name, inStores, count] of [['memory', inMemory, 5_000], ['two LevelDBs', inLevels, 5_000]] as const) {
  test(`${name}: under a write load there and back; nothing is lost, and nothing is left over`, async () => {
    await inStores(count, async (world: World) => {
      world.load.start()
      const engine = new Engine()
      const migration = await engine.migrate(plan(world))
      assert.throws(() => migration.reverse(), { code: 'KEYHAUL_UNSUPPORTED' })
      await reaches(migration, 'reversible')
      await writes(world, 200)
      const { state, live } = migration.progress()
      assert.equal(state, 'reversible')
      assert.equal(live?.waitsFor, 'reverse')
      assert.equal(live?.turned, true)
      assert.ok(live !== undefined && live.reverseLeftMs > 0 && live.reverseLeftMs <= 600_000)
      assert.match(live.text, /^b serves; for \d+ s more it can be reversed$/)
      await assert.rejects(world.a.get('key-00000001'), (error: KeyhaulError) => error.code === 'KEYHAUL_RETRY' || error.code === 'KEYHAUL_MOVED')
      assert.throws(() => migration.cancel(), { code: 'KEYHAUL_CANCEL_TOO_LATE' })
      migration.reverse()
      const receipt = await migration.done
      await writes(world, 50)
      await world.load.stop()
      engine.close()
      assertReversed(receipt, true)
      await world.check('a')
    })
  })
}

test('two LevelDBs: the window is over, or somebody is content, and the source is cleaned up', async () => {
  for (const ms of [200, 600_000]) {
    await inLevels(1_000, async (world) => {
      world.load.start()
      const engine = new Engine()
      const migration = await engine.migrate(plan(world, { reverseWindowMs: ms }))
      await reaches(migration, 'reversible')
      await writes(world, 20)
      if (ms === 600_000) migration.finish()
      const receipt = await migration.done
      await world.load.stop()
      engine.close()
      assertReversed(receipt, false)
      assert.ok(receipt.deletedEntries > 0)
      assert.equal(receipt.discardedEntries, 0)
      await world.check('b')
    })
  }
})

test('two LevelDBs: a process that dies in the window is resumed, and goes back', async () => {
  await inLevels(1_000, async (world, folder) => {
    const journal = join(folder, 'move.journal')
    world.load.start()
    const first = new Engine()
    const dies = await first.migrate(plan(world, { journal }))
    await reaches(dies, 'reversible')
    await writes(world, 50)
    first.close()
    await assert.rejects(dies.done, { code: 'KEYHAUL_CLOSED' })
    await writes(world, 50)
    const { state, live } = inspectJournal(new Uint8Array(readFileSync(journal)))
    assert.equal(state, 'reversible')
    assert.equal(live?.decided, true)
    const engine = new Engine()
    const { a, b, register } = world
    const migration = await engine.resume({ from: a, to: b, register, journal })
    await reaches(migration, 'reversible')
    await writes(world, 50)
    migration.reverse()
    const receipt = await migration.done
    await world.load.stop()
    engine.close()
    assertReversed(receipt, true)
    assert.equal(inspectJournal(new Uint8Array(readFileSync(journal))).live?.decided, false)
    await world.check('a')
  })
})

test('the stores are as equal in the window as the lag says', async () => {
  await inMemory(1_000, async (world) => {
    world.load.start()
    const engine = new Engine()
    const migration = await engine.migrate(plan(world))
    await reaches(migration, 'reversible')
    await writes(world, 100)
    await world.load.stop()
    const expected = await everything(world.b)
    for (;;) {
      const { live, entries } = migration.progress()
      if (live?.lagChanges === 0 && live.toCompare === 0 && entries >= 0) break
      await new Promise((wake) => setTimeout(wake, 10))
    }
    migration.reverse()
    await migration.done
    engine.close()
    assert.deepEqual(await everything(world.a), expected)
    await world.check('a')
  })
})

test('a window that the stores cannot give is refused, with who lacks what', async () => {
  await inMemory(10, async ({ a, register }) => {
    const whole = memoryStore({ name: 'c' })
    const capabilities = new Set([...whole.capabilities].filter((one) => one !== 'feed'))
    const c = gatedStore(Object.assign(Object.create(whole) as typeof whole, { capabilities }))
    const engine = new Engine()
    const options: MigrateOptions = { live: true, from: a, to: c, register, reverseWindowMs: 1000 }
    await assert.rejects(engine.migrate(options), (error: KeyhaulError) => error.code === 'KEYHAUL_LEVEL_NOT_MET' && /c lacks feed/.test(error.message))
    await assert.rejects(engine.migrate({ ...options, reverseWindowMs: -1 }), { code: 'KEYHAUL_INVALID_ARGUMENT' })
    engine.close()
  })
})
