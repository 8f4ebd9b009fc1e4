import { KeyhaulError } from '../errors.js'
import { parseKeyText } from '../live/control-request.js'
import { type RangeInput, toScanRanges } from '../ranges.js'

/** Which keys. Without any of them it is all. */
export interface RangeFlags {
  range?: RangeInput[]
  prefix?: RangeInput[]
  all?: boolean
}

export interface CopyFlags extends RangeFlags {
  journal?: string
  rate?: number
  concurrency: number
  checksum: 'none' | 'crc32' | 'crc32c'
  verify: 'none' | 'target' | 'both'
  durable?: 'checkpoint' | 'page'
  entryMax?: number
  intoNonempty?: boolean
  repair?: boolean
  pastGate?: boolean
  dryRun?: boolean
  json?: boolean
  quiet?: boolean
  color?: boolean
}

export interface LiveFlags {
  live?: boolean
  service?: string
  register?: string
  pauseBudget?: number
  reverseWindow?: number
  require?: number
  split?: number
}

const usage = (message: string): KeyhaulError => new KeyhaulError('KEYHAUL_USAGE', { message })

/** Text, or `hex:00ff` for bytes. */
export function parseKey(text: string): string | Uint8Array {
  const key = parseKeyText(text)
  if (key === undefined) throw usage(`${text} is not hexadecimal; write two digits a byte, as in hex:00ff`)
  return key
}

/** Of a shell variable that was not set, most likely: it would be the current folder. */
export function parsePath(text: string): string {
  if (text === '') throw usage('the path is empty')
  return text
}

const TIMES = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

function msOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?$/.exec(text)
  return match === null ? Number.NaN : Math.round(Number(match[1]) * TIMES[(match[2] ?? 'ms') as keyof typeof TIMES])
}

/** `50ms`, `2s`; a bare number is milliseconds. */
export function parseMs(text: string): number {
  const ms = msOf(text)
  if (!(ms >= 10 && ms <= 3_600_000)) throw usage(`${text} is not a time of 10ms to 60min; write it as in 50ms or 2s`)
  return ms
}

/** `30s`, `10m`, `2h`; a bare number is milliseconds. */
export function parseWindow(text: string): number {
  const ms = msOf(text)
  if (!(ms >= 0 && ms <= 604_800_000)) throw usage(`${text} is not a time of at most a week; write it as in 30s, 10m or 2h`)
  return ms
}

/** kSplitMax of core/include/keyhaul/plan.h. */
export function parseSplit(text: string): number {
  const parts = Number(text)
  if (!(Number.isInteger(parts) && parts >= 2 && parts <= 64)) throw usage(`${text} is not a number from 2 to 64`)
  return parts
}

/** `L4`, `4`. */
export function parseLevel(text: string): number {
  const match = /^L?([0-5])$/i.exec(text)
  if (match === null) throw usage(`${text} is not a guarantee level; write L0 to L5`)
  return Number(match[1])
}

/** `a..m`, both ends inclusive; `a..` is from a to the last key, `..m` from the first key to m. */
export function parseRange(text: string, before: RangeInput[] = []): RangeInput[] {
  const dots = text.indexOf('..')
  if (dots < 0) throw usage(`${text === '' ? "''" : text} is not a range; write it as first..last, both included, or first.. for all from there on`)
  const [from, to] = [text.slice(0, dots), text.slice(dots + 2)]
  // Of two shell variables that were not set, most likely; and a move would empty the source.
  if (from === '' && to === '') throw usage('the range has no ends; write --all if every key is meant')
  if (to === '') return [...before, { from: parseKey(from) }]
  return [...before, from === '' ? { to: parseKey(to) } : [parseKey(from), parseKey(to)]]
}

export function parsePrefix(text: string, before: RangeInput[] = []): RangeInput[] {
  // Of a shell variable that was not set, most likely; and a move would empty the source.
  const prefix = parseKey(text)
  if (prefix.length === 0) throw usage('the prefix is empty, which is that of every key; write --all if that is meant')
  return [...before, { prefix }]
}

/** What the flags say, checked; none is every key. */
export function rangesOf({ range = [], prefix = [], all }: RangeFlags): RangeInput[] {
  const ranges = [...range, ...prefix]
  if (all === true && ranges.length > 0) throw usage('--all is every key; leave out --range and --prefix')
  toScanRanges(ranges.length === 0 ? 'all' : ranges)
  return ranges
}

/** Where a live migration of this command line's own finds its stores again. */
export interface Places {
  readonly from: string
  readonly to: string
  readonly register: string
}

/** What the command line keeps in a journal for whoever resumes it. */
export interface HostInfo {
  /** Bytes a second; without it there was no limit. */
  readonly rate?: number | undefined
  /** Live: where the stores are found again. */
  readonly places?: Places
  /** Of a copy or move: what its stores are marked with (marks.ts). */
  readonly mark?: string | undefined
  /** It was told to change what has a gate. */
  readonly pastGate?: boolean | undefined
  /** Of a verify: the target is made equal. */
  readonly repair?: boolean | undefined
}

/** A journal of somebody else's may hold anything there. */
export function hostInfoOf(info: { readonly hostInfo: unknown }): HostInfo {
  const { rate, places, mark, pastGate, repair } = (info.hostInfo ?? {}) as { rate?: unknown; places?: HostInfo['places']; mark?: unknown; pastGate?: unknown; repair?: unknown }
  return {
    rate: typeof rate === 'number' && rate >= 0 ? rate : undefined,
    ...(places === undefined ? {} : { places }),
    // It becomes a part of a path.
    mark: typeof mark === 'string' && /^[\w-]+$/.test(mark) ? mark : undefined,
    pastGate: pastGate === true,
    repair: repair === true
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 }

function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]i?)?b?$/i.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? Number.NaN)
}

/** The bounds of entryBytesMax in core/src/plan/validate.cc. */
export function parseEntryMax(text: string): number {
  const bytes = bytesOf(text)
  if (!(bytes >= 1024 && bytes <= 512 * 2 ** 20)) throw usage(`${text} is not a size of 1KiB to 512MiB; write it as in 128MiB`)
  return Math.floor(bytes)
}

/** Bytes a second: 5000000, 5M, 4MiB; 0 is no limit. */
export function parseRate(text: string): number {
  if (text === 'none') return 0
  const rate = bytesOf(text.replace(/\/s$/i, ''))
  if (!(rate >= 1 && rate <= Number.MAX_SAFE_INTEGER)) throw usage(`${text} is not a rate of 1 to ${Number.MAX_SAFE_INTEGER}; write bytes a second, as in 5000000, 5M or 4MiB, or none`)
  return Math.floor(rate)
}

export function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 64) throw usage(`${text} is not a number from 1 to 64`)
  return count
}
