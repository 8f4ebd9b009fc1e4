// A database that is emptied (`db.clear()`) while its gate lives, in every way in which that once went unnoticed: nothing is
// cut over to it or gone back to it, and whoever gives a migration up in the same process leaves none of it there.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, memoryJournal, type MigrateOptions, type Migration, type MigrationError, type Receipt } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore, readOwnership } from '../../../../dist/live/index.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import type { OwnRecord, Store } from '../../../../dist/stores/store.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inFolder } from '../../support/stores.ts'
import { reaches } from './reaches.ts'

const VERIFY = ['none', 'both'] as const
const KEYS = 200
const C = { prefix: 'c' } as const
const M = { prefix: 'm' } as const
const LONG = 3_600_000

class World {
  readonly register = memoryRegister()
  readonly dbA: ClassicLevel
  dbB: ClassicLevel
  readonly a: GatedStore
  b: GatedStore
  engine = new Engine()

  constructor(
    readonly folder: string,
    wrap: (store: Store) => Store = (store) => store
  ) {
    this.dbA = new ClassicLevel(join(folder, 'a'))
    this.dbB = new ClassicLevel(join(folder, 'b'))
    this.a = gatedStore(levelStore(this.dbA, { name: 'a', feed: true }))
    this.b = gatedStore(wrap(levelStore(this.dbB, { name: 'b', feed: true })))
  }

  migrate(options: Partial<MigrateOptions> = {}): Promise<Migration> {
    return this.engine.migrate({ live: true, from: this.a, to: this.b, register: this.register, verify: 'none', ...options } as MigrateOptions)
  }

  async follows(options: Partial<MigrateOptions> = {}): Promise<Migration> {
    const migration = await this.migrate({ follow: true, ...options })
    await reaches(migration, 'approaching')
    return migration
  }

  /** As another process finds it. */
  async restarts(): Promise<void> {
    this.engine.close()
    await this.dbB.close()
    this.dbB = new ClassicLevel(join(this.folder, 'b'))
    this.b = gatedStore(levelStore(this.dbB, { name: 'b', feed: true }))
    this.engine = new Engine()
  }

  async owners(): Promise<string> {
    const { parts, claims } = await readOwnership(this.register)
    assert.deepEqual(claims, [])
    return [...new Set(parts.map(({ owner }) => owner))].join()
  }

  async close(): Promise<void> {
    this.engine.close()
    await this.dbA.close()
    await this.dbB.close()
  }
}

async function inWorld(work: (world: World) => Promise<void>, wrap?: (store: Store) => Store): Promise<void> {
  await inFolder(async (folder) => {
    const world = new World(folder, wrap)
    await assignRange({ register: world.register, store: world.a })
    for (let i = 0; i < KEYS; i++) await world.a.put(`${i % 2 === 0 ? 'c' : 'm'}${i}`, 'v')
    try {
      await work(world)
    } finally {
      await world.close()
    }
  })
}

async function count(db: ClassicLevel): Promise<number> {
  return (await db.keys({ gte: 'c', lt: 'n' }).all()).length
}

const failed = (migration: Migration): Promise<MigrationError> => migration.done.then(() => assert.fail('it was cut over'), (error) => error)

async function isRefused(migration: Migration): Promise<void> {
  const error = await failed(migration)
  assert.equal(error.code, 'KEYHAUL_NOT_OWNER', error.message)
  assert.equal(error.store, 'b')
}

async function isCancelled(migration: Migration): Promise<void> {
  migration.cancel()
  assert.equal((await failed(migration)).code, 'KEYHAUL_CANCELLED')
}

/** Right before the record is written. */
function emptying(empty: () => Promise<void>): (store: Store) => Store {
  return (store) => {
    const record = store.ownRecord as OwnRecord
    const ownRecord: OwnRecord = {
      read: () => record.read(),
      write: async (bytes) => {
        await empty()
        return record.write(bytes)
      }
    }
    return Object.defineProperty(Object.create(store) as Store, 'ownRecord', { value: ownRecord })
  }
}

/** `secondMove` follows too, and its target is emptied right before the record of its gate is written for it. */
async function emptiedInThatMoment(work: (world: World, secondMove: World['follows']) => Promise<void>): Promise<void> {
  let isOn = false
  let world: World | undefined
  const wrap = emptying(async () => {
    if (!isOn) return
    isOn = false
    await world?.dbB.clear()
  })
  await inWorld(async (made) => {
    world = made
    await work(made, async (options) => {
      isOn = true
      const second = await made.follows(options)
      assert.equal(isOn, false)
      return second
    })
  }, wrap)
}

