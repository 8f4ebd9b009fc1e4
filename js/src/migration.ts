import type { Driver, EngineNotice } from './engine/driver.js'
import { faultyKey, type Reading } from './engine/fault.js'
import type { Verb } from './engine/handle.js'
import type { LiveRun } from './engine/live.js'
import { liveParts } from './engine/load.js'
import { errorCodeOf, formatKey, KeyhaulError, shownKey, type KeyhaulErrorCode } from './errors.js'
import { assertRate, refused } from './given.js'
import { closeJournal, type JournalStore } from './journal/journal.js'
import { MigrationError, MOVE_AGAIN } from './migration-error.js'
import { ENDED, type MigrationState, type Progress, STATES } from './progress.js'
import { type Difference, readReceipt, type Receipt } from './receipt.js'
import { toHex } from './stores/bytes.js'
import type { ScanRange, Store } from './stores/store.js'

export { MigrationError } from './migration-error.js'
export type { LiveProgress, MigrationState, Progress } from './progress.js'

export interface MigrationEvents {
  state: (state: MigrationState) => void
  progress: (progress: Progress) => void
  difference: (difference: Difference) => void
  /** Something was retried or worked around. */
  warning: (error: KeyhaulError) => void
  /**
   * A live migration cannot keep up: clients should write no more than so many keys a second of its
   * ranges; 0: as many as they like again. The gate of the source sees to it for who writes through it.
   */
  limit: (writes: { readonly perSecond: number }) => void
}

const NoticeKind = { state: 1, progress: 2, difference: 3, warning: 4, throttleWriters: 5, refused: 6 } as const
const DIFFERENCES = ['missing', 'missing', 'extra', 'changed'] as const

interface Setup {
  readonly from: Store
  readonly to: Store
  readonly ranges: readonly ScanRange[]
  readonly journal: JournalStore | undefined
  readonly live: LiveRun | undefined
  readonly signal: AbortSignal | undefined
  readonly onEnd: () => void
}

/** A running migration: its progress, its events, its end. */
export class Migration implements AsyncIterable<Progress> {
  /** Resolves with the receipt; rejects with a KeyhaulError when it stopped, failed, was cancelled or (copy, move) found a mismatch. */
  readonly done: Promise<Receipt>
  readonly ranges: readonly ScanRange[]
  readonly journal: JournalStore | undefined
  /** @internal */
  readonly live: LiveRun | undefined
  /** @internal */
  readonly to: Store
  #resolve!: (receipt: Receipt) => void
  #reject!: (error: unknown) => void
  readonly #listeners = new Map<keyof MigrationEvents, Set<(value: never) => void>>()
  readonly #differences: Difference[] = []
  /** @internal */
  pages: readonly Reading[] = []
  /** The last failure of each kind and node; the journal is node 0, the register node -1. */
  readonly #failures = new Map<string, KeyhaulError>()
  #latest: Progress | undefined
  #waiting: (() => void)[] = []
  #version = 0
  #ended = false
  /** The engine does not know it any more. */
  #leaving = false
  /** Those who wait for the way back. */
  #goingBack: { readonly resolve: (receipt: Receipt) => void; readonly reject: (error: unknown) => void }[] = []
  /** The last state before the end. */
  #step: MigrationState = 'pending'
  #error: MigrationError | undefined

  readonly #driver: Driver
  readonly #id: number
  readonly #setup: Setup

  /** @internal */
  constructor(driver: Driver, id: number, setup: Setup) {
    this.#setup = setup
    this.#id = id
    this.#driver = driver
    this.ranges = setup.ranges
    this.journal = setup.journal
    this.live = setup.live
    this.to = setup.to
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever only iterates learns of the end there.
    this.done.catch(() => {})
    const { signal } = setup
    if (signal?.aborted === true) this.stop()
    else signal?.addEventListener('abort', this.stop, { once: true })
    driver.attach(id, this)
  }

  progress(): Progress {
    return this.#leaving ? (this.#latest as Progress) : this.#look()
  }

