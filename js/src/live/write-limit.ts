import { compareBytes } from '../stores/bytes.js'
import type { ScanRange, Write } from '../stores/store.js'

/**
 * So many writes a second of the keys of a range, in the order in which they came: what a live
 * migration that cannot keep up asks of the writers. Writes of other keys pass by.
 */
export class WriteLimit {
  /** When the next one may go, by performance.now(). */
  private next = 0
  private readonly released: Promise<void>
  private release!: () => void

  /** `perSecond`: above 0. */
  constructor(
    private readonly perSecond: number,
    private readonly ranges: readonly ScanRange[]
  ) {
    this.released = new Promise((resolve) => {
      this.release = resolve
    })
  }

  /** When it is the turn of these writes, or at once when there is no limit any more. */
  async turn(writes: readonly Write[]): Promise<void> {
    const count = writes.reduce((sum, [key]) => sum + (this.covers(key) ? 1 : 0), 0)
    if (count === 0) return
    const now = performance.now()
    const at = Math.max(now, this.next)
    this.next = at + (count * 1000) / this.perSecond
    if (at <= now) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const due = new Promise<void>((wake) => {
      timer = setTimeout(wake, at - now)
    })
    await Promise.race([due, this.released])
    clearTimeout(timer)
  }

  /** Lets everybody go who waits. */
  end(): void {
    this.release()
  }

  private covers(key: Uint8Array): boolean {
    return this.ranges.some(({ gte, lt }) => (gte === undefined || compareBytes(gte, key) <= 0) && (lt === undefined || compareBytes(key, lt) < 0))
  }
}
