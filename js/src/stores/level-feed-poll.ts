import { idOf, inRange, startsWith, successor } from './bytes.js'
import { BYTES, ownKey, positionOf, WRITE_KIND } from './level-feed-rows.js'
import { assertNothingPassedOver } from './level-passed.js'
import type { LevelDatabase } from './level-types.js'
import type { Change, ScanRange } from './store.js'

/** Rows of the log, which hold a key each, that are looked at in one go. */
const ROWS_MAX = 1024
/** Values that are read on the word of an earlier poll, before it is known how large these are. */
const TRUSTED_MAX = 64
/** Values that are read on the word of those before: theirs need not be as small. */
const READ_MAX = 256

export interface PollLimits {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

type Row = readonly [logKey: Uint8Array, key: Uint8Array]

/**
 * Reads the changes of a range out of the log of a database. Behind a fence writers wait for it,
 * and each answer of the database costs a turn of a busy event loop: so there are few.
 */
export class ChangeReader {
  /** Of a key and its value, as the last poll found them; 0 when none did. */
  private typicalBytes = 0

  constructor(private readonly root: LevelDatabase) {}

  /**
   * The changes that the log holds beyond `from`, with the values of now. `at` is a position that
   * stands in the log, or `from`: what a feed has given out, the log can show.
   */
  async read(
    prefix: Uint8Array,
    range: ScanRange,
    from: number,
    upTo: number,
    limits: PollLimits
  ): Promise<{ changes: Change[]; at: number; caughtUp: boolean }> {
    const changes: Change[] = []
    const seen = new Set<string>()
    let bytes = 0
    let at = from
    const iterator = this.root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, from), lte: ownKey(WRITE_KIND, upTo) })
    const next = (): Promise<Row[]> => {
      const rows = iterator.nextv(ROWS_MAX) as Promise<Row[]>
      // Nobody may ask for them any more.
      rows.catch(() => {})
      return rows
    }
    // A page that is not the last: the next one would begin behind what was passed over.
    const cut = async (): Promise<{ changes: Change[]; at: number; caughtUp: boolean }> => {
      await assertNothingPassedOver(this.root, { gte: ownKey(WRITE_KIND, from), lt: successor(ownKey(WRITE_KIND, at)) }, BYTES.keyEncoding)
      return { changes, at, caughtUp: false }
    }
    try {
      for (let coming = next(); ; ) {
        const rows = await coming
        limits.signal?.throwIfAborted()
        if (rows.length === 0) return { changes, at, caughtUp: true }
        coming = next()
        let ahead: { next: number; values: Map<Uint8Array, Uint8Array | undefined> } = { next: 0, values: new Map() }
        // The value read now is that of the key's last write in the log, so one is enough.
        const wanted = rows.map(([, key]) => {
          const id = idOf(key)
          if (seen.has(id) || !startsWith(key, prefix) || !inRange(key.subarray(prefix.length), range)) return false
          seen.add(id)
          return true
        })
        for (const [i, [logKey, key]] of rows.entries()) {
          if (wanted[i]) {
            if (changes.length >= limits.maxEntries) return await cut()
            if (i >= ahead.next) ahead = await this.readAhead(rows, wanted, i, this.roomFor(changes.length, bytes, limits))
            const value = ahead.values.get(key)
            const size = key.length - prefix.length + (value?.length ?? 0)
            if (bytes + size > limits.maxBytes && changes.length > 0) return await cut()
            bytes += size
            changes.push([key.subarray(prefix.length), value])
          }
          at = positionOf(logKey)
        }
      }
    } finally {
      if (changes.length > 0) this.typicalBytes = bytes / changes.length
      iterator.close().catch(() => {})
    }
  }

  /**
   * How many values to read next. Of those that came before, as many as still fit by what they
   * took; by what others took, some; and one where nothing is known.
   */
  private roomFor(entries: number, bytes: number, limits: PollLimits): number {
    const each = Math.max(1, entries > 0 ? bytes / entries : this.typicalBytes)
    const fit = Math.floor((limits.maxBytes - bytes) / each)
    const trusted = entries > 0 ? Math.min(4 * entries, READ_MAX) : this.typicalBytes > 0 ? TRUSTED_MAX : 1
    return Math.max(1, Math.min(fit, trusted, limits.maxEntries - entries))
  }

  private async readAhead(
    rows: readonly Row[],
    wanted: readonly (boolean | undefined)[],
    first: number,
    count: number
  ): Promise<{ next: number; values: Map<Uint8Array, Uint8Array | undefined> }> {
    const keys: Uint8Array[] = []
    let next = first
    for (; next < rows.length && keys.length < count; next++) {
      if (wanted[next]) keys.push((rows[next] as Row)[1])
    }
    const values = (await this.root.getMany(keys, BYTES)) as (Uint8Array | undefined)[]
    return { next, values: new Map(keys.map((key, i) => [key, values[i]])) }
  }
}
