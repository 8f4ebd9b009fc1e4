import { KeyhaulError } from '../errors.js'
import { toHex } from '../stores/bytes.js'
import type { Feed, FeedPage, ScanRange, Store } from '../stores/store.js'

/** Whose feed it is. */
export interface FeedUser {
  readonly ranges: readonly ScanRange[]
  readonly live: { readonly claim: Uint8Array } | undefined
  readonly journal: { readonly identity?: string } | undefined
  readonly to: Store
}

/** Who comes after a crash finds its feeds by it. */
const nameOf = ({ live, journal }: FeedUser): string | undefined => (live ? `claim ${toHex(live.claim)}` : journal?.identity)

/** Both stores may be parts of one database, and an owner has one feed there. Only a live migration has one of its target. */
function ownerOf(run: FeedUser, store: Store): string | undefined {
  const name = nameOf(run)
  return name !== undefined && store === run.to ? `${name}, the way back` : name
}

/** `at`: from where it was read last. */
interface Open {
  readonly feed: Feed
  at: Uint8Array
}

/** The feeds that are open, by migration. */
export class Feeds {
  readonly #open = new Map<number, Open>()

  of(migration: number): Open {
    const open = this.#open.get(migration)
    if (open === undefined) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST')
    return open
  }

  poll(migration: number, after: Uint8Array, limits: Parameters<Feed['poll']>[1]): Promise<FeedPage> {
    const open = this.of(migration)
    open.at = after
    return open.feed.poll(after, limits)
  }

  lag(migration: number): number {
    const open = this.#open.get(migration)
    return open?.feed.behind?.(open.at) ?? 0
  }

  /** One feed over the span of all ranges, because a migration has one position. `wanted`: still, once it is open. */
  async begin(store: Store, migration: number, run: FeedUser, after: Uint8Array, signal: AbortSignal, wanted: () => boolean): Promise<Feed> {
    if (store.openFeed === undefined) {
      throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it claims `feed` but has no openFeed' })
    }
    const { ranges } = run
    const isNew = after.length === 0
    const feed = await store.openFeed({ gte: ranges[0]?.gte, lt: ranges.at(-1)?.lt }, { after: isNew ? undefined : after, owner: ownerOf(run, store), signal })
    if (signal.aborted || !wanted()) {
      // Nobody waits for it any more; one that was only taken up again keeps its recording.
      await feed.close({ discard: isNew })
      throw new KeyhaulError('KEYHAUL_INTERRUPTED')
    }
    this.#open.set(migration, { feed, at: feed.position })
    return feed
  }

  /**
   * Ends the recording. Where this process has no feed of the migration, `take` takes up one of an
   * earlier process, at the first of these positions that is not lost.
   */
  async discard(migration: number, run: FeedUser, after: Uint8Array, take: (after: Uint8Array) => Promise<unknown>): Promise<void> {
    // A new one will do as well for an owner: it ends the one that nobody knows of.
    for (const at of nameOf(run) === undefined ? [after] : [after, new Uint8Array(0)]) {
      if (!this.#open.has(migration) && (at !== after || at.length > 0)) await take(at).catch(unlessLost)
    }
    await this.#open.get(migration)?.feed.close({ discard: true })
    this.#open.delete(migration)
  }

  /** Without `discard` the recording goes on for whoever resumes. */
  leave(migration: number, discard: boolean): void {
    this.#open.get(migration)?.feed.close({ discard }).catch(() => {})
    this.#open.delete(migration)
  }
}

function unlessLost(error: { code?: unknown }): void {
  if (error.code !== 'KEYHAUL_FEED_POSITION_LOST') throw error
}