for (const verify of VERIFY) {
  test(`in the moment in which its record is written for another move, verification: ${verify}`, async () => {
    await emptiedInThatMoment(async (world, secondMove) => {
      const first = await world.follows({ verify, ranges: [C] })
      const second = await secondMove({ verify, ranges: [M] })
      first.finish()
      await isRefused(first)
      await isCancelled(second)
      assert.equal(await world.owners(), 'a')
      assert.equal(await count(world.dbA), KEYS)
      assert.equal(await count(world.dbB), 0)
    })
  })

  test(`in that moment, then a new process goes on, verification: ${verify}`, async () => {
    await emptiedInThatMoment(async (world, secondMove) => {
      const journal = memoryJournal()
      const first = await world.follows({ verify, ranges: [C], journal })
      const second = await secondMove({ verify, ranges: [M], journal: memoryJournal() })
      for (const each of [first, second]) {
        each.stop()
        assert.equal((await failed(each)).code, 'KEYHAUL_INTERRUPTED')
      }
      await world.restarts()
      const again = await world.engine.resume({ from: world.a, to: world.b, register: world.register, journal })
      again.finish()
      await isRefused(again)
      assert.equal(await count(world.dbA), KEYS)
    })
  })

  for (const how of ['has failed on it', 'began after it'] as const) {
    test(`and its record was written since by one that ${how}, then a new process goes on, verification: ${verify}`, async () => {
      await inWorld(async (world) => {
        const journal = memoryJournal()
        const first = await world.follows({ verify, ranges: [C], journal })
        if (how === 'has failed on it') {
          const second = await world.follows({ verify, ranges: [M] })
          await world.dbB.clear()
          second.finish()
          await isRefused(second)
        } else {
          await world.dbB.clear()
          await isCancelled(await world.follows({ verify, ranges: [M] }))
        }
        first.stop()
        assert.equal((await failed(first)).code, 'KEYHAUL_INTERRUPTED')
        await world.restarts()
        const again = await world.engine.resume({ from: world.a, to: world.b, register: world.register, journal })
        again.finish()
        await isRefused(again)
        assert.equal(await world.owners(), 'a')
        assert.equal(await count(world.dbB), 0)
      })
    })
  }

  test(`and another range of it moves away, then a new process goes on, verification: ${verify}`, async () => {
    await inWorld(async (world) => {
      await (await world.migrate({ ranges: [M] })).done
      const journal = memoryJournal()
      const first = await world.follows({ verify, ranges: [C], journal })
      await world.dbB.clear()
      await (await world.migrate({ from: world.b, to: world.a, ranges: [M] })).done
      first.stop()
      await failed(first)
      await world.restarts()
      const again = await world.engine.resume({ from: world.a, to: world.b, register: world.register, journal })
      again.finish()
      await isRefused(again)
      assert.equal(await count(world.dbB), 0)
    })
  })

  for (const when of ['decided', 'turned'] as const) {
    test(`a source that is kept for a way back, right after it was ${when}, verification: ${verify}`, async () => {
      await inWorld(async (world) => {
        const { register: inner } = world
        let isEmpty = false
        const register: Register = {
          ...inner,
          read: () => inner.read(),
          compareAndSet: async (version: number, document: Uint8Array) => {
            const answer = await inner.compareAndSet(version, document)
            const claim = (await readOwnership(inner)).claims[0]
            const is = when === 'decided' ? claim?.state === 'decided' : claim?.from === 'b' && claim.state === 'claimed'
            if (is && !isEmpty) {
              isEmpty = true
              await world.dbA.clear()
            }
            return answer
          }
        } as Register
        const migration = await world.migrate({ register, verify, reverseWindowMs: LONG })
        const receipt = await migration.done
        assert.ok(isEmpty)
        assertStays(receipt)
        assert.equal(await world.owners(), 'b')
        assert.equal(await count(world.dbB), KEYS)
      })
    })
  }
}

function assertStays(receipt: Receipt): void {
  assert.equal(receipt.state, 'done')
  assert.equal(receipt.reversed, false)
  assert.equal(receipt.windowError, 'KEYHAUL_NOT_OWNER')
}

