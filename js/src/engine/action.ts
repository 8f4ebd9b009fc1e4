import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'
import type { ScanRange } from '../stores/store.js'

/** Of core/include/keyhaul/engine.h. */
export const ActionKind = {
  scan: 1,
  apply: 2,
  journal: 3,
  openFeed: 4,
  pollFeed: 5,
  trimFeed: 6,
  closeFeed: 7,
  abort: 8,
  estimate: 9,
  read: 10,
  gate: 11,
  registerRead: 12,
  registerSwap: 13
} as const

export interface Action {
  kind: number
  durable: boolean
  keep: boolean
  guarded: boolean
  ifNewer: boolean
  /** Of its migration: higher while it cannot keep up. */
  priority: number
  migration: number
  node: number
  op: number
  reusesOp: number
  payload: Uint8Array
  address: number
  bytes: number
  count: number
  limitBytes: number
  cleanUp: boolean
  verb: number
  epoch: number
  coordEpoch: number
  /** Where it begins, for messages. */
  key?: Uint8Array | undefined
}

export function readRange(payload: Uint8Array): ScanRange {
  const words = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const low = words.getUint32(0, true)
  const high = words.getUint32(4, true)
  const gte = low === 0 ? undefined : payload.slice(8, 8 + low)
  return { gte, lt: high === 0xffffffff ? undefined : payload.slice(8 + low, 8 + low + high) }
}

/**
 * What V8, SpiderMonkey, JavaScriptCore and Node say of a mistake in a program. A network that fails is a TypeError
 * too, as of `fetch`, with a cause or in other words, and may be there again: that is none.
 */
const MISTAKE = /\bis (not (an? |iterable|defined)|undefined|null)|^the adapter |^can(no|')t (read|set|access|convert|destructure) |\bmust be (of|an) /i

function isMistake({ name, message, cause }: Error): boolean {
  return name === 'ReferenceError' || (name === 'TypeError' && cause === undefined && MISTAKE.test(message))
}

export function toKeyhaulError(error: unknown, store: string | undefined, { kind, key }: Action): KeyhaulError {
  if (error instanceof KeyhaulError) return error
  const ofStore: KeyhaulErrorCode = 'KEYHAUL_STORE_FAILED'
  const code = kind === ActionKind.journal ? 'KEYHAUL_JOURNAL_WRITE_FAILED' : kind >= ActionKind.registerRead ? 'KEYHAUL_REGISTER_FAILED' : ofStore
  const message = error instanceof Error ? error.message : String(error)
  // A gate is asked again, whatever it says: writers may be waiting for it.
  if (code === ofStore && kind !== ActionKind.gate && error instanceof Error && isMistake(error)) {
    return new KeyhaulError('KEYHAUL_STORE_FAULTY', { message: `${error.name}: ${message}; mend it, then resume`, store, key, cause: error })
  }
  return new KeyhaulError(code, { message, store, key, cause: error })
}
