// What the engine says, for people; as in tests/native/transcript/print.cc.
import type { View } from '../../../dist/engine/handle.js'
import { counted, escaped, timeText } from './text.js'

/** Text of JSON as bytes: what is not UTF-8 stands there as hex. */
function bytesOfJson(text: string): string {
  return text.startsWith('hex:') ? Buffer.from(text.slice(4), 'hex').toString('latin1') : Buffer.from(text, 'utf8').toString('latin1')
}

interface Line {
  record: string
  [member: string]: unknown
}

function reach(line: Line): string {
  return `range ${line.range}${line.end === true ? ' to its end' : ` below ${escaped(bytesOfJson(line.upto as string))}`}`
}

const RECORDS: Readonly<Record<string, (line: Line) => string>> = {
  plan: () => 'plan',
  resumed: (line) => `resumed as incarnation ${line.incarnation}`,
  phase: (line) => `phase ${line.state}`,
  prepared: (line) =>
    `prepared, target was ${line.targetWasEmpty === true ? 'empty' : 'not empty'}` +
    (line.feedPosition === '' ? '' : `, feed at ${escaped(bytesOfJson(line.feedPosition as string))}`),
  checkpoint: (line) => `checkpoint ${reach(line)}, ${counted((line.leaf as { entries: number }).entries, 'entry')}`,
  feedApplied: (line) => `feed applied up to ${escaped(bytesOfJson(line.position as string))}, ${counted(line.changes as number, 'change')}`,
  verified: (line) => `verified round ${line.round}, ${line.equal === true ? 'equal' : 'different'}`,
  deleted: (line) => `deleted ${reach(line)}, ${counted(line.entries as number, 'entry')}${line.left === 0 ? '' : `, ${line.left} left`}`,
  stopped: (line) => `stopped ${line.code}`,
  finished: (line) => `finished ${(line.receipt as { state: string }).state}`
}

export function recordText(json: string): string {
  const line = JSON.parse(json) as Line
  const text = RECORDS[line.record]
  if (text === undefined) throw new Error(`no record ${line.record}`)
  return text(line)
}

export function viewText(view: View): string {
  const progress = (done: number, total: number, noun: string): string => (total === 0 ? counted(done, noun) : `${done} of ${counted(total, noun)}`)
  const parts: string[] = [view.state]
  if (view.paused) parts.push('paused')
  parts.push(progress(view.entries, view.totalEntries, 'entry'), progress(view.bytes, view.totalBytes, 'byte'))
  if (view.bytesPerSecond !== 0) parts.push(`${view.bytesPerSecond} bytes/s`)
  if (view.etaUs !== undefined) parts.push(`done in ${timeText(view.etaUs)}`)
  if (view.caughtUp) parts.push('caught up')
  return parts.join(', ')
}

/** Every member that is not zero; the digests on lines of their own. */
export function receiptText(json: string): string[] {
  const members = Object.entries(JSON.parse(json) as Record<string, unknown>).map(([name, value]) => `${name}:${JSON.stringify(value).replaceAll('"', '')}`)
  const isDigest = (member: string): boolean => /^(source|target):/.test(member)
  const said = members.filter((member) => isDigest(member) || !member.endsWith(':0'))
  const first = said.findIndex(isDigest)
  return [said.slice(0, first).join(' '), ...said.slice(first, first + 2), said.slice(first + 2).join(' ')]
}
