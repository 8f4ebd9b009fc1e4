import { KeyhaulError } from '../errors.js'
import { toBytes } from '../stores/bytes.js'
import type { Write } from '../stores/store.js'

type Given = string | Uint8Array
type GivenWrite = readonly [Given, Given | undefined]

/** Of lists of copies that were made here: on its way to its store a call passes more than one that would make them. */
const COPIED: unique symbol = Symbol('copied')
const isCopied = (list: object): boolean => (list as { [COPIED]?: boolean })[COPIED] === true

/** These are nobody else's. */
export function copied<T extends object>(list: T): T {
  ;(list as { [COPIED]?: boolean })[COPIED] = true
  return list
}

/**
 * A key or a value of a client, as it is now: a Level has taken it in when its call returns, and whoever fills one buffer
 * again and again would else write the last for all, or under a key that no gate was asked about. Of anything but text
 * and bytes nothing may come, least of all the delete that `undefined` means in a batch.
 */
export function clientBytes(given: Given): Uint8Array {
  try {
    const bytes = toBytes(given)
    if (bytes !== given) return bytes
    // A quarter of the time, where there are Buffers.
    return typeof Buffer === 'undefined' ? new Uint8Array(bytes) : Buffer.from(bytes)
  } catch (cause) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'a key, and a value, is text or a Uint8Array', cause })
  }
}

export function clientKeys(keys: readonly Given[]): readonly Uint8Array[] {
  return isCopied(keys) ? (keys as readonly Uint8Array[]) : copied(keys.map((key) => clientBytes(key)))
}

export function clientWrites(writes: readonly GivenWrite[]): readonly Write[] {
  if (isCopied(writes)) return writes as readonly Write[]
  return copied(writes.map(([key, value]): Write => [clientBytes(key), value === undefined ? undefined : clientBytes(value)]))
}
