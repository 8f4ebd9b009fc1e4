import { concatBytes, decodePosition, encodePosition, startsWith, toBytes } from './bytes.js'
import type { LevelDatabase } from './level-types.js'

/**
 * Keys of the root database with this prefix are keyhaul's own and no part of anyone's data.
 * The zero byte keeps it apart from every sublevel: a name has none.
 */
export const OWN_TEXT = '!\0keyhaul!'
export const OWN = /* @__PURE__ */ toBytes(OWN_TEXT)
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
/**
 * Beside the record of a gate: it was written, and is not gone. Empty; or the record itself, of a version
 * that had no mark beside it, until it is written next.
 */
export const BORN_KIND = 4
/** The ownership document (js/src/register/level.ts). */
export const REGISTER_KIND = 5
/** By the start of a feed: who opened it, as text. */
export const OWNER_KIND = 6
/** By the name of a lease: who holds it (js/src/register/level-leases.ts). */
export const LEASE_KIND = 7
/** The record of the gate of the store with the prefix that follows (js/src/live/gated.ts). */
export const GATE_KIND = 8

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

/** The keys of the log up to a position, a thousand at a time; the first thousand may be none. */
export async function* writesUpTo(root: LevelDatabase, position: number): AsyncGenerator<Uint8Array[]> {
  const iterator = root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, 0), lte: ownKey(WRITE_KIND, position), values: false })
  try {
    for (let isFirst = true; ; isFirst = false) {
      const rows = (await iterator.nextv(1000)) as [Uint8Array, unknown][]
      if (rows.length === 0 && !isFirst) return
      yield rows.map(([key]) => key)
    }
  } finally {
    await iterator.close()
  }
}
