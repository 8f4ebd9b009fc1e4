// What a migration between two stores costs, found out without writing into either: the source is
// read, and a part of it is migrated for real between scratch stores.
import { assignRange, gatedStore } from '../live/index.js'
import { Engine } from '../migrate.js'
import type { MigrateOptions } from '../options.js'
import { KeyhaulError } from '../errors.js'
import type { Receipt } from '../receipt.js'
import { memoryRegister } from '../register/memory.js'
import { type RangeInput, toScanRanges } from '../ranges.js'
import type { Entry, ScanRange, Store } from '../stores/store.js'
import { clients, timed, watchWriters } from './clients.js'
import type { Measurement } from './measurement.js'
import { pagesOf, type RehearsalPlan } from './plan.js'

export interface MeasureOptions {
  readonly from: Store
  /**
   * An empty store like the target and on its disk, which is filled and not emptied again. The
   * target itself is not asked for. Live: `levelStore(db, { feed: true })`.
   */
  readonly scratch: Store
  /** Live: another one, like the source. */
  readonly scratchSource?: Store | undefined
  readonly ranges?: readonly RangeInput[] | undefined
  readonly plan?: RehearsalPlan | undefined
  /** So many entries are counted one by one; of more, the store's estimate tells. Default 1,000,000. */
  readonly countMax?: number | undefined
  /** Of those so many are migrated for a trial, as far as 64 MB hold them. Default 100,000. */
  readonly trialMax?: number | undefined
  /**
   * Live, where the plan gives no `writes`: the writers of the source are watched for so long, through a
   * feed of the source, which records for that time. Default 0: they are not, and taken for none.
   */
  readonly watchMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const TRIAL_BYTES_MAX = 64 << 20
const PROBES = 11
const TRIALS = 3
const WATCH_MS_MAX = 3_600_000

/** Throws KEYHAUL_INVALID_ARGUMENT where there is nothing to measure. */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { from, scratch, signal, plan = {} } = options
  const isLive = plan.mode === 'live'
  if (isLive && options.scratchSource === undefined) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'scratchSource is missing; a live migration is tried between two scratch stores' })
  }
  const { watchMs = 0 } = options
  if (!(Number.isInteger(watchMs) && watchMs >= 0 && watchMs <= WATCH_MS_MAX)) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `watchMs is ${String(watchMs)}; it must be a whole number of 0 to ${WATCH_MS_MAX}` })
  }
  const ranges = toScanRanges(options.ranges)
  // Before anything of this gets in the writers' way.
  const watched = isLive && plan.writes === undefined && watchMs > 0 ? { writes: await watchWriters(from, ranges, watchMs, signal) } : {}
  const counted = await count(options, ranges)
  if (counted.sample.length === 0 && counted.entries > 0) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: from.name, message: 'the first entry is larger than the 64 MB of a trial; rehearse ranges that begin with a smaller one' })
  }
  if (counted.sample.length === 0) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: from.name, message: 'there is nothing in the ranges; a rehearsal needs entries to measure' })
  const source = options.scratchSource ?? scratch
  const lookNs = await look(from, counted.sample, signal)
  const writes = await write(isLive ? source : scratch, counted.sample, plan, signal)
  const client = isLive ? await clients(source, counted.sample, signal) : { feedNs: 0, putNs: 0 }
  const trial = isLive ? await tryLive(source, scratch, plan, signal) : await tryCopy(options, counted, plan)
  const share = isLive ? (plan.share ?? 0.25) : 1
  const { entries } = trial
  const syncMs = (writes.syncUs / 1000) * (entries / rowsOf(counted, plan) / pagesOf(plan).durablePages)
  const ns = (ms: number): number => Math.max(1, Math.round((Math.max(ms, 0) * 1e6 * share) / entries))
  return {
    version: 1, entries: counted.entries, bytes: counted.bytes, exact: counted.exact, sampled: counted.sampled, live: isLive,
    readNs: counted.readNs, ...writes, copyNs: ns(trial.copyMs - syncMs), verifyNs: ns(trial.verifyMs), lookNs, ...client, ...watched
  }
}

interface Counted {
  readonly entries: number
  readonly bytes: number
  readonly exact: boolean
  readonly sampled: number
  readonly readNs: number
  readonly sample: readonly Entry[]
  /** What it takes up of each range, both ends included. */
  readonly sampledRanges: readonly RangeInput[]
}

const rowsOf = ({ bytes, entries }: Counted, plan: RehearsalPlan): number => {
  const { pageEntries, pageBytes } = pagesOf(plan)
  return Math.max(1, Math.min(pageEntries, (pageBytes * entries) / Math.max(1, bytes)))
}

