import { type FileHandle, open, readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KeyhaulError } from '../errors.js'
import type { JournalStore } from './journal.js'

/**
 * A journal in a file. With `lock`, `<path>.lock` names the process that works on it; the
 * lock of a process that is gone is taken over. Errors: JOURNAL_NOT_FOUND, JOURNAL_IN_USE,
 * JOURNAL_WRITE_FAILED, DISK_FULL.
 */
export async function openJournalFile(path: string, options: { create: boolean; lock: boolean }): Promise<JournalStore> {
  if (options.lock) await takeLock(path)
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
    async read() {
      try {
        return new Uint8Array(await readFile(path))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
          if (options.create) return new Uint8Array(0)
          throw new KeyhaulError('KEYHAUL_JOURNAL_NOT_FOUND', { file: path, cause: error })
        }
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
      if (options.lock) await unlink(`${path}.lock`).catch(() => {})
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

function fileError(error: unknown, path: string, what: string, next = 'resume'): KeyhaulError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new KeyhaulError('KEYHAUL_DISK_FULL', { file: path, message: `no space is left on the disk; free space, then ${next}`, cause: error })
  }
  return new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', {
    file: path,
    message: `the journal ${what}: ${message}; mend that, then ${next}`,
    cause: error
  })
}

async function takeLock(path: string): Promise<void> {
  const lock = `${path}.lock`
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      return await writeLock(lock)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(error, path, 'could not be locked', 'run the same command again')
      const holder = Number((await readFile(lock, 'utf8').catch(() => '')).trim())
      if (holder > 0 && isAlive(holder)) {
        throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', {
          file: path,
          message: `process ${holder} is working on this journal; wait for it, or stop it`
        })
      }
      await unlink(lock).catch(() => {})
    }
  }
  throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file: path })
}

async function writeLock(lock: string): Promise<void> {
  const file = await open(lock, 'wx')
  try {
    await file.writeFile(String(process.pid))
  } catch (error) {
    await unlink(lock).catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
