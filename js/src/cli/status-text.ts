import type { JournalInfo, LiveJournal } from '../inspect.js'
import { hostInfoOf } from './arguments.js'
import type { RegisterTruth } from './live.js'
import { wordOf } from './live-output.js'
import { entries, formatBytes, formatCount, formatDuration, shownStore, takenBack, WORDS } from './output.js'
import type { Removal } from './removal.js'
import { shellWord } from './shell.js'

/** What `keyhaul status` says of a journal. */
export function statusText(info: JournalInfo, journal: string, truth?: RegisterTruth, removal?: Removal): string {
  const step = info.state === 'stopped' ? ` while ${WORDS[info.step] ?? wordOf(info.step)}` : ''
  const lines = [`${info.mode} ${shownStore(info.from)} -> ${shownStore(info.to)}: ${info.state}${step}`]
  if (info.receipt?.state === 'cancelled') lines.push(`  ${takenBack(info.receipt)}`)
  else lines.push(`  ${entries(info.copiedEntries)}, ${formatBytes(info.copiedBytes)} copied and durable`)
  if (removal !== undefined) lines.push(`  ${removalText(info.step, removal)}`)
  if (info.stopped !== undefined) lines.push(`  ${info.resumable ? 'stopped' : 'given up'} for ${info.stopped}`)
  const { rate = 0 } = hostInfoOf(info)
  if (info.resumable && rate > 0) lines.push(`  at most ${formatBytes(rate)}/s`)
  if (info.live !== undefined) lines.push(...journalLines(info.live, truth))
  if (info.torn) lines.push('  the last write was cut short; resuming cuts it off')
  lines.push(info.resumable ? `  resume with: keyhaul resume ${shellWord(journal)}` : '  it has ended')
  return `${lines.join('\n')}\n`
}

function removalText(step: JournalInfo['step'], { removedEntries, leftEntries, totalEntries }: Removal): string {
  const where = step === 'discarding' ? 'taken off the target again' : 'deleted from the source'
  const changed = leftEntries === 0 ? '' : `, ${formatCount(leftEntries)} left there as they had changed`
  if (totalEntries === undefined) return `${entries(removedEntries)} ${where}${changed}`
  return `${formatCount(removedEntries)} of ${entries(totalEntries)} ${where}${changed}, ${formatCount(Math.max(0, totalEntries - removedEntries - leftEntries))} to go`
}

function journalLines({ claimed, coordEpoch, decided, pauseBudgetMs }: LiveJournal, truth: RegisterTruth | undefined): string[] {
  const claim = claimed ? `claimed in the register, coordinator ${coordEpoch}` : 'not claimed in the register, as far as the journal knows'
  const owner = decided === undefined ? 'who owns the range stands in the register only: --register level:PATH reads it' : decided ? 'decided: the target owns the range' : 'not decided: the source owns the range'
  if (truth !== undefined) {
    const owners = truth.owners.map(({ owner, epoch }) => `${shownStore(owner)} (epoch ${epoch})`).join(', ')
    return [`  ${claim}; pause budget ${formatDuration(pauseBudgetMs)}`, `  register ${shownStore(truth.register)}: ${truth.claim ?? 'no claim of it'}; owned by ${owners === '' ? 'nobody' : owners}`]
  }
  return [`  ${claim}; pause budget ${formatDuration(pauseBudgetMs)}`, `  ${owner}`]
}
