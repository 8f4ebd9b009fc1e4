import { idOf } from './bytes.js'
import { type DeletableStore, lastOf, redo } from './level-delete.js'
import type { LevelTap } from './level-tap.js'
import type { Write } from './store.js'
import { type CompareVersions, pickNewer } from './versions.js'

/**
 * Writes what is newer than what the store holds, and gives of how many keys something newer is there. As for
 * a delete of what is equal (level-delete.ts) the keys are watched from before they are read until
 * all that was under way has landed: a newer write of somebody else that ours has overtaken is made once more.
 */
export async function mergeNewer(store: DeletableStore, tap: LevelTap, writes: readonly Write[], compare: CompareVersions, deletes: boolean, signal?: AbortSignal): Promise<number> {
  const watch = tap.watch()
  try {
    const keys = [...new Map(writes.map(([key]) => [idOf(key), key])).values()]
    const values = await store.getMany(keys)
    signal?.throwIfAborted()
    const there = new Map(keys.map((key, i) => [idOf(key), values[i]]))
    for (const [id, { value }] of lastOf(store, watch.take())) there.set(id, value)
    const { taken, left } = pickNewer(writes, (key) => there.get(idOf(key)), compare, deletes, idOf)
    if (taken.size === 0) return left
    await store.write([...taken.values()])
    await tap.settle()
    const ours = new Map([...taken].map(([id, [, value]]) => [id, value]))
    // A delete of theirs has no version, and nobody knows what it was meant for.
    const isTheirs = (key: Uint8Array, theirs: Uint8Array | undefined, our: Uint8Array | undefined): boolean =>
      theirs !== undefined && our !== undefined && compare(key, theirs, our) > 0
    return left + (await redo(store, tap, watch, ours, isTheirs))
  } finally {
    watch.end()
  }
}
