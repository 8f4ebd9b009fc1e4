import { concatBytes, decodeFeedPosition, encodeFeedPosition, toBytes } from './bytes.js'
import { BYTES, FEEDS_KEY, OWNER_KIND, ownKey, positionOf, readRows, WRITE_KIND } from './level-feed-rows.js'
import type { LevelChainedBatch, LevelDatabase } from './level-types.js'

/** A feed that a database keeps changes for, whichever process opened it. */
export interface OpenFeed {
  /** In this database; for closeFeed(). */
  readonly id: string
  /** What `openFeed` was given: `claim …` of a live migration, `journal …` of another with a journal. */
  readonly owner: string | undefined
  readonly openedAt: Date
  /** This process opened it or took it up, and did not close it since. */
  readonly inUse: boolean
  /** Changes in the log that are kept for it; some may be kept for others too. */
  readonly changes: number
  /** Of the keys of these changes; values are not in the log. */
  readonly bytes: number
}

/**
 * The feeds that are open, also those of an earlier process, and their records: one of all of
 * them, and for each that has an owner a row with its name. What was written before there were
 * owners has the first only; what reads it so leaves the rows, so there may be one of a closed feed.
 */
export class OpenFeeds {
  /** start -> oldest position still held */
  private readonly floors = new Map<number, number>()
  private readonly owners = new Map<number, string>()
  /** How many in this process hold each. */
  private readonly holders = new Map<number, number>()
  /** Rows of feeds that are closed. */
  private readonly stale: number[] = []

  get size(): number {
    return this.floors.size
  }
  has(start: number): boolean {
    return this.floors.has(start)
  }
  floorOf(start: number): number | undefined {
    return this.floors.get(start)
  }
  ownerOf(start: number): string | undefined {
    return this.owners.get(start)
  }
  /** The oldest position that anybody may ask for; nothing where no feed is open. */
  get floor(): number | undefined {
    return this.size === 0 ? undefined : Math.min(...this.floors.values())
  }
  /** Every position that stands in the records. */
  get positions(): number[] {
    return [...this.floors].flat()
  }
  get starts(): number[] {
    return [...this.floors.keys()]
  }
  ownedBy(owner: string): number[] {
    return this.starts.filter((start) => this.owners.get(start) === owner)
  }

  set(start: number, floor: number): void {
    this.floors.set(start, floor)
  }
  setOwner(start: number, owner: string): void {
    if (this.floors.has(start)) this.owners.set(start, owner)
  }
  delete(start: number): void {
    this.floors.delete(start)
    this.owners.delete(start)
  }

  hold(start: number, by: 1 | -1): void {
    this.holders.set(start, (this.holders.get(start) ?? 0) + by)
    if (this.holders.get(start) === 0) this.holders.delete(start)
  }

  async read(root: LevelDatabase): Promise<void> {
    const [record] = (await root.getMany([FEEDS_KEY], BYTES)) as (Uint8Array | undefined)[]
    for (let i = 0; record !== undefined && i + 16 <= record.length; i += 16) {
      const feed = decodeFeedPosition(record.subarray(i, i + 16))
      if (feed !== undefined) this.floors.set(feed.start, feed.at)
    }
    const decoder = new TextDecoder()
    for (const [start, owner] of await readRows(root, OWNER_KIND)) {
      if (this.floors.has(start)) this.owners.set(start, decoder.decode(owner))
      else this.stale.push(start)
    }
  }

  /** As they are, except those that are about to be closed. */
  put(batch: LevelChainedBatch, closing: readonly number[] = []): void {
    const left = [...this.floors].filter(([start]) => !closing.includes(start))
    if (left.length === 0) batch.del(FEEDS_KEY, BYTES)
    else batch.put(FEEDS_KEY, concatBytes(left.map(([start, floor]) => encodeFeedPosition(start, floor))), BYTES)
    for (const start of [...this.stale, ...closing.filter((one) => this.owners.has(one))]) batch.del(ownKey(OWNER_KIND, start), BYTES)
  }

  putOwner(batch: LevelChainedBatch, start: number, owner: string): void {
    batch.put(ownKey(OWNER_KIND, start), toBytes(owner), BYTES)
  }

  /** After something that may have swept them away. */
  putAll(batch: LevelChainedBatch): void {
    this.put(batch)
    for (const [start, owner] of this.owners) this.putOwner(batch, start, owner)
  }

  /** The oldest first. Reads the log once. */
  async list(root: LevelDatabase): Promise<OpenFeed[]> {
    const all = [...this.floors].sort(([a], [b]) => a - b).map(([start, floor]) => ({ start, floor, changes: 0, bytes: 0 }))
    const iterator = root.iterator({ ...BYTES, gt: ownKey(WRITE_KIND, this.floor ?? 0), lte: ownKey(WRITE_KIND, Number.MAX_SAFE_INTEGER) })
    try {
      for (;;) {
        const rows = all.length === 0 ? [] : ((await iterator.nextv(1000)) as [Uint8Array, Uint8Array][])
        if (rows.length === 0) break
        for (const [key, changed] of rows) {
          for (const feed of all) {
            if (positionOf(key) <= feed.floor) continue
            feed.changes++
            feed.bytes += changed.length
          }
        }
      }
    } finally {
      await iterator.close()
    }
    return all.map(({ start, changes, bytes }) => {
      const about = { owner: this.owners.get(start), openedAt: new Date(start / 1000), inUse: this.holders.has(start) }
      return { id: String(start), ...about, changes, bytes }
    })
  }
}
