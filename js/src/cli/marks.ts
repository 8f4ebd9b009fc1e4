// While a copy or a move of this command line is not at its end, a file in the folder of each of its LevelDBs, which knows
// nothing of it, names the journal. It is found under whatever name the folder is opened, and by it the target is known again.
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { KeyhaulError } from '../errors.js'
import type { JournalInfo } from '../inspect.js'
import { fileError } from '../journal/file-node.js'
import { hostInfoOf } from './arguments.js'
import { inspectIfAny, removeQuietly } from './journals.js'
import { shownStore } from './output.js'
import { shellWord } from './shell.js'
import { folderOf } from './stores.js'

export interface Mark {
  /** A journal says it too, so that a later one at the same path is not taken for it. */
  readonly id: string
  readonly journal: string
  readonly mode: string
  readonly from: string
  readonly to: string
}

export const markFile = (store: string, id: string): string => join(folderOf(store), `keyhaul-${id}.unfinished`)

/** On the disk before anything is written that it stands for. Errors: STORE_FAILED, DISK_FULL. */
function leave(store: string, mark: Mark): void {
  try {
    const file = openSync(markFile(store, mark.id), 'w')
    try {
      writeSync(file, `${JSON.stringify(mark)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    const folder = openSync(folderOf(store), 'r')
    fsyncSync(folder)
    closeSync(folder)
  } catch (error) {
    const { code, message } = fileError(error, markFile(store, mark.id), 'could not be written', 'run the same command again')
    throw new KeyhaulError(code === 'KEYHAUL_DISK_FULL' ? code : 'KEYHAUL_STORE_FAILED', { store, message, cause: error })
  }
}

/** In both, but a copy takes nothing from its source. */
export function leaveMarks(mark: Mark): void {
  for (const store of mark.mode === 'move' ? [mark.to, mark.from] : [mark.to]) leave(store, mark)
}

/**
 * Once it is over: a journal that can be gone on with keeps its marks, and so does a move that left keys on the source, whose
 * other keys only the target has. What ended well ends what was begun and given up with that journal before, too.
 */
export function removeMarks(id: string | undefined, journal: string, ...stores: readonly string[]): void {
  if (id === undefined) return
  const info = inspectIfAny(journal)
  if (info?.resumable === true || leftKeys(info)) return
  for (const store of stores) {
    for (const other of marksOf(store)) {
      if (other.id === id || (info?.receipt?.state === 'done' && other.journal === journal)) removeQuietly(markFile(store, other.id))
    }
  }
}

const leftKeys = (info: JournalInfo | undefined): boolean => info?.mode === 'move' && (info.receipt?.leftOnSource ?? 0) > 0

/** Whoever wrote them: what cannot be read of one is empty. */
export function marksOf(store: string): Mark[] {
  let names: string[]
  try {
    names = readdirSync(folderOf(store))
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const id = /^keyhaul-([\w-]+)\.unfinished$/.exec(name)?.[1]
    return id === undefined ? [] : [{ ...read(join(folderOf(store), name)), id }]
  })
}

function read(path: string): Omit<Mark, 'id'> {
  let given: Record<string, unknown> = {}
  try {
    given = Object(JSON.parse(readFileSync(path, 'utf8'))) as Record<string, unknown>
  } catch {
    // Cut off, or of a disk that is damaged.
  }
  const text = (name: string): string => (typeof given[name] === 'string' ? given[name] : '')
  return { journal: text('journal'), mode: text('mode'), from: text('from'), to: text('to') }
}

/** That a target is the one its journal is about, before something is written to it or taken off it. */
export function assertSameTarget(info: JournalInfo, journal: string): void {
  const { mark } = hostInfoOf(info)
  if (mark === undefined || existsSync(markFile(info.to, mark))) return
  const isThere = existsSync(join(folderOf(info.to), 'CURRENT'))
  const what = isThere ? `it is not the database that this ${info.mode} wrote to` : `the database that this ${info.mode} wrote to is not there`
  const next = info.step === 'deleting'
    ? `it holds the only copies of what was deleted from ${shownStore(info.from)}, which has the rest: bring it back, then keyhaul resume ${shellWord(journal)}`
    : `${shownStore(info.from)} has all of it: bring it back, then resume; or give this ${info.mode} up: rm ${shellWord(journal)}`
  throw new KeyhaulError(isThere ? 'KEYHAUL_JOURNAL_MISMATCH' : 'KEYHAUL_STORE_NOT_FOUND', { store: info.to, message: `${what}; ${next}` })
}

/**
 * What was begun with a store and is not known to have ended well, with what its journal says, if that is there. Marks of
 * what has are removed.
 */
export function unfinishedIn(store: string): { readonly mark: Mark; readonly info: JournalInfo | undefined }[] {
  return marksOf(store).flatMap((mark): { mark: Mark; info: JournalInfo | undefined }[] => {
    const info = existsSync(mark.journal) ? inspectIfAny(mark.journal) : undefined
    if (info === undefined || hostInfoOf(info).mark !== mark.id) return [{ mark, info: undefined }]
    if (info.resumable || leftKeys(info)) return [{ mark, info }]
    removeQuietly(markFile(store, mark.id))
    return []
  })
}
