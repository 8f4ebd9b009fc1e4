import { KeyhaulError } from '../errors.js'
import { compareBytes } from '../stores/bytes.js'
import { assertHonoured } from '../stores/capabilities.js'
import { getManyOf, recordedStore } from '../stores/recorded.js'
import type { ApplyOptions, Capability, ScanOptions, ScanPage, ScanRange, Store, Write } from '../stores/store.js'
import { clientBytes, clientKeys, clientWrites, copied } from './client-bytes.js'
import { GateCore } from './core.js'
import type { Unanswered } from './group.js'
import { keptOf } from './kept.js'
import { spansOf } from './spans.js'

export interface WriteOptions {
  /** Return only when it survives a crash of the machine. Default false. */
  readonly sync?: boolean
}

/**
 * A store whose clients all pass a gate, so that its ranges can be moved while they read and
 * write: it knows which ranges it may answer for, and refuses the others with KEYHAUL_MOVED
 * (ask `error.owner`) or, for the moment of a cutover, KEYHAUL_RETRY.
 *
 * Nobody may write the database past it. A store starts with no range: see assignRange().
 * Keys and values are taken as they are at the call; what is read is the store's, and not to be written into.
 */
export interface GatedStore extends Store {
  get(key: string | Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  put(key: string | Uint8Array, value: string | Uint8Array, options?: WriteOptions): Promise<void>
  del(key: string | Uint8Array, options?: WriteOptions): Promise<void>
  /** All or nothing. */
  batch(writes: readonly Write[], options?: WriteOptions): Promise<void>
  /** Up to where it may answer. */
  scan(range: ScanRange, options: ScanOptions): Promise<ScanPage>
  /** Down to where it may answer. */
  scanBack(range: ScanRange, options: ScanOptions): Promise<ScanPage>
  /** Whether it would refuse such a call with KEYHAUL_RETRY now. Without it: ask by the call itself. */
  isRefusing?(key: Uint8Array, kind: 'read' | 'write'): boolean
  /** A write of the key was refused with KEYHAUL_RETRY and waits, until the returned function is told at which performance.now() it was tried again: for the receipt of the migration. */
  waits?(key: Uint8Array): (until: number) => void
  /** Tells soon after what it may answer for has changed, until the function that it returns is called. */
  onGateChange?(listener: () => void): () => void
  /** How many calls of its clients the store has not answered, and for how long its oldest call has been under way. */
  unanswered?(): Unanswered
  readonly mover: Store
}

export interface GateOptions {
  /**
   * A client's call that the store has not answered after so many milliseconds is given up with
   * KEYHAUL_STORE_STALLED: a write that had its turn may still be carried out, and a fence waits for it
   * all the same. 1 to 3,600,000. Default: none, clients wait for as long as the store takes.
   */
  readonly callTimeoutMs?: number
}

/**
 * Gates a store. A levelStore has to be one with `feed: true` to be moved from. A store of your own needs `scan` and
 * `apply` only: where it has no `ownRecord`, the gate keeps its record and a feed among the store's entries, at keys
 * that begin with `!`, a zero byte and `keyhaul!`, in the same batches as the data. Clients of the gate are not shown them.
 */
export function gatedStore(given: Store, { callTimeoutMs }: GateOptions = {}): GatedStore {
  assertHonoured(given)
  const store = given.ownRecord === undefined ? recordedStore(given) : given
  if (callTimeoutMs !== undefined && !(callTimeoutMs >= 1 && callTimeoutMs <= 3_600_000)) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: store.name, message: `callTimeoutMs is ${callTimeoutMs}; it must be 1 to 3600000` })
  }
  return new Gated(store, callTimeoutMs)
}

const ADDED: readonly Capability[] = ['fence', 'readFence', 'activate']

class Gated implements GatedStore {
  readonly name: string
  readonly identity: unknown
  readonly place?: NonNullable<Store['place']>
  readonly capabilities: ReadonlySet<Capability>
  readonly mover: Store
  private readonly core: GateCore

  constructor(
    private readonly store: Store,
    private readonly callTimeoutMs: number | undefined
  ) {
    this.core = GateCore.of(store)
    this.name = store.name
    this.identity = store.identity
    if (store.place !== undefined) this.place = store.place
    // Its feed would show what is staged, so only movers have it.
    this.capabilities = new Set(['scan', 'apply'])
    this.mover = moverOf(store, this.core)
  }

