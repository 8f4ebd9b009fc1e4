import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'
import { ERRORS } from '../errors.generated.js'
import type { LiveProgress, MigrationState, Progress } from '../migration.js'
import type { RangeInput } from '../ranges.js'
import type { Receipt } from '../receipt.js'
import type { Measurement } from '../rehearse/measurement.js'
import { fromHex } from '../stores/bytes.js'

// What goes over a control socket: the client sends one request as one line of JSON, the service
// answers with lines of JSON and closes.

export const PROTOCOL = 1
/** A request has room for 256 ranges of long keys; a service does not collect more than this of a stranger. */
export const REQUEST_BYTES_MAX = 1 << 20

export interface MoveRequest {
  readonly op: 'move'
  readonly from: string
  readonly to: string
  /** Without: everything. */
  readonly ranges?: readonly RangeInput[]
  readonly pauseBudgetMs?: number
  readonly requireLevel?: number
  readonly rate?: number
  readonly reverseWindowMs?: number
  readonly splitMax?: number
}

/** Asks for a measurement of a live migration between two stores; the forecast is made where it was asked. */
export interface RehearseRequest extends Pick<MoveRequest, 'from' | 'to' | 'ranges'> {
  readonly op: 'rehearse'
  /** Hundredths of the thread, 1 to 100. */
  readonly sharePercent?: number
  /** Without: the writers are watched for `watchMs`. */
  readonly writes?: number
  readonly watchMs?: number
}

export type Request =
  | MoveRequest
  | RehearseRequest
  | { readonly op: 'status'; readonly id?: string; readonly watch?: boolean }
  | { readonly op: 'resume'; readonly id?: string; readonly rate?: number; readonly takeOver?: boolean }
  | { readonly op: 'cancel' | 'stop' | 'reverse'; readonly id?: string }
  | { readonly op: 'closeWindow'; readonly id?: string; readonly giveUpSource?: boolean }

/** A migration as a service shows it. */
export interface RunInfo {
  readonly id: string
  readonly from: string
  readonly to: string
  /** As they were given: `a..m`, or `user:*` for a prefix. */
  readonly ranges: readonly string[]
  readonly level: number
  /** `stopped` with `resumable` waits for a resume. */
  readonly state: MigrationState
  readonly progress: Omit<Progress, 'live'> & { readonly live?: LiveProgress | undefined } | undefined
  readonly resumable: boolean
  readonly journal: string
  readonly receipt: Receipt | undefined
  readonly error: WireError | undefined
  /** Why its last reverse() was refused; the migration goes on. */
  readonly refused?: WireError | undefined
}

/** A store of a service whose clients wait for it. */
export interface StoreInfo {
  readonly name: string
  /** Calls of clients that it has not answered. */
  readonly calls: number
  /** For so long its oldest call has been under way. */
  readonly oldestMs: number
}

export interface WireError {
  readonly code: KeyhaulErrorCode
  readonly message: string
  readonly step?: MigrationState | undefined
  readonly retryable: boolean
  readonly next?: string | undefined
}

export type Reply =
  | { readonly type: 'status'; readonly runs: readonly RunInfo[]; readonly stores?: readonly StoreInfo[] }
  | { readonly type: 'run' | 'end'; readonly run: RunInfo }
  | { readonly type: 'measured'; readonly measurement: Measurement }
  | { readonly type: 'error'; readonly error: WireError }

const refuse = (message: string): KeyhaulError => new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message })

/** Text, or `hex:00ff` for bytes. */
export function parseKeyText(text: string): string | Uint8Array | undefined {
  if (!text.startsWith('hex:')) return text
  const digits = text.slice(4)
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return undefined
  return fromHex(digits)
}

const ID = /^[a-z0-9][a-z0-9-]{0,39}$/

/** What each request may have besides `keyhaul` and `op`. */
const MEMBERS: Readonly<Record<Request['op'], readonly string[]>> = {
  move: ['from', 'to', 'ranges', 'pauseBudgetMs', 'requireLevel', 'rate', 'reverseWindowMs', 'splitMax'],
  rehearse: ['from', 'to', 'ranges', 'sharePercent', 'writes', 'watchMs'],
  status: ['id', 'watch'],
  resume: ['id', 'rate', 'takeOver'],
  cancel: ['id'],
  stop: ['id'],
  reverse: ['id'],
  closeWindow: ['id', 'giveUpSource']
}

