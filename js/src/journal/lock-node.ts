import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { KeyhaulError } from '../errors.js'
import { fileError } from './file-node.js'

/** The locks of this process, by token: one of our pid that is not here is of an earlier life. */
const held = new Set<string>()
/** Of those, the ones that are being given back. */
const leaving = new Map<string, Promise<void>>()

/**
 * Makes `<path>.lock`, which names its process by pid, start time and a token: pids come back,
 * in a restarted container at once. The lock of a process that is gone is taken over; that of one
 * of this process that is being released is waited for. Gives what releases it, once `last` has
 * settled. Errors: JOURNAL_IN_USE.
 */
export async function takeLock(path: string): Promise<(last: Promise<void>) => Promise<void>> {
  const lock = `${path}.lock`
  const token = crypto.randomUUID()
  const text = `${process.pid} ${await startOf(process.pid)} ${token}`
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      await writeFile(lock, text, { flag: 'wx' })
      held.add(token)
      return (last) => {
        const left = leaving.get(token) ?? release(lock, text, last)
        leaving.set(token, left)
        return left.then(() => last)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        // On a full disk the file is made and stays empty; nobody else can have got it meanwhile.
        if ((await readText(lock)) === '') await unlink(lock).catch(() => {})
        throw fileError(error, path, 'could not be locked', 'run the same command again')
      }
    }
    const other = await readText(lock)
    if (other === undefined) continue
    const left = leaving.get(other.split(' ')[2] ?? '')
    if (left !== undefined) {
      await left
      continue
    }
    if (await isHeld(other)) {
      throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', {
        file: path,
        message: `process ${other.split(' ')[0]} is working on this journal; wait for it, or stop it`
      })
    }
    // Of several that take a stale lock over, one gets it by the rename; had somebody renewed
    // it meanwhile, it goes back.
    const aside = `${lock}.${token}`
    try {
      await rename(lock, aside)
    } catch {
      continue
    }
    if ((await readText(aside)) !== other) await link(aside, lock).catch(() => {})
    await unlink(aside).catch(() => {})
  }
  throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file: path })
}

/** Whatever `last` comes to, nothing is written any more. */
async function release(lock: string, text: string, last: Promise<void>): Promise<void> {
  await last.catch(() => {})
  if ((await readText(lock)) === text) await unlink(lock).catch(() => {})
  const token = text.split(' ')[2] ?? ''
  held.delete(token)
  leaving.delete(token)
}

async function readText(path: string): Promise<string | undefined> {
  return (await readFile(path, 'utf8').catch(() => undefined))?.trim()
}

async function isHeld(text: string): Promise<boolean> {
  const [pid = '', start = '', token = ''] = text.split(' ')
  const holder = Number(pid)
  if (!Number.isInteger(holder) || holder <= 0) return false
  if (holder === process.pid) return held.has(token)
  return isAlive(holder) && (start === '' || start === '0' || start === (await startOf(holder)))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process began, in clock ticks since boot (proc(5), stat, field 22); `0` where unknown. */
async function startOf(pid: number): Promise<string> {
  const stat = await readText(`/proc/${pid}/stat`)
  // The name in field 2 may hold spaces and brackets; what follows the last bracket does not.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
}
