// What a migration between two stores costs, found out without writing into either: the source is
// read, and a part of it is migrated for real between scratch stores.
import { assignRange, type GatedStore, gatedStore } from '../live/index.js'
import { Engine } from '../migrate.js'
import type { MigrateOptions } from '../options.js'
import { KeyhaulError } from '../errors.js'
import type { Receipt } from '../receipt.js'
import type { JournalStore } from '../journal/journal.js'
import { memoryRegister } from '../register/memory.js'
import type { Register } from '../register/register.js'
import { type RangeInput, type RangesInput, toScanRanges } from '../ranges.js'
import { successor } from '../stores/bytes.js'
import { countOf } from '../stores/level-text.js'
import type { Entry, ScanRange, Store } from '../stores/store.js'
import { type CallTimes, callTimes } from './calls.js'
import { clients, fastest, timed, watchWriters } from './clients.js'
import type { Measurement } from './measurement.js'
import { pagesOf, type RehearsalPlan } from './plan.js'

export interface MeasureOptions {
  readonly from: Store
  /**
   * An empty store like the target and on its disk, which is filled and not emptied again. Live: `levelStore(db, { feed: true })`.
   */
  readonly scratch: Store
  /** Live: another one, like the source. */
  readonly scratchSource?: Store | undefined
  /** Live: an empty register like the one of the migration. Default: one in memory, of which a decision takes as long as a gate's answer. */
  readonly scratchRegister?: Register | undefined
  /** The target, if it is there: it is looked into for keys in the ranges, and not written. */
  readonly to?: Store | undefined
  readonly ranges?: RangesInput | undefined
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
  /** Live: the clients write on this thread already, so that the trial needs none of its own. Default false. */
  readonly isServing?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const TRIAL_BYTES_MAX = 64 << 20
const PROBES = 21
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
  const held = await lookInto(options, ranges)
  // Before anything of this gets in the writers' way.
  const watched: { writes?: number } = isLive && plan.writes === undefined && watchMs > 0 ? { writes: await watchWriters(from, ranges, watchMs, signal) } : {}
  const counted = await count(options, ranges)
  if (counted.sample.length === 0 && counted.entries > 0) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: from.name, message: 'the first entry is larger than the 64 MB of a trial; rehearse ranges that begin with a smaller one' })
  }
  if (counted.sample.length === 0) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: from.name, message: 'there is nothing in the ranges; a rehearsal needs entries to measure' })
  const source = options.scratchSource ?? scratch
  const lookNs = await look(from, counted.sample, signal)
  const { syncUs: aloneUs, writeNs } = await write(isLive ? source : scratch, counted.sample, plan, signal)
  const client = isLive ? await clients(source, counted.sample, signal) : { feedNs: 0, putNs: 0 }
  const writes = plan.writes ?? watched.writes ?? 0
  const { receipt, readNs, calls } = isLive ? await tryLive(options, source, counted.sample, plan, writes, aloneUs) : { receipt: await tryCopy(options, counted, plan), readNs: counted.readNs, calls: undefined }
  // Between clients it is longer, and that is what a pause is made of.
  const syncUs = calls?.p50Us ?? aloneUs
  const { entries, copyMs, verifyMs } = receipt
  const perEntry = (ms: number): number => (ms * 1e6) / entries
  // The end of a range is durable, and each so many pages. By the probes, which a busy disk may have kept longer than the trial.
  const syncs = Math.max(isLive ? 1 : counted.sampledRanges.length, Math.ceil(entries / rowsOf(counted, plan) / pagesOf(plan).durablePages))
  const syncMs = Math.min((aloneUs / 1000) * syncs, copyMs / 2)
  const times = timesOf(perEntry(copyMs - syncMs), perEntry(verifyMs), readNs, isLive ? (plan.share ?? 0.25) : undefined)
  const whole = (ns: number): number => Math.max(1, Math.round(ns))
  return {
    version: 1, entries: counted.entries, bytes: counted.bytes, exact: counted.exact, sampled: counted.sampled, live: isLive,
    readNs: whole(times.readNs * counted.slower), writeNs: whole(Math.min(writeNs, perEntry(copyMs))), syncUs,
    copyNs: whole(times.copyNs), verifyNs: whole(times.verifyNs), lookNs, ...watched, ...held,
    // What is read from a feed is taken along as an entry of a copy is.
    putNs: client.putNs, feedNs: isLive ? whole(client.feedNs + times.copyNs) : 0,
    ...(calls === undefined ? {} : { syncMostUs: Math.max(syncUs, calls.p95Us), answerUs: calls.answerUs, pauses: calls.pauses })
  }
}

/** Whether a migration would find the target empty where it has to be. */
async function lookInto({ to, signal }: MeasureOptions, ranges: readonly ScanRange[]): Promise<{ targetHolds?: boolean }> {
  if (to === undefined) return {}
  for (const range of ranges) {
    signal?.throwIfAborted()
    if ((await to.scan(range, { maxEntries: 1, maxBytes: 1 })).entries.length > 0) return { targetHolds: true }
  }
  return { targetHolds: false }
}

