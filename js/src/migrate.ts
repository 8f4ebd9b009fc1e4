/// <reference lib="esnext.disposable" preserve="true" />
import { openJournalFile } from '#journal-file'
import { Driver } from './engine/driver.js'
import { liveParts } from './engine/load.js'
import { idOrThrow, type PlanProblem } from './engine/handle.js'
import { encodePlan } from './engine/plan.js'
import { errorCodeOf, formatKey, KeyhaulError } from './errors.js'
import { assertGiven, assertRate, ENGINE_NAMES, refused, RESUME_NAMES } from './given.js'
import { type JournalSummary, readSummary } from './inspect.js'
import { closeJournal, type JournalStore, useJournal } from './journal/journal.js'
import type { Fenced } from './live/begin.js'
import type { LiveRun } from './engine/live.js'
import { Migration } from './migration.js'
import type { EngineOptions, MigrateOptions } from './options.js'
import { anyOverlap, toScanRanges, underPrefix } from './ranges.js'
import { fromHex } from './stores/bytes.js'
import { assertHonoured, CAPABILITIES } from './stores/capabilities.js'
import type { Capability, ScanRange, Store } from './stores/store.js'

export type { EngineOptions, MigrateOptions } from './options.js'

const MODES = { copy: 1, move: 2, verify: 3 } as const
const LIVE = 4

type Going = Pick<MigrateOptions, 'from' | 'to' | 'signal' | 'rate' | 'register' | 'share' | 'stopWrites' | 'resumeWrites' | 'takeOver'>
const DEPTHS = { none: 0, target: 1, both: 2 } as const
const CHECKSUMS = { none: 0, crc32: 1, crc32c: 2 } as const

/** While its pages come, a slow copy loses little more than so much of its work by a crash. */
const CHECKPOINT_EVERY_MS = 1000

/** Runs migrations beside each other under common limits. */
export class Engine {
  // Not #driver: a test says to it what the engine would.
  private readonly driver: Driver
  readonly #running = new Set<Migration>()
  #rate: number | undefined
  #closed = false

  constructor(options: EngineOptions = {}) {
    assertGiven(options, ENGINE_NAMES)
    this.#rate = options.rate
    this.driver = new Driver({
      slots: options.slots ?? 0,
      sourceSlots: options.sourceSlots ?? 0,
      targetSlots: options.targetSlots ?? 0,
      bytesPerSecond: options.rate ?? 0,
      progressEveryMs: options.progressEveryMs ?? 100,
      checkpointEveryMs: CHECKPOINT_EVERY_MS,
      stallMs: options.stallMs ?? 30_000,
      retriesMax: options.retries ?? 8,
      verifyRoundsMax: options.verifyRounds ?? 5,
      differencesMax: options.differencesMax ?? 10_000
    })
  }

  /**
   * Starts a migration, or goes on with the one in the journal when it is the same. Rejects
   * on a wrong request before anything is touched.
   */
  async migrate(given: MigrateOptions): Promise<Migration> {
    this.#assertOpen()
    assertGiven(given)
    assertStores(given)
    const ranges = toScanRanges(given.ranges)
    const options = given.live === true ? liveBegin().moverOf(given, ranges) : given
    assertApart(options, ranges)
    return this.start(options, ranges)
  }

  /** @internal */
  async start(options: MigrateOptions & Fenced, ranges: readonly ScanRange[]): Promise<Migration> {
    const journal = await openJournal(options.journal, true)
    try {
      const bytes = (await journal?.read()) ?? new Uint8Array(0)
      if (journal !== undefined && bytes.length > 0) {
        const summary = readSummary(bytes, journal.name)
        if (summary !== undefined) {
          assertSame(summary, options, ranges, journal.name)
          return await this.#goOn(options, ranges, journal, bytes, summary)
        }
        await journal.truncate(0)
      }
      return await this.#begin(options, ranges, journal)
    } catch (error) {
      await closeJournal(journal)
      throw error
    }
  }

