import type { EngineNotice } from '../engine/driver.js'
import type { LiveRun } from '../engine/live.js'
import { type ScheduledStep, scheduleStep } from '../engine/turn.js'

/** A piece of the engine's work that is longer than this is put off no longer in proportion. */
const DELAY_MAX_MS = 250
/** Completions that one turn takes up while clients are served. */
const EVENTS_SHARED = 2
const EVENTS_MAX = 256
/** NoticeKind::kState. */
const STATE_NOTICE = 1
/** Of MigrationState, core/include/keyhaul/migration.h: from the approach to the activation writers wait, or soon will. */
const URGENT: ReadonlySet<number> = new Set([16, 17, 18, 19, 20, 21, 25, 27, 29])

/**
 * Clients and migration share one thread. Of its time the migration takes a share: what a turn
 * took is waited for, times what is left to the others, before the next. While writers are
 * refused, or rounds have to get short enough for that, it is not the one to wait, and goes on
 * in the same turn of the event loop.
 */
export class Pace {
  private readonly live = new Map<number, { share: number; urgent: boolean }>()
  private notBefore = 0
  private running = false

  /** `live`: of a migration that begins; nothing when it has ended. */
  set(migration: number, live: LiveRun | undefined): void {
    if (live === undefined) this.live.delete(migration)
    else this.live.set(migration, { share: live.share, urgent: false })
  }

  see(migration: number, { kind, state }: Pick<EngineNotice, 'kind' | 'state'>): void {
    const live = this.live.get(migration)
    if (live !== undefined && kind === STATE_NOTICE) live.urgent = URGENT.has(state)
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
    for (const { urgent } of this.live.values()) if (urgent) return true
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
    let share = 1
    for (const live of this.live.values()) share = Math.min(share, live.share)
    this.notBefore = performance.now() + Math.min(took * (1 / share - 1), DELAY_MAX_MS)
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
