import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatKey, KeyhaulError } from '../errors.js'
import { inspectJournal, type JournalInfo } from '../inspect.js'
import { Engine, type MigrateOptions } from '../migrate.js'
import { type Migration, MigrationError } from '../migration.js'
import { ENDED } from '../progress.js'
import { endsOf, type RangeInput } from '../ranges.js'
import type { Receipt } from '../receipt.js'
import type { Store } from '../stores/store.js'
import type { GatedStore } from './gated.js'
import { type ChainNode, claimIn, readChain, stoppedOf } from './chain.js'
import { goneStore } from './gone.js'
import type { ControlOptions } from './control.js'
import { fromWire, type MoveRequest, type RunInfo, type StoreInfo, toWire, type WireError } from './control-request.js'
import { claimOf } from './split.js'

/** Ended ones that are still shown. */
const ENDED_MAX = 50
/** So long a service that begins waits for what it goes on with; the rest of it goes on beside. */
const RESUMED_WITHIN_MS = 1000
/** So often it asks again for what another service is at work on. */
const ASKED_AGAIN_MS = 10_000

interface Run {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly ranges: readonly string[]
  readonly journal: string
  /** Its name in the register, where one is known; of one that was split that of the part begun last. */
  claim: string | undefined
  level: number
  /** Bytes a second, for whoever goes on with it. */
  rate: number | undefined
  migration: Migration | undefined
  /** Of a resume that has not got so far: who wants something of it waits for that. */
  starting?: Promise<unknown> | undefined
  receipt: Receipt | undefined
  error: (KeyhaulError & Partial<Pick<MigrationError, 'resumable' | 'step'>>) | undefined
  /** Why its last reverse() was refused. */
  refused?: KeyhaulError | undefined
  /** Told of all that happens to it. */
  readonly watchers: Set<(isEnd: boolean) => void>
}

/** The migrations of a service, each with a journal in one folder. */
export class Runs {
  private readonly engine = new Engine()
  private readonly all = new Map<string, Run>()
  private closing = false
  /** Ends the waiting of those that are to be gone on with. */
  private readonly over = new AbortController()

  constructor(private readonly options: ControlOptions) {
    try {
      mkdirSync(options.journals, { recursive: true })
    } catch (cause) {
      throw new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', { file: options.journals, message: `the folder of the journals cannot be made: ${(cause as Error).message}`, cause })
    }
  }

  /** Reads the journals of earlier processes, and goes on with what was under way when the last one ended. */
  async recover(): Promise<void> {
    const resumes: Promise<void>[] = []
    for (const file of readdirSync(this.options.journals).sort()) {
      if (!file.endsWith('.journal')) continue
      const run = await this.readRun(file)
      if (run === undefined) continue
      this.all.set(run.id, run)
      const wasUnderWay = run.error?.code === 'KEYHAUL_INTERRUPTED' && !this.isHeld(run.id)
      // A range may be fenced: nobody should have to ask for that.
      if (wasUnderWay) resumes.push(this.goOn(run))
    }
    // Beside each other, and not to their end: each may have to see first that whoever was at work on it is dead.
    const all = Promise.all(resumes).then(() => this.forgetOld())
    await Promise.race([all, sleep(RESUMED_WITHIN_MS, undefined, { ref: false })])
  }

  /** From another service that is alive it is not taken, but that one may die later. */
  private async goOn(run: Run): Promise<void> {
    try {
      await this.resume(run.id)
    } catch (error) {
      run.error = error as KeyhaulError
      if (run.error.code !== 'KEYHAUL_LEASE_HELD') return
      sleep(ASKED_AGAIN_MS, undefined, { ref: false, signal: this.over.signal }).then(() => (this.isHeld(run.id) ? undefined : this.goOn(run))).catch(() => {})
    }
  }

  infos(id?: string): RunInfo[] {
    return id === undefined ? [...this.all.values()].map(infoOf) : [infoOf(this.find(id))]
  }

