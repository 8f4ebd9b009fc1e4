import { type FileHandle, open, readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { KeyhaulError } from '../errors.js'
import type { JournalStore } from './journal.js'
import { takeLock } from './lock-node.js'

/** Of one whose process was killed before it had begun: there is nothing that a resume could go on with. */
export const HOLDS_NOTHING = 'it holds no migration yet; run the command that it was made for again'

/**
 * A journal in a file. With `lock`, `<path>.lock` names the process that works on it; the
 * lock of a process that is gone is taken over. Errors: JOURNAL_NOT_FOUND, JOURNAL_NOT_A_JOURNAL, JOURNAL_TORN where
 * one that is to be gone on with is empty, JOURNAL_READ_FAILED, JOURNAL_IN_USE, JOURNAL_WRITE_FAILED, DISK_FULL.
 */
export async function openJournalFile(path: string, options: { create: boolean; lock: boolean }): Promise<JournalStore> {
  if (path === '') throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'the path of the journal is empty' })
  // Whatever folder its process goes to meanwhile.
  const at = resolve(path)
  const unlock = options.lock ? await takeLock(path, at) : undefined
  let file: FileHandle | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  let closed: Promise<void> | undefined
  const handle = async (): Promise<FileHandle> => {
    if (file !== undefined) return file
    file = await open(at, 'a+')
    // The file's name must survive a crash as well as its bytes.
    const folder = await open(dirname(at), 'r')
    await folder.sync().catch(() => {})
    await folder.close()
    return file
  }
  const change = (work: (target: FileHandle) => Promise<void>): Promise<void> => {
    if (closed !== undefined) return Promise.reject(new KeyhaulError('KEYHAUL_CLOSED', { file: path }))
    // One after the other: they stand in their order, and the first one opens it.
    const changed = underWay.then(handle).then(work).catch((error: unknown) => {
      throw fileError(error, path, 'could not be written')
    })
    underWay = changed.catch(() => {})
    return changed
  }
  return {
    name: path,
    identity: `journal ${at}`,
    path: at,
    async read() {
      try {
        const bytes = new Uint8Array(await readFile(at))
        if (bytes.length > 0 || options.create || !options.lock) return bytes
      } catch (error) {
        const failure = readError(error, path)
        if (options.create && failure.code === 'KEYHAUL_JOURNAL_NOT_FOUND') return new Uint8Array(0)
        throw failure
      }
      throw new KeyhaulError('KEYHAUL_JOURNAL_TORN', { file: path, message: HOLDS_NOTHING })
    },
    truncate: (length) =>
      change(async (target) => {
        await target.truncate(length)
        await target.datasync()
      }),
    append: (bytes) =>
      change(async (target) => {
        for (let done = 0; done < bytes.length; ) {
          done += (await target.write(bytes, done, bytes.length - done)).bytesWritten
        }
        await target.datasync()
      }),
    close() {
      // Who comes next has the lock then: an append that is on its way, as when an engine is closed, comes first.
      closed ??= underWay.then(() => file?.close())
      return unlock?.(closed) ?? closed
    }
  }
}

/** Why a journal cannot be read. One that only the owner of another process may read is not one that is not there. */
export function readError(cause: unknown, file: string): KeyhaulError {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return new KeyhaulError('KEYHAUL_JOURNAL_NOT_FOUND', { file, cause })
  if (code === 'EISDIR') return new KeyhaulError('KEYHAUL_JOURNAL_NOT_A_JOURNAL', { file, message: 'it is a directory; name the file that is the journal', cause })
  return new KeyhaulError('KEYHAUL_JOURNAL_READ_FAILED', { file, message: `it is there and cannot be read: ${message}; mend that, then try again`, cause })
}

export function fileError(error: unknown, path: string, what: string, next = 'resume'): KeyhaulError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new KeyhaulError('KEYHAUL_DISK_FULL', { file: path, message: `no space is left on the disk; free space, then ${next}`, cause: error })
  }
  const why = code === 'ENOENT' ? 'its folder does not exist; make it' : code === 'ENOTDIR' ? 'a part of its path is a file; name another' : `the journal ${what}: ${message}; mend that`
  return new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', {
    file: path,
    message: `${why}, then ${next}`,
    cause: error
  })
}
