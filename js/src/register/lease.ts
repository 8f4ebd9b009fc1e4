import { KeyhaulError } from '../errors.js'
import type { Lease, LeaseHolder, LeaseRequest } from './register.js'

/** What a register keeps of a lease. A renewal is another row: rows are told apart as objects, and none is changed. */
export interface LeaseRow extends LeaseHolder {
  readonly ttlMs: number
  /** Whoever held it cannot be alive. */
  readonly isGone?: boolean
}

/** A row a name. */
export interface LeaseRows {
  read(name: string): Promise<LeaseRow | undefined>
  /** Puts `next` there, or takes away what is there, if that still is `known`. */
  replace(name: string, known: LeaseRow | undefined, next: LeaseRow | undefined): Promise<boolean>
}

/** It is looked at so often, or at a twentieth of its time. */
const LOOK_MAX_MS = 250

/**
 * A lease over rows that are replaced by compare-and-set. That a holder is dead is not read from a clock
 * that it wrote down, which would be another machine's: its row was looked at for all of its time and never was another one.
 */
export async function takeLease(rows: LeaseRows, name: string, { holder, ttlMs, takeOver = false, signal }: LeaseRequest): Promise<Lease> {
  let known = await rows.read(name)
  let watchedMs = 0
  let lookedAt = performance.now()
  for (;;) {
    if (known === undefined || known.isGone === true || takeOver || watchedMs >= known.ttlMs) {
      const row = { holder, heldMs: 0, ttlMs }
      if (await rows.replace(name, known, row)) return held(rows, name, row, known)
    } else {
      const everyMs = Math.min(known.ttlMs / 20, LOOK_MAX_MS)
      await sleep(everyMs, signal)
      const now = performance.now()
      // A process that was stopped for longer has not looked meanwhile; and whoever holds it here was stopped too.
      watchedMs += Math.min(now - lookedAt, 2 * everyMs)
      lookedAt = now
    }
    const next = await rows.read(name)
    if (next !== undefined && next !== known && !takeOver) throw heldBy(next)
    known = next
  }
}

function held(rows: LeaseRows, name: string, first: LeaseRow, before: LeaseRow | undefined): Lease {
  const since = performance.now()
  let row: LeaseRow | undefined = first
  let renewal: Promise<boolean> = Promise.resolve(true)
  const renewed = async (): Promise<boolean> => {
    const known = row
    if (known === undefined) return false
    const next = { ...first, heldMs: Math.round(performance.now() - since) }
    row = (await rows.replace(name, known, next)) ? next : undefined
    return row !== undefined
  }
  return {
    ttlMs: first.ttlMs,
    from: before && { holder: before.holder, heldMs: before.heldMs },
    // One after the other: of two at once each would take the other's row for another's.
    renew: () => {
      renewal = renewal.then(renewed, renewed)
      return renewal
    },
    release: async () => {
      await renewal.catch(() => {})
      const known = row
      row = undefined
      if (known !== undefined) await rows.replace(name, known, undefined)
    }
  }
}

/** What a register answers whoever may not take it over. */
export function heldBy({ holder, heldMs }: LeaseHolder): KeyhaulError {
  const seconds = Math.round(heldMs / 1000)
  const since = seconds === 0 ? '' : `, and has been for ${seconds} s`
  return new KeyhaulError('KEYHAUL_LEASE_HELD', { holder, heldMs, message: `${holder} is at work on the migration${since}; wait for its end, or take over with --take-over (takeOver: true)` })
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((wake, fail) => {
    const giveUp = (): void => {
      clearTimeout(timer)
      fail(new KeyhaulError('KEYHAUL_INTERRUPTED', { cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp)
      wake()
    }, ms)
    if (signal?.aborted === true) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
  })
}