/** Throws KEYHAUL_INVALID_ARGUMENT for anything that is not exactly a request. */
export function parseRequest(line: string): Request {
  let given: unknown
  try {
    given = JSON.parse(line)
  } catch {
    throw refuse('the request is not a line of JSON')
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw refuse('the request is not an object')
  const { keyhaul, op, ...rest } = given as Record<string, unknown>
  if (keyhaul !== PROTOCOL) throw refuse(`the request is of protocol ${JSON.stringify(keyhaul) ?? 'none'}, this service speaks ${PROTOCOL}; use the same version of keyhaul on both sides`)
  if (typeof op !== 'string' || !Object.hasOwn(MEMBERS, op)) throw refuse('the request has no known `op`')
  const members = MEMBERS[op as Request['op']]
  for (const name of Object.keys(rest)) if (!members.includes(name)) throw refuse(`${op} has no ${JSON.stringify(name.slice(0, 40))}`)
  if (rest.id !== undefined && !(typeof rest.id === 'string' && ID.test(rest.id))) throw refuse('`id` is not the id of a migration')
  for (const name of ['watch', 'giveUpSource', 'takeOver']) if (rest[name] !== undefined && typeof rest[name] !== 'boolean') throw refuse(`\`${name}\` is not a boolean`)
  if (op === 'move') return parseMove(rest)
  if (op === 'rehearse') return parseRehearse(rest)
  return { op, ...rest, ...numberOf(rest)('rate', Number.MAX_SAFE_INTEGER) } as Request
}

const numberOf = (rest: Record<string, unknown>) => (member: string, most: number): Record<string, number> => {
  const value = rest[member]
  if (value === undefined) return {}
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) throw refuse(`\`${member}\` is not a whole number of 0 to ${most}`)
  return { [member]: value }
}

function parsePlace(rest: Record<string, unknown>): Pick<MoveRequest, 'from' | 'to' | 'ranges'> {
  const name = (member: string): string => {
    const value = rest[member]
    if (typeof value !== 'string' || value === '' || value.length > 4096) throw refuse(`\`${member}\` is not the name of a store`)
    return value
  }
  return { from: name('from'), to: name('to'), ...(rest.ranges === undefined ? {} : { ranges: parseRanges(rest.ranges) }) }
}

function parseRehearse(rest: Record<string, unknown>): RehearseRequest {
  const number = numberOf(rest)
  const request: RehearseRequest = { op: 'rehearse', ...parsePlace(rest), ...number('sharePercent', 100), ...number('writes', 10_000_000), ...number('watchMs', 3_600_000) }
  if (request.sharePercent === 0) throw refuse('`sharePercent` is not a whole number of 1 to 100')
  return request
}

function parseMove(rest: Record<string, unknown>): MoveRequest {
  const number = numberOf(rest)
  return {
    op: 'move',
    ...parsePlace(rest),
    ...number('pauseBudgetMs', 3_600_000),
    ...number('requireLevel', 5),
    ...number('rate', Number.MAX_SAFE_INTEGER),
    ...number('reverseWindowMs', 604_800_000),
    ...number('splitMax', 64)
  }
}

function parseRanges(given: unknown): RangeInput[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > 256) throw refuse('`ranges` is not a list of 1 to 256 ranges')
  const key = (value: unknown): string | Uint8Array => {
    const parsed = typeof value === 'string' ? parseKeyText(value) : undefined
    if (parsed === undefined) throw refuse('a key of `ranges` is neither text nor hex:00ff')
    return parsed
  }
  return given.map((range: unknown): RangeInput => {
    if (Array.isArray(range) && range.length === 2) return [key(range[0]), key(range[1])]
    const names = typeof range === 'object' && range !== null && !Array.isArray(range) ? Object.keys(range).sort().join() : ''
    const { prefix, from, to } = (range ?? {}) as { prefix: unknown; from: unknown; to: unknown }
    if (names === 'prefix') return { prefix: key(prefix) }
    if (names === 'from') return { from: key(from) }
    if (names === 'to') return { to: key(to) }
    if (names === 'from,to') return [key(from), key(to)]
    throw refuse('a range of `ranges` is neither [first, last] nor {"prefix": key}, {"from": key} or {"to": key}')
  })
}

export function toWire(error: unknown): WireError {
  if (!(error instanceof KeyhaulError)) return { code: 'KEYHAUL_SERVICE_FAILED', message: String((error as Error)?.message ?? error), retryable: false }
  const { code, message, retryable, next } = error
  return { code, message, step: (error as { step?: MigrationState }).step, retryable, next }
}

/** An error of the service, here. */
export function fromWire({ code, message }: WireError): KeyhaulError {
  return new KeyhaulError(Object.hasOwn(ERRORS, code) ? code : 'KEYHAUL_SERVICE_FAILED', { message: String(message) })
}