  /** Goes on with what the journal holds. The stores must have the names that stand in it. */
  async resume(given: Going & { journal: string | JournalStore }): Promise<Migration> {
    this.#assertOpen()
    assertGiven(given, RESUME_NAMES)
    assertStores(given)
    const journal = (await openJournal(given.journal, false)) as JournalStore
    try {
      const bytes = await journal.read()
      const summary = readSummary(bytes, journal.name)
      if (summary === undefined) throw new KeyhaulError('KEYHAUL_JOURNAL_TORN', { file: journal.name })
      const ranges = readRanges(summary)
      const options = given.register === undefined ? given : liveBegin().moverOf(given, ranges)
      return await this.#goOn(options, ranges, journal, bytes, summary)
    } catch (error) {
      await closeJournal(journal)
      throw error
    }
  }

  /** All migrations together, bytes a second; 0 is no limit. */
  setRate(bytesPerSecond: number): void {
    this.#assertOpen()
    assertRate(bytesPerSecond)
    this.#rate = bytesPerSecond
    this.driver.engine.setRate(this.driver.now(), 0, bytesPerSecond)
    this.driver.wake()
  }

  /**
   * Frees the engine at once. What runs is abandoned as by a crash: `done` rejects with
   * KEYHAUL_CLOSED, and its journal resumes it. Idempotent.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const migration of [...this.#running]) migration.abandon()
    this.driver.close()
  }
  [Symbol.dispose](): void {
    this.close()
  }

  async #begin(options: MigrateOptions & Fenced, ranges: readonly ScanRange[], journal: JournalStore | undefined): Promise<Migration> {
    await options.split?.assertFresh(journal)
    const driver = this.#readyDriver()
    const source = driver.addStore(options.from)
    const target = driver.addStore(options.to)
    const live = options.live === true ? liveBegin().liveRun(options) : undefined
    const plan = encodePlan({
      source: options.from.name,
      target: options.to.name,
      hostInfo: jsonOf(options.hostInfo, options.split?.kept),
      sourceCapabilities: bitsOf(options.from),
      targetCapabilities: bitsOf(options.to),
      mode: live === undefined ? choose('mode', MODES, options.mode ?? 'copy') : LIVE,
      verify: choose('verify', DEPTHS, options.verify ?? 'target'),
      require: options.requireLevel ?? 0,
      priority: options.priority ?? 128,
      intoNonempty: options.intoNonempty === true,
      repair: options.repair === true,
      follow: options.follow === true,
      checksumKind: choose('checksum', CHECKSUMS, options.checksum ?? 'crc32'),
      pageBytes: options.pageBytes ?? (live ? 65_536 : options.rate || this.#rate ? 1_000_000 : 4_000_000),
      pageEntries: options.pageEntries ?? 4096,
      lanes: options.lanes ?? 1,
      windowPages: options.windowPages ?? (live ? 2 : 4),
      durablePages: options.durablePages ?? (live ? 20 : 256),
      entryBytesMax: options.entryBytesMax ?? 64 << 20,
      expectedEntries: options.expected?.entries ?? 0,
      expectedBytes: options.expected?.bytes ?? 0,
      digestKey: crypto.getRandomValues(new Uint8Array(32)),
      ranges,
      live: live && liveBegin().livePlan(live, options, journal)
    })
    const id = driver.engine.start(driver.now(), plan, source, target, journal !== undefined)
    if (id < 0) throw planError(-id, driver.engine.problem(), options)
    if (options.rate !== undefined) driver.engine.setRate(driver.now(), id, options.rate)
    if (live !== undefined) live.writes = liveParts.writes?.(options.from, options.to, ranges)
    return this.#run(id, options, ranges, journal, live)
  }

  async #goOn(
    options: Going & Fenced,
    ranges: readonly ScanRange[],
    journal: JournalStore,
    bytes: Uint8Array,
    summary: JournalSummary
  ): Promise<Migration> {
    for (const [given, wanted] of [[options.from, summary.source], [options.to, summary.target]] as const) {
      if (given.name === wanted) continue
      throw new KeyhaulError('KEYHAUL_JOURNAL_MISMATCH', {
        file: journal.name,
        message: `it belongs to a migration from ${summary.source} to ${summary.target}, not with ${given.name}; use another journal, or resume that one`
      })
    }
    if (summary.live?.splitMax !== undefined) options = liveBegin().splitOf(options, summary)
    if (summary.receipt !== undefined) {
      const parts = await options.split?.goOn(this, ranges, journal, summary)
      if (parts !== undefined) return parts
      throw new KeyhaulError('KEYHAUL_ALREADY_COMPLETE', {
        file: journal.name,
        message: 'its migration has ended, inspectJournal() has the receipt; use another journal'
      })
    }
    const live = summary.live && await liveBegin().resumedRun(options, fromHex(summary.live.claim), summary.level, journal.name)
    if (summary.torn) await journal.truncate(summary.validBytes)
    const driver = this.#readyDriver()
    const source = driver.addStore(options.from)
    const target = driver.addStore(options.to)
    const id = idOrThrow(driver.engine.resume(driver.now(), bytes, source, target), { file: journal.name })
    if (options.rate !== undefined) driver.engine.setRate(driver.now(), id, options.rate)
    return this.#run(id, options, ranges, journal, live)
  }

  #run(
    id: number,
    options: Pick<MigrateOptions, 'from' | 'to' | 'signal'> & Fenced,
    ranges: readonly ScanRange[],
    journal: JournalStore | undefined,
    live: LiveRun | undefined
  ): Migration {
    const { from, to, signal } = options
    const onEnd = (): void => {
      this.#running.delete(migration)
    }
    const migration: Migration = new Migration(this.driver, id, { from, to, signal, ranges, journal, live, onEnd })
    this.#running.add(migration)
    live?.watch(migration)
    return options.split?.follow(this, ranges, migration) ?? migration
  }

  /** It may have been closed while a journal was read. Told what time it is. */
  #readyDriver(): Driver {
    this.#assertOpen()
    this.driver.engine.setWallClock(this.driver.now(), Date.now())
    return this.driver
  }

  #assertOpen(): void {
    if (this.#closed) throw new KeyhaulError('KEYHAUL_CLOSED')
  }
}

