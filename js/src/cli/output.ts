import { Presets, SingleBar } from 'cli-progress'
import pc from 'picocolors'
import { formatKey, KeyhaulError } from '../errors.js'
import { MOVE_AGAIN } from '../migration-error.js'
import type { Progress } from '../migration.js'
import { prefixEnd } from '../ranges.js'
import type { Receipt } from '../receipt.js'

/**
 * Colours where the stream is a terminal, or FORCE_COLOR asks for them, never against NO_COLOR. picocolors' own
 * rule also counts a set CI as a terminal: escapes would end up in the files that a CI job pipes a receipt into.
 */
export function coloursOf(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): ReturnType<typeof pc.createColors> {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0'
  return pc.createColors(!env.NO_COLOR && (forced || (stream.isTTY === true && env.TERM !== 'dumb')))
}
const out = coloursOf(process.stdout)
const err = coloursOf(process.stderr)

/** A terminal on which a line can be drawn anew. */
export const redraws = (stream: { isTTY?: boolean }): boolean => stream.isTTY === true && process.env.TERM !== 'dumb'

/** For a line of its own, and where there is room for one word only. */
const SHORT: Readonly<Record<string, string>> = { catchingUp: 'catching up', deleting: 'deleting', discarding: 'taking back' }
/** Those that it tells of. */
export const WORDS: Readonly<Record<string, string>> = {
  preparing: 'preparing',
  copying: 'copying',
  catchingUp: 'catching up',
  verifying: 'verifying',
  repairing: 'repairing',
  deleting: 'deleting from the source',
  discarding: 'taking the copy back'
}

export const entries = (count: number): string => `${formatCount(count)} ${count === 1 ? 'entry' : 'entries'}`
const keys = (count: number): string => `${formatCount(count)} ${count === 1 ? 'key' : 'keys'}`

/** Text with nothing in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A store below this folder as it would be typed here; any other as it is. */
export function shownStore(name: string, folder = process.cwd()): string {
  const colon = name.indexOf(':')
  const below = `${folder === '/' ? '' : folder}/`
  return name.startsWith(below, colon + 1) ? `${name.slice(0, colon)}:./${name.slice(colon + 1 + below.length)}` : name
}

const KEY_CHARACTERS_MAX = 200

/** A key on a line of its own, as --range takes it, unless it is too long to read. */
export function printableKey(key: string): string {
  const shown = key === '' || printable(key) !== key ? `hex:${Buffer.from(key).toString('hex')}` : key
  return shown.length <= KEY_CHARACTERS_MAX ? shown : `${shown.slice(0, KEY_CHARACTERS_MAX)}... (cut; --json has all of it)`
}

/** How much of the whole: nothing once the estimate of the whole has proved too small. */
function shareOf(progress: Progress): number | undefined {
  const { bytes, totalBytes } = progress
  return totalBytes === 0 || bytes > totalBytes ? undefined : Math.min(99, Math.floor((100 * bytes) / totalBytes))
}

/** What stands behind the bar, and the bar's width: 0 where the terminal has no room for one. */
export function barLine(progress: Progress, columns: number): { bar: number; label: string; info: string } {
  const share = shareOf(progress)
  const short = SHORT[progress.state] ?? progress.state
  const all = [
    share === undefined ? '' : `${share}%`,
    entries(progress.entries),
    progress.bytesPerSecond > 0 ? `${formatBytes(progress.bytesPerSecond)}/s` : '',
    progress.etaMs === undefined || share === undefined ? '' : `${formatDuration(progress.etaMs)} left`
  ].filter((part) => part !== '')
  const bar = Math.min(24, columns - 72)
  if (bar >= 8) return { bar, label: short.padEnd(12), info: all.join(' · ') }
  let info = ''
  for (const part of all) {
    const longer = info === '' ? part : `${info} · ${part}`
    if (short.length + 1 + longer.length < columns) info = longer
  }
  return { bar: 0, label: short, info }
}

