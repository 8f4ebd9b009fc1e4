import { errorNumberOf, KeyhaulError } from '../errors.js'
import type { TextPage } from '../stores/level-text.js'
import { unpackPage } from '../stores/packed.js'
import type { Entry, Feed, PackedPage, ScanRange, Store } from '../stores/store.js'
import { inAny } from '../ranges.js'
import { type Action, ActionKind, readRange, toKeyhaulError } from './action.js'
import { Boundary, type CompletionEvent, EVENTS_MAX, EventKind } from './boundary.js'
import { beginning, type Reading } from './fault.js'
import { FeedsByNode } from './feeds-by-node.js'
import { deleteEqual, newerOf } from './guarded.js'
import { type EngineConfig, EngineHandle, idOrThrow } from './handle.js'
import { KeptPages } from './kept.js'
import type { LiveRun } from './live.js'
import { ActionWord, NoticeWord, ReadyWord } from './layout.generated.js'
import { getModule, liveParts } from './load.js'
import type { WasmModule } from './module.js'
import { type ScheduledStep, scheduleStep } from './turn.js'

/** Where a migration's journal goes. */
export interface JournalSink {
  readonly identity?: string
  append(bytes: Uint8Array): Promise<void>
}

export interface EngineNotice {
  kind: number
  state: number
  difference: number
  error: number
  node: number
  perSecond: number
  payload: Uint8Array
}

/** What the driver needs to know of one migration. */
export interface RunPort {
  readonly ranges: readonly ScanRange[]
  readonly journal: JournalSink | undefined
  readonly live: LiveRun | undefined
  readonly to: Store
  onNotice(notice: EngineNotice): void
  /** What a store or, as node 0, the journal or, as node -1, the register threw: the error that the run may end with. */
  onFailure(error: KeyhaulError, node: number): void
  /** What the engine was given when it got pages of this last; where it refuses one, it is among them. */
  pages: readonly Reading[]
}

/**
 * Carries out what the engine decides: gives it the time and the completions, starts its
 * actions, hands out its notices. One completion per action, whatever a store does.
 */
export class Driver {
  readonly engine: EngineHandle
  readonly boundary: Boundary
  readonly module: WasmModule
  readonly #stores = new Map<number, Store>()
  readonly #runs = new Map<number, RunPort>()
  readonly #feeds = new FeedsByNode()
  /** Oldest first. */
  readonly #inFlight = new Map<number, { readonly controller: AbortController; readonly action: Action }>()
  readonly #kept = new KeptPages()
  #events: CompletionEvent[] = []
  #scheduled: ScheduledStep | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #pace = liveParts.pace?.()
  readonly #schedule = this.#pace?.schedule ?? scheduleStep

  constructor(config: EngineConfig) {
    this.module = getModule()
    this.engine = new EngineHandle(this.module, config)
    this.boundary = new Boundary(this.module, this.engine)
  }

  now(): number {
    return Math.floor(performance.now() * 1000)
  }

  addStore(store: Store): number {
    for (const [node, known] of this.#stores) {
      if (known === store) return node
    }
    const node = idOrThrow(this.engine.addNode(store.name), { store: store.name })
    this.#stores.set(node, store)
    return node
  }

  storeName(node: number): string | undefined {
    return this.#stores.get(node)?.name
  }

  /** Changes that a feed holds and nobody has asked for, about. */
  lag(migration: number): number {
    return this.#feeds.lag(migration)
  }

  attach(migration: number, run: RunPort): void {
    this.#runs.set(migration, run)
    this.#pace?.set(migration, run.live)
    this.wake()
  }

  /** The migration has ended: nothing of it is kept. */
  detach(migration: number): void {
    this.#feeds.leave(migration, false)
    this.#runs.delete(migration)
    this.#pace?.set(migration, undefined)
    this.#kept.drop(migration)
    this.engine.control('forget', migration)
    // The engine keeps a node that another migration uses; a store nobody uses is nobody's.
    for (const node of this.#stores.keys()) {
      if (this.engine.control('removeNode', node) === 0) this.#stores.delete(node)
    }
  }

