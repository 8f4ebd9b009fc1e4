// A rehearsal reads the keys of a LevelDB as a migration does: as text where they are ASCII.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { migrate } from '../../../dist/index.js'
import { assignRange, gatedStore } from '../../../dist/live/index.js'
import { memoryRegister } from '../../../dist/register/memory.js'
import { measure } from '../../../dist/rehearse/index.js'
import { levelStore } from '../../../dist/stores/level.js'
import type { Store } from '../../../dist/index.js'
import { inFolder } from '../support/stores.ts'

const ENTRIES = 6_000
const keyOf = (i: number): string => `key-${String(i).padStart(8, '0')}`

/** So many keys that were read as text were made bytes of meanwhile. */
async function madeBytes(work: () => Promise<unknown>): Promise<number> {
  const { from } = Buffer
  let made = 0
  const counting = (...given: Parameters<typeof Buffer.from>): Buffer => {
    if ((given as unknown[])[1] === 'latin1' && /^key-\d{8}$/.test(String(given[0]))) made++
    return from(...given)
  }
  Object.assign(Buffer, { from: counting })
  try {
    await work()
  } finally {
    Object.assign(Buffer, { from })
  }
  return made
}

/** Databases with these entries, or with none. */
async function withLevels(names: readonly string[], work: (stores: readonly Store[]) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const open = names.map((name) => new ClassicLevel<Buffer, Buffer>(join(folder, name), { keyEncoding: 'buffer', valueEncoding: 'buffer' }))
    const stores = open.map((db, i) => levelStore(db, { name: names[i] as string, feed: true }))
    await (open[0] as ClassicLevel<Buffer, Buffer>).batch(Array.from({ length: ENTRIES }, (_, i) => ({ type: 'put', key: Buffer.from(keyOf(i)), value: Buffer.alloc(80, i % 256) })))
    await work(stores)
    for (const db of open) await db.close()
  })
}

test('a trial of a live migration makes bytes of as few keys as a live migration does', { timeout: 120_000 }, async () => {
  let most = 0
  await withLevels(['from', 'to'], async (stores) => {
    const [from, to] = stores.map((store) => gatedStore(store)) as [ReturnType<typeof gatedStore>, ReturnType<typeof gatedStore>]
    const register = memoryRegister()
    await assignRange({ register, store: from })
    most = await madeBytes(() => migrate({ live: true, from, to, register, share: 1 }).done)
  })
  assert.ok(most < 2 * ENTRIES, `a migration made bytes of ${most} keys`)
  await withLevels(['from', 'scratch', 'source'], async ([from, scratch, scratchSource]) => {
    const plan = { mode: 'live', writes: 0, share: 1 } as const
    const made = await madeBytes(() => measure({ from: from as Store, scratch: scratch as Store, scratchSource, plan }))
    // The sample itself, three trials, and slices of it, which have 500 entries and are moved 24 times.
    const wanted = ENTRIES + 3 * most + 24 * 500
    assert.ok(made <= wanted * 1.1, `a trial made bytes of ${made} keys, where three migrations make ${most} each`)
  })
})
