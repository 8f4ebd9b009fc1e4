import { inRange } from '../stores/bytes.js'
import type { ScanRange, Write } from '../stores/store.js'

/** No write waits longer: whoever writes has a deadline of its own. */
const WAIT_MAX_MS = 1000

/**
 * So many writes a second of the keys of a range, in the order in which they came: what a live
 * migration that cannot keep up asks of the writers. Writes of other keys pass by.
 */
export class WriteLimit {
  /** When the next one may go, by performance.now(). */
  private next = 0
  /** The last one that waits: nobody overtakes it, whatever the timers do. */
  private tail: Promise<unknown> = Promise.resolve()
  private readonly waiting = new Set<() => void>()

  /** `perSecond`: above 0. */
  constructor(
    private readonly perSecond: number,
    private readonly ranges: readonly ScanRange[]
  ) {}

  /** Resolves when it is the turn of these writes, or at once when there is no limit any more. */
  async turn(writes: readonly Write[], signal: AbortSignal | undefined): Promise<void> {
    const count = writes.reduce((sum, [key]) => sum + (this.ranges.some((range) => inRange(key, range)) ? 1 : 0), 0)
    if (count === 0) return
    const now = performance.now()
    const at = Math.max(now, this.next)
    this.next = Math.min(at + (count * 1000) / this.perSecond, now + WAIT_MAX_MS)
    if (at <= now && this.waiting.size === 0) return
    const mine = Promise.all([this.tail, this.until(at - now, signal)])
    this.tail = mine
    await mine
    signal?.throwIfAborted()
  }

  /** Lets everybody go who waits; those who come later wait again. */
  letGo(): void {
    this.next = 0
    for (const done of [...this.waiting]) done()
  }

  private until(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        this.waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
      this.waiting.add(done)
    })
  }
}
