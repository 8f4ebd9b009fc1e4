import { ERRORS } from './errors.generated.js'
import { toBytes, toHex } from './stores/bytes.js'

/** Every stable error code; the README has a line for each. */
export type KeyhaulErrorCode = keyof typeof ERRORS
const TABLE: Readonly<Record<KeyhaulErrorCode, readonly [number: number, text: string, retryable?: 1]>> = ERRORS

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
  /** KEYHAUL_MOVED, KEYHAUL_RETRY: whom the range belongs to, where that is known, and since which epoch. */
  owner?: string | undefined
  epoch?: number | undefined
  /** KEYHAUL_LEASE_HELD: who is at work on the migration, and for how long that one has been. */
  holder?: string | undefined
  heldMs?: number | undefined
  cause?: unknown
}

/**
 * The one error class of keyhaul. `code` is stable across versions, `message` is for people
 * and may change, `retryable` says whether the same call may succeed later without a change.
 */
export class KeyhaulError extends Error {
  override readonly name = 'KeyhaulError'
  readonly code: KeyhaulErrorCode
  // Those that are known: whoever prints an error reads no list of what it is not about.
  declare readonly key: Uint8Array | string | undefined
  declare readonly store: string | undefined
  declare readonly file: string | undefined
  declare readonly migration: string | undefined
  declare readonly owner: string | undefined
  declare readonly epoch: number | undefined
  declare readonly holder: string | undefined
  declare readonly heldMs: number | undefined

  constructor(code: KeyhaulErrorCode, details: ErrorDetails = {}) {
    super(describe(code, details), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    const { message: _, cause: __, ...about } = details
    for (const [name, value] of Object.entries(about)) if (value !== undefined) Object.assign(this, { [name]: value })
  }

  get retryable(): boolean {
    return TABLE[this.code][2] === 1
  }

  /** What to do about it, in a clause; undefined where there is nothing to do. */
  get next(): string | undefined {
    return /; ([^;]+)$/.exec(TABLE[this.code][1])?.[1]
  }
}

function describe(code: KeyhaulErrorCode, details: ErrorDetails): string {
  const { store, key, file, migration, message = TABLE[code][1] } = details
  const about = [store && `store ${store}`, key !== undefined && `key ${shownKey(key)}`, file, migration].filter(Boolean)
  return about.length === 0 ? message : `${about.join(', ')}: ${message}`
}

const strictUtf8 = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A key as text where it is valid UTF-8 and not mistakable, else `hex:00ff`. */
export function formatKey(key: Uint8Array | string): string {
  if (typeof key === 'string') return key
  try {
    const text = strictUtf8.decode(key)
    if (!text.startsWith('hex:')) return text
  } catch {
    // Not text.
  }
  return `hex:${toHex(key)}`
}

/** For a sentence: one that cannot be seen or read there is `hex:00ff`, and a long one is cut. */
export function shownKey(key: Uint8Array | string): string {
  const text = formatKey(key)
  const shown = text === '' || /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(text) ? `hex:${toHex(toBytes(key))}` : text
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown
}

const codeByNumber = /* @__PURE__ */ new Map<number, KeyhaulErrorCode>(
  Object.entries(ERRORS).map(([code, [number]]) => [number, code as KeyhaulErrorCode])
)

/** The code of a number from the core; a number this build does not know is a broken invariant. */
export function errorCodeOf(number: number): KeyhaulErrorCode {
  const code = codeByNumber.get(number)
  if (code === undefined) throw new RangeError(`unknown error number ${number} from the core`)
  return code
}

export function errorNumberOf(code: KeyhaulErrorCode): number {
  return TABLE[code][0]
}
