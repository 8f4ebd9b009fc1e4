import { ERRORS } from './errors.generated.js'

/** Every stable error code; the README has a line for each. */
export type KeyhaulErrorCode = keyof typeof ERRORS

/** What the error is about, as far as it is known: shown in the message and kept for programs. */
export interface ErrorDetails {
  /** What exactly was wrong, one clause; replaces the general text of the code. */
  message?: string
  /** The key in question. */
  key?: Uint8Array | string | undefined
  /** Name of the store in question. */
  store?: string | undefined
  /** Path of the file in question. */
  file?: string | undefined
  /** Id of the migration in question. */
  migration?: string | undefined
  cause?: unknown
}

/**
 * The one error class of keyhaul. `code` is stable across versions, `message` is for people
 * and may change, `retryable` says whether the same call may succeed later without a change.
 */
export class KeyhaulError extends Error {
  override readonly name = 'KeyhaulError'
  readonly code: KeyhaulErrorCode
  readonly key: Uint8Array | string | undefined
  readonly store: string | undefined
  readonly file: string | undefined
  readonly migration: string | undefined

  constructor(code: KeyhaulErrorCode, details: ErrorDetails = {}) {
    super(describe(code, details), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.key = details.key
    this.store = details.store
    this.file = details.file
    this.migration = details.migration
  }

  get retryable(): boolean {
    return ERRORS[this.code].retry === 'retryable'
  }
}

function describe(code: KeyhaulErrorCode, details: ErrorDetails): string {
  const about = [
    details.store === undefined ? '' : `store ${details.store}`,
    details.key === undefined ? '' : `key ${formatKey(details.key)}`,
    details.file === undefined ? '' : details.file,
    details.migration === undefined ? '' : details.migration
  ].filter((part) => part !== '')
  const text = details.message ?? ERRORS[code].text
  return about.length === 0 ? text : `${about.join(', ')}: ${text}`
}

const strictUtf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A key as text where it is valid UTF-8 and not mistakable, else `hex:00ff`. */
export function formatKey(key: Uint8Array | string): string {
  if (typeof key === 'string') return key
  try {
    const text = strictUtf8.decode(key)
    return text.startsWith('hex:') ? hexKey(key) : text
  } catch {
    return hexKey(key)
  }
}

function hexKey(key: Uint8Array): string {
  let hex = 'hex:'
  for (const byte of key) hex += byte.toString(16).padStart(2, '0')
  return hex
}

const codeByNumber = /* @__PURE__ */ new Map<number, KeyhaulErrorCode>(
  Object.entries(ERRORS).map(([code, entry]) => [entry.number, code as KeyhaulErrorCode])
)

/** The code of a number from the core; a number this build does not know is a broken invariant. */
export function errorCodeOf(number: number): KeyhaulErrorCode {
  const code = codeByNumber.get(number)
  if (code === undefined) throw new RangeError(`keyhaul: unknown error number ${number} from the core`)
  return code
}

export function errorNumberOf(code: KeyhaulErrorCode): number {
  return ERRORS[code].number
}
