import { concatBytes, toBytes } from '../stores/bytes.js'
import { BYTES, LEASE_KIND, ownKey } from '../stores/level-feed-rows.js'
import type { LevelChainedBatch, LevelDatabase } from '../stores/level-types.js'
import type { LeaseRow, LeaseRows } from './lease.js'

/**
 * The leases of a LevelDB, for as long as it is open. They stand in it too, so that who comes after a crash is told who
 * was at work; but it is open in one process at a time, so whoever is named there when it is opened is gone, and nobody waits for that one.
 */
export class LevelLeases implements LeaseRows {
  private rows: Map<string, LeaseRow> | undefined
  /** Grows with each opening. */
  private generation = 0

  /** `inTurn`: one call after the other, each with the database open. */
  constructor(
    private readonly root: LevelDatabase,
    private readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>
  ) {
    // Not `clear`, which parts of the database tell too: while it is open, what is known here is how it is.
    for (const event of ['opening', 'closing'] as const) {
      root.on(event, () => {
        this.generation++
        this.rows = undefined
      })
    }
  }

  read(name: string): Promise<LeaseRow | undefined> {
    return this.inTurn(async () => (await this.known()).get(name))
  }

  replace(name: string, known: LeaseRow | undefined, next: LeaseRow | undefined): Promise<boolean> {
    return this.inTurn(async () => {
      const rows = await this.known()
      if (rows.get(name) !== known) return false
      // Not synced: what of it a crash takes away is of nobody who is alive.
      await this.write((batch) => {
        if (next === undefined) batch.del(keyOf(name), BYTES)
        else batch.put(keyOf(name), toBytes(JSON.stringify({ holder: next.holder, heldMs: next.heldMs })), BYTES)
      })
      if (next === undefined) rows.delete(name)
      else rows.set(name, next)
      return true
    })
  }

  /** Those that an earlier process left are read once, and taken away: they are told of, and waited for by nobody. */
  private async known(): Promise<Map<string, LeaseRow>> {
    if (this.rows !== undefined) return this.rows
    const { generation } = this
    const left = await this.left()
    if (left.size > 0) {
      await this.write((batch) => {
        for (const name of left.keys()) batch.del(keyOf(name), BYTES)
      })
    }
    if (this.generation === generation) this.rows = left
    return left
  }

  private async left(): Promise<Map<string, LeaseRow>> {
    const iterator = this.root.iterator({ ...BYTES, gte: PREFIX, lt: ownKey(LEASE_KIND + 1) })
    const left = new Map<string, LeaseRow>()
    try {
      for (;;) {
        const rows = (await iterator.nextv(1000)) as [Uint8Array, Uint8Array][]
        if (rows.length === 0) return left
        for (const [key, value] of rows) left.set(text.decode(key.subarray(PREFIX.length)), read(value))
      }
    } finally {
      await iterator.close()
    }
  }

  private async write(fill: (batch: LevelChainedBatch) => void): Promise<void> {
    const batch = this.root.batch() as LevelChainedBatch
    fill(batch)
    await batch.write()
  }
}

const PREFIX = /* @__PURE__ */ ownKey(LEASE_KIND)
const text = /* @__PURE__ */ new TextDecoder()
const keyOf = (name: string): Uint8Array => concatBytes([PREFIX, toBytes(name)])

/** Whoever that was: what cannot be read is in nobody's way. */
function read(value: Uint8Array): LeaseRow {
  let known: { holder?: unknown; heldMs?: unknown } = {}
  try {
    known = Object(JSON.parse(text.decode(value)))
  } catch {
    // Written by halves, or by another version.
  }
  const { holder, heldMs } = known
  return { holder: typeof holder === 'string' ? holder : 'somebody', heldMs: typeof heldMs === 'number' ? heldMs : 0, ttlMs: 0, isGone: true }
}
