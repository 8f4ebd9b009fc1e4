import { Presets, SingleBar } from 'cli-progress'
import pc from 'picocolors'
import type { KeyhaulError } from '../errors.js'
import type { JournalInfo } from '../inspect.js'
import type { Progress } from '../migration.js'
import type { Receipt } from '../receipt.js'

const WORDS: Readonly<Record<string, string>> = {
  preparing: 'preparing',
  copying: 'copying',
  catchingUp: 'catching up',
  verifying: 'verifying',
  repairing: 'repairing',
  deleting: 'deleting from the source',
  discarding: 'taking the copy back'
}

export const formatCount = (n: number): string => n.toLocaleString('en-US')

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let power = 0
  let size = bytes
  while (size >= 1000 && power < units.length - 1) {
    size /= 1000
    power++
  }
  return `${power === 0 ? size : size.toFixed(1)} ${units[power]}`
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = ms / 1000
  if (s < 60) return `${s.toFixed(1)} s`
  const minutes = Math.floor(s / 60)
  return minutes < 60 ? `${minutes} min ${Math.round(s % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Progress on stderr: a bar on a terminal, otherwise a line when the state changes and every few seconds. */
export class ProgressView {
  private bar: SingleBar | undefined
  private state = ''
  private printedAt = 0

  constructor(
    private readonly quiet: boolean,
    private readonly tty = process.stderr.isTTY === true
  ) {}

  show(progress: Progress): void {
    if (this.quiet || WORDS[progress.state] === undefined) return
    if (this.tty) this.draw(progress)
    else this.print(progress)
  }

  stop(): void {
    this.bar?.stop()
    this.bar = undefined
  }

  private draw(progress: Progress): void {
    if (progress.state !== this.state) {
      this.stop()
      this.state = progress.state
      if (progress.state === 'preparing') return
      this.bar = new SingleBar(
        {
          format: `${(WORDS[progress.state] ?? '').padEnd(12)} ${pc.cyan('{bar}')} {percentage}% · {entries} entries · {rate} · {left}`,
          stream: process.stderr,
          hideCursor: true,
          barsize: 24,
          fps: 10
        },
        Presets.shades_classic
      )
      this.bar.start(1, 0, this.payload(progress))
    }
    const total = progress.totalBytes === 0 ? 1 : Math.max(progress.totalBytes, progress.bytes)
    this.bar?.setTotal(total)
    this.bar?.update(progress.totalBytes === 0 ? 0 : progress.bytes, this.payload(progress))
  }

  private payload(progress: Progress): object {
    return {
      entries: formatCount(progress.entries),
      rate: `${formatBytes(progress.bytesPerSecond)}/s`,
      left: progress.etaMs === undefined ? '' : `${formatDuration(progress.etaMs)} left`
    }
  }

  private print(progress: Progress): void {
    const now = Date.now()
    if (progress.state === this.state && now - this.printedAt < 2_000) return
    this.state = progress.state
    this.printedAt = now
    const done = progress.entries === 0 ? '' : `: ${formatCount(progress.entries)} entries, ${formatBytes(progress.bytes)}`
    const share = progress.totalBytes > 0 && progress.bytes > 0 ? ` (${Math.min(99, Math.floor((100 * progress.bytes) / progress.totalBytes))} %)` : ''
    const rate = progress.bytesPerSecond > 0 && done !== '' ? `, ${formatBytes(progress.bytesPerSecond)}/s` : ''
    process.stderr.write(`${WORDS[progress.state]}${done}${share}${rate}\n`)
  }
}

export function receiptText(receipt: Receipt): string {
  const { digests } = receipt
  const proof = receipt.verified
    ? `${pc.green('verified')}: both sides hold ${formatCount(digests.target.entries)} entries, digest ${digests.target.sum}`
    : receipt.state === 'done'
      ? pc.yellow('not verified')
      : pc.red(receipt.state)
  const verb = { copy: 'copied', move: 'moved', verify: 'compared' }[receipt.mode]
  const lines = [
    `${verb} ${formatCount(receipt.entries)} entries, ${formatBytes(receipt.bytes)}, in ${formatDuration(receipt.durationMs)}`,
    `  from      ${receipt.from}`,
    `  to        ${receipt.to}`,
    `  ${proof}`
  ]
  const times = [
    ['copy', receipt.copyMs],
    ['catch up', receipt.catchUpMs],
    ['verify', receipt.verifyMs],
    ['delete', receipt.deleteMs]
  ] as const
  lines.push(`  times     ${times.filter(([, ms]) => ms > 0).map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(', ')}`)
  const extras = [
    receipt.missing + receipt.extra + receipt.changed > 0
      ? `differences found: ${receipt.missing} missing, ${receipt.extra} extra, ${receipt.changed} changed`
      : '',
    receipt.repairs > 0 ? `repaired ${formatCount(receipt.repairs)} keys, then verified again` : '',
    receipt.mode === 'move' ? `deleted ${formatCount(receipt.deletedEntries)} entries from the source` : '',
    receipt.leftOnSource > 0 ? `left ${formatCount(receipt.leftOnSource)} keys on the source: they changed after verification` : '',
    receipt.feedChanges > 0 ? `followed ${formatCount(receipt.feedChanges)} changes made meanwhile` : '',
    receipt.incarnations > 1 ? `resumed ${receipt.incarnations - 1} time${receipt.incarnations > 2 ? 's' : ''}` : '',
    receipt.retries > 0 ? `${receipt.retries} retries` : ''
  ]
  for (const extra of extras) if (extra !== '') lines.push(`  ${extra}`)
  return `${lines.join('\n')}\n`
}

export function statusText(info: JournalInfo, journal: string): string {
  const lines = [
    `${info.mode} ${info.from} -> ${info.to}: ${info.state}`,
    `  ${formatCount(info.copiedEntries)} entries, ${formatBytes(info.copiedBytes)} copied and durable`
  ]
  if (info.stopped !== undefined) lines.push(`  stopped by ${info.stopped}`)
  if (info.torn) lines.push('  the last write was cut short; resuming cuts it off')
  lines.push(info.resumable ? `  resume with: keyhaul resume ${journal}` : '  it has ended')
  return `${lines.join('\n')}\n`
}

export function errorText(error: KeyhaulError): string {
  return `${pc.red('error')} ${error.code}: ${error.message}\n`
}
