// A database whose gate's record an earlier version wrote: it stood alone then, with no mark beside it that tells that
// nobody has emptied the database since. Its gate knows what it knew.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, memoryJournal, type MigrateOptions, type Migration, type MigrationState } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore, readOwnership } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { inFolder } from '../../support/stores.ts'
import { reaches } from './reaches.ts'

const KEYS = 50
const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const
const own = (kind: number): Uint8Array => Uint8Array.of(...Buffer.from('!\0keyhaul!'), kind)

/** As that version left it. */
async function makeOld(db: ClassicLevel): Promise<void> {
  const [old, record] = (await db.getMany<Uint8Array, Uint8Array>([own(4), own(8)], BYTES)) as (Uint8Array | undefined)[]
  const bytes = record?.length ? record : old
  assert.ok(bytes !== undefined && bytes.length > 0)
  await db.batch<Uint8Array, Uint8Array>([{ type: 'put', key: own(4), value: bytes }, { type: 'del', key: own(8) }], BYTES)
}

class World {
  readonly register = memoryRegister()
  engine = new Engine()
  private dbs: readonly ClassicLevel[] = []
  a!: GatedStore
  b!: GatedStore

  constructor(private readonly folder: string) {
    this.opens()
  }

  private opens(): void {
    this.dbs = ['a', 'b'].map((name) => new ClassicLevel(join(this.folder, name)))
    const [a, b] = this.dbs.map((db, i) => gatedStore(levelStore(db, { name: 'ab'[i] as string, feed: true })))
    this.a = a as GatedStore
    this.b = b as GatedStore
  }

  get dbB(): ClassicLevel {
    return this.dbs[1] as ClassicLevel
  }

  async close(): Promise<void> {
    this.engine.close()
    for (const db of this.dbs) await db.close()
  }

  /** As a service of the next version starts. */
  async upgrades(): Promise<void> {
    for (const db of this.dbs) await makeOld(db)
    await this.close()
    this.opens()
    this.engine = new Engine()
  }

  options(more: Partial<MigrateOptions>): MigrateOptions {
    return { live: true, from: this.a, to: this.b, register: this.register, verify: 'both', ...more } as MigrateOptions
  }

  async isServedBy(owner: 'a' | 'b', keys = KEYS): Promise<void> {
    const { parts, claims } = await readOwnership(this.register)
    assert.deepEqual(claims, [])
    assert.deepEqual([...new Set(parts.map((part) => part.owner))], [owner])
    const other = owner === 'a' ? this.b : this.a
    for (let i = 0; i < keys; i++) assert.ok(await this[owner].get(`c${i}`))
    await assert.rejects(other.get('c0'), { code: 'KEYHAUL_MOVED', owner })
  }
}

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const world = new World(folder)
    await assignRange({ register: world.register, store: world.a })
    for (let i = 0; i < KEYS; i++) await world.a.put(`c${i}`, 'v')
    try {
      await work(world)
    } finally {
      await world.close()
    }
  })
}

/** A move that is stopped in a state, and gone on with by the next version. */
async function upgradedIn(world: World, state: MigrationState, options: Partial<MigrateOptions>): Promise<Migration> {
  const journal = memoryJournal()
  const migration = await world.engine.migrate(world.options({ ...options, journal }))
  await reaches(migration, state)
  migration.stop()
  await assert.rejects(migration.done, { code: 'KEYHAUL_INTERRUPTED' })
  await world.upgrades()
  return world.engine.resume({ from: world.a, to: world.b, register: world.register, journal })
}

test('an owner is one still, and so it is after its next move', async () => {
  await inWorld(async (world) => {
    await (await world.engine.migrate(world.options({}))).done
    await world.upgrades()
    await world.isServedBy('b')
    await (await world.engine.migrate(world.options({ from: world.b, to: world.a }))).done
    await world.isServedBy('a')
    await world.upgrades()
    await world.isServedBy('a')
  })
})

test('a copy that was under way goes on', async () => {
  await inWorld(async (world) => {
    const again = await upgradedIn(world, 'approaching', { follow: true })
    again.finish()
    assert.equal((await again.done).state, 'done')
    await world.isServedBy('b')
  })
})

test('a window that was open is gone back through', async () => {
  await inWorld(async (world) => {
    const again = await upgradedIn(world, 'reversible', { reverseWindowMs: 3_600_000 })
    await reaches(again, 'reversible')
    await again.reverse()
    assert.equal((await again.done).reversed, true)
    await world.isServedBy('a')
  })
})

test('what is emptied afterwards is noticed', async () => {
  await inWorld(async (world) => {
    const again = await upgradedIn(world, 'approaching', { follow: true })
    await reaches(again, 'approaching')
    await world.dbB.clear()
    again.finish()
    await assert.rejects(again.done, { code: 'KEYHAUL_NOT_OWNER', store: 'b' })
    for (let i = 0; i < KEYS; i++) assert.ok(await world.a.get(`c${i}`))
  })
})
