// Two gated stores, a register and clients, in memory or in two LevelDBs.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { assignRange, type GatedStore, gatedStore, readOwnership, type ShardedStore, shardedStore } from '../../../../dist/live/index.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inFolder } from '../../support/stores.ts'
import { everything, Load } from './load.ts'

export interface World {
  readonly a: GatedStore
  readonly b: GatedStore
  readonly register: Register
  readonly clients: ShardedStore
  readonly load: Load
  /** Nobody writes any more: nothing was lost, and nothing is left over. */
  check(owner: 'a' | 'b'): Promise<void>
}

async function worldOf(a: GatedStore, b: GatedStore, register: Register, count: number, clientsRegister = register): Promise<World> {
  await assignRange({ register, store: a })
  const clients = shardedStore({ stores: { [a.name]: a, [b.name]: b }, register: clientsRegister })
  const load = new Load(clients, count)
  await load.fill()
  const check = async (owner: 'a' | 'b'): Promise<void> => {
    const [mine, other] = owner === 'a' ? [a, b] : [b, a]
    assert.deepEqual(await everything(mine), load.expected())
    assert.equal((await everything(other)).size, 0)
    const { parts, claims } = await readOwnership(register)
    assert.deepEqual(parts.map((part) => part.owner), [mine.name])
    assert.deepEqual(claims, [])
    let seen = 0
    for await (const [key] of clients.iterator()) if (key.length > 0) seen++
    assert.equal(seen, load.expected().size)
    await clients.put('still', 'served')
    await clients.del('still')
  }
  return { a, b, register, clients, load, check }
}

export function inMemory(count: number, work: (world: World) => Promise<void>, register: Register = memoryRegister()): Promise<void> {
  return inStores(gatedStore(memoryStore({ name: 'a' })), gatedStore(memoryStore({ name: 'b' })), count, work, register)
}

/** The first one owns all keys at first. */
export async function inStores(a: GatedStore, b: GatedStore, count: number, work: (world: World) => Promise<void>, register: Register = memoryRegister()): Promise<void> {
  const world = await worldOf(a, b, register, count)
  try {
    await work(world)
  } finally {
    await world.load.stop()
    world.clients.close()
  }
}

export async function inLevels(count: number, work: (world: World, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const [first, second] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
    const a = gatedStore(levelStore(first, { name: 'a', feed: true }))
    const b = gatedStore(levelStore(second, { name: 'b', feed: true }))
    // Beside the data of the first one.
    const world = await worldOf(a, b, levelRegister(first), count)
    try {
      await work(world, folder)
    } finally {
      await world.load.stop()
      world.clients.close()
      await first.close()
      await second.close()
    }
  })
}
