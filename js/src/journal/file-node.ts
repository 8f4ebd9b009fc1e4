import { type FileHandle, open, readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { KeyhaulError } from '../errors.js'
import type { JournalStore } from './journal.js'
import { takeLock } from './lock-node.js'

/**
 * A journal in a file. With `lock`, `<path>.lock` names the process that works on it; the
 * lock of a process that is gone is taken over. Errors: JOURNAL_NOT_FOUND, JOURNAL_IN_USE,
 * JOURNAL_WRITE_FAILED, DISK_FULL.
 */
export async function openJournalFile(path: string, options: { create: boolean; lock: boolean }): Promise<JournalStore> {
  if (path === '') throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'the path of the journal is empty' })
  const unlock = options.lock ? await takeLock(path) : undefined
  let file: FileHandle | undefined
  const handle = async (): Promise<FileHandle> => {
    if (file !== undefined) return file
    file = await open(path, 'a+')
    // The file's name must survive a crash as well as its bytes.
    const folder = await open(dirname(path), 'r')
    await folder.sync().catch(() => {})
    await folder.close()
    return file
  }
  return {
    name: path,
    identity: `journal ${resolve(path)}`,
    async read() {
      try {
        return new Uint8Array(await readFile(path))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
          if (options.create) return new Uint8Array(0)
          throw new KeyhaulError('KEYHAUL_JOURNAL_NOT_FOUND', { file: path, cause: error })
        }
        if ((error as NodeJS.ErrnoException).code === 'EISDIR') throw new KeyhaulError('KEYHAUL_JOURNAL_NOT_A_JOURNAL', { file: path, message: 'it is a directory; name a file', cause: error })
        throw fileError(error, path, 'could not be read')
      }
    },
    async truncate(length) {
      await wrap(path, async () => {
        const target = await handle()
        await target.truncate(length)
        await target.datasync()
      })
    },
    async append(bytes) {
      await wrap(path, async () => {
        const target = await handle()
        for (let done = 0; done < bytes.length; ) {
          done += (await target.write(bytes, done, bytes.length - done)).bytesWritten
        }
        await target.datasync()
      })
    },
    async close() {
      await file?.close()
      file = undefined
      await unlock?.()
    }
  }
}

async function wrap(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw fileError(error, path, 'could not be written')
  }
}

export function fileError(error: unknown, path: string, what: string, next = 'resume'): KeyhaulError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new KeyhaulError('KEYHAUL_DISK_FULL', { file: path, message: `no space is left on the disk; free space, then ${next}`, cause: error })
  }
  const why = code === 'ENOENT' ? 'its folder does not exist; make it' : `the journal ${what}: ${message}; mend that`
  return new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', {
    file: path,
    message: `${why}, then ${next}`,
    cause: error
  })
}
