import type { RunInfo, StoreInfo } from '../live/control-request.js'
import type { MigrationState } from '../migration.js'
import { coloursOf, entries, formatBytes, formatCount, formatDuration, pauseText, printable, redraws, wentBack } from './output.js'
import { shellWord } from './shell.js'

const WORDS: Readonly<Partial<Record<MigrationState, string>>> = {
  pending: 'waiting',
  claiming: 'claiming the range in the register',
  preparing: 'preparing',
  staging: 'staging on the target',
  copying: 'copying',
  catchingUp: 'catching up',
  verifying: 'verifying',
  approaching: 'approaching the cutover',
  fencing: 'fencing writers',
  draining: 'taking over the last changes',
  readFencing: 'fencing readers',
  deciding: 'deciding in the register',
  activating: 'activating the target',
  redirecting: 'sending clients on',
  cleaning: 'deleting from the source',
  closing: 'closing the claim',
  postponing: 'putting the cutover off',
  aborting: 'giving it up in the register',
  unfencing: 'letting writers in again',
  discarding: 'taking the copy back',
  releasing: 'releasing what was staged',
  arming: 'opening the way back',
  turning: 'opening the way back in the register',
  reversible: 'moved, and can be reversed'
}
/** With a reverse window, once the range has moved: the store that was the source is what is staged and emptied, or served by. */
const TURNED: Readonly<Partial<Record<MigrationState, string>>> = {
  staging: 'staging on the source',
  activating: 'activating the source',
  cleaning: 'deleting from the target',
  aborting: 'ending the window in the register',
  discarding: 'deleting from the source'
}
const SHORT: Readonly<Partial<Record<MigrationState, string>>> = {
  claiming: 'claiming', staging: 'staging', approaching: 'approaching', fencing: 'fencing', draining: 'draining', readFencing: 'fencing reads',
  deciding: 'deciding', activating: 'activating', redirecting: 'redirecting', cleaning: 'deleting', closing: 'closing', postponing: 'putting off',
  aborting: 'giving up', unfencing: 'unfencing', discarding: 'taking back', releasing: 'releasing',
  arming: 'arming', turning: 'turning', reversible: 'reversible'
}
type Shown = RunInfo['progress']
/** Where a pause is still to come, or under way. */
const PAUSES: ReadonlySet<MigrationState> = new Set(['approaching', 'fencing', 'draining', 'readFencing', 'deciding', 'activating'])

/** The changes are taken over: what the feed still holds is nobody's any more. */
const CAUGHT_UP: ReadonlySet<MigrationState> = new Set(['redirecting', 'cleaning', 'closing'])

/** What it waits for changes without news. */
export const REFRESH_MS = 500

export const wordOf = (state: MigrationState, isTurned = false): string => (isTurned ? TURNED[state] : undefined) ?? WORDS[state] ?? state

/** What there is to say of it, most important first. */
function partsOf(progress: NonNullable<Shown>): string[] {
  const { state, entries: done, bytes, totalBytes, bytesPerSecond, etaMs, live } = progress
  const share = totalBytes === 0 || bytes > totalBytes ? '' : `${Math.min(99, Math.floor((100 * bytes) / totalBytes))} %`
  const { forecastMs, budgetMs = 0, lagChanges = 0, toCompare = 0, pausedMs = 0, postponed = 0, text = '' } = live ?? {}
  return [
    pausedMs > 0 ? `writers waiting for ${formatDuration(pausedMs)}` : '',
    text === '' ? '' : printable(text),
    share,
    done > 0 ? entries(done) : '',
    bytesPerSecond > 0 ? `${formatBytes(bytesPerSecond)}/s` : '',
    etaMs === undefined || share === '' ? '' : `${formatDuration(etaMs)} left`,
    lagChanges > 0 && !CAUGHT_UP.has(state) ? `lag ${formatCount(lagChanges)} ${lagChanges === 1 ? 'change' : 'changes'}` : '',
    toCompare > 0 ? `${formatCount(toCompare)} to compare again` : '',
    forecastMs === undefined || live?.waitsFor === 'shorterPause' || !PAUSES.has(state) ? '' : `forecast ${formatDuration(forecastMs)} of ${formatDuration(budgetMs)}`,
    postponed > 0 ? `put off ${postponed}x` : ''
  ].filter((part) => part !== '')
}