  async move(request: Omit<MoveRequest, 'op'>): Promise<{ id: string; migration: Migration }> {
    const [from, to] = [this.store(request.from), this.store(request.to)]
    const id = this.freshId()
    const journal = this.fileOf(id)
    const ranges = (request.ranges ?? []).map(rangeText)
    const { register } = this.options
    const { requireLevel, pauseBudgetMs, rate, reverseWindowMs, splitMax } = request
    const options: MigrateOptions = { live: true, from, to, ranges: request.ranges, register, journal, requireLevel, pauseBudgetMs, rate, reverseWindowMs, splitMax, hostInfo: { ranges, rate } }
    const migration = await this.engine.migrate(options).catch((error: unknown) => {
      rmSync(journal, { force: true })
      throw error
    })
    const run: Run = { id, from: from.name, to: to.name, ranges, journal, claim: claimOf(migration), level: 0, rate, migration, receipt: undefined, error: undefined, watchers: new Set() }
    this.all.set(id, run)
    this.follow(run, migration)
    return { id, migration }
  }

  /**
   * Goes on with one, at the rate that is given or else at the one that it had; one that runs goes on at the given one.
   * `instead`: of a source that this service does not have. `takeOver`: also from another service that is at work on it.
   */
  async resume(id: string, given?: number, about: { readonly instead?: (name: string) => Store; readonly takeOver?: boolean | undefined } = {}): Promise<void> {
    const run = this.find(id)
    if (run.starting !== undefined) {
      await run.starting.catch(() => {})
      return this.resume(id, given, about)
    }
    const rate = given ?? run.rate
    if (run.migration !== undefined) {
      if (given !== undefined) run.migration.setRate(given)
      run.rate = rate
      return
    }
    if (run.receipt !== undefined || run.error?.resumable === false) throw new KeyhaulError('KEYHAUL_ALREADY_COMPLETE', { migration: id })
    const { register } = this.options
    const { instead, takeOver } = about
    const isGone = instead !== undefined && !Object.hasOwn(this.options.stores, run.from)
    const [from, to] = [isGone ? instead(run.from) : this.store(run.from), this.store(run.to)]
    const starting = this.engine.resume({ from, to, register, journal: run.journal, rate, takeOver, signal: this.over.signal })
    run.starting = starting
    try {
      const migration = await starting
      run.error = undefined
      run.rate = rate
      run.migration = migration
      this.follow(run, migration)
      // Not before: what somebody stopped stays so where it cannot be gone on with.
      rmSync(this.holdOf(id), { force: true })
    } finally {
      run.starting = undefined
    }
  }

  async stop(id: string): Promise<void> {
    const { migration } = await this.settled(id)
    if (migration === undefined) return
    // Before it ends: a service that dies now must not go on with it by itself.
    writeFileSync(this.holdOf(id), '')
    migration.stop()
  }

  async cancel(id: string): Promise<void> {
    await this.resume(id)
    this.find(id).migration?.cancel()
  }

