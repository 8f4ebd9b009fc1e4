// The journals of the command line: what stands in them, and what to do about one that is damaged.
import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { KeyhaulError } from '../errors.js'
import { inspectJournal, type JournalInfo } from '../inspect.js'
import { readError } from '../journal/file-node.js'
import { describeJournal } from '../journal/index.js'
import { type HostInfo, hostInfoOf } from './arguments.js'
import { shellWord } from './shell.js'

/** What will not do as a journal, before a target is made. */
export function assertJournal(path: string): void {
  const unfit = (message: string): KeyhaulError => new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', { file: path, message })
  try {
    // With the slash it has to be a folder.
    accessSync(`${dirname(path)}/`, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw unfit(code === 'ENOENT' ? 'its folder does not exist; make it first' : code === 'ENOTDIR' ? 'a part of its path is a file; name another' : 'its folder may not be written by this user; name another')
  }
  try {
    readJournalFile(path)
  } catch (error) {
    if ((error as KeyhaulError).code !== 'KEYHAUL_JOURNAL_NOT_FOUND') throw error
  }
}

export function readJournalFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    throw readError(cause, path)
  }
}

/** An error says which file it is about, and one that holds nothing yet is not called torn. */
export function inspectFile(path: string): JournalInfo {
  const bytes = readJournalFile(path)
  try {
    return inspectJournal(bytes)
  } catch (error) {
    if (!(error instanceof KeyhaulError)) throw error
    const nothing = { message: 'it holds no migration yet; run the command that it was made for again' }
    throw ofDamaged(new KeyhaulError(error.code, { file: path, cause: error, ...(error.code === 'KEYHAUL_JOURNAL_TORN' ? nothing : {}) }), path)
  }
}

/** A live move is not begun anew beside its claim, which is in the register still. */
export function ofDamaged(error: unknown, file: string): unknown {
  const command = error instanceof KeyhaulError && error.code === 'KEYHAUL_JOURNAL_CORRUPT' ? endOfClaim(file) : undefined
  if (command === undefined) return error
  const message = typeof command === 'string' ? `a record of it is damaged; restore the file from a copy, or end the claim of the live move without it, and move again with another journal: ${command}` : `${new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT').message}; but if it is of a live move, end its claim instead: keyhaul cancel --register level:PATH, which shows what there is`
  return new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT', { file, message, cause: error })
}

/** By the plan, which is the first record: false where that is damaged itself, and nothing where it is of no live move. */
function endOfClaim(path: string): string | false | undefined {
  const [first = ''] = describeJournal(readJournalFile(path)).split('\n', 1)
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
