// What to do about a journal that is damaged.
import { readFileSync } from 'node:fs'
import { KeyhaulError } from '../errors.js'
import { describeJournal } from '../journal/index.js'
import { type HostInfo, hostInfoOf } from './arguments.js'
import { shellWord } from './shell.js'

/** A live move is not begun anew beside its claim, which is in the register still. */
export function ofDamaged(error: unknown, file: string): unknown {
  const command = error instanceof KeyhaulError && error.code === 'KEYHAUL_JOURNAL_CORRUPT' ? endOfClaim(file) : undefined
  if (command === undefined) return error
  const message = typeof command === 'string' ? `a record of it is damaged; restore the file from a copy, or end the claim of the live move without it, and move again with another journal: ${command}` : `${new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT').message}; but if it is of a live move, end its claim instead: keyhaul cancel --register level:PATH, which shows what there is`
  return new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT', { file, message, cause: error })
}

/** By the plan, which is the first record: false where that is damaged itself, and nothing where it is of no live move. */
function endOfClaim(path: string): string | false | undefined {
  const [first = ''] = describeJournal(new Uint8Array(readFileSync(path))).split('\n', 1)
  const { record, mode, source = '', target = '', hostInfo } = JSON.parse(first) as { record?: string; mode?: string; source?: string; target?: string; hostInfo?: string }
  if (record !== 'plan') return false
  if (mode !== 'live') return undefined
  let places: HostInfo['places']
  try {
    places = hostInfoOf({ hostInfo: (JSON.parse(hostInfo as string) as { host?: unknown }).host }).places
  } catch {
    // Of a service, or of somebody else.
  }
  const [register, from, to] = places === undefined ? ['level:PATH', 'level:PATH', 'level:PATH'] : [places.register, places.from, places.to]
  return `keyhaul cancel --register ${shellWord(register)} ${shellWord(`${source}=${from}`)} ${shellWord(`${target}=${to}`)}`
}
