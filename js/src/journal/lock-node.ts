import { type FileHandle, link, open, readFile, unlink } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KeyhaulError } from '../errors.js'
import { toHex } from '../stores/bytes.js'
import { fileError } from './file-node.js'

/** The locks of this thread, by token: one of our pid that neither it nor another thread has is of an earlier life. */
const held = new Map<string, FileHandle>()
/** Of those, the ones that are being given back. */
const leaving = new Map<string, Promise<void>>()

type Release = (last: Promise<void>) => Promise<void>

const TRIES_MAX = 8
const WAIT_MS = 10
const wait = (): Promise<void> => new Promise((wake) => setTimeout(wake, WAIT_MS))

/**
 * Makes `<at>.lock`, `at` being where the path leads, which names its process by pid, start time and a token: pids come back,
 * in a restarted container at once. Its holder has the file open as long as it holds it, and it says
 * as which descriptor: those are the process's, so that is how its threads know of each other, also of one that was
 * terminated. The lock of a process or a thread that is gone is taken over; that of one
 * of this thread that is being released is waited for. Gives what releases it, once `last` has
 * settled. Errors: JOURNAL_IN_USE, JOURNAL_WRITE_FAILED, DISK_FULL.
 */
export function takeLock(path: string, at: string): Promise<Release> {
  return take(path, `${at}.lock`)
}

/** Whether the journal could be locked now, for who has to open other things before it. Errors: JOURNAL_IN_USE. */
export async function assertFree(path: string): Promise<void> {
  const lock = `${resolve(path)}.lock`
  const text = await readText(lock)
  if (text !== undefined && (await isHeld(lock, text))) throw inUse(path, text)
}

function inUse(file: string, text: string): KeyhaulError {
  const [pid] = text.split(' ')
  const message = Number(pid) === process.pid ? 'this process is working on this journal already; wait for that to end' : `process ${pid} is working on this journal; wait for it, or stop it`
  return new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file, message })
}

async function take(path: string, lock: string): Promise<Release> {
  const token = crypto.randomUUID()
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const made = await make(path, lock, token)
    if (made !== undefined) {
      held.set(token, made.file)
      return (last) => {
        const left = leaving.get(token) ?? release(lock, made.text, last)
        leaving.set(token, left)
        return left.then(() => last)
      }
    }
    const other = await readText(lock)
    if (other === undefined) continue
    const left = leaving.get(other.split(' ')[2] ?? '')
    if (left !== undefined) await left
    // Where there are no links (see below) it may be about to be written.
    else if (other === '' && tries < TRIES_MAX / 2) await wait()
    else if (await isHeld(lock, other)) throw inUse(path, other)
    else await clear(path, lock, other)
  }
  throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file: path })
}

/**
 * Takes a stale lock away. Of several that want to, one at a time does, and looks again first: who had read it a moment
 * ago would else take away what another has made in its place. What keeps them apart is a lock too, of this very text.
 */
async function clear(path: string, lock: string, stale: string): Promise<void> {
  let giveBack: Release
  try {
    const name = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(stale)))
    giveBack = await take(path, `${lock}.${toHex(name.subarray(0, 4))}`)
  } catch (error) {
    if ((error as KeyhaulError).code !== 'KEYHAUL_JOURNAL_IN_USE') throw error
    return wait()
  }
  try {
    if ((await readText(lock)) === stale) await unlink(lock)
  } catch (error) {
    throw lockError(error, path)
  } finally {
    await giveBack(Promise.resolve())
  }
}

/** Nothing: there is one already. It gets its name when all of it is there: one without text would be taken for stale. */
async function make(path: string, lock: string, token: string): Promise<{ file: FileHandle; text: string } | undefined> {
  const aside = `${lock}.${crypto.randomUUID().slice(0, 8)}`
  let file: FileHandle | undefined
  const write = async (name: string): Promise<string> => {
    file = await open(name, 'wx')
    try {
      const text = `${process.pid} ${(await statOf(process.pid)).start} ${token} ${file.fd}`
      await file.writeFile(text)
      return text
    } catch (error) {
      await unlink(name).catch(() => {})
      throw error
    }
  }
  try {
    let text = await write(aside)
    try {
      await link(aside, lock)
    } catch (error) {
      if (isThere(error)) throw error
      // Not every file system has links.
      await file?.close()
      text = await write(lock)
    } finally {
      await unlink(aside).catch(() => {})
    }
    return { file: file as unknown as FileHandle, text }
  } catch (error) {
    await file?.close()
    if (isThere(error)) return undefined
    throw lockError(error, path)
  }
}

const isThere = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST'
const lockError = (error: unknown, path: string): KeyhaulError => fileError(error, path, 'could not be locked', 'run the same command again')

/** Whatever `last` comes to, nothing is written any more. */
async function release(lock: string, text: string, last: Promise<void>): Promise<void> {
  await last.catch(() => {})
  if ((await readText(lock)) === text) await unlink(lock).catch(() => {})
  const token = text.split(' ')[2] ?? ''
  await held.get(token)?.close().catch(() => {})
  held.delete(token)
  leaving.delete(token)
}

async function readText(path: string): Promise<string | undefined> {
  return (await readFile(path, 'utf8').catch(() => undefined))?.trim()
}

async function isHeld(lock: string, text: string): Promise<boolean> {
  const [pid = '', start = '', token = '', fd = ''] = text.split(' ')
  const holder = Number(pid)
  if (!Number.isInteger(holder) || holder <= 0) return false
  if (holder === process.pid && held.has(token)) return true
  const { isDead, start: began } = await statOf(holder)
  const isIt = start === '' || start === '0' || start === began
  return isIt && !isDead && (holder === process.pid ? isOpenAs(Number(fd), lock) : isAlive(holder))
}

/** Whether a thread of this process has this very file open as that. */
function isOpenAs(fd: number, path: string): boolean {
  try {
    // As in own-file-node.ts: not imported.
    const { fstatSync, statSync } = process.getBuiltinModule('node:fs')
    const [opened, there] = [fstatSync(fd, { bigint: true }), statSync(path, { bigint: true })]
    return opened.ino === there.ino && opened.dev === there.dev
  } catch {
    return false
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

/**
 * Of a process, from proc(5), stat: when it began in clock ticks since boot (field 22; `0` where unknown), and whether it is
 * only waited for: a zombie keeps its pid until its parent has asked for its end, which may be never. What it had open is
 * closed once none of its other threads is left (field 20), of which one might be writing still.
 */
async function statOf(pid: number): Promise<{ isDead: boolean; start: string }> {
  const stat = await readText(`/proc/${pid}/stat`)
  // The name in field 2 may hold spaces and brackets; what follows the last bracket does not.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return { isDead: /^[ZX]/.test(fields[0] ?? '') && Number(fields[17]) <= 1, start: fields[19] ?? '0' }
}
