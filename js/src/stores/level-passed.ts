import { present } from './bytes.js'
import type { LevelDatabase, LevelEncoding } from './level-types.js'
import type { ScanRange } from './store.js'

/**
 * Rows of one native read. An iterator of classic-level keeps the room it made for them, 64 bytes
 * for each that was asked for, until it is collected: asked for a whole page at once, those
 * that are closed are much of the memory of a long copy (bench/node/memory.mjs). Fewer rows a
 * read cost more turns of the event loop.
 */
export const READ_ROWS = 1024

/**
 * Bytes of one native read. They lie in the memory of a thread of libuv until they are Buffers, and what is larger than this it
 * gives back to the system each time, to have it made anew (bench/node/move-parts.mjs counts that).
 */
export const READ_BYTES = 512 << 10

/** Whether its iterators may pass over what they cannot read: IndexedDB has errors of its own, and memory none. */
export function mayPassOver(db: LevelDatabase): boolean {
  const { permanence, seek } = db.supports as { permanence?: boolean; seek?: boolean }
  return permanence === true && seek === true
}

/**
 * LevelDB passes over a block or a table that it cannot read, and its iterators say so at their
 * end only. A page must not be given out before: a copy would count it as whole, take it for
 * durable, and go on behind the gap. So what a page was read from is passed over once more by an
 * iterator that ends there and gives nothing, where its own is not at its end (`LevelScan`). (Sending the
 * first one to its end by `seek` would be less work, but a seek is synchronous and walks over all that
 * was deleted at the end of the database, a second or more, and finds damage there that is not of the range.)
 */
export async function assertNothingPassedOver(db: LevelDatabase, range: ScanRange, encoding: LevelEncoding): Promise<void> {
  if (!mayPassOver(db)) return
  const again = db.iterator({
    ...present(range),
    keyEncoding: encoding,
    keys: false,
    values: false,
    fillCache: false
  })
  try {
    while ((await again.nextv(READ_ROWS)).length > 0);
  } finally {
    await again.close()
  }
}
