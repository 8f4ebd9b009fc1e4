import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { GatedStore } from '../../../../dist/live/index.js'
import { Engine, KeyhaulError, memoryJournal, type MigrateOptions, type MigrationError, migrate, type Receipt, resume, type Store } from '../../../../dist/index.js'
import { everything } from './load.ts'
import { inLevels, inMemory, type World } from './world.ts'

const plan = ({ a, b, register }: World, more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  live: true, from: a, to: b, register, journal: memoryJournal(), pageEntries: 500, durablePages: 4, ...more
})

function assertMoved(receipt: Receipt, { level = 3 } = {}): void {
  assert.equal(receipt.state, 'done')
  assert.equal(receipt.mode, 'live')
  assert.equal(receipt.level, level)
  assert.equal(receipt.verified, true)
  // How long that is, the machine decides; what is done in it is counted below.
  assert.ok(receipt.pauseMs > 0 && receipt.pauseForecastMs > 0)
}

test('memory: 20,000 records move while clients read, write, delete and scan; nothing is lost', async () => {
  await inMemory(20_000, async (world) => {
    world.load.start()
    const receipt = await migrate(plan(world)).done
    await world.load.stop()
    assertMoved(receipt)
    assert.ok(world.load.writes > 100 && world.load.reads > 100 && world.load.scans > 0)
    assert.ok(receipt.feedChanges > 0 && receipt.rechecked > 0)
    await world.check('b')
  })
})

/** A view of a store that tells of what is asked of it, and of its gate. */
function watched(store: GatedStore, tell: (what: string, keys: number) => void): Store {
  const mover = store.mover
  const gate = mover.gate as NonNullable<Store['gate']>
  const view: Partial<Store> = {
    gate: { ...gate, change: (call) => (tell(call.verb, 0), gate.change(call)) },
    scan: (range, options) => (tell('scan', 0), mover.scan(range, options)),
    getMany: (keys, options) => (tell('read', keys.length), (mover.getMany as NonNullable<Store['getMany']>)(keys, options)),
    apply: (writes, options) => (tell('apply', writes.length), mover.apply(writes, options))
  }
  return Object.create(mover, Object.fromEntries(Object.entries(view).map(([name, value]) => [name, { value }])))
}

test('while writers wait nothing is scanned, and no more is read and written than changed meanwhile', async () => {
  await inMemory(20_000, async (world) => {
    world.load.start()
    const all: Record<string, number> = {}
    let paused: Record<string, number> = {}
    let isPaused = false
    const tell = (what: string, keys: number): void => {
      if (what === 'fence') [isPaused, paused] = [true, {}]
      if (what === 'redirect' || what === 'unfence') isPaused = false
      for (const counts of isPaused ? [all, paused] : [all]) counts[what] = (counts[what] ?? 0) + Math.max(keys, 1)
    }
    const receipt = await migrate(plan(world, { from: watched(world.a, tell), to: watched(world.b, tell), pauseBudgetMs: 60_000 })).done
    await world.load.stop()
    assertMoved(receipt)
    assert.ok((all.scan as number) >= 80 && (all.apply as number) >= 20_000, JSON.stringify(all))
    assert.equal(paused.scan, undefined)
    assert.deepEqual([paused.fence, paused.fenceReads, paused.activate], [1, 1, 1])
    // Only keys that changed in the last round, of which there were none in each of four runs.
    assert.ok((paused.read ?? 0) <= 1_000 && (paused.apply ?? 0) <= 1_000, JSON.stringify(paused))
    await world.check('b')
  })
})

test('LevelDB: 20,000 records move at level 4, and back again', async () => {
  await inLevels(20_000, async (world, folder) => {
    world.load.start()
    const journal = join(folder, 'there.journal')
    assertMoved(await migrate(plan(world, { journal })).done, { level: 4 })
    const { a, b } = world
    assertMoved(await migrate(plan(world, { from: b, to: a, journal: join(folder, 'back.journal') })).done, { level: 4 })
    await world.load.stop()
    assert.ok(world.load.writes > 100 && world.load.reads > 100 && world.load.scans > 0)
    await world.check('a')
  })
})

