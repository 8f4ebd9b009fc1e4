// What gates take to answer while clients write: of a pause that is most. Asked alone, one by one, a store is several times
// as quick as behind a fence, where what clients have under way is in front of it and their promises share the thread.
import { type GatedStore, type ShardedStore, shardedStore } from '../live/index.js'
import type { Register } from '../register/register.js'
import type { RangesInput } from '../ranges.js'
import type { Entry, Store } from '../stores/store.js'

/** Each asks the gates five times. */
const MOVES = 8
/** Of entries: what a call takes does not depend on how many there are. */
const SLICE = 500
const IN_FLIGHT_MAX = 512

export interface CallTimes {
  readonly p50Us: number
  /** Of twenty calls one is longer. */
  readonly p95Us: number
}

interface Moved {
  readonly from: GatedStore
  readonly to: GatedStore
  readonly register: Register
  readonly sample: readonly Entry[]
  /** Of clients in a second; they write all keys of the sample alike. */
  readonly writes: number
  /** Moves a range from one to the other. */
  move(from: GatedStore, to: GatedStore, ranges: RangesInput): Promise<unknown>
}

/** `from` owns the sample. Moves a slice of it there and back, and leaves it there. */
export async function callTimes({ from, to, register, sample, writes, move }: Moved): Promise<CallTimes> {
  const took: number[] = []
  for (const { mover } of [from, to]) timeGate(mover, took)
  const clients = shardedStore({ stores: { [from.name]: from, [to.name]: to }, register })
  const stop = writer(clients, sample, writes)
  const slice = [[(sample[0] as Entry)[0], (sample[Math.min(SLICE, sample.length) - 1] as Entry)[0]]] as const
  try {
    for (let turn = 0; turn < MOVES; turn++) {
      // The first call of a kind is in cold code.
      if (turn === 2) took.length = 0
      await (turn % 2 === 0 ? move(from, to, slice) : move(to, from, slice))
    }
  } finally {
    await stop()
    clients.close()
  }
  took.sort((a, b) => a - b)
  const at = (share: number): number => Math.round((took[Math.floor(took.length * share)] as number) * 1000)
  return { p50Us: at(0.5), p95Us: at(0.95) }
}

function timeGate({ gate }: Store, took: number[]): void {
  if (gate === undefined) return
  const change = gate.change.bind(gate)
  Object.assign(gate, {
    change: async (call: Parameters<typeof change>[0]) => {
      const began = performance.now()
      await change(call)
      took.push(performance.now() - began)
    }
  })
}

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