  /** Stops after what is under way; the journal resumes it. `done` rejects with KEYHAUL_INTERRUPTED. */
  readonly stop = (): void => {
    if (!this.#leaving) this.#control('stop')
  }
  /** Takes off the target what was copied, if the target range was empty before. */
  cancel(): void {
    this.#control('cancel')
  }
  pause(): void {
    this.#control('pause')
  }
  resume(): void {
    this.#control('unpause')
  }
  /**
   * With `reverseWindowMs`, in the state `reversible`: cuts over back to the source, with all that
   * was written to the target. Resolves with the receipt, which says `reversed`, as `done` does.
   *
   * Rejects with KEYHAUL_UNSUPPORTED where no window is open; KEYHAUL_VERIFY_MISMATCH where the two
   * stores differ and KEYHAUL_PAUSE_BUDGET where writers would wait for too long: then both are kept
   * and the window is open again; KEYHAUL_FEED_POSITION_LOST where the source cannot be brought up to
   * date any more; KEYHAUL_CANCELLED after closeWindow(); and as `done` where the migration stops
   * before. `owner` of the error is whom the ranges belong to, where that is known.
   */
  reverse(): Promise<Receipt> {
    let back: Promise<Receipt>
    try {
      this.#control('reverse')
      back = new Promise((resolve, reject) => this.#goingBack.push({ resolve, reject }))
    } catch (error) {
      back = Promise.reject(this.#refusal(error as KeyhaulError))
    }
    // Whoever does not wait for it has the event `warning`, and `done`; and one that is refused at once, no window.
    back.catch(() => {})
    return back
  }
  /**
   * Ends an open reverse window before its time: the source is cleaned up, whether or not it has caught
   * up. Throws KEYHAUL_UNSUPPORTED where none is open.
   *
   * `giveUpSource`: for a source that never comes back. It is asked for nothing any more, one
   * compare-and-set in the register gives the target the range for good, and the receipt says
   * `sourceGivenUp`. Also right after a resume (`goneStore(name)` stands for a source that cannot be
   * opened), and where the window is over and the source cannot be cleaned up. Should it come back, its
   * gate sends clients on, and a migration to it is refused until nothing of the range is left there.
   */
  closeWindow(options: { readonly giveUpSource?: boolean } = {}): void {
    this.#control(options.giveUpSource === true ? 'giveUpSource' : 'closeWindow')
    this.#refuseBack('KEYHAUL_CANCELLED', this.to.name, 'the window was closed')
  }
  /** With `follow`: the writers have stopped; drain the feed, verify and end. */
  finish(): void {
    this.#control('finish')
  }
  /** Bytes a second from now on; 0 is no limit. */
  setRate(bytesPerSecond: number): void {
    this.#assertRunning()
    assertRate(bytesPerSecond)
    this.#check(this.#driver.engine.setRate(this.#driver.now(), this.#id, bytesPerSecond))
  }

  on<E extends keyof MigrationEvents>(event: E, listener: MigrationEvents[E]): this {
    if (!/^(state|progress|difference|warning|limit)$/.test(event) || typeof listener !== 'function') throw refused(`no event ${event}, or no function for it`)
    const set = this.#listeners.get(event) ?? new Set()
    set.add(listener as (value: never) => void)
    this.#listeners.set(event, set)
    return this
  }
  off<E extends keyof MigrationEvents>(event: E, listener: MigrationEvents[E]): this {
    this.#listeners.get(event)?.delete(listener as (value: never) => void)
    return this
  }

  /** The newest progress whenever there is news; ends with the migration, throws if `done` rejects. */
  async *[Symbol.asyncIterator](): AsyncIterator<Progress> {
    let seen = 0
    for (;;) {
      if (this.#version > seen) {
        seen = this.#version
        yield this.progress()
        continue
      }
      if (this.#ended) break
      await new Promise<void>((wake) => this.#waiting.push(wake))
    }
    if (this.#error !== undefined) throw this.#error
  }

  /** @internal */
  onFailure(error: KeyhaulError, node: number): void {
    this.#failures.set(failureOf(node, error.code), error)
  }

  /** @internal */
  onNotice(notice: EngineNotice): void {
    switch (notice.kind) {
      case NoticeKind.difference: {
        const kind = DIFFERENCES[notice.difference] ?? 'changed'
        const difference = { key: formatKey(notice.payload), kind }
        this.#differences.push(difference)
        this.#emit('difference', difference)
        return
      }
      case NoticeKind.warning:
        this.#emit('warning', this.#errorFrom(notice))
        return
      case NoticeKind.throttleWriters:
        // Of the store that serves, which in a reverse window is the other one.
        for (const { name, gate } of [this.#setup.from, this.to]) {
          if (name === this.#driver.storeName(notice.node)) gate?.limitWrites?.(notice.perSecond, this.ranges)
        }
        this.#emit('limit', { perSecond: notice.perSecond })
        return
      case NoticeKind.refused: {
        const code = errorCodeOf(notice.error)
        this.#refuseBack(code, this.#driver.storeName(notice.node), new KeyhaulError(code).message)
        return
      }
      case NoticeKind.state: {
        const state = STATES[notice.state] ?? 'failed'
        this.#publish()
        this.#emit('state', state)
        if (ENDED.has(state)) void this.#end(state, notice)
        else this.#step = state
        return
      }
      default:
        this.#publish()
        this.#emit('progress', this.progress())
    }
  }

  /** @internal The engine is closed under it. */
  abandon(): void {
    if (this.#ended) return
    this.#ended = this.#leaving = true
    this.#latest ??= this.#look()
    for (const { gate } of [this.#setup.from, this.to]) gate?.limitWrites?.(0, this.ranges)
    this.live?.writes?.()
    this.#setup.signal?.removeEventListener('abort', this.stop)
    this.#setup.onEnd()
    void closeJournal(this.#setup.journal)
    const about = { step: this.#step, resumable: this.journal !== undefined }
    this.#error = new MigrationError(new KeyhaulError('KEYHAUL_CLOSED'), undefined, about)
    this.#reject(this.#error)
    for (const { reject } of this.#goingBack.splice(0)) reject(this.#error)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #publish(): void {
    this.#latest = this.#look()
    this.#version++
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #look(): Progress {
    const { etaUs, live, ...view } = this.#driver.engine.inspect(this.#driver.now(), this.#id)
    return {
      ...view,
      etaMs: etaUs && etaUs / 1000,
      // While it copies, only the feed itself knows what is waiting.
      live: live && { ...live, lagChanges: live.lagChanges || this.#driver.lag(this.#id) }
    } as Progress
  }

  async #end(state: MigrationState, notice: EngineNotice): Promise<void> {
    if (this.#ended) return
    const ranges = this.ranges.map(({ gte, lt }) => [toHex(gte ?? new Uint8Array(0)), lt === undefined ? null : toHex(lt)] as const)
    const writes = this.live?.writes?.()
    const about = { from: this.#setup.from.name, to: this.#setup.to.name, ranges, ...(writes && { writes }) }
    const receipt =
      state === 'stopped' ? undefined : readReceipt(JSON.parse(this.#driver.engine.receipt(this.#id)), about, this.#differences, this.live?.fence?.notPromised)
    const succeeded = receipt !== undefined && (state === 'done' || (state === 'mismatch' && receipt.mode === 'verify'))
    // Before the driver forgets the stores, which it names.
    const error = succeeded ? undefined : this.#endError(state, notice, receipt)
    this.#setup.signal?.removeEventListener('abort', this.stop)
    this.#leaving = true
    this.#driver.detach(this.#id)
    this.#setup.onEnd()
    await closeJournal(this.#setup.journal)
    this.#ended = true
    if (error === undefined) {
      this.#resolve(receipt as Receipt)
    } else {
      this.#error = error
      this.#reject(error)
    }
    for (const { resolve, reject } of this.#goingBack.splice(0)) {
      if (receipt?.reversed === true) resolve(receipt)
      else reject(error ?? this.#refused(receipt?.windowError ?? 'KEYHAUL_UNSUPPORTED', this.to.name, 'the reverse window has ended'))
    }
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #refuseBack(code: KeyhaulErrorCode, owner: string | undefined, why: string): void {
    for (const { reject } of this.#goingBack.splice(0)) reject(this.#refused(code, owner, why))
  }

  #refused(code: KeyhaulErrorCode, owner: string | undefined, why: string): KeyhaulError {
    return new KeyhaulError(code, { owner, message: `${owner === undefined ? '' : `${owner} keeps the ranges: `}${why}` })
  }

  /** Why it cannot be reversed now. */
  #refusal(error: KeyhaulError): KeyhaulError {
    if (error.code !== 'KEYHAUL_UNSUPPORTED') return error
    const owner = this.progress().live?.turned === true ? this.to.name : undefined
    return this.#refused(error.code, owner, 'no reverse window is open')
  }

  #endError(state: MigrationState, notice: EngineNotice, receipt: Receipt | undefined): MigrationError {
    const about = { step: this.#step, resumable: state === 'stopped' && this.journal !== undefined }
    if (state === 'cancelled') return new MigrationError(new KeyhaulError('KEYHAUL_CANCELLED'), receipt, about)
    if (state === 'mismatch') {
      const message = receipt === undefined ? undefined : mismatchText(receipt, this.#setup.from.applyNewer && this.to.applyNewer)
      const details = message === undefined ? {} : { message }
      return new MigrationError(new KeyhaulError('KEYHAUL_VERIFY_MISMATCH', details), receipt, about)
    }
    return new MigrationError(this.#errorFrom(notice), receipt, about)
  }

  #errorFrom(notice: EngineNotice): KeyhaulError {
    const code = errorCodeOf(notice.error)
    // The core blames the store that worked last; what the journal says is more to the point.
    const ofJournal = code === 'KEYHAUL_JOURNAL_WRITE_FAILED'
    const known = this.#failures.get(failureOf(ofJournal ? 0 : notice.node || -1, code))
    if (known !== undefined) return known
    if (ofJournal) return new KeyhaulError(code, { file: this.journal?.name })
    if (notice.payload.length > 0) {
      return new KeyhaulError(code, { store: this.#driver.storeName(notice.node), message: new TextDecoder().decode(notice.payload) })
    }
    const held = code === 'KEYHAUL_TARGET_NOT_EMPTY' ? this.pages.find(({ node }) => node === notice.node)?.scanned.entries[0]?.[0] : undefined
    const key = REFUSED.test(code) ? faultyKey(this.pages, notice.node, code === 'KEYHAUL_ENTRY_TOO_LARGE') : held
    return new KeyhaulError(code, (this.live && liveParts.refusal?.(code, this.live, this.ranges)) ?? { store: this.#driver.storeName(notice.node), key })
  }

  #emit<E extends keyof MigrationEvents>(event: E, value: Parameters<MigrationEvents[E]>[0]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(value as never)
      } catch (error) {
        // Its fault is its own: it surfaces, but stops neither this migration nor another.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #control(verb: Verb): void {
    this.#assertRunning()
    this.#check(this.#driver.engine.control(verb, this.#id))
  }

  #assertRunning(): void {
    if (this.#error?.code === 'KEYHAUL_CLOSED') throw this.#error
    if (this.#leaving) throw new KeyhaulError('KEYHAUL_ALREADY_COMPLETE')
  }

  #check(code: number): void {
    if (code !== 0) throw new KeyhaulError(errorCodeOf(code))
    this.#driver.wake()
  }
}

const REFUSED = /SCAN|TOO_L/
const REPAIR = 'run a verify with repair: true, or keyhaul verify --repair'
const NO_VERSION_TELLS = 'no version tells which is right: write that one anew, and delete what only the target has'
const failureOf = (node: number, code: string): string => (node === 0 ? '' : node + code)

/** `newer`: what is offered to both by their versions was offered already. */
function mismatchText(receipt: Receipt, newer: unknown): string {
  const { missing, extra, changed, to } = receipt
  const first = receipt.different[0]
  const example = first === undefined ? '' : `, first ${first.kind} key ${shownKey(first.key)}`
  return `${to} differs from ${receipt.from}: ${missing} missing, ${extra} extra, ${changed} changed${example}; ${receipt.mode === 'live' ? MOVE_AGAIN : newer ? NO_VERSION_TELLS : REPAIR}`
}
