// Pauses as they will be: a slice is moved there and back while clients write it.
import type { JournalStore } from '../journal/journal.js'
import { type GatedStore, type ShardedStore, shardedStore } from '../live/index.js'
import type { Register } from '../register/register.js'
import type { RangesInput } from '../ranges.js'
import type { Entry } from '../stores/store.js'
import { type PauseTimes, PauseWatch } from './pause-watch.js'

/** Each has one pause. With cold code in the first ones: so has a service that moves a range for the first time. */
const MOVES = 24
/** Of entries: what a call takes does not depend on how many there are; with 4,000 pauses came out no longer. */
const SLICE = 500
const IN_FLIGHT_MAX = 512

export interface CallTimes {
  /** A gate's answer behind the fence. */
  readonly p50Us: number
  /** Of twenty answers one is longer. */
  readonly p95Us: number
  /** A page of the feed, or keys looked up; 0 where nobody asked. */
  readonly answerUs: number
  readonly pauses: readonly PauseTimes[]
}

interface Moved {
  readonly from: GatedStore
  readonly to: GatedStore
  readonly register: Register
  readonly sample: readonly Entry[]
  /** Of clients in a second, in what moves. */
  readonly writes: number
  /** They write on this thread already, though not in what moves here. */
  readonly isServing: boolean
  /** How long a synced write of nobody else's takes. */
  readonly syncUs: number
  /** Moves a range from one to the other. */
  move(from: GatedStore, to: GatedStore, ranges: RangesInput, register: Register, journal?: JournalStore): Promise<unknown>
}

/** `from` owns the sample. Moves a slice of it there and back, and leaves it there. */
export async function callTimes({ from, to, register, sample, writes, isServing, syncUs, move }: Moved): Promise<CallTimes> {
  const watch = new PauseWatch()
  for (const { mover } of [from, to]) watch.watch(mover)
  const watched = watch.watched(register)
  const clients = shardedStore({ stores: { [from.name]: from, [to.name]: to }, register })
  // All of what clients write is behind the fence then, as it will be.
  const slice = sample.slice(0, SLICE)
  const stop = writer(clients, slice, isServing ? 0 : writes)
  // A fence has something to wait for and a drain has something to find all the same.
  if (isServing && writes > 0) for (const store of [from, to]) writeBeforeFence(store, slice[0] as Entry)
  const ranges = [[(slice[0] as Entry)[0], (slice[slice.length - 1] as Entry)[0]]] as const
  try {
    for (let turn = 0; turn < MOVES; turn++) {
      const journal = journalOf(syncUs)
      await (turn % 2 === 0 ? move(from, to, ranges, watched, journal) : move(to, from, ranges, watched, journal))
    }
  } finally {
    await stop()
    clients.close()
  }
  const { pauses } = watch
  const gates = sorted(pauses.flatMap(({ readFenceUs, activateUs }) => [readFenceUs, activateUs]))
  const reads = sorted(pauses.flatMap(({ drainPollUs, drainLookUs }) => [drainPollUs, drainLookUs]))
  const at = (values: readonly number[], share: number): number => values[Math.floor(values.length * share)] ?? 0
  return { p50Us: at(gates, 0.5), p95Us: at(gates, 0.95), answerUs: at(reads, 0.5), pauses }
}

/**
 * A journal that keeps its bytes nowhere and takes as long as one on that disk. Before the fence a record is waited
 * for, and what clients write meanwhile is what the drain behind the fence finds: without it some pauses had nothing
 * to write, and came out too short. A write into the store instead would be a change of its feed: one for each record, and each
 * asks for the next record.
 */
function journalOf(syncUs: number): JournalStore {
  return {
    name: 'journal of a rehearsal',
    read: async () => new Uint8Array(0),
    truncate: async () => {},
    append: () => new Promise((wake) => setTimeout(wake, syncUs / 1000)),
    close: async () => {}
  }
}

function writeBeforeFence(store: GatedStore, [key, value]: Entry): void {
  const { gate } = store.mover
  if (gate === undefined) return
  const change = gate.change.bind(gate)
  Object.assign(gate, {
    change: (call: Parameters<typeof change>[0]) => {
      // Admitted at once, or not at all; a store that fails it fails the trial too.
      if (call.verb === 'fence') store.put(key, value).catch(() => {})
      return change(call)
    }
  })
}

/** Of those that were asked for. */
const sorted = (values: readonly number[]): number[] => values.filter((us) => us > 0).sort((a, b) => a - b)

/** Puts at a steady rate, whatever they take. The returned function ends it, and throws what a put did. */
function writer(clients: ShardedStore, sample: readonly Entry[], perSecond: number): () => Promise<void> {
  const began = performance.now()
  const pending = new Set<Promise<void>>()
  let [done, at, failed] = [0, 0, undefined as { readonly error: unknown } | undefined]
  const timer = setInterval(() => {
    const due = ((performance.now() - began) * perSecond) / 1000
    // What is not begun in time is not made up for.
    for (; done < due && pending.size < IN_FLIGHT_MAX; done++) {
      at = (at + 7919) % sample.length
      const [key, value] = sample[at] as Entry
      const one: Promise<void> = clients.put(key, value).then(() => void pending.delete(one), (error: unknown) => {
        pending.delete(one)
        failed ??= { error }
      })
      pending.add(one)
    }
    done = Math.max(done, Math.floor(due))
  }, 1)
  return async () => {
    clearInterval(timer)
    await Promise.all(pending)
    if (failed !== undefined) throw failed.error
  }
}
