// A live migration whose writers outrun it is given up by the core, which names a key; here its halves are moved,
// one after the other. Each is a migration of its own, with its own claim and journal, and may be split in turn.
import type { Driver } from '../engine/driver.js'
import { formatKey, KeyhaulError } from '../errors.js'
import { refused } from '../given.js'
import type { JournalSummary } from '../inspect.js'
import { closeJournal, type JournalStore } from '../journal/journal.js'
import { Migration, type MigrationEvents } from '../migration.js'
import { MigrationError } from '../migration-error.js'
import type { MigrateOptions } from '../options.js'
import { ENDED, type Progress } from '../progress.js'
import { type Receipt, readReceipt } from '../receipt.js'
import { compareBytes, fromHex, toHex } from '../stores/bytes.js'
import type { ScanRange } from '../stores/store.js'
import type { Fenced } from './begin.js'
import { assertFirst, assertNoParts, type Envelope, envelopeOf, partOf, partsIn, readChain, totalOf } from './chain.js'

type Options = MigrateOptions & Fenced
interface Starter {
  start(options: Options, ranges: readonly ScanRange[]): Promise<Migration>
}

/** What a part needs of the one that it is a part of, and whoever goes on later does not give. */
const KEPT = ['verify', 'requireLevel', 'priority', 'checksum', 'pageBytes', 'pageEntries', 'lanes', 'windowPages', 'durablePages', 'entryBytesMax', 'pauseBudgetMs'] as const
const NONE = new Uint8Array(0)

/** Nothing where it is never split. Throws KEYHAUL_INVALID_ARGUMENT where it cannot be. */
export function splitFrom(options: Options): Split | undefined {
  const { splitMax = 0, journal, reverseWindowMs = 0, follow, fence } = options
  if (splitMax === 0) return undefined
  if (!(Number.isInteger(splitMax) && splitMax >= 2 && splitMax <= 64)) throw refused(`splitMax is ${splitMax}; it must be 0, or a whole number of 2 to 64`)
  const whole = reverseWindowMs > 0 ? 'reverseWindowMs' : follow === true ? 'follow' : fence !== undefined ? 'stopWrites' : undefined
  if (whole !== undefined) throw refused(`leave splitMax out, or ${whole}, which is of the whole range`)
  if (journal !== undefined && typeof journal !== 'string') throw refused('splitMax needs a journal that is a path, or none: each part has one of its own beside it')
  return new Split(options, undefined)
}

/** The options of one that is gone on with, as its journal has them. */
export function splitOf<T extends Options>(options: T, { hostInfo, live }: JournalSummary): T {
  if (typeof options.journal !== 'string') throw refused('a migration that may be split goes on with the path of its journal: those of its parts are beside it')
  const { host, split } = envelopeOf(hostInfo)
  const kept = split?.options as Partial<Options> | undefined
  // Whoever wrote it, no more than this is taken from a journal; and what is given as nothing does not replace it.
  const known = KEPT.flatMap((name) => (kept?.[name] === undefined ? [] : [[name, kept[name]]]))
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as T
  const all = { ...Object.fromEntries(known), ...given, live: true, hostInfo: host, splitMax: live?.splitMax }
  return { ...all, split: new Split(all, split?.of) }
}

export class Split {
  /** `of`: the claim of the one that it is a part of. */
  constructor(
    readonly options: Options,
    private readonly of: string | undefined
  ) {}

  get kept(): Envelope {
    return { of: this.of, options: Object.fromEntries(KEPT.flatMap((name) => (this.options[name] === undefined ? [] : [[name, this.options[name]]]))) }
  }

  get isPart(): boolean {
    return this.of !== undefined
  }
  get hasJournal(): boolean {
    return this.options.journal !== undefined
  }

  async assertFresh(journal: JournalStore | undefined): Promise<void> {
    if (journal !== undefined) await assertNoParts(pathOf(journal))
  }

  /** Of one that has begun: to the end of its parts, should it be split. */
  follow(starter: Starter, ranges: readonly ScanRange[], migration: Migration): Migration | undefined {
    return (this.options.splitMax ?? 0) > 1 ? new SplitMigration(new Walk(starter, this, ranges, migration.journal && pathOf(migration.journal)), migration) : undefined
  }