/** On one line of so many columns: whole parts only, but for the first. */
export function liveLine(state: MigrationState, progress: Shown, columns: number): string {
  const room = columns - 1
  let line = wordOf(state, progress?.live?.turned)
  const parts = progress === undefined ? [] : partsOf(progress)
  if (line.length > room || (parts[0] !== undefined && line.length + parts[0].length + 3 > room)) line = (state === 'discarding' && progress?.live?.turned === true ? SHORT.cleaning : SHORT[state]) ?? state
  for (const part of parts) if (line.length + 3 + part.length <= room) line += ` · ${part}`
  return line.slice(0, room)
}

/** Progress of a live migration on stderr: one line that changes on a terminal, otherwise a line for each step and every few seconds. */
export class LiveView {
  private shown = ''
  private printedAt = 0
  private seen = false

  constructor(
    private readonly quiet: boolean,
    private readonly stream: NodeJS.WriteStream = process.stderr
  ) {}

  show(progress: Shown, state = progress?.state ?? 'pending'): void {
    // The first of each: who has to wait for a slot is shown by the next one.
    const isFirst = !this.seen
    this.seen = true
    if (this.quiet || WORDS[state] === undefined || (isFirst && state === 'pending')) return
    if (redraws(this.stream)) {
      const line = liveLine(state, progress, this.stream.columns || 80)
      if (line !== this.shown) this.stream.write(`\r\x1b[2K${line}`)
      this.shown = line
      return
    }
    const now = Date.now()
    if (state === this.shown && now - this.printedAt < 2_000) return
    this.shown = state
    this.printedAt = now
    const parts = progress === undefined ? [] : partsOf(progress)
    this.stream.write(`${wordOf(state, progress?.live?.turned)}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}\n`)
  }

  stop(): void {
    if (redraws(this.stream) && this.shown !== '') this.stream.write('\r\x1b[2K')
    this.shown = ''
  }
}

export function runText({ from, to, ranges }: RunInfo): string {
  return printable(`${from} -> ${to}${ranges.length === 0 ? '' : ` ${ranges.slice(0, 4).join(' ')}${ranges.length > 4 ? ` and ${ranges.length - 4} more` : ''}`}`)
}

/** What takes longer than a healthy store does. */
const SLOW_MS = 1_000

/** Stores whose clients wait. */
export function waitingText(stores: readonly StoreInfo[] = []): string {
  const slow = stores.filter(({ oldestMs }) => oldestMs >= SLOW_MS)
  return slow.map(({ name, calls, oldestMs }) => `${printable(name)} has not answered a call for ${formatDuration(oldestMs)}; ${formatCount(calls)} ${calls === 1 ? 'call' : 'calls'} of clients ${calls === 1 ? 'waits' : 'wait'}\n`).join('')
}

export function runsText(runs: readonly RunInfo[], service: string): string {
  if (runs.length === 0) return 'no migrations\n'
  const out = coloursOf(process.stdout)
  const lines = runs.flatMap((run) => {
    const { id, state, progress, receipt, error, resumable } = run
    const colour = state === 'done' ? out.green : state === 'failed' || state === 'mismatch' ? out.red : resumable ? out.yellow : out.cyan
    const more: string[] = progress === undefined ? [] : [partsOf(progress).join(', ')]
    if (receipt?.state === 'done') more.push(`${entries(receipt.entries)}, level ${receipt.level}, ${receipt.verified ? 'verified' : 'not verified'}, ${pauseText(receipt, 'writers paused')}`)
    if (receipt?.reversed === true) more.push(wentBack(receipt))
    if (error !== undefined && error.code !== 'KEYHAUL_INTERRUPTED' && error.code !== 'KEYHAUL_CANCELLED') more.push(`${error.code}: ${printable(error.message)}`)
    if (resumable) more.push(`go on with: keyhaul resume --service ${shellWord(service)} ${id}`)
    return [`${id}  ${runText(run)}: ${colour(progress === undefined ? state : wordOf(state, progress.live?.turned))}`, ...more.filter((line) => line !== '').map((line) => `  ${line}`)]
  })
  return `${lines.join('\n')}\n`
}
