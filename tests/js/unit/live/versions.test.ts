// Live moves between stores whose feed is ahead of their scans: versions make up for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryJournal, migrate, type MigrateOptions } from '../../../../dist/index.js'
import { assignRange, gatedStore } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { memoryStore, type MemoryStore } from '../../../../dist/stores/memory.js'
import { early } from '../../support/early.ts'
import { inStores, type World } from './world.ts'

/** The number that the load gives each of its writes. */
const versionOf = (value: Uint8Array): number => Number(new TextDecoder().decode(value).split('/')[1])
const memory = (name: string): MemoryStore => memoryStore({ name, versionOf })

const plan = ({ a, b, register }: World, more: Partial<MigrateOptions> = {}): MigrateOptions => ({
  live: true, from: a, to: b, register, journal: memoryJournal(), pageEntries: 100, pauseBudgetMs: 60_000, ...more
})

test('a shard whose feed is ahead of its scans moves while clients read and write it; nothing is lost', async () => {
  for (const requireLevel of [4, 5]) {
    await inStores(gatedStore(early(memory('a'), 3)), gatedStore(early(memory('b'), 3)), 3000, async (world) => {
      assert.ok(world.a.mover.capabilities.has('feedEarly') && world.a.mover.capabilities.has('version'))
      world.load.start({ deletes: false })
      const receipt = await migrate(plan(world, { requireLevel, journal: Object.assign(memoryJournal(), { durable: true }) })).done
      await world.load.stop()
      assert.deepEqual([receipt.state, receipt.level, receipt.verified], ['done', requireLevel, true])
      assert.ok(receipt.feedChanges > 0 && receipt.rechecked > 0)
      await world.check('b')
    }, { ...memoryRegister(), durable: true })
  }
})

test('and goes back in its reverse window, with all that was written since', async () => {
  await inStores(gatedStore(early(memory('a'), 2)), gatedStore(early(memory('b'), 2)), 1000, async (world) => {
    world.load.start({ deletes: false, pause: 2 })
    const run = migrate(plan(world, { reverseWindowMs: 600_000 }))
    for await (const { state } of run) if (state === 'reversible') break
    const written = world.load.writes
    while (world.load.writes < written + 50) await new Promise((wake) => setTimeout(wake, 5))
    const receipt = await (await run.migration).reverse()
    await world.load.stop()
    assert.deepEqual([receipt.state, receipt.reversed, receipt.verified], ['done', true, true])
    await world.check('a')
  })
})

test('without versions on both sides it is refused, and what is missing is said', async () => {
  const register = memoryRegister()
  const a = gatedStore(early(memory('a'), 1))
  await assignRange({ register, store: a })
  const b = gatedStore(memoryStore({ name: 'b' }))
  await assert.rejects(migrate({ live: true, from: a, to: b, register }).done, { code: 'KEYHAUL_UNSUPPORTED', message: /missing: version, on both stores/ })
})