  /** Of one whose journal has its end: with its parts. Nothing where nothing is left to do. */
  async goOn(starter: Starter, ranges: readonly ScanRange[], journal: JournalStore, { receipt, live, source, target, ranges: words }: JournalSummary): Promise<Migration | undefined> {
    if (receipt?.splitAt === undefined || live === undefined) return undefined
    if ((await readChain(pathOf(journal), this.of))?.receipt !== undefined) return undefined
    const walk = new Walk(starter, this, ranges, pathOf(journal))
    walk.begin(readReceipt(receipt, { from: source, to: target, ranges: words }, []), live.claim)
    const next = (await walk.next()) as Migration
    await closeJournal(journal)
    return new SplitMigration(walk, next)
  }
}

/** Parts are beside it wherever the process has gone since it was opened. */
const pathOf = ({ path, name }: JournalStore): string => path ?? name

/** From the one that was split to its parts. */
class Walk {
  readonly parts: Receipt[] = []
  whole: Receipt | undefined
  private claim = ''

  constructor(
    private readonly starter: Starter,
    readonly split: Split,
    readonly ranges: readonly ScanRange[],
    private readonly path: string | undefined
  ) {}

  begin(whole: Receipt, claim: string): void {
    this.whole = whole
    this.claim = claim
  }

  /** The next one that is not done, begun or gone on with; nothing where all are. */
  async next(): Promise<Migration | undefined> {
    const { path } = this
    const { options } = this.split
    const { splitMax = 0 } = options
    for (;;) {
      const number = this.parts.length + 1
      if (number > 2) return undefined
      const ranges = halves(this.ranges, fromHex(this.whole?.splitAt ?? ''))[number - 1] as ScanRange[]
      const journal = path === undefined ? undefined : partOf(path, number)
      const known = journal === undefined ? undefined : await readChain(journal, this.claim)
      if (known === undefined && number === 1 && path !== undefined) await assertFirst(path)
      if (known?.receipt !== undefined) {
        this.parts.push(known.receipt)
        if (known.receipt.state === 'done') continue
        throw new KeyhaulError('KEYHAUL_ALREADY_COMPLETE', { file: journal, message: `it has ended (${known.receipt.state})` })
      }
      // What the first one did not need the second one may.
      const most = number === 1 ? Math.ceil(splitMax / 2) : splitMax - partsIn(this.parts[0] as Receipt)
      const own = { ...options, journal, splitMax: most, expected: undefined }
      return this.starter.start({ ...own, split: new Split(own, this.claim) }, ranges)
    }
  }

  total(more: readonly Receipt[] = []): Receipt {
    return totalOf(this.whole as Receipt, [...this.parts, ...more])
  }
}

type Listener = (value: never) => void

/** Stands for all of them: what is asked of it is asked of the one under way. */
export class SplitMigration extends Migration {
  override readonly done: Promise<Receipt>
  /** The least key of what has not moved. */
  leastLeft: Uint8Array | undefined
  private current: Migration
  private isOver = false
  /** The part under way has a claim, and what is asked of it stands in its journal. */
  private hasBegun = true
  private asked: 'stop' | 'cancel' | undefined
  private isPaused = false
  private rate: number | undefined
  private readonly listening: { readonly event: keyof MigrationEvents; readonly listener: Listener; readonly own: Listener }[] = []

  constructor(
    private readonly walk: Walk,
    first: Migration
  ) {
    // A shell: the engine knows only those that are under way.
    super({ attach: () => {} } as unknown as Driver, 0, { from: walk.split.options.from, to: walk.split.options.to, ranges: walk.ranges, journal: first.journal, live: first.live, signal: undefined, onEnd: () => {} })
    this.current = first
    if (walk.whole !== undefined) this.take(first)
    this.done = this.run()
    this.done.catch(() => {})
  }

