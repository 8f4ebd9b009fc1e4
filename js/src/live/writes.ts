import type { WritersReceipt } from '../receipt.js'
import { inRange } from '../stores/bytes.js'
import type { ScanRange, Store } from '../stores/store.js'

/** Of what was written before a migration began so many whole seconds are looked at. */
const SECONDS = 10
/** And the one that is not over. */
const SLOTS = SECONDS + 1
/** Waits are counted in steps of a ninth: eight to the double, from 1/16 ms to four minutes. */
const STEPS = 8
const LEAST_PER_MS = 16
const BUCKETS = 22 * STEPS

/** How long writes had to wait, in little memory however many there were. */
export class Waits {
  count = 0
  maxMs = 0
  private readonly counts = new Uint32Array(BUCKETS)

  /** Below 0 where a write was tried last before it began to wait, as one that nobody takes any more. */
  add(given: number): void {
    const ms = Math.max(given, 0)
    const at = Math.min(Math.max(Math.ceil(Math.log2(ms * LEAST_PER_MS) * STEPS), 0), BUCKETS - 1)
    this.counts[at] = (this.counts[at] as number) + 1
    this.count++
    this.maxMs = Math.max(this.maxMs, ms)
  }

  /** So long, or up to a tenth shorter, that share of the waits was at most; 0 where nobody waited. */
  quantileMs(share: number): number {
    let left = Math.ceil(this.count * share)
    for (const [at, count] of this.counts.entries()) {
      left -= count
      if (left <= 0 && at < BUCKETS - 1) return Math.min(2 ** (at / STEPS) / LEAST_PER_MS, this.maxMs)
    }
    return this.maxMs
  }
}

/** What the clients of a store write: all of it as a number, and the last seconds. */
export class WriteMeter {
  total = 0
  readonly watches = new Set<WriteWatch>()
  private readonly keys = new Uint32Array(SLOTS)
  private readonly seconds = new Uint32Array(SLOTS)

  constructor(private readonly since = performance.now()) {}

  /** So many keys were written. */
  add(keys: number, now = performance.now()): void {
    this.total += keys
    const second = Math.floor(now / 1000)
    const at = second % SLOTS
    if (this.seconds[at] !== second) {
      this.seconds[at] = second
      this.keys[at] = 0
    }
    this.keys[at] = (this.keys[at] as number) + keys
  }

  /**
   * The median of the last ten seconds, so that a bulk fill of less than five of them is taken for no load;
   * nothing where not all of them are known.
   */
  perSecond(now = performance.now()): number | undefined {
    const first = Math.floor(now / 1000) - SECONDS
    if (this.since > first * 1000) return undefined
    const each = Array.from({ length: SECONDS }, (_, i) => {
      const at = (first + i) % SLOTS
      return this.seconds[at] === first + i ? (this.keys[at] as number) : 0
    }).sort((a, b) => a - b)
    return ((each[SECONDS / 2 - 1] as number) + (each[SECONDS / 2] as number)) / 2
  }

  /** A write of the key waits for the end of a fence, to the moment that the returned function is told. */
  waits(key: Uint8Array): (until: number) => void {
    const since = performance.now()
    const all = [...this.watches]
    const concerned = all.filter((watch) => watch.covers(key))
    // A batch waits for another key than its first.
    const ends = (concerned.length > 0 ? concerned : all).map((watch) => watch.begin(since))
    return (until) => {
      for (const end of ends) end(until)
    }
  }
}

/** What a migration's clients notice of it, from now on. */
export class WriteWatch {
  private readonly before: readonly (number | undefined)[]
  private readonly totals: readonly number[]
  private readonly waits = new Waits()
  private readonly waiting = new Set<{ readonly since: number }>()

  constructor(
    private readonly meters: readonly WriteMeter[],
    private readonly ranges: readonly ScanRange[],
    private readonly began = performance.now()
  ) {
    this.before = meters.map((meter) => meter.perSecond(this.began))
    this.totals = meters.map(({ total }) => total)
    for (const meter of meters) meter.watches.add(this)
  }

  covers(key: Uint8Array): boolean {
    return this.ranges.some((range) => inRange(key, range))
  }

  begin(since: number): (until: number) => void {
    const one = { since }
    this.waiting.add(one)
    return (until) => {
      if (this.waiting.delete(one)) this.waits.add(until - since)
    }
  }

  /** Counts no more. Who waits yet has waited to now. */
  end(): WritersReceipt {
    const now = performance.now()
    for (const meter of this.meters) meter.watches.delete(this)
    for (const { since } of this.waiting) this.waits.add(now - since)
    this.waiting.clear()
    const written = this.meters.reduce((sum, { total }, i) => sum + total - (this.totals[i] as number), 0)
    const before = this.before.reduce((sum, one) => (sum === undefined || one === undefined ? undefined : sum + one), 0)
    return {
      waited: this.waits.count,
      waitedP50Ms: rounded(this.waits.quantileMs(0.5)),
      waitedP99Ms: rounded(this.waits.quantileMs(0.99)),
      waitedMaxMs: rounded(this.waits.maxMs),
      ...(before === undefined ? {} : { perSecondBefore: rounded(before) }),
      perSecondDuring: rounded((written * 1000) / Math.max(now - this.began, 1))
    }
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100

/** Begins to count; nothing where one of the two stores does not count what its clients write. The function ends it, and may be called again. */
export function watchWrites(from: Store, to: Store, ranges: readonly ScanRange[]): (() => WritersReceipt) | undefined {
  const meters = [from, to].flatMap(({ gate }) => (gate?.meter instanceof WriteMeter ? gate.meter : []))
  if (meters.length < 2) return undefined
  const watch = new WriteWatch(meters, ranges)
  return () => watch.end()
}
