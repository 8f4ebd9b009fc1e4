import { KeyhaulError } from '../errors.js'
import { compareBytes, idOf } from './bytes.js'
import type { Landed, LevelTap } from './level-tap.js'
import type { Entry } from './store.js'

/** Of the store, with its own prefix left out. */
export interface DeletableStore {
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  write(writes: readonly (readonly [Uint8Array, Uint8Array | undefined])[]): Promise<void>
  /** The key of a landed write as one of this store; nothing when it is not. */
  local(key: Uint8Array): Uint8Array | undefined
  readonly name: string
}

/** A key that is written again before each answer for so long is not ours to delete. */
const ROUNDS_MAX = 1000

/**
 * Deletes each entry that still has its value, and loses no write that another writer of the
 * same database object makes meanwhile. LevelDB cannot compare and delete in one call, so the
 * keys are watched from before they are read until every write that was under way with the
 * delete has landed: a key written before the delete is left alone, and where a write was
 * overtaken by it, the write is made once more. Gives how many keys hold another value.
 */
export async function deleteEqual(store: DeletableStore, tap: LevelTap, entries: readonly Entry[], signal?: AbortSignal): Promise<number> {
  const watch = tap.watch()
  try {
    const keys = entries.map(([key]) => key)
    const values = await store.getMany(keys)
    signal?.throwIfAborted()
    const before = lastOf(store, watch.take())
    const gone: Uint8Array[] = []
    let left = 0
    values.forEach((value, i) => {
      const [key, expected] = entries[i] as Entry
      const written = before.size === 0 ? undefined : before.get(idOf(key))
      const now = written === undefined ? value : written.value
      if (now === undefined) return
      if (written === undefined && compareBytes(now, expected) === 0) gone.push(key)
      else left++
    })
    if (gone.length === 0) return left
    await store.write(gone.map((key) => [key, undefined]))
    await tap.settle()
    return left + (await redo(store, tap, watch, new Map(gone.map((key) => [idOf(key), undefined])), () => true))
  } finally {
    watch.end()
  }
}

type Values = Map<string, Uint8Array | undefined>

/**
 * Makes once more what our writes overtook, where `isTheirs` says that it should stand; gives how many keys hold
 * somebody else's value after all.
 */
export async function redo(
  store: DeletableStore,
  tap: LevelTap,
  watch: { take(): Landed[] },
  ours: Values,
  isTheirs: (key: Uint8Array, theirs: Uint8Array | undefined, ours: Uint8Array | undefined) => boolean
): Promise<number> {
  let writes = lastOf(store, watch.take())
  if (writes.size === 0) return 0
  /** What the store should hold, by the last write of others to each of our keys. */
  const wanted = new Map<string, { key: Uint8Array; value: Uint8Array | undefined }>()
  /** What we wrote last; a put by others is only ever in danger from that. */
  const written: Values = new Map(ours)
  for (let round = 0; ; round++) {
    for (const [id, write] of writes) {
      if (ours.has(id) && isTheirs(write.key, write.value, ours.get(id))) wanted.set(id, write)
    }
    const check = [...wanted].filter(([id]) => round === 0 || writes.has(id)).map(([, { key }]) => key)
    const values = check.length === 0 ? [] : await store.getMany(check)
    const again: [Uint8Array, Uint8Array | undefined][] = []
    check.forEach((key, i) => {
      const id = idOf(key)
      const { value } = wanted.get(id) as { value: Uint8Array | undefined }
      if (same(values[i], written.get(id)) && !same(values[i], value)) again.push([key, value])
    })
    if (again.length === 0) return [...wanted.values()].filter(({ value }) => value !== undefined).length
    if (round === ROUNDS_MAX) {
      throw new KeyhaulError('KEYHAUL_SOURCE_CHANGED', { store: store.name, key: again[0]?.[0] as Uint8Array })
    }
    await store.write(again)
    for (const [key, value] of again) written.set(idOf(key), value)
    await tap.settle()
    writes = lastOf(store, watch.take())
  }
}

export function lastOf(store: DeletableStore, landed: readonly Landed[]): Map<string, { key: Uint8Array; value: Uint8Array | undefined }> {
  const last = new Map<string, { key: Uint8Array; value: Uint8Array | undefined }>()
  for (const { key, value } of landed) {
    const local = store.local(key)
    if (local !== undefined) last.set(idOf(local), { key: local, value })
  }
  return last
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0
}
