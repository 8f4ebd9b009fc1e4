import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KeyhaulError } from '../errors.js'

/** A folder beside the target for as long as the work takes. It goes too where the process exits meanwhile. */
export async function inScratchFolder<T>(target: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = make(existing(dirname(target)))
  // At an exit LevelDB's own threads may still put a file where one was just removed.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  process.on('exit', remove)
  try {
    return await work(folder)
  } finally {
    remove()
    process.off('exit', remove)
  }
}

function make(beside: string): string {
  try {
    return mkdtempSync(join(beside, '.keyhaul-rehearsal-'))
  } catch (cause) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { file: beside, message: `a scratch store cannot be made beside the target: ${(cause as Error).message}`, cause })
  }
}

/** The folder that is there, of those that a target would be made in. */
const existing = (folder: string): string => (existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder)))
