import { KeyhaulError } from '../errors.js'
import type { Feed, FeedPage, ScanRange, Store } from '../stores/store.js'

/** The feeds that are open, by migration. */
export class Feeds {
  private readonly open = new Map<number, Feed>()
  /** From where each was read last. */
  private readonly at = new Map<number, Uint8Array>()

  of(migration: number): Feed {
    const feed = this.open.get(migration)
    if (feed === undefined) throw new KeyhaulError('KEYHAUL_FEED_POSITION_LOST')
    return feed
  }

  poll(migration: number, after: Uint8Array, limits: Parameters<Feed['poll']>[1]): Promise<FeedPage> {
    this.at.set(migration, after)
    return this.of(migration).poll(after, limits)
  }

  lag(migration: number): number {
    return this.open.get(migration)?.behind?.(this.at.get(migration) as Uint8Array) ?? 0
  }

  /** One feed over the span of all ranges, because a migration has one position. `wanted`: still, once it is open. */
  async begin(store: Store, migration: number, ranges: readonly ScanRange[], after: Uint8Array, signal: AbortSignal, wanted: () => boolean): Promise<Feed> {
    if (store.openFeed === undefined) {
      throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it claims `feed` but has no openFeed' })
    }
    const span = { gte: ranges[0]?.gte, lt: ranges[ranges.length - 1]?.lt }
    const feed = await store.openFeed(span, { after: after.length === 0 ? undefined : after, signal })
    if (signal.aborted || !wanted()) {
      // Nobody waits for it any more; one that was only taken up again keeps its recording.
      await feed.close({ discard: after.length === 0 })
      throw new KeyhaulError('KEYHAUL_INTERRUPTED')
    }
    this.open.set(migration, feed)
    this.at.set(migration, feed.position)
    return feed
  }

  /** Ends the recording. `taken` opens a feed of an earlier process that this one never needed. */
  async discard(migration: number, taken: (() => Promise<Feed>) | undefined): Promise<void> {
    let feed = this.open.get(migration)
    try {
      feed ??= await taken?.()
    } catch (error) {
      if (error instanceof KeyhaulError && error.code === 'KEYHAUL_FEED_POSITION_LOST') return
      throw error
    }
    await feed?.close({ discard: true })
    this.open.delete(migration)
  }

  /** Without `discard` the recording goes on for whoever resumes. */
  leave(migration: number, discard: boolean): void {
    this.open.get(migration)?.close({ discard }).catch(() => {})
    this.open.delete(migration)
  }
}
