import { KeyhaulError } from '../errors.js'
import { toBytes } from '../stores/bytes.js'

/** A key or a value of a client: of anything else nothing may come, least of all the delete that `undefined` means in a batch. */
export function clientBytes(given: string | Uint8Array): Uint8Array {
  try {
    return toBytes(given)
  } catch (cause) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'a key, and a value, is text or a Uint8Array', cause })
  }
}
