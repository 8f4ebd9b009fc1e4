import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'

/** OWN as people can read and type it. */
const RESERVED = '!\\0keyhaul!'

/** JavaScript gives what it likes. */
export const isWrite = ([key, value]: readonly unknown[]): boolean => key instanceof Uint8Array && (value === undefined || value instanceof Uint8Array)

export function notBytes(store: string): KeyhaulError {
  return new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store, message: 'a key and a value are Uint8Arrays, and undefined instead of a value deletes' })
}

export function reserved(key: Uint8Array, store: string): KeyhaulError {
  return new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', {
    key,
    store,
    message: `keys that begin with ${RESERVED} are reserved for keyhaul's own records; leave them out of the range`
  })
}

const CODES: Readonly<Record<string, KeyhaulErrorCode>> = {
  LEVEL_LOCKED: 'KEYHAUL_STORE_LOCKED',
  LEVEL_CORRUPTION: 'KEYHAUL_STORE_CORRUPT',
  LEVEL_DATABASE_NOT_OPEN: 'KEYHAUL_STORE_CLOSED',
  LEVEL_BATCH_NOT_OPEN: 'KEYHAUL_STORE_CLOSED',
  LEVEL_ITERATOR_NOT_OPEN: 'KEYHAUL_STORE_CLOSED'
}

/** LevelDB's errors as keyhaul's; the cause of an open error is one level down. */
export function fromLevel(error: unknown, store: string): KeyhaulError {
  if (error instanceof KeyhaulError) return error
  const chain: { code?: unknown; message?: unknown; cause?: unknown; name?: unknown }[] = []
  for (let at = error; typeof at === 'object' && at !== null && chain.length < 5; at = (at as { cause?: unknown }).cause) {
    chain.push(at)
  }
  if (chain[0]?.name === 'AbortError') return new KeyhaulError('KEYHAUL_INTERRUPTED', { store, cause: error })
  const text = chain.map((part) => String(part.message ?? '')).join('; ')
  if (/No space left on device|ENOSPC|Disc quota exceeded/i.test(text)) {
    return new KeyhaulError('KEYHAUL_DISK_FULL', { store, cause: error })
  }
  for (const { code } of [...chain].reverse()) {
    const known = typeof code === 'string' ? CODES[code] : undefined
    if (known !== undefined) return new KeyhaulError(known, { store, cause: error })
  }
  return new KeyhaulError('KEYHAUL_STORE_FAILED', { store, message: text === '' ? String(error) : text, cause: error })
}
