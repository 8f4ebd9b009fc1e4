import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

export const CLI = new URL('../../../dist/cli/main.js', import.meta.url).pathname

/** A folder of its own for one test. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-test-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function withLevel<T>(path: string, work: (db: ClassicLevel<string, string>) => Promise<T>): Promise<T> {
  const db = new ClassicLevel<string, string>(path)
  await db.open()
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

export const keyOf = (i: number): string => `key-${String(i).padStart(8, '0')}`

export async function fillLevel(path: string, count: number, valueBytes = 80): Promise<void> {
  await withLevel(path, async (db) => {
    for (let i = 0; i < count; ) {
      const batch = db.batch()
      for (const end = Math.min(count, i + 5000); i < end; i++) batch.put(keyOf(i), `${i}:`.padEnd(valueBytes, String(i % 10)))
      await batch.write()
    }
  })
}

export async function readLevel(path: string): Promise<Map<string, string>> {
  return withLevel(path, async (db) => new Map(await db.iterator().all()))
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export function keyhaul(args: readonly string[], onStart?: (child: ChildProcess) => void, env: NodeJS.ProcessEnv = {}, as: { uid?: number; gid?: number } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, NO_COLOR: '1', ...env }, ...as })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  onStart?.(child)
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })))
}

/** Numbers from a seed, so that a failing run can be repeated (xorshift32). */
/** Whoever is not root, for what root may do anyway. */
export const NOBODY = 65_534

/** Why a test in which the command runs as `NOBODY` cannot be made here, or false. */
export function closedToNobody(): string | false {
  if (process.getuid?.() !== 0) return false
  return spawnSync('test', ['-r', CLI], { uid: NOBODY, gid: NOBODY }).status === 0 ? false : `only root may read ${CLI}`
}

export function randomFrom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