async function count(options: MeasureOptions, ranges: readonly ScanRange[]): Promise<Counted> {
  const { from, signal, countMax = 1_000_000, trialMax = 100_000 } = options
  const { pageEntries: maxEntries, pageBytes: maxBytes } = pagesOf(options.plan ?? {})
  const sample: Entry[] = []
  let [entries, bytes, readMs, sampleBytes, exact] = [0, 0, 0, 0, true]
  const seen: ScanRange[] = []
  const sampledRanges: RangeInput[] = []
  for (const range of ranges) {
    let { gte } = range
    const before = sample.length
    for (let end = false; !end; ) {
      if (entries >= countMax) {
        exact = false
        break
      }
      signal?.throwIfAborted()
      const began = performance.now()
      const page = await from.scan({ gte, lt: range.lt }, { maxEntries, maxBytes, signal })
      readMs += performance.now() - began
      for (const entry of page.entries) {
        const size = entry[0].length + entry[1].length
        entries++
        bytes += size
        // One that is left out leaves out all behind it: what is tried is a piece of the range.
        sampleBytes += size
        if (sample.length >= trialMax || sampleBytes > TRIAL_BYTES_MAX) continue
        sample.push(entry)
      }
      const last = page.entries.at(-1)?.[0]
      if (last !== undefined) gte = behind(last)
      end = page.end
    }
    if (sample.length > before) sampledRanges.push([(sample[before] as Entry)[0], (sample.at(-1) as Entry)[0]])
    seen.push({ gte: range.gte, lt: exact ? range.lt : gte })
    if (!exact) break
  }
  const readNs = Math.max(1, Math.round((readMs * 1e6) / Math.max(1, entries)))
  const counted = { entries, bytes, exact, sampled: entries, readNs, sample, sampledRanges }
  if (exact) return counted
  // The store's estimate of all of it, in what it says of the part that is known.
  const [all, part] = await Promise.all([estimate(from, ranges, signal), estimate(from, seen, signal)])
  if (all === undefined || part === undefined) {
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: from.name, message: `it holds more than ${entries} entries and gives no estimate of the rest; count more of them` })
  }
  // LevelDB sees only its tables, and not what is in memory yet: then it is counted to the end.
  if (part === 0 || all <= part) return count({ ...options, countMax: Number.POSITIVE_INFINITY }, ranges)
  return { ...counted, entries: Math.round((entries * all) / part), bytes: Math.round((bytes * all) / part) }
}

const behind = (key: Uint8Array): Uint8Array => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

async function estimate(store: Store, ranges: readonly ScanRange[], signal: AbortSignal | undefined): Promise<number | undefined> {
  let sum = 0
  for (const range of ranges) {
    const bytes = (await store.estimate?.(range, { signal }))?.bytes
    if (bytes === undefined) return undefined
    sum += bytes
  }
  return sum
}

async function look(from: Store, sample: readonly Entry[], signal: AbortSignal | undefined): Promise<number> {
  if (from.getMany === undefined) return 1
  const keys = Array.from({ length: Math.min(1000, sample.length) }, (_, i) => (sample[Math.floor((i * sample.length) / 1000) % sample.length] as Entry)[0])
  const ms = await timed(() => (from.getMany as NonNullable<Store['getMany']>)(keys, { signal }))
  return Math.max(1, Math.round((ms * 1e6) / keys.length))
}

/** Fills the store with the sample, page by page, and sees what makes a write durable. */
async function write(store: Store, sample: readonly Entry[], plan: RehearsalPlan, signal: AbortSignal | undefined): Promise<{ writeNs: number; syncUs: number }> {
  const rows = Math.max(1, Math.min(1000, pagesOf(plan).pageEntries))
  let ms = 0
  for (let at = 0; at < sample.length; at += rows) ms += await timed(() => store.apply(sample.slice(at, at + rows), { durable: false, signal }))
  const one = sample.slice(0, 1)
  const probes: [number, number][] = []
  for (let i = 0; i < PROBES; i++) {
    const plain = await timed(() => store.apply(one, { durable: false, signal }))
    probes.push([await timed(() => store.apply(one, { durable: true, signal })), plain])
  }
  const [durable, plain] = [0, 1].map((side) => median(probes.map((probe) => probe[side] as number))) as [number, number]
  return { writeNs: Math.max(1, Math.round((ms * 1e6) / sample.length)), syncUs: Math.max(0, Math.round((durable - plain) * 1000)) }
}

/** Verified whatever the plan says: a forecast of another depth may be asked of it. The source itself is read; its keys are in the scratch store already, which a copy may find there. */
async function tryCopy(options: MeasureOptions, counted: Counted, plan: RehearsalPlan): Promise<Receipt> {
  const { from, scratch, signal } = options
  const readable: Store = { name: `${from.name} (rehearsal)`, identity: {}, capabilities: new Set(['scan', 'apply']), scan: (range, given) => from.scan(range, given), apply: refused }
  return fastest(() => carriedOut({ from: readable, to: scratch, intoNonempty: true, ranges: counted.sampledRanges, verify: 'target', ...pagesOf(plan), signal }))
}

/** The first time code is cold, and a long migration is not. */
async function fastest(trial: (turn: number) => Promise<Receipt>): Promise<Receipt> {
  let best = await trial(0)
  for (let turn = 1; turn < TRIALS; turn++) {
    const next = await trial(turn)
    if (next.copyMs + next.verifyMs < best.copyMs + best.verifyMs) best = next
  }
  return best
}

async function carriedOut(options: MigrateOptions): Promise<Receipt> {
  const engine = new Engine()
  try {
    return await (await engine.migrate(options)).done
  } finally {
    engine.close()
  }
}

async function refused(): Promise<void> {
  throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { message: 'a rehearsal writes nothing into the source' })
}

async function tryLive(source: Store, target: Store, plan: RehearsalPlan, signal: AbortSignal | undefined): Promise<Receipt> {
  const [from, to] = [gatedStore(source), gatedStore(target)]
  const register = memoryRegister()
  await assignRange({ register, store: from })
  // There, back, and there again.
  return fastest((turn) => carriedOut({ live: true, ...(turn % 2 === 0 ? { from, to } : { from: to, to: from }), register, share: plan.share, ...pagesOf(plan), signal }))
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number
