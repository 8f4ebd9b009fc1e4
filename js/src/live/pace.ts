import type { Action } from '../engine/action.js'
import type { EngineNotice } from '../engine/driver.js'
import type { LiveRun } from '../engine/live.js'
import { type ScheduledStep, scheduleStep } from '../engine/turn.js'

/** A piece of the engine's work that is longer than this is put off no longer in proportion. */
const DELAY_MAX_MS = 250
/** Completions that one turn takes up while clients are served. */
const EVENTS_SHARED = 2
const EVENTS_MAX = 256
/** While one goes before others, every so many turns are everybody's. */
const TURNS = 4
/** NoticeKind::kState. */
const STATE_NOTICE = 1
/** Of MigrationState, core/include/keyhaul/migration.h: from the approach to the activation writers wait, or soon will. */
const URGENT: ReadonlySet<number> = new Set([16, 17, 18, 19, 20, 21, 25, 27, 29])
/**
 * Claiming and staging: two calls, which the forecast of the pause goes by. They may wait for somebody who is away, and
 * clients with them, so they are urgent for DELAY_MAX_MS only.
 */
const CALLS: ReadonlySet<number> = new Set([14, 15])

interface Paced {
  readonly share: number
  /** By performance.now(). */
  urgentUntil: number
  /** The priority that it began with. */
  priority?: number
  ahead: boolean
}

/**
 * Clients and migration share one thread. Of its time the migration takes a share: what a turn
 * took is waited for, times what is left to the others, before the next. While writers are
 * refused, or rounds have to get short enough for that, it is not the one to wait, and goes on
 * in the same turn of the event loop.
 */
export class Pace {
  private readonly live = new Map<number, Paced>()
  /** What migrations asked for that cannot keep up. */
  private readonly ahead = new Set<number>()
  private turns = 0
  private notBefore = 0
  private running = false

  /** `live`: of a migration that begins; nothing when it has ended. */
  set(migration: number, live: LiveRun | undefined): void {
    if (live === undefined) this.live.delete(migration)
    if (this.live.size === 0) this.ahead.clear()
    if (live !== undefined) this.live.set(migration, { share: live.share, urgentUntil: 0, ahead: false })
  }

  /** The core raises the priority of one that cannot keep up, and lowers it again. */
  starts({ migration, op, priority }: Pick<Action, 'migration' | 'op' | 'priority'>): void {
    const live = this.live.get(migration)
    if (live === undefined) return
    live.priority ??= priority
    live.ahead = priority > live.priority
    if (live.ahead) this.ahead.add(op)
  }

  /**
   * The completions of the next turn, out of those that wait: of migrations that go before others, where there are any,
   * and the oldest of the others in a turn of four, so that nobody starves.
   */
  next<Completion extends { readonly op: number }>(waiting: Completion[]): Completion[] {
    if (this.ahead.size === 0) return waiting.splice(0, this.events)
    const isShared = ++this.turns % TURNS === 0
    const taken = waiting.filter(({ op }) => this.ahead.has(op)).slice(0, isShared ? this.events - 1 : this.events)
    if (isShared || taken.length === 0) taken.push(...waiting.filter((one) => !taken.includes(one)).slice(0, this.events - taken.length))
    for (const one of taken) {
      waiting.splice(waiting.indexOf(one), 1)
      this.ahead.delete(one.op)
    }
    return taken
  }

  see(migration: number, { kind, state }: Pick<EngineNotice, 'kind' | 'state'>): void {
    const live = this.live.get(migration)
    if (live === undefined || kind !== STATE_NOTICE) return
    live.urgentUntil = URGENT.has(state) ? Number.POSITIVE_INFINITY : CALLS.has(state) ? performance.now() + DELAY_MAX_MS : 0
  }

  /** How many completions a turn may take up. */
  get events(): number {
    return this.live.size > 0 && !this.isUrgent() ? EVENTS_SHARED : EVENTS_MAX
  }

  readonly schedule = (run: () => void): ScheduledStep => {
    if (this.live.size === 0) return scheduleStep(run)
    // Not from inside a turn: the engine is not re-entrant.
    if (this.isUrgent() && !this.running) return soon(() => this.take(run))
    const delay = this.isUrgent() ? 0 : this.notBefore - performance.now()
    if (delay <= 0.5) return scheduleStep(() => this.take(run))
    const timer = setTimeout(() => this.take(run), delay)
    return { cancel: () => clearTimeout(timer) }
  }

  private isUrgent(): boolean {
    const now = performance.now()
    for (const { urgentUntil } of this.live.values()) if (urgentUntil > now) return true
    return false
  }

  private take(run: () => void): void {
    const began = performance.now()
    this.running = true
    try {
      run()
    } finally {
      this.running = false
      this.account(began)
    }
    void this.accountLater(began)
  }

  /** Batches are filled in the promises that follow a turn: that is its work too. */
  private async accountLater(began: number): Promise<void> {
    for (let i = 0; i < 16; i++) await undefined
    this.account(began)
  }

  private account(began: number): void {
    const took = performance.now() - began
    this.notBefore = performance.now() + Math.min(took * (1 / this.share - 1), DELAY_MAX_MS)
  }

  /** The least that anybody asked for; for one that cannot keep up, twice what it asked for. */
  private get share(): number {
    const all = [...this.live.values()]
    const least = Math.min(1, ...all.map(({ share }) => share))
    return Math.max(least, ...all.map(({ ahead, share }) => (ahead ? Math.min(1, 2 * share) : 0)))
  }
}

function soon(run: () => void): ScheduledStep {
  let cancelled = false
  queueMicrotask(() => {
    if (!cancelled) run()
  })
  return {
    cancel() {
      cancelled = true
    }
  }
}
