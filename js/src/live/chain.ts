// The journals of a migration that was split: `<path>` tells at which key, `<path>.1` and `<path>.2` are those of its
// halves, which may be split in turn. Each names the claim of the one that it is a part of, so one that was left by
// another migration is not taken for a part of this one.
import { openJournalFile } from '#journal-file'
import { KeyhaulError } from '../errors.js'
import { inspectJournal, type JournalInfo, readSummary } from '../inspect.js'
import type { DigestSummary, Receipt } from '../receipt.js'

export interface ChainNode {
  readonly path: string
  readonly info: JournalInfo
  /** The claim of the one that it is a part of. */
  readonly of: string | undefined
  /** In key order, as far as they were begun. */
  readonly parts: readonly ChainNode[]
  /** Once nothing of it is left to do: of all its parts. */
  readonly receipt: Receipt | undefined
}

/** What stands behind `host` in a journal of one that may be split. */
export interface Envelope {
  readonly of?: string | undefined
  readonly options: object
}

export const partOf = (path: string, number: number): string => `${path}.${number}`

export function envelopeOf(hostInfo: string): { host?: unknown; split?: Envelope } {
  try {
    const read: unknown = JSON.parse(hostInfo)
    if (typeof read === 'object' && read !== null) return read
  } catch {
    // Said below.
  }
  throw new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT', { message: 'what the host wrote into it cannot be read; it was not made by this API' })
}

/** The journal at a path with those of its parts. Nothing where there is none, or one in which nothing was begun. */
export async function readChain(path: string, of?: string): Promise<ChainNode | undefined> {
  const bytes = await readFile(path)
  if (bytes === undefined) return undefined
  const summary = readSummary(bytes, path)
  if (summary === undefined) return undefined
  const { split } = envelopeOf(summary.hostInfo)
  if (of !== undefined && split?.of !== of) throw ofAnother(path)
  const info = inspectJournal(bytes)
  const about = { path, info, of: split?.of }
  if (info.receipt?.splitAt === undefined) return { ...about, parts: [], receipt: info.receipt }
  const parts: ChainNode[] = []
  for (const number of [1, 2]) {
    const part = await readChain(partOf(path, number), info.live?.claim)
    if (part !== undefined) parts.push(part)
    else if (number === 1) await assertFirst(path)
    if (part?.receipt?.state !== 'done') break
  }
  const receipts = parts.flatMap(({ receipt }) => receipt ?? [])
  const isOver = receipts.length === 2 || receipts.some(({ state }) => state !== 'done')
  return { ...about, parts, receipt: isOver ? totalOf(info.receipt, receipts) : undefined }
}

/** Begun anew the first part would be refused, for it has moved, and the second one would be out of reach. */
export async function assertFirst(path: string): Promise<void> {
  const second = partOf(path, 2)
  if ((await readFile(second)) === undefined) return
  throw new KeyhaulError('KEYHAUL_JOURNAL_NOT_FOUND', { file: partOf(path, 1), message: `it is gone, or holds nothing, and ${second} is there; restore it from a copy, or resume ${second} by itself` })
}

/** Why it stopped: the last of its parts that was begun. */
export function stoppedOf({ info, parts }: ChainNode): JournalInfo['stopped'] {
  const last = parts.at(-1)
  if (last !== undefined) return stoppedOf(last)
  return info.receipt === undefined ? info.stopped : undefined
}

/** Those of an earlier migration would be in the way once this one is split: better said before it begins. */
export async function assertNoParts(path: string): Promise<void> {
  for (const number of [1, 2]) if ((await readFile(partOf(path, number))) !== undefined) throw ofAnother(partOf(path, number))
}

/** By what name the register has it: that of the part begun last, which may be held still. */
export function claimIn({ info, parts }: ChainNode): string | undefined {
  const last = parts.at(-1)
  return last === undefined ? info.live?.claim : claimIn(last)
}

/** Its own, and those of its parts, which go after it: what begins anew in it finds them then, and says so. */
export const filesOf = ({ path, parts }: ChainNode): string[] => [path, ...parts.flatMap(filesOf)]

const ofAnother = (file: string): KeyhaulError =>
  new KeyhaulError('KEYHAUL_JOURNAL_MISMATCH', { file, message: 'it is of a part of another migration, and a part of this one would have its name; remove it, or use another journal' })

async function readFile(path: string): Promise<Uint8Array | undefined> {
  const journal = await openJournalFile(path, { create: false, lock: false })
  try {
    return await journal.read()
  } catch (error) {
    if (error instanceof KeyhaulError && error.code === 'KEYHAUL_JOURNAL_NOT_FOUND') return undefined
    throw error
  } finally {
    await journal.close()
  }
}

/** How many parts there are, of those that were begun. */
export const partsIn = ({ parts }: Receipt): number => (parts === undefined ? 1 : parts.reduce((sum, part) => sum + partsIn(part), 0))

const SUMS = [
  'deletedEntries', 'leftOnSource', 'discardedEntries', 'feedChanges', 'copiedPages', 'retries', 'verifyRounds', 'durationMs', 'copyMs', 'catchUpMs', 'verifyMs',
  'deleteMs', 'postponed', 'rechecked', 'missing', 'extra', 'changed', 'repairs'
] as const

/** `whole`: of the one that was split, whose work was in vain. */
export function totalOf(whole: Receipt, parts: readonly Receipt[]): Receipt {
  const { splitAt: _, position: __, writes: ___, ...rest } = whole
  const sum = (of: (receipt: Receipt) => number): number => parts.reduce((total, part) => total + of(part), 0)
  const longest = parts.reduce<Receipt | undefined>((most, part) => (part.pauseMs > (most?.pauseMs ?? -1) ? part : most), undefined)
  const digestOf = (side: 'source' | 'target'): DigestSummary => ({ sum: '', entries: sum(({ digests }) => digests[side].entries), bytes: sum(({ digests }) => digests[side].bytes) })
  const all = Object.fromEntries(SUMS.map((name) => [name, Math.round(100 * (whole[name] + sum((part) => part[name]))) / 100]))
  const moved = parts.filter(({ state }) => state === 'done')
  const stale = parts.flatMap(({ staleReadsMs }) => staleReadsMs ?? [])
  const staleReadsMs = stale.includes('unknown') ? 'unknown' : Math.max(...(stale as number[]))
  return {
    ...rest,
    ...(all as Pick<Receipt, (typeof SUMS)[number]>),
    state: parts.find(({ state }) => state !== 'done')?.state ?? 'done',
    level: Math.min(whole.level, ...parts.map(({ level }) => level)),
    verified: parts.every(({ verified }) => verified),
    entries: moved.reduce((total, { entries }) => total + entries, 0),
    bytes: moved.reduce((total, { bytes }) => total + bytes, 0),
    digests: { source: digestOf('source'), target: digestOf('target') },
    different: parts.flatMap(({ different }) => different),
    incarnations: Math.max(whole.incarnations, ...parts.map(({ incarnations }) => incarnations)),
    pauseMs: longest?.pauseMs ?? 0,
    pauseForecastMs: longest?.pauseForecastMs ?? 0,
    ...(stale.length === 0 ? {} : { staleReadsMs }),
    notPromised: [...new Set(parts.flatMap(({ notPromised }) => notPromised))],
    parts
  }
}
