// What the benches of moves fill, open and compare.
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { crc32c } from '../../dist/index.js'
import { BYTES } from './loops.mjs'

/** A LevelDB, or a memory-level where there is no path. */
export const databaseOf = (path) => (path === undefined ? new MemoryLevel({ storeEncoding: 'buffer' }) : new ClassicLevel(path))

/** Keys of 16 bytes, values that no compression makes smaller; of a LevelDB all of it in tables. */
export async function fill(db, rows, valueBytes) {
  let seed = 1
  for (let i = 0; i < rows; ) {
    const batch = db.batch()
    for (const end = Math.min(rows, i + Math.ceil(5e6 / valueBytes)); i < end; i++) {
      const value = Buffer.alloc(valueBytes)
      for (let j = 0; j < valueBytes; j += 4) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        value.writeUInt32LE(seed, j)
      }
      batch.put(Buffer.from(String(i).padStart(16, '0')), value, BYTES)
    }
    await batch.write()
  }
  await db.compactRange?.(Buffer.from([0]), Buffer.from([255]), { keyEncoding: 'buffer' })
}

/** Order, keys and values of a whole store in one number, and how many. */
export async function fingerprint(db) {
  let crc = 0
  let rows = 0
  for await (const [key, value] of db.iterator(BYTES)) {
    crc = crc32c(value, crc32c(key, crc))
    rows++
  }
  return `${rows}:${crc}`
}
