// Level 5: the receipt names a position at which both sides were equal, also under clients that write
// all the time. That the digests are those of the stores at that moment is checked natively.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine, inspectJournal, memoryJournal, type MigrateOptions, migrate, type Receipt } from '../../../../dist/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { inLevels, inMemory, type World } from './world.ts'

// As if they outlived the process: what is looked at here is not a crash.
const durableRegister = () => ({ ...memoryRegister(), durable: true })
const durableJournal = () => Object.assign(memoryJournal(), { durable: true })

const plan = ({ a, b, register }: World, more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  live: true, from: a, to: b, register, requireLevel: 5, pageEntries: 500, durablePages: 4, ...more
})

function assertProven(receipt: Receipt): void {
  assert.equal(receipt.state, 'done')
  assert.equal(receipt.level, 5)
  assert.equal(receipt.verified, true)
  assert.deepEqual(receipt.digests.source, receipt.digests.target)
  assert.ok(receipt.digests.source.entries > 0)
  assert.ok((receipt.position?.feed.length ?? 0) > 0)
  assert.ok((receipt.position?.epoch ?? 0) > 1)
  assert.ok(receipt.pauseMs > 0 && receipt.pauseMs <= 2000, `paused for ${receipt.pauseMs} ms`)
}

test('memory: 10,000 records move at level 5 while clients write', async () => {
  const journal = durableJournal()
  await inMemory(
    10_000,
    async (world) => {
      world.load.start()
      const receipt = await migrate(plan(world, { journal, pauseBudgetMs: 2000 })).done
      await world.load.stop()
      assertProven(receipt)
      assert.ok(world.load.writes > 100 && receipt.rechecked > 0)
      await world.check('b')
    },
    durableRegister()
  )
})

test('LevelDB: there at level 5, and back at level 4, which names no position', async () => {
  await inLevels(10_000, async (world, folder) => {
    world.load.start({ pause: 1 })
    const journal = join(folder, 'there.journal')
    const receipt = await migrate(plan(world, { journal, pauseBudgetMs: 2000 })).done
    assertProven(receipt)
    assert.deepEqual(inspectJournal(new Uint8Array(readFileSync(journal))).receipt?.position, receipt.position)
    const { a, b } = world
    const back = await migrate(plan(world, { from: b, to: a, requireLevel: 4, journal: join(folder, 'back.journal') })).done
    await world.load.stop()
    assert.deepEqual([back.level, back.verified, back.position], [4, true, undefined])
    await world.check('a')
  })
})

test('a way back has a proof of its own', async () => {
  await inLevels(2_000, async (world, folder) => {
    world.load.start({ pause: 1 })
    const migration = await new Engine().migrate(plan(world, { journal: join(folder, 'journal'), pauseBudgetMs: 2000, reverseWindowMs: 60_000 }))
    await new Promise<void>((wake) => migration.on('state', (state) => void (state === 'reversible' && wake())))
    migration.reverse()
    const receipt = await migration.done
    await world.load.stop()
    assert.equal(receipt.reversed, true)
    assertProven(receipt)
    await world.check('a')
  })
})