/**
 * What the simulator is told of what an entry took in a trial. What was measured by itself was so in code that
 * was cold, and a trial reads each entry too: that takes no longer than all of it. A copy reads ahead; a live
 * one, whose window is two pages, reads the next when one is written, so that its reading comes on top, and
 * it reads both sides to compare them.
 */
function timesOf(copyNs: number, verifyNs: number, aloneNs: number, share: number | undefined): { readNs: number; copyNs: number; verifyNs: number } {
  if (share === undefined) return { readNs: Math.min(aloneNs, copyNs, verifyNs), copyNs, verifyNs }
  const readNs = Math.min(aloneNs, copyNs / 2)
  return { readNs, copyNs: (copyNs - readNs) * share, verifyNs: (verifyNs * share) / 2 }
}

interface Counted {
  readonly entries: number
  readonly bytes: number
  readonly exact: boolean
  readonly sampled: number
  /** Of the sample. */
  readonly readNs: number
  /** So many times that, what lies behind the sample: colder, or on a slower part of the disk. */
  readonly slower: number
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
  let [entries, bytes, sampleBytes, exact] = [0, 0, 0, true]
  const [within, behindIt] = [new EntryTimes(), new EntryTimes()]
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
      const isWithin = sample.length < trialMax && sampleBytes <= TRIAL_BYTES_MAX
      ;(isWithin ? within : behindIt).add(performance.now() - began, page.entries.length)
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
      if (last !== undefined) gte = successor(last)
      end = page.end
    }
    if (sample.length > before) sampledRanges.push([(sample[before] as Entry)[0], (sample.at(-1) as Entry)[0]])
    seen.push({ gte: range.gte, lt: exact ? range.lt : gte })
    if (!exact) break
  }
  // A few pages more say nothing.
  const slower = behindIt.entries < within.entries ? 1 : Math.max(1, behindIt.ns / within.ns)
  const counted = { entries, bytes, exact, sampled: entries, readNs: within.ns, slower, sample, sampledRanges }
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

/** How long an entry takes, of many. */
class EntryTimes {
  entries = 0
  private ms = 0
  add(ms: number, entries: number): void {
    this.ms += ms
    this.entries += entries
  }
  get ns(): number {
    return Math.max(1, (this.ms * 1e6) / Math.max(1, this.entries))
  }
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
  const ms = await fastest(() => timed(() => (from.getMany as NonNullable<Store['getMany']>)(keys, { signal })), (took) => took)
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
  return { writeNs: (ms * 1e6) / sample.length, syncUs: Math.max(0, Math.round((durable - plain) * 1000)) }
}

/** Verified whatever the plan says: a forecast of another depth may be asked of it. The source itself is read; its keys are in the scratch store already, which a copy may find there. */
async function tryCopy(options: MeasureOptions, counted: Counted, plan: RehearsalPlan): Promise<Receipt> {
  const { from, scratch, signal } = options
  const readable: Store = { name: `${from.name} (rehearsal)`, identity: {}, capabilities: new Set(['scan', 'apply']), scan: (range, given) => from.scan(range, given), apply: refused }
  return fastest(() => carriedOut({ from: readable, to: scratch, intoNonempty: true, ranges: counted.sampledRanges, verify: 'target', ...pagesOf(plan), signal }), workOf)
}

const workOf = ({ copyMs, verifyMs }: Receipt): number => copyMs + verifyMs

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

/** Also how long an entry of a scan took: the thread is idle for most of it, and keeps none of them waiting; and what pauses were made of, between clients. */
async function tryLive({ scratch, scratchRegister, isServing = false, signal }: MeasureOptions, source: Store, sample: readonly Entry[], plan: RehearsalPlan, writes: number, syncUs: number): Promise<{ receipt: Receipt; readNs: number; calls: CallTimes }> {
  let reads = new EntryTimes()
  const [from, to] = [source, scratch].map((store) => {
    const scan: Store['scan'] = async (range, given) => {
      const began = performance.now()
      const page = await store.scan(range, given)
      // Whoever looks at entries takes them as bytes, and the rest of the trial with it, as no migration does.
      reads.add(performance.now() - began, countOf(page))
      return page
    }
    return gatedStore(Object.assign(Object.create(store) as Store, { scan }))
  }) as [GatedStore, GatedStore]
  const register = scratchRegister ?? memoryRegister()
  await assignRange({ register, store: from })
  const move = (a: GatedStore, b: GatedStore, ranges?: RangesInput, watched = register, journal?: JournalStore): Promise<Receipt> =>
    carriedOut({ live: true, from: a, to: b, ranges, register: watched, journal, share: plan.share, ...pagesOf(plan), signal })
  // There, back, and there again.
  const tried = await fastest(async (turn) => {
    reads = new EntryTimes()
    return { receipt: await (turn % 2 === 0 ? move(from, to) : move(to, from)), readNs: reads.ns }
  }, ({ receipt }) => workOf(receipt))
  const calls = await callTimes({ from: to, to: from, register, sample, writes, isServing, syncUs, move })
  // One in memory says nothing of another.
  if (!register.durable) return { ...tried, calls: { ...calls, pauses: calls.pauses.map((pause) => ({ ...pause, decideUs: 0 })) } }
  return { ...tried, calls }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number
