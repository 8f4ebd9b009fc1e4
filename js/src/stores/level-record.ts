import { concatBytes } from './bytes.js'
import { BORN_KIND, BYTES, GATE_KIND, ownKey } from './level-feed-rows.js'
import type { LevelChainedBatch, LevelDatabase } from './level-types.js'
import type { OwnRecord } from './store.js'

/**
 * The record of a gate, and an empty mark beside it that is written with the first one only. Whoever empties the database
 * takes the mark too; a record that was written in the same moment is there again, and the mark is not, also for the
 * next process. A version that knew of no mark kept the record in its place: it is read there until it is written next.
 */
export function levelRecord(root: LevelDatabase, prefix: Uint8Array, inStore: <T>(work: () => Promise<T>) => Promise<T>): OwnRecord {
  const [key, mark] = [GATE_KIND, BORN_KIND].map((kind) => concatBytes([ownKey(kind), prefix])) as [Uint8Array, Uint8Array]
  let isMarked = false
  return {
    read: () =>
      inStore(async () => {
        const [record, born] = (await root.getMany([key, mark], BYTES)) as (Uint8Array | undefined)[]
        isMarked = born?.length === 0
        return isMarked ? record : born
      }),
    write: (bytes) =>
      inStore(async () => {
        const batch = root.batch() as LevelChainedBatch
        batch.put(key, bytes, BYTES)
        if (!isMarked) batch.put(mark, new Uint8Array(0), BYTES)
        await batch.write({ sync: true })
        isMarked = true
      })
  }
}
