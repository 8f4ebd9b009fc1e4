import { accessSync, constants, readFileSync, unlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'
import { inspectJournal, type JournalInfo } from '../inspect.js'
import { HOLDS_NOTHING, readError } from '../journal/file-node.js'
import { assertFree } from '../journal/lock-node.js'
import type { ChainNode } from '../live/chain.js'
import type { ScanRange } from '../stores/store.js'
import { hostInfoOf } from './arguments.js'
import { ofDamaged } from './damaged.js'
import { chainOf, defaultJournal, filesOfChain } from './live.js'
import { folderOf } from './stores.js'

/** Where the journal of a copy or move is that nobody gave one. */
export const journalBeside = (target: string): string => `${folderOf(target)}.keyhaul-journal`

/** Whether its name is the one that is given where nobody chose one: such a journal goes once all is well. */
export function isOwnJournal(info: JournalInfo, journal: string): boolean {
  const { places } = hostInfoOf(info)
  if (info.mode === 'verify') return false
  if (info.mode === 'live') return places !== undefined && defaultJournal(places.to) === journal
  return journalBeside(info.to) === journal
}

/** Before its stores are opened: who works on it has them open, and is to be named. Of one that was split it may be a part. */
export async function assertNobodyWorksOn(journal: string, info: JournalInfo): Promise<void> {
  const chain = info.receipt?.splitAt === undefined ? undefined : await chainOf(journal)
  for (const file of chain === undefined ? [journal] : await filesOfChain(chain)) await assertFree(file)
}

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
    throw ofDamaged(ofFile(error.code, path, error), path)
  }
}

/** Nothing where there is none, or one that began nothing. */
export function inspectIfAny(path: string): JournalInfo | undefined {
  try {
    return inspectFile(path)
  } catch (error) {
    if (error instanceof KeyhaulError && (error.code === 'KEYHAUL_JOURNAL_NOT_FOUND' || error.code === 'KEYHAUL_JOURNAL_TORN')) return undefined
    throw error
  }
}

/** As a store is scanned. */
export function rangesOfJournal({ ranges }: JournalInfo): ScanRange[] {
  return ranges.map(([low, high]) => ({ gte: Buffer.from(low, 'hex'), lt: high === null ? undefined : Buffer.from(high, 'hex') }))
}

/** Where nothing of it is whole it is called torn too: it began nothing. */
export function ofFile(code: KeyhaulErrorCode, file: string, cause?: unknown): KeyhaulError {
  return new KeyhaulError(code, { file, cause, ...(code === 'KEYHAUL_JOURNAL_TORN' ? { message: HOLDS_NOTHING } : {}) })
}

/** Of one that was split: its receipt is that of all, once all have ended. */
export async function withParts(path: string): Promise<JournalInfo> {
  const info = inspectFile(path)
  if (info.receipt?.splitAt === undefined) return info
  const receipt = (await chainOf(path))?.receipt
  return { ...info, state: receipt?.state ?? 'stopped', receipt, resumable: receipt === undefined }
}

/** Of one that was split: of each part its journal and where it stands. */
export function partsInfo(chain: ChainNode | undefined): object {
  if (chain === undefined) return {}
  const told = ({ path, info, parts }: ChainNode): object => ({ journal: path, ...publicInfo(info), ...(parts.length === 0 ? {} : { parts: parts.map(told) }) })
  return { state: chain.receipt?.state ?? 'stopped', receipt: chain.receipt, live: { ...chain.info.live, decided: undefined }, parts: chain.parts.map(told), resumable: chain.receipt === undefined }
}

/** Nobody chose the name of its journal. One that was split goes with its parts. */
export async function removeEnded(journal: string): Promise<void> {
  if (!hasEnded(journal)) return
  const chain = await chainOf(journal).catch(() => undefined)
  if (chain?.receipt === undefined) return
  for (const file of await filesOfChain(chain)) removeQuietly(file)
}

export function publicInfo(info: JournalInfo): object {
  const { hostInfo: _, ...rest } = info
  return rest
}

export function hasEnded(journal: string): boolean {
  try {
    return !inspectJournal(readJournalFile(journal)).resumable
  } catch {
    return false
  }
}

export function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Nobody needs it any more.
  }
}
