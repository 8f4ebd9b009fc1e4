import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'
import { levelStore } from '../stores/level.js'
import { fromLevel } from '../stores/level-errors.js'
import type { LevelDatabase } from '../stores/level-types.js'
import type { Store } from '../stores/store.js'

export interface OpenStore {
  readonly store: Store
  readonly db: LevelDatabase
  close(): Promise<void>
}

type Opener = (path: string, role: 'source' | 'target') => Promise<OpenStore>

/** One line for each kind of store the command line can open. */
const SCHEMES: Readonly<Record<string, Opener>> = { level: openLevel }

/** `level:./path`, absolute, so that a journal means the same from every folder. */
export function storeName(url: string): string {
  const colon = url.indexOf(':')
  const scheme = url.slice(0, Math.max(colon, 0))
  if (!Object.hasOwn(SCHEMES, scheme) || url.length === colon + 1) {
    const known = Object.keys(SCHEMES).map((name) => `${name}:./path`)
    throw new KeyhaulError('KEYHAUL_USAGE', { message: `${url} is not a store; write it as ${known.join(' or ')}` })
  }
  return `${scheme}:${resolve(url.slice(colon + 1))}`
}

export function openStore(name: string, role: 'source' | 'target'): Promise<OpenStore> {
  const colon = name.indexOf(':')
  const opener = SCHEMES[name.slice(0, colon)] as Opener
  return opener(name.slice(colon + 1), role)
}

/** Of a LevelDB its folder. */
export const folderOf = (name: string): string => name.slice(name.indexOf(':') + 1)

/** Whether it has been made. */
export function isThere(name: string): boolean {
  const path = folderOf(name)
  if (isFile(path)) throw isAFile(name)
  return existsSync(join(path, 'CURRENT'))
}

/** The same folder under two names is one store. */
export function assertDifferent(from: string, to: string): void {
  const real = (name: string): string => {
    const path = folderOf(name)
    return existsSync(path) ? realpathSync(path) : path
  }
  if (real(from) === real(to)) {
    throw new KeyhaulError('KEYHAUL_SAME_STORE', { store: from, message: 'source and target are the same directory; name two' })
  }
}

async function openLevel(path: string, role: 'source' | 'target'): Promise<OpenStore> {
  const name = `level:${path}`
  const exists = existsSync(join(path, 'CURRENT'))
  if (!exists && role === 'source') {
    const what = whyNone(path)
    throw new KeyhaulError('KEYHAUL_STORE_NOT_FOUND', { store: name, message: `${what}; check the path` })
  }
  if (isFile(path)) throw isAFile(name)
  const { ClassicLevel } = await loadClassicLevel()
  // A larger write buffer makes fewer and larger files; LevelDB's default is 4 MiB.
  const db = new ClassicLevel(path, { writeBufferSize: 16 * 1024 * 1024, createIfMissing: role === 'target' })
  try {
    mkdirSync(dirname(path), { recursive: true })
    await db.open()
  } catch (error) {
    throw openError(error, name, role)
  }
  const opened = db as unknown as LevelDatabase
  return { store: levelStore(opened, { name }), db: opened, close: () => db.close() }
}

const MENDED: Readonly<Partial<Record<KeyhaulErrorCode, string>>> = {
  KEYHAUL_DISK_FULL: 'no space is left on the disk; free space',
  KEYHAUL_STORE_CORRUPT: 'the store says that its own data is damaged; repair it with its own tools'
}

/** Of a store that did not open: its own words where there is no better code than "not open". */
function openError(error: unknown, store: string, role: 'source' | 'target'): KeyhaulError {
  const known = fromLevel(error, store)
  const code = (error as { code?: unknown }).code
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new KeyhaulError('KEYHAUL_STORE_NOT_FOUND', { store, message: 'a file stands where its parent directory should be; check the path', cause: error })
  }
  // Nothing was begun, of which something could be resumed.
  const mended = MENDED[known.code]
  if (mended !== undefined) return new KeyhaulError(known.code, { store, message: `${mended}, then run the same command again`, cause: error })
  if (known.code !== 'KEYHAUL_STORE_CLOSED') return known
  const { cause } = error as { cause?: { message?: unknown } }
  const why = String(cause?.message ?? (error as Error).message)
  return new KeyhaulError('KEYHAUL_STORE_FAILED', { store, message: `it cannot be opened: ${why}; ${adviceOf(why, role)}`, cause: error })
}

/** Of a read-only file system Node says ENOENT where it makes folders. */
function adviceOf(why: string, role: 'source' | 'target'): string {
  if (!/permission denied|not permitted|read-only|ENOENT.*mkdir/i.test(why)) return 'mend that, then run the same command again'
  return role === 'target' ? 'let this user write there, or name another place' : 'LevelDB writes where it opens, also to read: let this user write there, or copy the directory elsewhere first'
}

const isAFile = (store: string): KeyhaulError => new KeyhaulError('KEYHAUL_STORE_NOT_FOUND', { store, message: 'it is a file; a LevelDB is a directory' })

/** There is none, or this user may not see it. */
function whyNone(path: string): string {
  try {
    return statSync(path).isDirectory() ? 'the directory holds no LevelDB, or none that may be read' : 'it is a file; a LevelDB is a directory'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'there is no permission to look into the folder above it' : 'there is no such directory'
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && !statSync(path).isDirectory()
}

async function loadClassicLevel(): Promise<typeof import('classic-level')> {
  try {
    return await import('classic-level')
  } catch (cause) {
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
      message: 'LevelDB directories need the package classic-level; run: npm install classic-level',
      cause
    })
  }
}