function assertStores({ from, to, signal }: Pick<MigrateOptions, 'from' | 'to' | 'signal'> = {} as MigrateOptions): void {
  if (signal != null && !(typeof signal.addEventListener === 'function' && typeof signal.removeEventListener === 'function')) throw refused(`signal is ${signal}; it must be an AbortSignal`)
  assertHonoured(from)
  assertHonoured(to)
  if (from === to || from.identity === to.identity) throw new KeyhaulError('KEYHAUL_SAME_STORE', { store: from.name })
  if (from.name === to.name) {
    throw new KeyhaulError('KEYHAUL_SAME_STORE', {
      store: from.name,
      message: 'source and target have the same name; give one another `name`'
    })
  }
}

function liveBegin(): NonNullable<typeof liveParts.begin> {
  if (liveParts.begin === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { message: "a live migration needs 'keyhaul/live'; import it with your other imports" })
  return liveParts.begin
}

/** Two stores in one database must not overlap, or a copy would read what it writes. */
function assertApart({ from, to }: Pick<MigrateOptions, 'from' | 'to'>, ranges: readonly ScanRange[]): void {
  const [source, target] = [from.place, to.place]
  if (source === undefined || target === undefined || source.database !== target.database) return
  const keysIn = ({ prefix }: typeof source): ScanRange[] => ranges.map((range) => underPrefix(range, prefix))
  if (!anyOverlap(keysIn(source), keysIn(target))) return
  throw new KeyhaulError('KEYHAUL_SAME_STORE', {
    store: from.name,
    message: `${to.name} lies inside the keys to be copied; give ranges that leave it out, or another target`
  })
}

