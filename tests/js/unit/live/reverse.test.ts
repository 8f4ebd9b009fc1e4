// The reverse window on real stores: gates, feeds and a register that know nothing of the engine.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine, inspectJournal, KeyhaulError, memoryJournal, type MigrateOptions, type Migration, type Receipt } from '../../../../dist/index.js'
import { describeJournal } from '../../../../dist/journal/index.js'
import { assignRange, gatedStore } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import type { ApplyOptions, Write } from '../../../../dist/stores/store.js'
import { readFileSync } from 'node:fs'
import { everything } from './load.ts'
import { reaches } from './reaches.ts'
import { inLevels, inMemory, type World } from './world.ts'

const plan = ({ a, b, register }: World, more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  live: true, from: a, to: b, register, journal: memoryJournal(), pageEntries: 500, durablePages: 4, reverseWindowMs: 600_000, pauseBudgetMs: 5000, ...more
})

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
      await assert.rejects(migration.reverse(), (error: KeyhaulError) => error.code === 'KEYHAUL_UNSUPPORTED' && error.owner === undefined)
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
      const back = migration.reverse()
      const receipt = await migration.done
      assert.equal(await back, receipt)
      await assert.rejects(migration.reverse(), { code: 'KEYHAUL_ALREADY_COMPLETE' })
      await writes(world, 50)
      await world.load.stop()
      engine.close()
      assertReversed(receipt, true)
      await world.check('a')
    })
  })
}

test('a way back that cannot be is refused with who has the range, and the window is open again', async () => {
  const inner = memoryStore({ name: 'a' })
  let loses = false
  const a = gatedStore(Object.assign(Object.create(inner) as typeof inner, {
    apply: (writes: readonly Write[], options: ApplyOptions) => (loses ? Promise.resolve() : inner.apply(writes, options))
  }))
  const b = gatedStore(memoryStore({ name: 'b' }))
  const register = memoryRegister()
  await assignRange({ register, store: a })
  for (let i = 0; i < 50; i++) await a.put(`key-${i}`, 'before')
  const engine = new Engine()
  const migration = await engine.migrate({ live: true, from: a, to: b, register, reverseWindowMs: 600_000, pauseBudgetMs: 5000 })
  await reaches(migration, 'reversible')
  loses = true
  await b.put('key-7', 'lost at a')
  const refused = (code: string, text: RegExp) => (error: KeyhaulError): boolean => error.code === code && error.owner === 'b' && text.test(error.message)
  await assert.rejects(migration.reverse(), refused('KEYHAUL_VERIFY_MISMATCH', /^b keeps the ranges: source and target differ/))
  await reaches(migration, 'reversible')
  const back = migration.reverse()
  migration.closeWindow()
  await assert.rejects(back, refused('KEYHAUL_CANCELLED', /^b keeps the ranges: the window was closed$/))
  loses = false
  const receipt = await migration.done
  assert.equal(receipt.reversed, false)
  assert.equal(Buffer.from((await b.get('key-7')) ?? []).toString(), 'lost at a')
  engine.close()
})

test('what is left of a window is left to whoever resumes, and one that is over is closed at once', async () => {
  const now = Date.now
  try {
    for (const hours of [1, 3]) {
      await inMemory(100, async ({ a, b, register }) => {
        const journal = memoryJournal()
        const first = new Engine()
        const dies = await first.migrate(plan({ a, b, register } as World, { journal, reverseWindowMs: 2 * 3_600_000 }))
        await reaches(dies, 'reversible')
        while (!describeJournal(await journal.read()).includes('"record":"window"')) await new Promise((wake) => setTimeout(wake, 5))
        first.close()
        await assert.rejects(dies.done)
        Date.now = () => now() + hours * 3_600_000
        const engine = new Engine()
        const migration = await engine.resume({ from: a, to: b, register, journal })
        if (hours === 1) {
          await reaches(migration, 'reversible')
          const { live } = migration.progress()
          assert.ok(live !== undefined && live.reverseLeftMs > 0 && live.reverseLeftMs <= 3_600_000, String(live?.reverseLeftMs))
          migration.closeWindow()
        }
        assertReversed(await migration.done, false)
        engine.close()
        Date.now = now
      })
    }
  } finally {
    Date.now = now
  }
})

test('two LevelDBs: the window is over, or somebody is content, and the source is cleaned up', async () => {
  for (const ms of [200, 600_000]) {
    await inLevels(1_000, async (world) => {
      world.load.start()
      const engine = new Engine()
      const migration = await engine.migrate(plan(world, { reverseWindowMs: ms }))
      await reaches(migration, 'reversible')
      await writes(world, 20)
      if (ms === 600_000) migration.closeWindow()
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
    const receipt = await migration.reverse()
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
    await migration.reverse()
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

test('a reverse() that nobody awaits and that is refused ends no process', () => {
  const dist = new URL('../../../../dist/', import.meta.url).href
  const script = `
    import { migrate } from '${dist}index.js'
    import { memoryStore } from '${dist}stores/memory.js'
    const run = migrate({ from: memoryStore({ name: 'a', entries: [['k', 'v']] }), to: memoryStore({ name: 'b' }) })
    const migration = await run.migration
    migration.reverse()
    run.reverse()
    await run.done
    migration.reverse()
    await new Promise((wake) => setTimeout(wake, 20))
    console.log(await migration.reverse().catch(({ code }) => code))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  assert.deepEqual([status, stdout, stderr], [0, 'KEYHAUL_ALREADY_COMPLETE\n', ''])
})
