import { IN_FLIGHT_MS, type LevelTap } from './level-tap.js'

/** Positions given out to writes that have not landed, ascending, and since when. */
export class PositionsInFlight {
  private readonly since = new Map<number, number>()

  constructor(private readonly tap: LevelTap) {}

  add(position: number, since = performance.now()): void {
    this.since.set(position, since)
  }

  /** False: it was not under way. */
  delete(position: number): boolean {
    return this.since.delete(position)
  }

  /**
   * Waits until every write that was under way at `upTo` has landed, failed or taken too long, and
   * gives the latter. Without it a poll would pass a slow write, or stand still behind it.
   */
  async slow(upTo: number, signal: AbortSignal | undefined): Promise<number[]> {
    for (;;) {
      signal?.throwIfAborted()
      let longest = 0
      const slow: number[] = []
      for (const [position, since] of this.since) {
        if (position > upTo) break
        const left = since + IN_FLIGHT_MS - performance.now()
        if (left > 0) longest = Math.max(longest, left)
        else slow.push(position)
      }
      if (longest === 0) return slow
      await this.tap.nextLanding(longest)
    }
  }
}