  private async run(): Promise<Receipt> {
    try {
      for (;;) {
        const receipt = await this.ended()
        if (receipt !== undefined && this.walk.whole === undefined) return this.over(receipt)
        if (receipt !== undefined) this.walk.parts.push(receipt)
        if (this.asked === 'stop' && this.walk.parts.length < 2) throw new MigrationError(new KeyhaulError('KEYHAUL_INTERRUPTED'), undefined, this.about())
        const next = await this.walk.next()
        if (next === undefined) return this.over(this.walk.total())
        this.take(next)
      }
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** Nothing where it was given up for its halves. */
  private async ended(): Promise<Receipt | undefined> {
    const { current, walk } = this
    try {
      return await current.done
    } catch (error) {
      const receipt = error instanceof MigrationError ? error.receipt : undefined
      // Nothing of it is written down: it can be gone on with, whatever it says of itself.
      if (walk.whole !== undefined && !this.hasBegun && receipt?.state === 'failed' && error instanceof MigrationError && error.code === 'KEYHAUL_INTERRUPTED') {
        throw new MigrationError(new KeyhaulError(error.code), undefined, this.about())
      }
      if (walk.whole !== undefined || receipt?.splitAt === undefined || current.live === undefined) throw error
      walk.begin(receipt, toHex(current.live.claim))
      return undefined
    }
  }

  private take(next: Migration): void {
    this.current = next
    for (const { event, own } of this.listening) next.on(event, own as MigrationEvents[typeof event])
    if (this.rate !== undefined) next.setRate(this.rate)
    if (this.isPaused) next.pause()
    // Not before its journal has begun: then the cancel stands in it, and nobody goes on with what is left.
    this.hasBegun = next.progress().state !== 'pending'
    next.on('state', (state) => {
      if (this.hasBegun || state === 'pending' || ENDED.has(state)) return
      this.hasBegun = true
      if (this.asked === 'cancel') next.cancel()
    })
    if (this.asked === 'stop') next.stop()
    if (this.asked === 'cancel' && this.hasBegun) next.cancel()
  }

  private about(): { step: Progress['state']; resumable: boolean } {
    return { step: 'pending', resumable: this.walk.split.hasJournal }
  }

  private over(receipt: Receipt): Receipt {
    this.isOver = true
    this.tell(receipt.state)
    return receipt
  }

  private failed(error: unknown): unknown {
    const { walk } = this
    this.isOver = true
    const own = error instanceof MigrationError ? error : error instanceof KeyhaulError ? new MigrationError(error, undefined, this.about()) : undefined
    this.tell(own?.receipt?.state ?? 'stopped')
    if (own === undefined || walk.whole === undefined) return error
    this.leastLeft = (this.current instanceof SplitMigration ? this.current.leastLeft : undefined) ?? this.current.ranges[0]?.gte ?? NONE
    if (own.receipt === undefined) return own
    const receipt = walk.total([own.receipt])
    // Said once, by the one that is of all; and what to do about a mismatch comes last.
    const where = walk.split.isPart ? '' : `; ${this.whereText(own.code)}`
    const at = receipt.state === 'mismatch' ? own.message.lastIndexOf('; ') : -1
    const text = at < 0 ? own.message + where : own.message.slice(0, at) + where + own.message.slice(at)
    return new MigrationError(new KeyhaulError(own.code, { message: text, cause: own.cause }), receipt, own)
  }

  private whereText(code: string): string {
    const { from, to } = this.walk.split.options
    const least = this.leastLeft ?? NONE
    const nothing = compareBytes(least, this.walk.ranges[0]?.gte ?? NONE) <= 0
    const moved = nothing ? 'the range was split' : `the range was split: what is before ${formatKey(least)} has moved and is ${to.name}'s`
    // Somebody else has the rest, or is about to.
    if (/NOT_OWNER|RANGE_CLAIMED/.test(code)) return moved
    return nothing ? `${moved}, and nothing of it has moved: all of it is ${from.name}'s` : `${moved}, what is from there on is ${from.name}'s`
  }

  private tell(state: Progress['state']): void {
    for (const { event, listener } of this.listening) if (event === 'state') callLater(listener as (state: Progress['state']) => void, state)
  }

  /** The one that the register has now. */
  get claim(): string | undefined {
    return claimOf(this.current)
  }

  override progress(): Progress {
    const progress = this.current.progress()
    return ENDED.has(progress.state) && !this.isOver ? { ...progress, state: 'pending' } : progress
  }

  override readonly stop = (): void => {
    if (this.isOver) return
    this.asked = 'stop'
    this.current.stop()
  }
  override cancel(): void {
    const { whole, parts } = this.walk
    if (this.hasBegun) {
      try {
        this.ask(() => this.current.cancel())
      } catch (error) {
        // For this part, and not for the one behind it.
        if (!(whole !== undefined && parts.length === 0 && error instanceof KeyhaulError && error.code === 'KEYHAUL_CANCEL_TOO_LATE')) throw error
      }
    }
    this.asked = 'cancel'
  }
  override pause(): void {
    this.isPaused = true
    this.ask(() => this.current.pause())
  }
  override resume(): void {
    this.isPaused = false
    this.ask(() => this.current.resume())
  }
  override setRate(bytesPerSecond: number): void {
    this.ask(() => this.current.setRate(bytesPerSecond))
    this.rate = bytesPerSecond
  }
  override reverse(): Promise<Receipt> {
    return this.current.reverse()
  }
  override closeWindow(options?: { readonly giveUpSource?: boolean }): void {
    this.current.closeWindow(options)
  }
  override finish(): void {
    this.current.finish()
  }

  /** One that has just ended does not hear it; the next one will. */
  private ask(work: () => void): void {
    try {
      work()
    } catch (error) {
      const isBetween = !this.isOver && error instanceof KeyhaulError && error.code === 'KEYHAUL_ALREADY_COMPLETE'
      if (!isBetween) throw error
    }
  }

  override on<E extends keyof MigrationEvents>(event: E, listener: MigrationEvents[E]): this {
    // The end of a part is not the end.
    const own = event === 'state' ? (state: never): void => void (ENDED.has(state) || (listener as Listener)(state)) : (listener as Listener)
    this.current.on(event, own as MigrationEvents[E])
    this.listening.push({ event, listener: listener as Listener, own })
    return this
  }
  override off<E extends keyof MigrationEvents>(event: E, listener: MigrationEvents[E]): this {
    const at = this.listening.findIndex((one) => one.event === event && one.listener === listener)
    const [known] = at < 0 ? [] : this.listening.splice(at, 1)
    if (known !== undefined) this.current.off(event, known.own as MigrationEvents[E])
    return this
  }

  override async *[Symbol.asyncIterator](): AsyncIterator<Progress> {
    let [isNew, isOver] = [true, false]
    let wake = (): void => {}
    const news = (): void => {
      isNew = true
      wake()
    }
    this.on('progress', news).on('state', news)
    const end = (): void => {
      isOver = true
      wake()
    }
    this.done.then(end, end)
    try {
      for (;;) {
        if (isNew) {
          isNew = false
          yield this.progress()
          continue
        }
        if (isOver) break
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    } finally {
      this.off('progress', news).off('state', news)
    }
    await this.done
  }
}

/** Its name in the register, or that of its part under way. */
export const claimOf = (migration: Migration): string | undefined => (migration instanceof SplitMigration ? migration.claim : migration.live && toHex(migration.live.claim))

/** A listener's fault is its own: it surfaces, and stops nothing. */
function callLater<T>(listener: (value: T) => void, value: T): void {
  queueMicrotask(() => listener(value))
}

/** What is below the key, and what is from it on; `ranges` in key order. */
export function halves(ranges: readonly ScanRange[], at: Uint8Array): readonly [ScanRange[], ScanRange[]] {
  const isBelow = ({ gte }: ScanRange): boolean => compareBytes(gte ?? NONE, at) < 0
  const reachesPast = ({ lt }: ScanRange): boolean => lt === undefined || compareBytes(at, lt) < 0
  const first = ranges.filter(isBelow).map((range) => (reachesPast(range) ? { ...range, lt: at } : range))
  const second = ranges.filter(reachesPast).map((range) => (isBelow(range) ? { ...range, gte: at } : range))
  return [first, second]
}