for (const how of ['reverse', 'closeWindow'] as const) {
  test(`a source while it is kept for a way back, then ${how}()`, async () => {
    await inWorld(async (world) => {
      const migration = await world.migrate({ reverseWindowMs: LONG })
      await reaches(migration, 'reversible')
      await world.dbA.clear()
      for (let i = 0; i < 10; i++) await world.b.put(`cnew${i}`, 'x')
      await has(world.dbA, 10)
      migration[how]()
      const receipt = await migration.done
      assert.equal(receipt.reversed, false)
      if (how === 'reverse') assertStays(receipt)
      assert.equal(await world.owners(), 'b')
      // Nothing is left of what the window wrote there, so it can move back.
      assert.equal(await count(world.dbA), 0)
      await (await world.migrate({ from: world.b, to: world.a })).done
      assert.equal(await count(world.dbA), KEYS + 10)
    })
  })
}

for (const end of ['cancel', 'finish'] as const) {
  test(`what is written there afterwards goes with ${end}()`, async () => {
    await inWorld(async (world) => {
      const migration = await world.follows()
      await world.dbB.clear()
      for (let i = 0; i < 10; i++) await world.a.put(`cnew${i}`, 'x')
      await has(world.dbB, 10)
      if (end === 'cancel') {
        await isCancelled(migration)
      } else {
        migration.finish()
        await isRefused(migration)
      }
      assert.equal(await count(world.dbB), 0)
      await (await world.migrate({ verify: 'both' })).done
      assert.equal(await count(world.dbB), KEYS + 10)
    })
  })
}

test('a target that is filled anew afterwards is cut over to', async () => {
  await inWorld(async (world) => {
    const migration = await world.follows({ verify: 'both' })
    await world.dbB.clear()
    // The feed has lost its place, so all is copied once more.
    await world.dbA.clear({ gte: 'c10', lt: 'c20' })
    await has(world.dbB, await count(world.dbA))
    migration.finish()
    const receipt = await migration.done
    assert.equal(receipt.verified, true)
    assert.equal(await world.owners(), 'b')
  })
})

test('an owner that was emptied long before is kept for a way back as any other', async () => {
  await inWorld(async (world) => {
    await world.dbA.clear()
    for (let i = 0; i < 10; i++) await world.a.put(`cnew${i}`, 'x')
    const migration = await world.migrate({ verify: 'both', reverseWindowMs: LONG })
    await reaches(migration, 'reversible')
    await migration.reverse()
    const { reversed, windowError } = await migration.done
    assert.deepEqual([reversed, windowError], [true, undefined])
    assert.equal(await world.owners(), 'a')
    assert.equal(await count(world.dbA), 10)
  })
})

async function has(db: ClassicLevel, entries: number): Promise<void> {
  for (let tries = 0; tries < 1000 && (await count(db)) < entries; tries++) await new Promise((wake) => setTimeout(wake, 10))
  assert.equal(await count(db), entries)
}

test('an owner whose record is of a version that put no mark beside it stays one', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'a')
    const register = memoryRegister()
    const open = (): [ClassicLevel, GatedStore] => {
      const db = new ClassicLevel(path)
      return [db, gatedStore(levelStore(db, { name: 'a', feed: true }))]
    }
    const [before, owner] = open()
    await assignRange({ register, store: owner })
    await owner.put('key', 'value')
    await before.close()
    const raw = new ClassicLevel<Uint8Array, Uint8Array>(path, { keyEncoding: 'view', valueEncoding: 'view' })
    const [mark, record] = [4, 8].map((kind) => Uint8Array.of(...Buffer.from('!\0keyhaul!'), kind)) as [Uint8Array, Uint8Array]
    const bytes = await raw.get(record)
    assert.ok(bytes !== undefined && bytes.length > 0)
    await raw.batch([{ type: 'put', key: mark, value: bytes }, { type: 'del', key: record }])
    await raw.close()
    const [after, again] = open()
    for (let tries = 0; tries < 2; tries++) {
      const migration = await new Engine().migrate({ live: true, from: again, to: gatedStore(memoryStore({ name: `b${tries}` })), register, verify: 'none', follow: true })
      await reaches(migration, 'approaching')
      await isCancelled(migration)
      assert.ok(await again.get('key'))
    }
    await after.close()
  })
})