test('a part moves, the rest stays, and reads go to both', async () => {
  await inLevels(5_000, async (world) => {
    world.load.start()
    const ranges = [['key-00001000', 'key-00001999'], ['key-00003000', 'key-00003999']] as const
    assertMoved(await migrate(plan(world, { ranges })).done)
    await world.load.stop()
    const expected = world.load.expected()
    const moved = new Map([...expected].filter(([key]) => /-0000[13]/.test(key)))
    assert.deepEqual(await everything(world.b), moved)
    assert.equal((await everything(world.a)).size, expected.size - moved.size)
    const values = await world.clients.getMany(['key-00000008', 'key-00001000', 'key-00002000', 'key-00003000', 'nothing'])
    assert.deepEqual(values.map((value) => value !== undefined), [true, true, true, true, false])
    await assert.rejects(world.clients.batch([['key-00000000', '1'], ['key-00001000', '2']]), { code: 'KEYHAUL_INVALID_ARGUMENT' })
    await assert.rejects(world.a.get('key-00001000'), (error: KeyhaulError) => error.code === 'KEYHAUL_MOVED' && error.owner === 'b' && error.epoch === 2)
  })
})

test('cancelled in the middle: the source serves on, the target is empty', async () => {
  await inLevels(10_000, async (world) => {
    world.load.start()
    const run = migrate(plan(world, { rate: 400_000 }))
    const migration = await run.migration
    migration.on('state', (state) => void (state === 'copying' && setTimeout(() => migration.cancel(), 100)))
    const error: MigrationError = await run.done.then(() => assert.fail(), (reason) => reason)
    assert.equal(error.code, 'KEYHAUL_CANCELLED')
    await world.load.stop()
    await world.check('a')
  })
})

for (const state of ['copying', 'verifying', 'approaching', 'fencing', 'draining', 'deciding', 'cleaning'] as const) {
  test(`stopped while ${state}, and resumed from the journal`, async () => {
    await inLevels(4_000, async (world, folder) => {
      world.load.start()
      const journal = join(folder, 'journal')
      const run = migrate(plan(world, { journal }))
      const migration = await run.migration
      migration.on('state', (now) => void (now === state && migration.stop()))
      const ended: Receipt | MigrationError = await run.done.catch((error) => error)
      if (ended instanceof KeyhaulError) {
        assert.equal(ended.code, 'KEYHAUL_INTERRUPTED')
        const { a, b, register } = world
        const receipt = await resume({ from: a, to: b, register, journal }).done
        assert.equal(receipt.verified, true)
        assert.equal(receipt.incarnations, 2)
        // Of a pause that ended in another process nothing is known.
        if (state !== 'cleaning' && state !== 'deciding') assertMoved(receipt, { level: 4 })
      } else {
        // What was decided is carried on until the target serves.
        assert.equal(state, 'deciding')
      }
      await world.load.stop()
      await world.check('b')
    })
  })
}

for (const state of ['claiming', 'staging', 'copying', 'fencing', 'draining', 'deciding', 'activating', 'redirecting', 'cleaning', 'closing'] as const) {
  test(`the engine is closed under it while ${state}, as by a crash; the journal resumes it`, async () => {
    await inLevels(2_000, async (world, folder) => {
      world.load.start({ pause: 1 })
      const journal = join(folder, 'journal')
      const engine = new Engine()
      const migration = await engine.migrate(plan(world, { journal }))
      migration.on('state', (now) => void (now === state && setTimeout(() => engine.close(), 1)))
      const ended: Receipt | MigrationError = await migration.done.catch((error) => error)
      if (ended instanceof KeyhaulError) {
        assert.equal(ended.code, 'KEYHAUL_CLOSED')
        // The journal's lock goes with a turn of the event loop.
        await new Promise((wake) => setTimeout(wake, 50))
        // Goes on with what the journal holds; nothing, where it died before its first record.
        const receipt = await migrate(plan(world, { journal })).done
        assert.equal(receipt.state, 'done')
        assert.equal(receipt.level, 4)
      }
      await world.load.stop()
      await world.check('b')
    })
  })
}
