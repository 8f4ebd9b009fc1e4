import { KeyhaulError } from '../errors.js'
import { compareBytes } from './bytes.js'

/** Versions of one store are of one kind: numbers and bigints by size, bytes by their order. */
export type Version = bigint | number | Uint8Array

/**
 * Reads the version of an entry out of its value: a sequence number, or a hybrid logical clock as its
 * bytes. Nothing: it has none, and is older than whatever has one. A tombstone is a value as any other.
 */
export type VersionOf = (value: Uint8Array, key: Uint8Array) => Version | undefined

/** Positive where the first value is the newer one of a key, 0 where both have one version; a value that is not there is older than any. */
export type CompareVersions = (key: Uint8Array, a: Uint8Array, b: Uint8Array | undefined) => number

export function compareVersions(versionOf: VersionOf, store: string): CompareVersions {
  const read = (key: Uint8Array, value: Uint8Array): Version | undefined => {
    let version: Version | undefined
    try {
      version = versionOf(value, key)
    } catch (cause) {
      throw bad(store, key, `threw: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    }
    const isOne = version === undefined || version instanceof Uint8Array || typeof version === 'bigint' || (typeof version === 'number' && !Number.isNaN(version))
    if (!isOne) throw bad(store, key, `gave ${String(version)}; it must be a bigint, a number or a Uint8Array`)
    return version
  }
  return (key, a, b) => {
    if (b === undefined) return 1
    const [first, second] = [read(key, a), read(key, b)]
    if (first === undefined || second === undefined) return Number(first !== undefined) - Number(second !== undefined)
    if (first instanceof Uint8Array && second instanceof Uint8Array) return compareBytes(first, second)
    if (first instanceof Uint8Array || second instanceof Uint8Array) throw bad(store, key, 'gave bytes for one value and a number for another')
    return first > second ? 1 : first < second ? -1 : 0
  }
}

export interface Picked {
  /** The last that counts, of each key. */
  readonly taken: Map<string, readonly [key: Uint8Array, value: Uint8Array | undefined]>
  /** Keys of which something newer is there. */
  readonly left: number
}

/** Which of the writes count (Store.applyNewer), where `there` is what the store holds. */
export function pickNewer(
  writes: readonly (readonly [Uint8Array, Uint8Array | undefined])[],
  there: (key: Uint8Array) => Uint8Array | undefined,
  compare: CompareVersions,
  deletes: boolean,
  idOf: (key: Uint8Array) => string
): Picked {
  const taken: Picked['taken'] = new Map()
  const left = new Set<string>()
  for (const write of writes) {
    const [key, value] = write
    const id = idOf(key)
    const before = taken.get(id)
    if (value === undefined) {
      if (!deletes) continue
      taken.set(id, write)
      left.delete(id)
      continue
    }
    const order = compare(key, value, before === undefined ? there(key) : before[1])
    if (order > 0) {
      taken.set(id, write)
      left.delete(id)
    } else if (order < 0 && before === undefined) left.add(id)
  }
  return { taken, left: left.size }
}

const bad = (store: string, key: Uint8Array, what: string, cause?: unknown): KeyhaulError =>
  new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store, key, message: `versionOf ${what}`, ...(cause === undefined ? {} : { cause }) })