  /** Steps in the next turn of the event loop, however many completions arrive until then. */
  wake(): void {
    if (this.#closed || this.#scheduled !== undefined) return
    this.#scheduled = this.#schedule(() => {
      this.#scheduled = undefined
      this.#step()
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#scheduled?.cancel()
    clearTimeout(this.#timer)
    for (const { controller } of this.#inFlight.values()) controller.abort()
    this.#inFlight.clear()
    this.#kept.drop()
    // Without a journal nobody can go on, and a feed that nobody reads grows for ever.
    for (const [migration, run] of this.#runs) this.#feeds.leave(migration, run.journal === undefined)
    this.engine.delete()
  }

  #step(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#pace?.next(this.#events) ?? this.#events.splice(0, EVENTS_MAX)
    this.boundary.writeEvents(events)
    this.#rememberPages(events)
    const now = this.now()
    const deadline = this.engine.step(now, events.length)
    const ready = this.boundary.words(this.engine.readyAddress(), ReadyWord.size)
    const actions = this.#readActions(ready)
    const notices = this.#readNotices(ready)
    this.#rememberStalls(actions)
    // First, so that nothing a listener does can keep an action from being started.
    for (const action of actions) this.#start(action)
    for (const [migration, notice] of notices) {
      if (this.#closed) return // by a listener
      this.#pace?.see(migration, notice)
      this.#runs.get(migration)?.onNotice(notice)
    }
    if (this.#closed) return
    if (ready[ReadyWord.more] !== 0 || this.#events.length > 0) {
      this.wake()
    } else if (deadline >= 0) {
      const ms = Math.min(Math.max(Math.ceil((deadline - now) / 1000), 0), 0x7fffffff)
      this.#timer = setTimeout(() => this.#step(), ms)
    }
  }

  #rememberPages(events: readonly CompletionEvent[]): void {
    const pages = events.flatMap(({ page }) => page ?? [])
    for (const { migration } of pages) {
      const run = this.#runs.get(migration)
      if (run !== undefined) run.pages = pages
    }
  }

  /** An operation that is given up may be the one that hung: of those of a node, the oldest. */
  #rememberStalls(actions: readonly Action[]): void {
    const ops = actions.map(({ kind, reusesOp }) => (kind === ActionKind.abort ? reusesOp : -1))
    for (const [op, { action }] of [...this.#inFlight].reverse()) {
      if (!ops.includes(op)) continue
      const about = { store: this.storeName(action.node), key: action.key }
      if (action.kind >= ActionKind.registerRead) continue
      this.#runs.get(action.migration)?.onFailure(new KeyhaulError('KEYHAUL_STORE_STALLED', about), action.node)
    }
  }

  #readActions(ready: Uint32Array): Action[] {
    return this.#rows(ready[ReadyWord.actions], ready[ReadyWord.actionCount], ActionWord.size).map((word) => {
      const kind = word(ActionWord.kind)
      const address = word(ActionWord.payloadAddress)
      const bytes = word(ActionWord.payloadBytes)
      const flags = word(ActionWord.flags)
      return {
        kind,
        durable: (flags & 1) !== 0,
        keep: (flags & 2) !== 0,
        guarded: (flags & 4) !== 0,
        ifNewer: (flags & 16) !== 0,
        priority: flags >>> 8,
        migration: word(ActionWord.migration),
        node: word(ActionWord.node),
        op: word(ActionWord.op),
        reusesOp: word(ActionWord.reusesOp),
        // Copied now: the next call may move what is not a buffer of its own. The frame of
        // an apply stays where it is until the apply completes.
        payload: kind === ActionKind.apply ? EMPTY : this.boundary.copyOut(address, bytes),
        address,
        bytes,
        count: word(ActionWord.count),
        limitBytes: word(ActionWord.limitBytes),
        cleanUp: (flags & 8) !== 0,
        verb: word(ActionWord.verb),
        epoch: word(ActionWord.epochLow) + word(ActionWord.epochHigh) * 0x100000000,
        coordEpoch: word(ActionWord.coordEpoch)
      }
    })
  }

  #readNotices(ready: Uint32Array): [number, EngineNotice][] {
    return this.#rows(ready[ReadyWord.notices], ready[ReadyWord.noticeCount], NoticeWord.size).map((word) => {
      const payload = this.boundary.copyOut(word(NoticeWord.payloadAddress), word(NoticeWord.payloadBytes))
      return [
        word(NoticeWord.migration),
        {
          kind: word(NoticeWord.kind),
          state: word(NoticeWord.state),
          difference: word(NoticeWord.difference),
          error: word(NoticeWord.error),
          node: word(NoticeWord.node),
          perSecond: word(NoticeWord.perSecond),
          payload
        }
      ]
    })
  }

  /** The rows of a table of the core, each as a function of the column. */
  #rows(address = 0, count = 0, size = 0): ((column: number) => number)[] {
    const words = this.boundary.words(address, count * size)
    return Array.from({ length: count }, (_, row) => (column) => words[row * size + column] as number)
  }

  #start(action: Action): void {
    if (action.kind === ActionKind.abort) {
      // A store that ignores its signal must not keep the engine waiting: the op is over now.
      const error = new KeyhaulError('KEYHAUL_INTERRUPTED')
      this.#inFlight.get(action.reusesOp)?.controller.abort(error)
      this.#fail(action.reusesOp, error)
      return
    }
    this.#pace?.starts(action)
    const controller = new AbortController()
    this.#inFlight.set(action.op, { controller, action })
    let work: Promise<CompletionEvent>
    try {
      work = this.#carryOut(action, controller.signal)
    } catch (error) {
      work = Promise.reject(error)
    }
    work.then(
      (event) => this.#complete(event),
      (error: unknown) => {
        const failure = toKeyhaulError(error, this.storeName(action.node), action)
        const node = action.kind === ActionKind.journal ? 0 : action.node || -1
        if (this.#inFlight.has(action.op)) this.#runs.get(action.migration)?.onFailure(failure, node)
        this.#fail(action.op, failure)
      }
    )
  }

  #complete(event: CompletionEvent): void {
    if (this.#closed) return
    if (!this.#inFlight.delete(event.op)) {
      if (event.buffer !== undefined) this.engine.release(event.buffer)
      return
    }
    this.#events.push(event)
    this.wake()
  }

  #fail(op: number, error: KeyhaulError): void {
    if (this.#closed || !this.#inFlight.has(op)) return
    const text = this.boundary.copyIn(new TextEncoder().encode(error.message.slice(0, 1000)))
    this.#complete({ kind: EventKind.failed, op, error: errorNumberOf(error.code), ...text })
  }

  async #carryOut(action: Action, signal: AbortSignal): Promise<CompletionEvent> {
    const { op, migration } = action
    if (action.kind === ActionKind.journal) {
      await this.#run(migration).journal?.append(action.payload)
      return { kind: EventKind.done, op }
    }
    const store = this.#stores.get(action.node) as Store
    const limits = { maxEntries: action.count, maxBytes: action.limitBytes, signal }
    switch (action.kind) {
      case ActionKind.scan: {
        const range = readRange(action.payload)
        action.key = beginning(range)
        this.#run(migration).pages = [] // who reads on was refused none, and what lives on is collected late
        const whole = await store.scanPacked?.(range, limits)
        if (whole !== undefined) return this.#passOn(action, range, whole, signal)
        const scanned: TextPage = await store.scan(range, limits)
        this.#assertWanted(signal)
        const rows = scanned?.keyhaulRows?.(scanned) ?? scanned?.entries ?? [undefined]
        const packed = this.boundary.pack(rows)
        const { live, to } = this.#run(migration)
        if (action.keep) this.#kept.keep(op, migration, rows as readonly Entry[], live === undefined && !to.applyNewer ? to : undefined)
        return { kind: EventKind.page, op, end: scanned.end, count: rows.length, ...packed, page: { migration, node: action.node, range, scanned } }
      }
      case ActionKind.apply: {
        if (action.guarded) {
          const entries = this.boundary.unpack(action.address, action.bytes) as Entry[]
          action.key = entries[0]?.[0]
          const left = await deleteEqual(store, entries, { durable: action.durable, signal })
          return { kind: EventKind.done, op, count: left }
        }
        const run = this.#run(migration)
        const kept = this.#kept.take(action.reusesOp)
        if (run.live === undefined && !action.ifNewer && store.applyPacked !== undefined) {
          await store.applyPacked(this.boundary.copyOut(action.address, action.bytes), { durable: action.durable, signal })
          return { kind: EventKind.done, op }
        }
        action.key = kept?.first
        if ((await kept?.prepared?.write({ durable: action.durable, signal })) === true) return { kind: EventKind.done, op }
        const writes = kept?.entries ?? this.boundary.unpack(action.address, action.bytes)
        action.key = writes[0]?.[0]
        if (run.live !== undefined) await parts().writeLive(store, writes, action, run.live, run.ranges, signal)
        else if (action.ifNewer) return { kind: EventKind.done, op, count: await newerOf(store)(writes, { durable: action.durable, signal, deletes: false }) }
        else await store.apply(writes, { durable: action.durable, signal })
        return { kind: EventKind.done, op }
      }
      case ActionKind.estimate: {
        let [count, amount] = [0, 0]
        for (const range of this.#run(migration).ranges) {
          const { entries = 0, bytes = 0 } = (await store.estimate?.(range, { signal })) ?? {}
          count += entries
          amount += bytes
        }
        return { kind: EventKind.done, op, count: Math.min(count, 0xffffffff), amount }
      }
      case ActionKind.openFeed: {
        const feed = await this.#openFeed(store, action, action.payload, signal)
        return { kind: EventKind.done, op, ...this.boundary.copyIn(feed.position) }
      }
      case ActionKind.pollFeed: {
        const page = await this.#feeds.follow(migration, action.node).poll(migration, action.payload, limits)
        this.#assertWanted(signal)
        const { ranges } = this.#run(migration) // the feed spans all; what lies between them is none of ours
        const changes = page.changes.filter((change) => inAny(change[0], ranges))
        const packed = this.boundary.pack(changes, page.position)
        const about = { count: changes.length, positionBytes: page.position.length, amount: page.behind ?? 0 }
        return { kind: EventKind.page, op, end: page.caughtUp, ...about, ...packed }
      }
      case ActionKind.trimFeed:
        await this.#feeds.of(action.node).of(migration).feed.trim?.(action.payload)
        return { kind: EventKind.done, op }
      case ActionKind.closeFeed:
        await this.#feeds.of(action.node).discard(migration, this.#run(migration), action.payload, (after) => this.#openFeed(store, action, after, signal))
        return { kind: EventKind.done, op }
    }
    return this.#carryOutLive(action, signal)
  }

  async #carryOutLive(action: Action, signal: AbortSignal): Promise<CompletionEvent> {
    const { op, migration, node } = action
    const { live, ranges } = this.#run(migration)
    const answer = await parts().carryOut(action, this.#stores.get(node) as Store, live, ranges, signal)
    this.#assertWanted(signal)
    if (answer === undefined) return { kind: EventKind.done, op }
    if (Array.isArray(answer)) return { kind: EventKind.page, op, end: true, count: answer.length, ...this.boundary.pack(answer) }
    return { kind: EventKind.done, op, count: answer.count, amount: answer.version, ...this.boundary.copyIn(answer.document) }
  }

  #passOn({ op, migration, node }: Action, range: ScanRange, { frame, entries: count, end }: PackedPage, signal: AbortSignal): CompletionEvent {
    this.#assertWanted(signal)
    // Only for naming a key, where the engine refuses the page: it may be none.
    const scanned = { get entries() { try { return unpackPage(frame, count) as Entry[] } catch { return [] } } }
    return { kind: EventKind.page, op, end, count, ...this.boundary.copyIn(frame), page: { migration, node, range, scanned } }
  }

  #assertWanted(signal: AbortSignal): void {
    if (this.#closed || signal.aborted) throw new KeyhaulError('KEYHAUL_INTERRUPTED')
  }

  #openFeed(store: Store, { migration, node }: Action, after: Uint8Array, signal: AbortSignal): Promise<Feed> {
    return this.#feeds.begin(migration, node).begin(store, migration, this.#run(migration), after, signal, () => !this.#closed && this.#runs.has(migration))
  }

  #run(migration: number): RunPort {
    const run = this.#runs.get(migration)
    if (run === undefined) throw new KeyhaulError('KEYHAUL_CLOSED')
    return run
  }
}

const EMPTY = new Uint8Array(0)

function parts(): typeof import('./live.js') {
  if (liveParts.calls === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED')
  return liveParts.calls
}
