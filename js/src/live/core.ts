import { scheduleStep } from '../engine/turn.js'
import { KeyhaulError } from '../errors.js'
import { getManyOf } from '../stores/recorded.js'
import type { GateCall, GateVerb, OwnRecord, ScanRange, Store, Write } from '../stores/store.js'
import { startsWith } from '../stores/bytes.js'
import { Watchers } from '../register/register.js'
import { Gate } from './gate.js'
import { ReadGroups, WriteGroups } from './group.js'
import { packCall } from './pack.js'
import { WriteLimit } from './write-limit.js'
import { WriteMeter } from './writes.js'

/** These are durable before they take effect, or a crash would take back an epoch in which clients were served. */
const OPENING: ReadonlySet<GateVerb> = new Set(['assign', 'unfence', 'activate'])
/** These go by what was staged before. */
const OF_TARGETS: ReadonlySet<GateVerb> = new Set(['prepare', 'restage', 'inspect', 'activate'])

const GONE = 'its gate does not know of what was staged there: it was emptied, or came back without its disk; the other store has everything'

/** One a store, however many objects stand for it: two gates of one store would contradict each other. */
const cores = new WeakMap<object, GateCore>()

/** Prefixes of the gated parts of a database. */
const places = new WeakMap<object, { readonly name: string; readonly prefix: Uint8Array }[]>()

/** A gate sees only its own clients: of a database and one of its sublevels, each would let through what the other keeps out. */
function standApart({ name, place }: Store): void {
  if (place === undefined || typeof place.database !== 'object' || place.database === null) return
  const { prefix } = place
  const gated = places.get(place.database) ?? []
  const other = gated.find((one) => startsWith(one.prefix, prefix) || startsWith(prefix, one.prefix))
  if (other !== undefined) {
    throw new KeyhaulError('KEYHAUL_SAME_STORE', { store: name, message: `it shares keys with ${other.name}, which has a gate already: one lies inside the other, in one database; gate one of them, or parts that lie apart` })
  }
  places.set(place.database, [...gated, { name, prefix }])
}

/** A gate with its record in the store. */
export class GateCore {
  /** Grows with each change: what was read between two equal ones was read under one answer. */
  changes = 0
  gate: Gate | undefined
  /** Told of each change. */
  readonly watchers = new Watchers<void>()
  /** Calls of clients, whichever object they come through: two queues would overtake each other. */
  readonly reads: ReadGroups
  readonly writes: WriteGroups
  readonly meter = new WriteMeter()
  /** What migrations ask of the writers, while they cannot keep up with them. */
  private readonly limits = new Map<readonly ScanRange[], WriteLimit>()
  private loading: Promise<Gate> | undefined
  /** There is a record, or was. */
  private isRecorded = false
  private tail: Promise<unknown> = Promise.resolve()
  private waiting: (() => void)[] = []

  static of(store: Store): GateCore {
    const { identity, ownRecord } = store
    if (ownRecord === undefined) {
      throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it has no place for the record of a gate; wrap it with gatedStore()' })
    }
    if (typeof identity !== 'object' || identity === null) return new GateCore(ownRecord, store)
    const known = cores.get(identity)
    if (known !== undefined) return known
    standApart(store)
    const core = new GateCore(ownRecord, store)
    cores.set(identity, core)
    return core
  }

  private readonly store: string

  private constructor(
    private readonly record: OwnRecord,
    store: Store
  ) {
    this.store = store.name
    this.reads = new ReadGroups({ getMany: getManyOf(store) })
    this.writes = new WriteGroups(store, (keys) => this.meter.add(keys))
  }

  load(): Promise<Gate> {
    this.loading ??= this.record.read().then(
      (bytes) => {
        this.gate = new Gate(bytes, this.store)
        this.isRecorded = bytes !== undefined
        return this.gate
      },
      (error: unknown) => {
        this.loading = undefined
        throw error
      }
    )
    return this.loading
  }

  limitWrites(perSecond: number, ranges: readonly ScanRange[]): void {
    this.limits.get(ranges)?.letGo()
    if (perSecond > 0) this.limits.set(ranges, new WriteLimit(perSecond, ranges))
    else this.limits.delete(ranges)
  }

  get limited(): boolean {
    return this.limits.size > 0
  }

  async turn(writes: readonly Write[], signal: AbortSignal | undefined): Promise<void> {
    for (const limit of [...this.limits.values()]) await limit.turn(writes, signal)
  }

  landed(ticket: number, applied: boolean): void {
    this.gate?.landed(ticket, applied)
    for (const wake of this.waiting.splice(0)) wake()
  }

  async change(call: GateCall): Promise<void> {
    const gate = await this.load()
    const packed = packCall(call)
    // Who waits for a turn is to be refused now, not later.
    if (call.verb === 'fence') for (const limit of this.limits.values()) limit.letGo()
    if (OPENING.has(call.verb)) {
      return this.inTurn(async () => {
        if (OF_TARGETS.has(call.verb)) await this.look(gate)
        await this.write(this.known(call, () => gate.encodeAfter(packed)))
        this.changeNow(gate, packed)
      })
    }
    await this.inTurn(async () => {
      // What an owner was emptied of before it is fenced is not what is kept for a way back.
      if (OF_TARGETS.has(call.verb) || call.verb === 'fence') await this.look(gate)
      this.known(call, () => (call.verb === 'inspect' ? gate.change(packed) : this.changeNow(gate, packed)))
    })
    if (call.verb === 'inspect') return
    // Not in turn: what takes this back must not wait for it.
    for (;;) {
      while (!gate.quiet(packed)) await new Promise<void>((wake) => this.waiting.push(wake))
      const isDurable = await this.inTurn(async () => {
        // A repetition changes nothing; where it is refused, a later call has overtaken this one.
        gate.change(packed)
        if (!gate.quiet(packed)) return false
        await this.write(gate.encode())
        return true
      })
      if (isDurable) break
    }
  }

  /**
   * A record that is gone went with all that the store held. Writing it again does not hide that (`read`), so nobody looks
   * before it is written: a call that waits behind those of clients would be one more in each pause.
   */
  private async look(gate: Gate): Promise<void> {
    if (!this.isRecorded || (await this.record.read()) !== undefined) return
    this.isRecorded = false
    gate.emptied()
  }

  private async write(bytes: Uint8Array): Promise<void> {
    await this.record.write(bytes)
    this.isRecorded = true
  }

  /** A gate that was loaded from nothing knows of nothing, one that was emptied of what is lost. */
  private known<T>({ verb }: GateCall, work: () => T): T {
    try {
      return work()
    } catch (error) {
      const isGone = OF_TARGETS.has(verb) && (error as KeyhaulError).code === 'KEYHAUL_NOT_OWNER'
      throw isGone ? new KeyhaulError('KEYHAUL_NOT_OWNER', { store: this.store, message: GONE }) : error
    }
  }

  private changeNow(gate: Gate, packed: Uint8Array): void {
    gate.change(packed)
    this.changes++
    // Hundreds may wait for it; whoever made the change is to hear of it before they are served.
    scheduleStep(() => this.watchers.tell())
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(work)
    this.tail = turn.catch(() => {})
    return turn
  }
}