export const formatCount = (n: number): string => n.toLocaleString('en-US')

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let power = 0
  let size = bytes
  // What would be shown as 1000.0 is one of the next.
  while (size >= 999.95 && power < units.length - 1) {
    size /= 1000
    power++
  }
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`
}

export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Progress on stderr: a bar on a terminal, otherwise a line when the state changes and every few seconds. */
export class ProgressView {
  private bar: SingleBar | undefined
  private state = ''
  private printedAt = 0

  constructor(
    private readonly quiet: boolean,
    private readonly tty = redraws(process.stderr)
  ) {}

  show(progress: Progress): void {
    if (this.quiet || WORDS[progress.state] === undefined) return
    if (this.tty) this.draw(progress)
    else this.print(progress)
  }

  /** Makes room for other lines; with `goesOn` it is drawn again below them. */
  stop(goesOn = false): void {
    this.bar?.stop()
    this.bar = undefined
    if (goesOn) this.state = ''
  }

  private draw(progress: Progress): void {
    const { bar, ...payload } = barLine(progress, process.stderr.columns || 80)
    if (progress.state !== this.state) {
      this.stop()
      this.state = progress.state
      if (progress.state === 'preparing') return
      this.bar = new SingleBar(
        {
          format: `{label} ${bar === 0 ? '' : `${err.cyan('{bar}')} `}{info}`,
          stream: process.stderr,
          hideCursor: true,
          barsize: bar,
          fps: 10
        },
        Presets.shades_classic
      )
      this.bar.start(100, 0, payload)
    }
    const unknown = progress.totalBytes === 0 ? 0 : 99
    this.bar?.update(shareOf(progress) ?? unknown, payload)
  }

  private print(progress: Progress): void {
    const now = Date.now()
    if (progress.state === this.state && now - this.printedAt < 2_000) return
    this.state = progress.state
    this.printedAt = now
    const done = progress.entries === 0 ? '' : `: ${entries(progress.entries)}, ${formatBytes(progress.bytes)}`
    const known = shareOf(progress)
    const share = known !== undefined && progress.bytes > 0 ? ` (${known} %)` : ''
    const rate = progress.bytesPerSecond > 0 && done !== '' ? `, ${formatBytes(progress.bytesPerSecond)}/s` : ''
    process.stderr.write(`${WORDS[progress.state]}${done}${share}${rate}\n`)
  }
}

export function receiptText(receipt: Receipt): string {
  const isOver = receipt.state === 'done' || receipt.state === 'mismatch'
  const verb = { copy: 'copied', move: 'moved', verify: 'compared', live: 'moved live' }[receipt.mode]
  const name = receipt.mode === 'live' ? 'live move' : receipt.mode
  // What was verified and then taken back again is held by nobody.
  const proof = receipt.state === 'cancelled'
    ? takenBack(receipt)
    : receipt.verified
      ? `${out.green('verified')}: ${proofText(receipt)}`
      : receipt.state === 'done'
        ? out.yellow('not verified')
        : receipt.state === 'failed' ? '' : out.red(receipt.state)
  const lines = [
    isOver
      ? `${verb} ${entries(receipt.entries)}, ${formatBytes(receipt.bytes)}, in ${formatDuration(receipt.durationMs)}${receipt.incarnations > 1 ? ' since it was resumed' : ''}`
      : `${name} ${receipt.state} after ${formatDuration(receipt.durationMs)}`,
    `  from      ${shownStore(receipt.from)}`,
    `  to        ${shownStore(receipt.to)}`,
    ...rangesLine(receipt.ranges),
    ...(proof === '' ? [] : [`  ${proof}`])
  ]
  const times = ([
    ['copy', receipt.copyMs],
    ['catch up', receipt.catchUpMs],
    ['verify', receipt.verifyMs],
    ['delete', receipt.deleteMs]
  ] as const).filter(([, ms]) => ms > 0)
  if (times.length > 0) lines.push(`  times     ${times.map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(', ')}`)
  const differences = receipt.missing + receipt.extra + receipt.changed
  const moves = receipt.mode === 'move' || receipt.mode === 'live'
  const extras = [
    ...partsText(receipt),
    receipt.state === 'done' && receipt.mode !== 'verify' && receipt.entries === 0 ? 'no key of the source lies in the range' : '',
    differences > 0
      ? `differences found${receipt.mode === 'live' && receipt.verified ? ' on the way back' : ''}: ${formatCount(receipt.missing)} missing, ${formatCount(receipt.extra)} extra, ${formatCount(receipt.changed)} changed`
      : '',
    receipt.state !== 'mismatch' ? '' : receipt.mode === 'live' ? `the copy was taken back, and ${shownStore(receipt.from)} serves on: ${MOVE_AGAIN}` : `keyhaul verify --repair of the same stores and ranges makes the target equal to the source${deletesExtra(receipt)}`,
    receipt.repairs > 0 ? `repaired ${keys(receipt.repairs)}, then verified again` : '',
    receipt.mode === 'live' && (isOver || receipt.pauseMs > 0) ? `level ${receipt.level}; ${pauseText(receipt, 'writers were refused')}${receipt.postponed > 0 ? `, put off ${receipt.postponed} time${receipt.postponed > 1 ? 's' : ''} before` : ''}` : '',
    writersLine(receipt, isOver),
    receipt.staleReadsMs === undefined ? '' : `the source cannot keep readers out: it may have shown old values for ${receipt.staleReadsMs === 'unknown' ? 'an unknown time, as an earlier process decided' : `at most ${formatDuration(receipt.staleReadsMs)}`}`,
    receipt.windowError === undefined ? '' : `the way back was lost: ${new KeyhaulError(receipt.windowError).message}`,
    receipt.reversed ? wentBack(receipt) : '',
    moves && (isOver || receipt.deletedEntries > 0) ? `deleted ${entries(receipt.deletedEntries)} from the ${receipt.reversed ? 'target' : 'source'}${uncounted(receipt)}` : '',
    receipt.leftOnSource > 0 ? out.yellow(`left ${keys(receipt.leftOnSource)} on the source: changed after verification, there or on the target, or the target lost them; keyhaul verify names them as changed or missing`) : '',
    receipt.feedChanges > 0 ? `followed ${formatCount(receipt.feedChanges)} change${receipt.feedChanges === 1 ? '' : 's'} made meanwhile` : '',
    ...receipt.notPromised.map((text) => `not promised: ${text}`),
    receipt.incarnations > 1 ? `resumed ${receipt.incarnations - 1} time${receipt.incarnations > 2 ? 's' : ''}` : '',
    receipt.retries > 0 ? `${receipt.retries} ${receipt.retries === 1 ? 'retry' : 'retries'}` : ''
  ]
  for (const extra of extras) if (extra !== '') lines.push(`  ${extra}`)
  return `${lines.join('\n')}\n`
}

/** Before anybody does it: of a move that is not at its end they are the only copies. */
const deletesExtra = ({ extra }: Receipt): string =>
  extra === 0 ? '' : `, and deletes ${extra === 1 ? 'the extra key' : `the ${formatCount(extra)} extra keys`} from it: where a move brought them, they are the only copies`

export const wentBack = ({ from }: Receipt): string => `went back: ${shownStore(from)} owns the range again`

/** What was deleted right before a crash is gone, and its record was not written. */
function uncounted({ mode, incarnations, deletedEntries, leftOnSource, entries: all }: Receipt): string {
  return mode === 'move' && incarnations > 1 && deletedEntries + leftOnSource < all ? ', not counting what went right before a crash' : ''
}

/** How long writers waited. A process that died in their pause, or after it, took the time with it. */
export function pauseText({ incarnations, pauseMs, pauseForecastMs }: Receipt, what: string): string {
  if (incarnations > 1 && pauseMs === 0) return `${what} by an earlier process, for how long it did not live to tell`
  return `${what} for ${formatDuration(pauseMs)}, forecast ${formatDuration(pauseForecastMs)}`
}

/** What clients noticed, where all of it was seen; nothing of one that was refused at once, or where there are none. */
function writersLine({ writes }: Receipt, isOver: boolean): string {
  if (writes === undefined) return ''
  const { waited, waitedP50Ms, waitedP99Ms, waitedMaxMs, perSecondBefore, perSecondDuring } = writes
  if (waited === 0 && (!isOver || Math.round(perSecondDuring + (perSecondBefore ?? 0)) === 0)) return ''
  const waits = waited === 0 ? 'no write waited for that' : `${formatCount(waited)} ${waited === 1 ? 'write' : 'writes'} waited, p50 ${formatDuration(waitedP50Ms)}, p99 ${formatDuration(waitedP99Ms)}, at most ${formatDuration(waitedMaxMs)}`
  const before = perSecondBefore === undefined ? '' : `${formatCount(Math.round(perSecondBefore))} before and `
  return `${waits}; clients wrote ${before}${formatCount(Math.round(perSecondDuring))} keys a second during it`
}

/** Of one that was split, what became of each part. */
function partsText(receipt: Receipt): string[] {
  const leaves = ({ parts, ...one }: Receipt): Receipt[] => parts?.flatMap(leaves) ?? [one]
  if (receipt.parts === undefined) return []
  return leaves(receipt).map(({ state, ranges, entries: count, from, to }, i) => `part ${i + 1}${rangesLine(ranges).map((line) => line.replace(/^ {2}ranges? +/, ' ')).join('')}: ${state === 'done' ? `${entries(count)}, ${shownStore(to)} owns it` : `${state}, ${shownStore(from)} owns it`}`)
}

/** A live migration below level 5 reads both sides while they change: their digests are of no common moment. */
function proofText({ mode, level, digests: { source, target }, rechecked, position, parts }: Receipt): string {
  if (parts !== undefined) return 'every key of each part was compared on both sides'
  const at = position === undefined ? '' : `, at position ${position.feed}, epoch ${position.epoch}`
  if (mode !== 'live' || level >= 5) return `both sides hold ${entries(target.entries)}, digest ${target.sum}${at}`
  const again = rechecked > 0 ? `, and ${formatCount(rechecked)} again that changed meanwhile, to the last change before the cutover` : ''
  return `every key was compared on both sides${again}${source.sum === target.sum ? `; digest of both as they were read ${target.sum}` : ''}`
}

const RANGES_SHOWN = 4

/** As it can be given: where there are two dots in it, or one that would be read with those behind it, it would end there. */
function rangeKey(hex: string): string {
  const key = formatKey(Buffer.from(hex, 'hex'))
  return printableKey(`${key}.`.includes('..') ? `hex:${hex}` : key)
}

/** Both ends included where the plan has them so; a prefix is written as one, with a star. Nothing where it is every key. */
function rangesLine(ranges: Receipt['ranges']): string[] {
  const shown = ranges.slice(0, RANGES_SHOWN).map(([low, high]) => {
    const key = rangeKey
    if (high === null) return low === '' ? '' : `${key(low)}..`
    if (low !== '' && Buffer.from(prefixEnd(Buffer.from(low, 'hex')) ?? []).toString('hex') === high) return `${key(low)}*`
    return `${low === '' ? '' : key(low)}..${high.endsWith('00') ? key(high.slice(0, -2)) : `, before ${key(high)}`}`
  })
  if (shown.join('') === '') return []
  const more = ranges.length - shown.length
  return [`  ${ranges.length === 1 ? 'range ' : 'ranges'}    ${shown.join(' ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`]
}

/** What a cancel did with the copy. */
export function takenBack({ mode, entries: copied, discardedEntries }: Receipt): string {
  if (discardedEntries > 0) return `cancelled: ${entries(discardedEntries)} taken off the target again`
  // A live migration stages what it copies, and always takes it back.
  if (copied > 0 && mode !== 'live' && mode !== 'verify') return `cancelled: ${entries(copied)} of the copy left on the target, which was not empty before`
  return 'cancelled'
}

/** So many differences are read on a terminal. */
export const DIFFERENCES_SHOWN = 20

/** The differences by name, one a line, so many at most; the receipt names the first of them. */
export function differencesText({ different, missing, extra, changed }: Receipt, shownMax = Number.POSITIVE_INFINITY): string {
  const all = missing + extra + changed
  const lines = different.slice(0, shownMax).map(({ key, kind }) => `${kind} ${printableKey(key)}\n`)
  const rest = all - lines.length
  if (different.length === 0 || rest <= 0) return lines.join('')
  const where = different.length === lines.length ? '' : `; --json, or a file in the place of the terminal, has ${all === different.length ? 'all' : `the first ${formatCount(different.length)}`}`
  return `${lines.join('')}and ${formatCount(rest)} more${where}${all === different.length ? '' : '; --range and --prefix take a part'}\n`
}

export function errorText(error: KeyhaulError): string {
  return `${err.red('error')} ${error.code}: ${printable(error.message)}\n`
}

/** Of what is tried again nobody is told to resume it. */
export function warningText(error: KeyhaulError): string {
  const text = error.retryable ? `${error.message.replace(`; ${error.next}`, '')}; it is tried again` : error.message
  return `${err.yellow('warning')} ${error.code}: ${printable(text)}\n`
}

/** One text comes once in ten seconds: each page of a store that fails is tried for itself. */
export class Warnings {
  private readonly saidAt = new Map<string, number>()

  constructor(private readonly write: (text: string) => void, private readonly now: () => number = Date.now) {}

  say(error: KeyhaulError): void {
    const text = warningText(error)
    const now = this.now()
    if (now - (this.saidAt.get(text) ?? Number.NEGATIVE_INFINITY) < 10_000) return
    if (this.saidAt.size >= 100) this.saidAt.clear()
    this.saidAt.set(text, now)
    this.write(text)
  }
}
