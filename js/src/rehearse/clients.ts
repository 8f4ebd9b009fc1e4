// What clients do to a source, and what it costs.
import { KeyhaulError } from '../errors.js'
import { inAny } from '../ranges.js'
import type { Entry, Feed, ScanRange, Store } from '../stores/store.js'

const CHANGES = 2_000
const TRIALS = 3
/** Of a key that is written twice in between, one is seen. */
const WATCH_EVERY_MS = 20
const OWNER = 'rehearsal'

/** Of a store: the last that watches its writers, or waits for its turn to. */
const watching = new Map<unknown, Promise<unknown>>()

/**
 * How many keys of the ranges are written in a second; where they are written faster than they are followed, about.
 * Rehearsals of one store watch it one after the other: an owner has one feed, and theirs have one, so that
 * a killed one leaves none for ever.
 */
export async function watchWriters(from: Store, ranges: readonly ScanRange[], ms: number, signal: AbortSignal | undefined): Promise<number> {
  signal?.throwIfAborted()
  const { identity } = from
  const turn = (watching.get(identity) ?? Promise.resolve()).then(() => {
    signal?.throwIfAborted()
    return watch(from, ranges, ms, signal)
  })
  const end = turn.catch(() => {}).then(() => {
    if (watching.get(identity) === end) watching.delete(identity)
  })
  watching.set(identity, end)
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal?.reason as Error)
    signal?.addEventListener('abort', giveUp, { once: true })
    turn.then(resolve, reject).finally(() => signal?.removeEventListener('abort', giveUp))
  })
}

async function watch(from: Store, ranges: readonly ScanRange[], ms: number, signal: AbortSignal | undefined): Promise<number> {
  const feed = await openFeed(from, signal)
  try {
    const began = performance.now()
    let [seen, changes, position] = [0, 0, feed.position]
    const isOver = (): boolean => performance.now() - began >= ms
    for (;;) {
      await new Promise((wake) => setTimeout(wake, WATCH_EVERY_MS))
      let caughtUp = false
      // Not longer than was asked for: it is the thread of the service. Once at least: who never looked, as where that thread was busy, knows of no writer.
      do {
        const page = await feed.poll(position, { maxEntries: 2048, maxBytes: 1 << 20, signal })
        seen += page.changes.length
        changes += page.changes.filter(([key]) => inAny(key, ranges)).length
        position = page.position
        caughtUp = page.caughtUp
      } while (!caughtUp && !isOver())
      if (isOver()) {
        // As many of what nobody has looked at lie in the ranges as of the rest.
        const unseen = caughtUp ? 0 : ((feed.behind?.(position) ?? 0) * changes) / Math.max(seen, 1)
        return Math.round(((changes + unseen) * 1000) / (performance.now() - began))
      }
      await feed.trim?.(position)
    }
  } finally {
    await feed.close({ discard: true })
  }
}

/** What an earlier rehearsal left, if it was killed, ends with the next. */
async function openFeed(source: Store, signal: AbortSignal | undefined): Promise<Feed> {
  if (source.openFeed === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: source.name, message: 'it has no feed; make it with levelStore(db, { feed: true })' })
  return source.openFeed({}, { owner: OWNER, signal })
}

/** What clients' writes cost while a feed records them, and what it costs to follow. */
export async function clients(source: Store, sample: readonly Entry[], signal: AbortSignal | undefined): Promise<{ feedNs: number; putNs: number }> {
  const feed = await openFeed(source, signal)
  const writes = Array.from({ length: CHANGES }, (_, i) => sample[(i * 7919) % sample.length] as Entry)
  const put = async (): Promise<void> => {
    for (let at = 0; at < CHANGES; at += 16) await Promise.all(writes.slice(at, at + 16).map((entry) => source.apply([entry], { durable: false, signal })))
  }
  let position = feed.position
  const poll = async (): Promise<number> => {
    let changes = 0
    const ms = await timed(async () => {
      for (let caughtUp = false; !caughtUp; ) {
        const page = await feed.poll(position, { maxEntries: 2048, maxBytes: 65_536, signal })
        changes += page.changes.length
        position = page.position
        caughtUp = page.caughtUp
      }
    })
    return (ms * 1e6) / Math.max(1, changes)
  }
  let [putMs, feedNs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  // Each its own fastest: of one turn the other may have been held up.
  for (let turn = 0; turn < TRIALS; turn++) {
    putMs = Math.min(putMs, await busy(put))
    feedNs = Math.min(feedNs, await poll())
  }
  await feed.close({ discard: true })
  return { putNs: Math.max(1, Math.round((putMs * 1e6) / CHANGES)), feedNs: Math.max(1, Math.round(feedNs)) }
}

/** The first time code is cold, and a long migration is not. */
export async function fastest<T>(trial: (turn: number) => Promise<T>, of: (result: T) => number): Promise<T> {
  let best = await trial(0)
  for (let turn = 1; turn < TRIALS; turn++) {
    const next = await trial(turn)
    if (of(next) < of(best)) best = next
  }
  return best
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

interface Utilization {
  readonly active: number
}

/** Of that, what the thread was at work, where the platform tells: not while a store's own threads were. */
async function busy(work: () => Promise<unknown>): Promise<number> {
  const { eventLoopUtilization: look } = performance as { eventLoopUtilization?: (since?: Utilization) => Utilization }
  const before = look?.call(performance)
  const ms = await timed(work)
  return look === undefined ? ms : Math.min(ms, look.call(performance, before).active)
}
