import { toBytes } from './bytes.js'
import type { LevelDatabase, LevelOperation } from './level-types.js'

/** A write that takes longer to land than this is no longer waited for. */
export const IN_FLIGHT_MS = 250
const BATCHES_MAX = 4096

/** What the hook adds to a batch is written with it or not at all. */
export interface PrewriteBatch {
  add(op: object): void
}

/** Goes with an operation from the hook to the write event: abstract-level copies what operations carry. */
export interface Token {
  readonly batch: object
  /** Written by keyhaul itself. */
  readonly own: boolean
  /** Where it is in a change log; 0 where it is in none. */
  position: number
  key: Uint8Array | undefined
  landed: boolean
}

export interface Landed {
  /** As it is stored, whatever other hooks did to it. */
  readonly key: Uint8Array
  /** Nothing for a delete. */
  readonly value: Uint8Array | undefined
  /** Nothing for what another prewrite hook added, which passes no hook itself. */
  readonly token: Token | undefined
}

export interface Recorder {
  record(op: LevelOperation, token: Token, batch: PrewriteBatch): void
  landed(operations: readonly Landed[]): void
}

type Hook = (op: LevelOperation, batch: PrewriteBatch) => void
interface Hooked {
  hooks: { prewrite: { add(hook: Hook): void; delete(hook: Hook): void; run?: unknown } }
}
interface PublicOperation {
  key: unknown
  value?: unknown
  type: string
  encodedKey?: unknown
  encodedValue?: unknown
  [TOKEN]?: Token
}

const TOKEN: unique symbol = /* @__PURE__ */ Symbol('keyhaul')
const OWN_TOKEN: Token = { batch: {}, own: true, position: 0, key: undefined, landed: true }
/** Of deletes that are in no feed. */
const SILENT_TOKEN: Token = { ...OWN_TOKEN }
const taps = new WeakMap<LevelDatabase, LevelTap>()

/**
 * Sees every write of this process to a database, twice: when it is added to a batch and when
 * it has landed. There is one for each root database, and it stays, because a chained batch
 * keeps to the hooks that were there when it was begun.
 */
export class LevelTap {
  recorder: Recorder | undefined
  private readonly watches = new Set<Landed[]>()
  /** Batches that have not landed, and when they last grew. */
  private readonly inFlight = new Map<object, number>()
  private waiting: (() => void)[] = []
  private own = false
  private silent = false
  private tail: Promise<unknown> = Promise.resolve()

  static of(root: LevelDatabase): LevelTap {
    const tap = taps.get(root) ?? new LevelTap(root)
    taps.set(root, tap)
    return tap
  }

  private constructor(private readonly root: LevelDatabase) {
    this.goLast()
    root.on('write', (operations: PublicOperation[]) => this.land(operations))
  }

  /** Behind the hooks that are there already: what they rename is seen under its last name. */
  goLast(): void {
    const { prewrite } = (this.root as unknown as Hooked).hooks
    prewrite.delete(this.hook)
    prewrite.add(this.hook)
  }

  /** False: another prewrite hook may still change an operation, or add some that we do not see. */
  get alone(): boolean {
    return (this.root as unknown as Hooked).hooks.prewrite.run === this.hook
  }

  /** Operations added meanwhile, synchronously, are keyhaul's; `silent` ones no recorder is told of. */
  asOwn<T>(work: () => T, silent = false): T {
    this.own = true
    this.silent = silent
    try {
      return work()
    } finally {
      this.own = this.silent = false
    }
  }

  /** One after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.tail.then(work)
    this.tail = done.catch(() => {})
    return done
  }

  /** Collects what others write from now on. */
  watch(): { take(): Landed[]; end(): void } {
    const seen: Landed[] = []
    this.watches.add(seen)
    return { take: () => seen.splice(0), end: () => this.watches.delete(seen) }
  }

  /** Waits for what is under way now to land, to fail or to take too long. */
  async settle(): Promise<void> {
    const pending = [...this.inFlight.keys()]
    for (;;) {
      const now = performance.now()
      const left = pending.map((batch) => (this.inFlight.get(batch) ?? Number.NEGATIVE_INFINITY) + IN_FLIGHT_MS - now)
      const longest = Math.max(0, ...left)
      if (longest === 0) return
      await this.nextLanding(longest)
    }
  }

  /** Until something lands, but no longer than `ms`. */
  nextLanding(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, IN_FLIGHT_MS))
      this.waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  wake(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }

  private readonly hook: Hook = (op, batch) => {
    // Every key that a move deletes passes here, and nobody asks for more about it.
    if (this.own && (this.silent || this.recorder === undefined)) {
      ;(op as { [TOKEN]?: Token })[TOKEN] = this.silent ? SILENT_TOKEN : OWN_TOKEN
      return
    }
    const token: Token = { batch, own: this.own, position: 0, key: undefined, landed: false }
    ;(op as { [TOKEN]?: Token })[TOKEN] = token
    this.inFlight.set(batch, performance.now())
    if (this.inFlight.size > BATCHES_MAX) this.inFlight.delete(this.inFlight.keys().next().value as object)
    this.recorder?.record(op, token, batch)
  }

  private land(operations: readonly PublicOperation[]): void {
    for (const { [TOKEN]: token } of operations) if (token !== undefined) this.inFlight.delete(token.batch)
    const told = operations.filter((op) => op[TOKEN] !== SILENT_TOKEN && (this.recorder !== undefined || op[TOKEN] !== OWN_TOKEN))
    if (told.length > 0 && (this.watches.size > 0 || this.recorder !== undefined)) {
      const landed = told.map((op) => ({
        key: toBytes((op.encodedKey ?? op.key) as string | Uint8Array),
        value: op.type === 'put' ? toBytes((op.encodedValue ?? op.value) as string | Uint8Array) : undefined,
        token: op[TOKEN]
      }))
      for (const seen of this.watches) for (const one of landed) if (one.token?.own !== true) seen.push(one)
      this.recorder?.landed(landed)
    }
    this.wake()
  }
}