  /** Goes back, or is content before the reverse window ends. Throws KEYHAUL_UNSUPPORTED where none is open. */
  async settle(id: string, how: 'reverse' | 'closeWindow'): Promise<void> {
    const run = await this.settled(id)
    const { migration } = run
    if (migration?.progress().live?.turned !== true) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { migration: id, message: 'no reverse window is open; see keyhaul status --service' })
    run.refused = undefined
    if (how === 'closeWindow') return migration.closeWindow()
    const back = migration.reverse()
    // What is refused at once is this caller's to know; later it is everybody's.
    await Promise.race([back, Promise.resolve()])
    back.catch((error: unknown) => {
      if (run.migration !== migration || !(error instanceof KeyhaulError) || 'step' in error) return
      run.refused = error
      for (const watcher of run.watchers) watcher(false)
    })
  }

  /** Also of one that stopped because its source is away, and where the service has no such store any more. */
  async giveUpSource(id: string): Promise<void> {
    await this.resume(id, undefined, { instead: goneStore })
    this.find(id).migration?.closeWindow({ giveUpSource: true })
  }

  /** The one that is meant where there is only one it can be. */
  only(isMeant: (info: RunInfo) => boolean, what: string): string {
    const meant = this.infos().filter(isMeant)
    if (meant.length === 1) return (meant[0] as RunInfo).id
    const ids = meant.map(({ id }) => id).join(', ')
    throw new KeyhaulError('KEYHAUL_NOT_FOUND', { message: meant.length === 0 ? `there is no migration ${what}` : `there are ${meant.length} migrations ${what}; name one of them: ${ids}` })
  }

  watch(id: string, watcher: (isEnd: boolean) => void): () => void {
    const { watchers } = this.find(id)
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }

  isRunning(id: string): boolean {
    return this.find(id).migration !== undefined
  }

  async close(): Promise<void> {
    this.closing = true
    this.over.abort()
    await Promise.allSettled([...this.all.values()].map(({ starting }) => starting))
    const running = [...this.all.values()].flatMap(({ migration }) => migration ?? [])
    for (const migration of running) migration.stop()
    await Promise.allSettled(running.map(({ done }) => done))
    this.engine.close()
  }

  private follow(run: Run, migration: Migration): void {
    const tell = (isEnd: boolean): void => {
      run.claim = claimOf(migration)
      for (const watcher of run.watchers) watcher(isEnd)
    }
    migration.on('progress', () => tell(false))
    migration.on('state', () => tell(false))
    const end = (): void => {
      run.migration = undefined
      if (run.receipt !== undefined) rmSync(this.holdOf(run.id), { force: true })
      tell(true)
      if (!this.closing) this.forgetOld()
    }
    migration.done.then(
      (receipt) => {
        run.receipt = receipt
        end()
      },
      (failure: MigrationError) => {
        const error = this.explained(failure)
        run.error = error
        run.receipt = error.receipt
        if (error.receipt?.state === 'failed') this.keepFailure(run.id, error)
        end()
      }
    )
  }

  /** Whose claim is in the way: by the id that this service has for it, not by the register's. */
  private explained(error: MigrationError): MigrationError {
    const holder = error.code === 'KEYHAUL_RANGE_CLAIMED' ? [...this.all.values()].find(({ claim }) => claim !== undefined && claim === error.migration) : undefined
    if (holder === undefined) return error
    const { id, from, to } = holder
    // Of parts of a split it says what has moved by then.
    const split = /; the range was split:.*$/s.exec(error.message)?.[0] ?? ''
    const message = `migration ${id} of this service, from ${from} to ${to}, holds keys of these ranges; wait for its end, or end it with: keyhaul cancel --service ${this.options.path} ${id}${split}`
    return new MigrationError(new KeyhaulError(error.code, { store: error.store, key: error.key, migration: id, message, cause: error.cause }), error.receipt, { step: error.step, resumable: error.resumable })
  }

  /** For whoever asks after a restart; it is shown less well without. */
  private keepFailure(id: string, error: MigrationError): void {
    try {
      writeFileSync(this.failureOf(id), JSON.stringify(toWire(error)))
    } catch {
      // Of a full disk, for one: the journal has the code.
    }
  }

  private async readRun(file: string): Promise<Run | undefined> {
    const id = file.slice(0, -'.journal'.length)
    const journal = this.fileOf(id)
    let info: JournalInfo
    let chain: ChainNode | undefined
    try {
      info = inspectJournal(new Uint8Array(readFileSync(journal)))
      // One that was split has not ended before its parts have.
      if (info.mode === 'live' && info.receipt?.splitAt !== undefined) chain = await readChain(journal)
    } catch (error) {
      // It began nothing, or cannot be read: then it has to be seen.
      if (error instanceof KeyhaulError && error.code === 'KEYHAUL_JOURNAL_TORN') return undefined
      const failure = error instanceof KeyhaulError ? (error.file === undefined ? new KeyhaulError(error.code, { file: journal, message: error.message }) : error) : new KeyhaulError('KEYHAUL_JOURNAL_NOT_A_JOURNAL', { file: journal, cause: error })
      return { id, from: '?', to: '?', ranges: [], journal, claim: undefined, level: 0, rate: undefined, migration: undefined, receipt: undefined, error: Object.assign(failure, { resumable: false }), watchers: new Set() }
    }
    if (info.mode !== 'live') return undefined
    const { ranges, rate } = (info.hostInfo ?? {}) as { ranges?: string[]; rate?: number }
    const receipt = chain === undefined ? info.receipt : chain.receipt
    const stopped = chain === undefined ? info.stopped : stoppedOf(chain)
    const error = receipt === undefined ? Object.assign(new KeyhaulError(stopped ?? 'KEYHAUL_INTERRUPTED'), { resumable: true }) : this.whyFailed(id, receipt, info)
    return { id, from: info.from, to: info.to, ranges: ranges ?? [], journal, claim: chain === undefined ? info.live?.claim : claimIn(chain), level: info.level, rate, migration: undefined, receipt, error, watchers: new Set() }
  }

  /** What was said then; the journal has the code at most. */
  private whyFailed(id: string, receipt: Receipt, { stopped }: JournalInfo): Run['error'] {
    if (receipt.state !== 'failed') return undefined
    try {
      return fromWire(JSON.parse(readFileSync(this.failureOf(id), 'utf8')) as WireError)
    } catch {
      return stopped === undefined ? undefined : new KeyhaulError(stopped)
    }
  }

  /** Once no resume of it is between its journal and its start. */
  private async settled(id: string): Promise<Run> {
    const run = this.find(id)
    while (run.starting !== undefined) await run.starting.catch(() => {})
    return run
  }

  private find(id: string): Run {
    const run = this.all.get(id)
    if (run === undefined) throw new KeyhaulError('KEYHAUL_NOT_FOUND', { migration: id, message: 'this service knows no such migration; keyhaul status --service shows all' })
    return run
  }

  /** The stores that clients wait for. */
  waiting(): StoreInfo[] {
    return Object.values(this.options.stores).flatMap((store) => {
      const { calls, oldestMs } = (store as GatedStore).unanswered?.() ?? { calls: 0, oldestMs: 0 }
      return calls === 0 ? [] : [{ name: store.name, calls, oldestMs: Math.round(oldestMs) }]
    })
  }

  store(name: string): Store {
    const { stores } = this.options
    const store = Object.hasOwn(stores, name) ? stores[name] : undefined
    if (store === undefined) {
      const known = Object.keys(stores).map((known) => JSON.stringify(known)).join(', ')
      throw new KeyhaulError('KEYHAUL_STORE_NOT_FOUND', { message: `this service has no store ${JSON.stringify(name.slice(0, 200))}; it has ${known}` })
    }
    return store
  }

  private freshId(): string {
    for (;;) {
      const id = randomBytes(4).toString('hex')
      if (!this.all.has(id)) return id
    }
  }

  /** The oldest that have ended are not shown any more; their journals go too. */
  private forgetOld(): void {
    const ended = [...this.all.values()].filter(({ receipt, migration }) => receipt !== undefined && migration === undefined)
    for (const run of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) {
      this.all.delete(run.id)
      for (const file of partFiles(run)) rmSync(file, { force: true })
      rmSync(this.failureOf(run.id), { force: true })
    }
  }

  private fileOf(id: string): string {
    return join(this.options.journals, `${id}.journal`)
  }
  private holdOf(id: string): string {
    return join(this.options.journals, `${id}.stopped`)
  }
  private failureOf(id: string): string {
    return join(this.options.journals, `${id}.failed`)
  }
  private isHeld(id: string): boolean {
    return readdirSync(this.options.journals).includes(`${id}.stopped`)
  }
}

/** Its journal and, where it was split, those of its parts. */
function partFiles({ journal, receipt }: Pick<Run, 'journal' | 'receipt'>): string[] {
  return [journal, ...(receipt?.parts ?? []).flatMap((part, i) => partFiles({ journal: `${journal}.${i + 1}`, receipt: part }))]
}

function infoOf({ id, from, to, ranges, journal, level, migration, receipt, error, refused }: Run): RunInfo {
  const last = migration?.progress()
  // Between its last state and its end the journal is closed: whoever reads "done" finds the receipt.
  const progress = last !== undefined && ENDED.has(last.state) ? { ...last, state: 'closing' as const } : last
  const resumable = migration === undefined && receipt === undefined && error?.resumable !== false
  const state = progress?.state ?? receipt?.state ?? (resumable ? 'stopped' : 'failed')
  return { id, from, to, ranges, level: receipt?.level ?? level, state, progress, resumable, journal, receipt, error: error && toWire(error), refused: refused && toWire(refused) }
}

function rangeText(range: RangeInput): string {
  if ('prefix' in range) return `${formatKey(range.prefix)}*`
  const [from, to] = endsOf(range)
  return `${from === undefined ? '' : formatKey(from)}..${to === undefined ? '' : formatKey(to)}`
}
