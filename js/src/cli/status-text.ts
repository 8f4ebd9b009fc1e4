import type { JournalInfo, LiveJournal } from '../inspect.js'
import { formatKey } from '../errors.js'
import type { ChainNode } from '../live/chain.js'
import { hostInfoOf } from './arguments.js'
import type { RegisterTruth } from './live.js'
import { wordOf } from './live-output.js'
import { entries, formatBytes, formatCount, formatDuration, printableKey, shownStore, takenBack, wentBack, WORDS } from './output.js'
import type { Removal } from './removal.js'
import { shellWord } from './shell.js'

/** What `keyhaul status` says of a journal. */
export function statusText(info: JournalInfo, journal: string, truth?: RegisterTruth, removal?: Removal, chain?: ChainNode, isTurned = false): string {
  const step = info.state === 'stopped' ? ` while ${isTurned ? wordOf(info.step, true) : WORDS[info.step] ?? wordOf(info.step)}` : ''
  const state = chain === undefined ? info.state : (chain.receipt?.state ?? 'in parts')
  const lines = [`${info.mode} ${shownStore(info.from)} -> ${shownStore(info.to)}: ${state}${step}`]
  if (info.receipt?.state === 'cancelled') lines.push(`  ${takenBack(info.receipt)}`)
  else lines.push(`  ${entries(info.copiedEntries)}, ${formatBytes(info.copiedBytes)} copied and durable`)
  if (removal !== undefined) lines.push(`  ${removalText(info.step, removal)}`)
  if (info.stopped !== undefined) lines.push(`  ${chain !== undefined ? 'split' : info.resumable ? 'stopped' : 'given up'} for ${info.stopped}`)
  const { rate = 0 } = hostInfoOf(info)
  if (info.resumable && rate > 0) lines.push(`  at most ${formatBytes(rate)}/s`)
  // Of one that was split each part has an owner of its own, and the register knows.
  if (info.live !== undefined && (chain === undefined || truth !== undefined)) lines.push(...journalLines(info, info.live, truth))
  if (info.torn) lines.push('  the last write was cut short; resuming cuts it off')
  if (chain !== undefined) lines.push(...partLines(chain))
  const isResumable = chain === undefined ? info.resumable : chain.receipt === undefined
  lines.push(isResumable ? `  resume with: keyhaul resume ${shellWord(journal)}` : '  it has ended')
  return `${lines.join('\n')}\n`
}

/** Where each part stands; those that are not shown have not begun. */
function partLines({ info, parts }: ChainNode): string[] {
  const at = formatKey(Buffer.from(info.receipt?.splitAt ?? '', 'hex'))
  const lines = parts.flatMap((part, i) => {
    const { state, step, copiedEntries, receipt, live } = part.info
    const where = receipt?.splitAt === undefined ? state : part.receipt?.state ?? 'in parts'
    const moved = receipt?.state === 'done' ? `, ${shownStore(receipt.reversed ? part.info.from : part.info.to)} owns it` : ''
    const held = receipt === undefined && live?.claimed === true ? `, claim ${live.claim}` : ''
    return [`part ${i + 1} (${part.path}): ${where}${state === 'stopped' ? ` while ${WORDS[step] ?? wordOf(step)}` : ''}, ${entries(copiedEntries)}${moved}${held}`, ...(part.parts.length > 0 ? partLines(part) : [])]
  })
  return [`split at ${printableKey(at)}${parts.length < 2 ? `; ${parts.length} of 2 parts begun` : ''}`, ...lines].map((line) => `  ${line}`)
}

function removalText(step: JournalInfo['step'], { removedFrom, removedEntries, leftEntries, totalEntries }: Removal): string {
  const where = step === 'discarding' && removedFrom === 'target' ? 'taken off the target again' : `deleted from the ${removedFrom}`
  const changed = leftEntries === 0 ? '' : `, ${formatCount(leftEntries)} left there as they had changed`
  if (totalEntries === undefined) return `${entries(removedEntries)} ${where}${changed}`
  return `${formatCount(removedEntries)} of ${entries(totalEntries)} ${where}${changed}, ${formatCount(Math.max(0, totalEntries - removedEntries - leftEntries))} to go`
}

/** Its claim as well: whoever is refused because of it is told no more than that. */
function journalLines({ receipt }: JournalInfo, { claim: id, claimed, coordEpoch, decided, pauseBudgetMs }: LiveJournal, truth: RegisterTruth | undefined): string[] {
  const claim = claimed ? `claimed in the register as ${id}, coordinator ${coordEpoch}` : 'not claimed in the register, as far as the journal knows'
  const owner = receipt?.reversed === true ? wentBack(receipt) : decided === undefined ? 'who owns the range stands in the register only: --register level:PATH reads it' : decided ? 'decided: the target owns the range' : 'not decided: the source owns the range'
  if (truth !== undefined) {
    const owners = truth.owners.map(({ owner, epoch }) => `${shownStore(owner)} (epoch ${epoch})`).join(', ')
    return [`  ${claim}; pause budget ${formatDuration(pauseBudgetMs)}`, `  register ${shownStore(truth.register)}: ${truth.claim ?? 'no claim of it'}; owned by ${owners === '' ? 'nobody' : owners}`]
  }
  return [`  ${claim}; pause budget ${formatDuration(pauseBudgetMs)}`, `  ${owner}`]
}
