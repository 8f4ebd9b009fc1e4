import { concatBytes, decodePosition, encodePosition, idOf, inRange, startsWith, toBytes } from './bytes.js'
import type { LevelDatabase } from './level-types.js'
import type { Change, ScanRange } from './store.js'

/**
 * Keys of the root database with this prefix are keyhaul's own and no part of anyone's data.
 * The zero byte keeps it apart from every sublevel: a name has none.
 */
export const OWN = /* @__PURE__ */ toBytes('!\0keyhaul!')
export const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const

export const FEEDS_KEY = /* @__PURE__ */ ownKey(0)
/** The key of a write. */
export const WRITE_KIND = 1
/** The range of a clear(). */
export const CLEAR_KIND = 2
/**
 * Something may be missing from the log:
 *
 *   a poll gives up waiting for a write         mark at its position, ROW_TELLS
 *   a process's first writes, before the log    mark in the batch itself, ROW_TELLS
 *   was read: the clock may have gone back
 *   a feed opens while writes of before are     mark with the feed's record, UNKNOWABLE
 *   under way
 *   there are other prewrite hooks              mark in the batch itself, UNKNOWABLE
 *
 * What finds a mark at its start logs the row that it tells of again, or else gives up every
 * feed. A mark that was left behind needlessly costs a copy, never a write.
 */
export const MARK_KIND = 3
/** The row at the mark's own position tells whether the write landed, and of which key it was. */
export const ROW_TELLS = /* @__PURE__ */ Uint8Array.of(0)
/** Keys may have been written that stand nowhere. */
export const UNKNOWABLE = /* @__PURE__ */ Uint8Array.of(1)
/** The record of the gate of the store with the prefix that follows (js/src/live/gated.ts). */
export const GATE_KIND = 4
/** The ownership document (js/src/register/level.ts). */
export const REGISTER_KIND = 5
/** By the start of a feed: who opened it, as text. */
export const OWNER_KIND = 6

/** Rows of the log that are looked at in one go. */
const ROWS_MAX = 256

export interface PollLimits {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

export function ownKey(kind: number, position?: number): Uint8Array {
  return concatBytes([OWN, Uint8Array.of(kind), ...(position === undefined ? [] : [encodePosition(position)])])
}

export function isOwn(key: Uint8Array): boolean {
  return startsWith(key, OWN)
}

export function kindOf(key: Uint8Array): number {
  return key[OWN.length] ?? -1
}

export function positionOf(key: Uint8Array): number {
  return decodePosition(key.subarray(OWN.length + 1)) ?? 0
}

export async function readRows(root: LevelDatabase, kind: number, options: object = {}): Promise<[number, Uint8Array][]> {
  const iterator = root.iterator({ ...BYTES, gt: ownKey(kind, 0), lte: ownKey(kind, Number.MAX_SAFE_INTEGER), ...options })
  const all: [number, Uint8Array][] = []
  try {
    for (;;) {
      const rows = (await iterator.nextv(1000)) as [Uint8Array, Uint8Array][]
      if (rows.length === 0) return all
      for (const [key, value] of rows) all.push([positionOf(key), value])
    }
  } finally {
    await iterator.close()
  }
}

/**
 * The changes of a range that the log holds beyond `from`, with the values of now. `at` is a
 * position that stands in the log, or `from`: what a feed has given out, the log can show.
 */
export async function readChanges(
  root: LevelDatabase,
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
  const iterator = root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, from), lte: ownKey(WRITE_KIND, upTo) })
  try {
    for (;;) {
      const rows = (await iterator.nextv(ROWS_MAX)) as [Uint8Array, Uint8Array][]
      limits.signal?.throwIfAborted()
      if (rows.length === 0) return { changes, at, caughtUp: true }
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
          if (changes.length >= limits.maxEntries) return { changes, at, caughtUp: false }
          if (i >= ahead.next) ahead = await readAhead(root, rows, wanted, i, roomFor(changes.length, bytes, limits))
          const value = ahead.values.get(key)
          bytes += key.length - prefix.length + (value?.length ?? 0)
          if (bytes > limits.maxBytes && changes.length > 0) return { changes, at, caughtUp: false }
          changes.push([key.subarray(prefix.length), value])
        }
        at = positionOf(logKey)
      }
    }
  } finally {
    await iterator.close()
  }
}

/**
 * How many values to read next. One at first, whose size is not known; then about as many as
 * still fit, by what those before took, so that few bytes are read that are not returned.
 */
function roomFor(entries: number, bytes: number, limits: PollLimits): number {
  if (entries === 0) return 1
  const fit = Math.floor((limits.maxBytes - bytes) / Math.max(1, bytes / entries))
  return Math.max(1, Math.min(fit, 4 * entries, limits.maxEntries - entries))
}

async function readAhead(
  root: LevelDatabase,
  rows: readonly [Uint8Array, Uint8Array][],
  wanted: readonly (boolean | undefined)[],
  first: number,
  count: number
): Promise<{ next: number; values: Map<Uint8Array, Uint8Array | undefined> }> {
  const keys: Uint8Array[] = []
  let next = first
  for (; next < rows.length && keys.length < count; next++) {
    if (wanted[next]) keys.push((rows[next] as [Uint8Array, Uint8Array])[1])
  }
  const values = (await root.getMany(keys, BYTES)) as (Uint8Array | undefined)[]
  return { next, values: new Map(keys.map((key, i) => [key, values[i]])) }
}
