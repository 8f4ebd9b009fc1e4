/** Every so many positions one is remembered. */
const EVERY = 16

/**
 * How many positions lie above one, about: positions are times, so their difference says nothing
 * of that. Of an earlier process nothing is known.
 */
export class PositionCounts {
  private positions: number[] = []
  private counts: number[] = []
  private total = 0
  private last = 0

  /** Ascending. */
  add(position: number): void {
    this.last = position
    if (this.total++ % EVERY !== 0) return
    this.positions.push(position)
    this.counts.push(this.total - 1)
  }

  above(position: number): number {
    if (position >= this.last) return 0
    const at = this.firstAbove(position)
    const next = this.counts[at] ?? this.total
    const before = this.counts[at - 1]
    // Somewhere between the two.
    return this.total - (before === undefined ? next : Math.round((before + 1 + next) / 2))
  }

  /** Nobody asks for these again. */
  drop(upTo: number): void {
    const at = this.firstAbove(upTo) - 1
    if (at < 256) return
    this.positions = this.positions.slice(at)
    this.counts = this.counts.slice(at)
  }

  private firstAbove(position: number): number {
    let [low, high] = [0, this.positions.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.positions[middle] as number) <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
