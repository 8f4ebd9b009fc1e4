import { Feeds } from './feeds.js'

/** With a way back a migration has a feed of each of its stores. */
export class FeedsByNode {
  readonly #all = new Map<number, Feeds>()
  /** The node whose feed a migration has read last, or opened first. */
  readonly #followed = new Map<number, number>()

  of(node: number): Feeds {
    const feeds = this.#all.get(node) ?? new Feeds()
    this.#all.set(node, feeds)
    return feeds
  }

  /** To read it. */
  follow(migration: number, node: number): Feeds {
    this.#followed.set(migration, node)
    return this.of(node)
  }

  /** To open it. */
  begin(migration: number, node: number): Feeds {
    if (!this.#followed.has(migration)) this.#followed.set(migration, node)
    return this.of(node)
  }

  lag(migration: number): number {
    return this.of(this.#followed.get(migration) ?? 0).lag(migration)
  }

  leave(migration: number, discard: boolean): void {
    for (const feeds of this.#all.values()) feeds.leave(migration, discard)
    this.#followed.delete(migration)
  }
}