function bitsOf(store: Store): number {
  return CAPABILITIES.reduce((bits, capability, i) => (store.capabilities.has(capability as Capability) ? bits | (1 << i) : bits), 0)
}

function choose<T extends Record<string, number>>(name: string, table: T, value: string): number {
  const number = Object.hasOwn(table, value) ? table[value] : undefined
  if (number === undefined) {
    throw refused(`${name} is ${JSON.stringify(value)}; it must be one of ${Object.keys(table).join(', ')}`)
  }
  return number
}

function planError(
  number: number,
  problem: Partial<PlanProblem>,
  options: MigrateOptions
): KeyhaulError {
  const code = errorCodeOf(number)
  if (problem.missing || code === 'KEYHAUL_LEVEL_NOT_MET') {
    const missing = CAPABILITIES.filter((_, i) => ((problem.missing ?? 0) & (1 << i)) !== 0)
    if (missing.includes('version')) return new KeyhaulError(code, { message: 'missing: version, on both stores, beside feedEarly' })
    if (options.live === true) return new KeyhaulError(code, { message: liveBegin().levelText(missing, options) })
    const lacks = [options.from, options.to].find(({ capabilities }) => missing.some((one) => !capabilities.has(one as Capability)))
    const why = missing.length === 0 ? 'without `live` keyhaul reaches level 1' : `missing: ${missing.join(', ')}`
    return new KeyhaulError(code, { store: lacks?.name, message: `level ${Math.max(options.requireLevel ?? 0, options.follow === true ? 1 : 0)} cannot be given: ${why}` })
  }
  if (problem.field === undefined || problem.field === '') return new KeyhaulError(code)
  return new KeyhaulError(code, { message: fieldText(problem as PlanProblem, options) })
}

/** What is wrong with a field of a plan, and what it may be. */
function fieldText({ field, least, most }: PlanProblem, options: MigrateOptions): string {
  const given = options[field as keyof MigrateOptions]
  if (field === 'hostInfo') return `hostInfo has more than ${most} bytes of JSON`
  if (most > 0) return `${field} is ${given}; it must be ${least} to ${most}`
  return given === undefined ? `the name of the ${field} must have 1 to 4096 bytes` : `${field} cannot be ${given} in a ${options.live === true ? 'live migration' : (options.mode ?? 'copy')}`
}

async function openJournal(journal: string | JournalStore | undefined, create: boolean): Promise<JournalStore | undefined> {
  return typeof journal === 'string' ? openJournalFile(journal, { create, lock: true }) : useJournal(journal, !create)
}

function jsonOf(host: unknown = null, split?: object): string {
  try {
    return JSON.stringify({ host, split })
  } catch (error) {
    throw refused(`hostInfo: ${(error as Error).message}`)
  }
}


function readRanges(summary: JournalSummary): ScanRange[] {
  return summary.ranges.map(([low, high]) => ({
    gte: low === '' ? undefined : fromHex(low),
    lt: high === null ? undefined : fromHex(high)
  }))
}

function assertSame(summary: JournalSummary, options: MigrateOptions, ranges: readonly ScanRange[], file: string): void {
  const mode = options.live === true ? 'live' : (options.mode ?? 'copy')
  const known = readRanges(summary)
  const text = (list: readonly ScanRange[]): string =>
    list.map(({ gte, lt }) => `${formatKey(gte ?? '')}..${lt === undefined ? '' : formatKey(lt)}`).sort().join(' ')
  if (summary.mode === mode && text(known) === text(ranges)) return
  throw new KeyhaulError('KEYHAUL_JOURNAL_MISMATCH', {
    file,
    message: `it belongs to another ${summary.mode} from ${summary.source} to ${summary.target}; use another journal, or resume that one`
  })
}
