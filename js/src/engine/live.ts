import { KeyhaulError } from '../errors.js'
import type { OperatorFence } from '../live/operator.js'
import type { WritersReceipt } from '../receipt.js'
import type { Migration } from '../migration.js'
import type { Lease, Register } from '../register/register.js'
import type { Entry, GateVerb, ScanRange, Store, Write } from '../stores/store.js'
import { type Action, ActionKind } from './action.js'
import { newerOf } from './guarded.js'

/** What a live migration has besides its stores. */
export interface LiveRun {
  readonly claim: Uint8Array
  /** Names of the stores: clients are sent on from each to the other. */
  readonly source: string
  readonly target: string
  readonly register: Register
  /** Of the thread's time, while clients are served. */
  readonly share: number
  /** Level 2: it stands for the source's gate. */
  readonly fence: OperatorFence | undefined
  /** Ends the count of what clients notice, where it was begun. */
  writes?: (() => WritersReceipt) | undefined
  /** Of one that was resumed: who has it is at work on it. */
  lease?: Lease | undefined
  /** Told of the migration once it runs. */
  readonly watch: (migration: Migration) => void
  /** The register's document as it was read last: what refuses a claim stands in it. */
  seen?: Uint8Array
}

/** GateVerb of core/include/keyhaul/gate.h, from 1. */
const VERBS: readonly GateVerb[] = ['assign', 'prepare', 'fence', 'fenceReads', 'unfence', 'redirect', 'activate', 'discard', 'inspect', 'restage']

interface Answer {
  count: number
  version: number
  document: Uint8Array
}
const NONE = /* @__PURE__ */ new Uint8Array(0)

/** What only a live migration asks for: a register's answer, the entries of keys, or nothing. */
export async function carryOut(action: Action, store: Store, live: LiveRun | undefined, ranges: readonly ScanRange[], signal: AbortSignal): Promise<Answer | Entry[] | undefined> {
  if (live === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED')
  switch (action.kind) {
    case ActionKind.registerRead:
      return readRegister(live)
    case ActionKind.registerSwap:
      return swapRegister(live, action)
    case ActionKind.read:
      return readKeys(store, action, signal)
    case ActionKind.gate:
      return void (await changeGate(store, action, live, ranges))
  }
  throw new Error(`keyhaul: unknown action ${action.kind} from the core; glue and module do not match`)
}

async function readRegister(live: LiveRun): Promise<Answer> {
  const { version, document } = await live.register.read()
  live.seen = document
  return { count: 0, version, document }
}

async function swapRegister(live: LiveRun, { epoch, payload }: Action): Promise<Answer> {
  const { swapped, version, document } = await live.register.compareAndSet(epoch, payload)
  live.seen = document
  return swapped ? { count: 1, version, document: NONE } : { count: 0, version, document }
}

export async function writeLive(store: Store, writes: readonly Write[], action: Action, live: LiveRun, ranges: readonly ScanRange[], signal: AbortSignal): Promise<void> {
  const { durable, coordEpoch, epoch } = action
  const about = action.cleanUp ? { cleanUp: { epoch } } : { staged: { claim: live.claim, coordEpoch, ranges } }
  const given = { durable, signal, ...about }
  // Nobody else writes what is staged.
  await (action.ifNewer ? newerOf(store)(writes, { ...given, deletes: true }) : store.apply(writes, given))
}

/** The entries of single keys that are there. */
async function readKeys(store: Store, { payload, count }: Action, signal: AbortSignal): Promise<Entry[]> {
  if (store.getMany === undefined) throw unsupported(store, 'getMany')
  const words = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const keys: Uint8Array[] = []
  for (let at = 0; keys.length < count; ) {
    const end = at + 4 + words.getUint32(at, true)
    keys.push(payload.subarray(at + 4, end))
    at = end
  }
  const values = await store.getMany(keys, { signal })
  return keys.flatMap((key, i): Entry[] => {
    const value = values[i]
    return value === undefined ? [] : [[key, value]]
  })
}

async function changeGate(store: Store, action: Action, live: LiveRun, ranges: readonly ScanRange[]): Promise<void> {
  if (store.gate === undefined) throw unsupported(store, 'gate')
  const { claim } = live
  const target = store.name === live.target ? live.source : live.target
  const { coordEpoch, epoch } = action
  await store.gate.change({ verb: VERBS[action.verb - 1] as GateVerb, claim, coordEpoch, epoch, target, ranges })
}

function unsupported({ name }: Store, what: string): KeyhaulError {
  return new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: name, message: `it has no ${what}; wrap it with gatedStore()` })
}