  async get(key: string | Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany(copied([clientBytes(key)])))[0]
  }

  async getMany(given: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const { core } = this
    const keys = clientKeys(given)
    const gate = core.gate ?? (await core.load())
    if (keys.length === 0) return []
    for (;;) {
      gate.admitRead(keys)
      const before = core.changes
      const values = await this.answered(core.reads.add(keys))
      if (core.changes === before) return values
    }
  }

  async put(key: string | Uint8Array, value: string | Uint8Array, options?: WriteOptions): Promise<void> {
    await this.batch(copied([[clientBytes(key), clientBytes(value)]]), options)
  }

  async del(key: string | Uint8Array, options?: WriteOptions): Promise<void> {
    await this.batch(copied([[clientBytes(key), undefined]]), options)
  }

  batch(writes: readonly Write[], options: WriteOptions = {}): Promise<void> {
    return this.apply(writes, { durable: options.sync === true })
  }

  /** As any client. */
  async apply(given: readonly Write[], { durable, signal }: ApplyOptions): Promise<void> {
    const { core } = this
    const writes = clientWrites(given)
    const gate = core.gate ?? (await core.load())
    signal?.throwIfAborted()
    if (writes.length === 0) return
    if (core.limited) await core.turn(writes, signal)
    const ticket = gate.admitWrite(writes.map(([key]) => key))
    if (this.callTimeoutMs !== undefined) return this.applyInTime(ticket, writes, durable, signal)
    try {
      await core.writes.add(writes, durable, signal)
    } finally {
      core.landed(ticket, false)
    }
  }

  /** Whoever gives up leaves its turn, but what the store has begun is in flight until it is answered. */
  private applyInTime(ticket: number, writes: readonly Write[], durable: boolean, signal: AbortSignal | undefined): Promise<void> {
    const late = new AbortController()
    const given = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
    return this.answered(this.core.writes.add(writes, durable, given).finally(() => this.core.landed(ticket, false)), late)
  }

  private async answered<T>(call: Promise<T>, late?: AbortController): Promise<T> {
    const { callTimeoutMs: ms } = this
    if (ms === undefined) return call
    let timer: ReturnType<typeof setTimeout> | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new KeyhaulError('KEYHAUL_STORE_STALLED', { store: this.name, message: `it has not answered within ${ms} ms; see whether it hangs${late === undefined ? '' : ', and take the write for neither done nor not done'}` })
        late?.abort(error)
        reject(error)
      }, ms)
    })
    try {
      return await Promise.race([call, deadline])
    } finally {
      clearTimeout(timer)
    }
  }

  unanswered(): Unanswered {
    const [reads, writes] = [this.core.reads.unanswered(), this.core.writes.unanswered()]
    return { calls: reads.calls + writes.calls, oldestMs: Math.max(reads.oldestMs, writes.oldestMs) }
  }

  isRefusing(key: Uint8Array, kind: 'read' | 'write'): boolean {
    return this.core.gate?.isRefusing(key, kind) ?? false
  }

  waits(key: Uint8Array): (until: number) => void {
    return this.core.meter.waits(key)
  }

  onGateChange(listener: () => void): () => void {
    const watch = this.core.watchers.add(listener)
    return () => watch.close()
  }

  async scan(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    const { core } = this
    const gate = core.gate ?? (await core.load())
    if (range.lt !== undefined && compareBytes(range.gte ?? new Uint8Array(0), range.lt) >= 0) return { entries: [], end: true }
    for (;;) {
      const part = gate.readable(range)
      const before = core.changes
      const page = await this.answered(this.store.scan(part, options))
      if (core.changes !== before) continue
      if (!page.end || part === range) return page
      if (page.entries.length > 0) return { entries: page.entries, end: false }
      // What comes next is somebody else's; this says whose.
      gate.admitRead([part.lt as Uint8Array])
    }
  }

  async scanBack(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    const { core, store } = this
    if (store.scanBack === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it cannot be read backwards' })
    const gate = core.gate ?? (await core.load())
    if (range.lt !== undefined && compareBytes(range.gte ?? new Uint8Array(0), range.lt) >= 0) return { entries: [], end: true }
    for (;;) {
      const part = gate.readable(range)
      // Its upper end is somebody else's; this says whose.
      if (part !== range) gate.admitRead([part.lt as Uint8Array])
      const before = core.changes
      const page = await this.answered(store.scanBack(range, options))
      if (core.changes === before && part === range) return page
    }
  }
}

function moverOf(store: Store, core: GateCore): Store {
  const admitted = async <T>(writes: readonly Write[], { durable, signal, staged, cleanUp }: ApplyOptions, write: (given: ApplyOptions) => Promise<T>): Promise<T> => {
    const gate = await core.load()
    signal?.throwIfAborted()
    const tickets: number[] = []
    try {
      for (const span of spansOf(writes, staged?.ranges ?? [{}])) {
        if (staged !== undefined) tickets.push(gate.admitApply(staged.claim, staged.coordEpoch, span))
        else if (cleanUp !== undefined) tickets.push(gate.admitCleanUp(cleanUp.epoch, span))
        else throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'only a live migration may write past its gate' })
      }
      return await write({ durable, signal })
    } finally {
      for (const ticket of tickets) core.landed(ticket, true)
    }
  }
  const mover: Store = {
    name: store.name,
    identity: store.identity,
    ...(store.place === undefined ? {} : { place: store.place }),
    capabilities: new Set([...keptOf(store), ...ADDED]),
    scan: (range, options) => store.scan(range, options),
    getMany: getManyOf(store),
    gate: { change: (call) => core.change(call), limitWrites: (perSecond, ranges) => core.limitWrites(perSecond, ranges), meter: core.meter },
    apply: (writes, options) => admitted(writes, options, (given) => store.apply(writes, { ...given, cleanUp: options.cleanUp }))
  }
  const { openFeed, estimate, applyNewer } = store
  if (applyNewer !== undefined) {
    const newer: Store['applyNewer'] = (writes, options) => admitted(writes, options, (given) => applyNewer.call(store, writes, { ...given, deletes: options.deletes }))
    Object.assign(mover, { applyNewer: newer })
  }
  if (openFeed !== undefined) Object.assign(mover, { openFeed: openFeed.bind(store) })
  if (estimate !== undefined) Object.assign(mover, { estimate: estimate.bind(store) })
  return mover
}
