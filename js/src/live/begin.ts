// How a live migration begins, as far as the small entry need not know it.
import type { LiveRun } from '../engine/live.js'
import type { LiveWords } from '../engine/plan.js'
import { KeyhaulError } from '../errors.js'
import { refused } from '../given.js'
import type { JournalStore } from '../journal/journal.js'
import type { MigrateOptions } from '../options.js'
import type { ScanRange, Store } from '../stores/store.js'
import { keepLease, leaseOf } from './lease.js'
import { operatorFence } from './operator.js'

import { type Split, splitFrom, splitOf } from './split.js'

export { splitOf }

/** `claim`: of somebody whose journal is lost, see end-claim.ts. */
export type Fenced = Partial<Pick<LiveRun, 'fence'>> & { readonly split?: Split | undefined; readonly claim?: Uint8Array }
type Given = Pick<MigrateOptions, 'from' | 'to' | 'register' | 'stopWrites' | 'resumeWrites' | 'mode' | 'splitMax' | 'journal'>

/** The stores as a live migration sees them. */
export function moverOf<T extends Given>(options: T, ranges: readonly ScanRange[]): T & Fenced {
  if (options.mode !== undefined) throw refused('leave `mode` out of a live migration')
  const fence = (options.stopWrites ?? options.resumeWrites) && operatorFence(options, ranges)
  const all = { ...options, fence, from: fence?.store ?? options.from.mover ?? options.from, to: options.to.mover ?? options.to }
  return { ...all, split: splitFrom(all) }
}

export function liveRun({ register, from, to, fence, share = 0.25, claim: given }: Pick<MigrateOptions, 'register' | 'from' | 'to' | 'share'> & Fenced, claim: Uint8Array = given ?? crypto.getRandomValues(new Uint8Array(16))): LiveRun {
  // What only has the name of a register would be asked for ever, as one that is down is.
  if (typeof register?.read !== 'function' || typeof register.compareAndSet !== 'function') throw refused('a live migration needs the `register` of its clients, such as levelRegister(db)')
  if (!(share > 0 && share <= 1)) throw refused(`share is ${share}; it must be more than 0, and at most 1`)
  const run: LiveRun = {
    claim, source: from.name, target: to.name, register, fence, share,
    watch: (migration) => {
      fence?.watch(migration)
      keepLease(migration, register, claim, run.lease)
    }
  }
  return run
}

/** What a plan has besides for it. */
export function livePlan({ claim, register, fence }: LiveRun, options: MigrateOptions, journal: JournalStore | undefined): LiveWords {
  return {
    claim,
    pauseBudgetMs: options.pauseBudgetMs ?? 1000,
    durable: register.durable && journal !== undefined && journal.durable !== false,
    operatorFence: fence !== undefined,
    reverseWindowMs: options.reverseWindowMs ?? 0,
    splitMax: options.splitMax ?? 0
  }
}

/** The same of one that was begun at this level, by its journal; once nobody else is at work on it. */
export async function resumedRun(options: Parameters<typeof liveRun>[0] & Pick<MigrateOptions, 'takeOver' | 'signal'>, claim: Uint8Array, level: number, file: string): Promise<LiveRun> {
  const { takeOver, signal } = options
  if (takeOver != null && typeof takeOver !== 'boolean') throw refused(`takeOver is ${takeOver}; it must be true or false`)
  const run = liveRun(options, claim)
  if ((run.fence !== undefined) !== (level === 2)) {
    throw new KeyhaulError('KEYHAUL_JOURNAL_MISMATCH', { file, message: 'give stopWrites and resumeWrites if it was begun with them, and only then' })
  }
  try {
    run.lease = await leaseOf(run.register, claim, { takeOver, signal })
  } catch (error) {
    const { code, message, holder, heldMs } = error as KeyhaulError
    if (code === 'KEYHAUL_LEASE_HELD') throw new KeyhaulError(code, { file, holder, heldMs, message, cause: error })
    if (signal?.aborted === true) throw error
    // A register that is away is told of by the migration, which asks it next; its lease is asked for again meanwhile.
  }
  return run
}

/** Why the level cannot be given; `missing` are capabilities. */
export function levelText(missing: readonly string[], { from, to, requireLevel = 0, reverseWindowMs = 0 }: MigrateOptions): string {
  if (missing.length > 0 && reverseWindowMs > 0) {
    const lacks = (store: Store): string => `${store.name} lacks ${missing.filter((one) => !store.capabilities.has(one as never)).join(', ') || 'nothing'}`
    return `a reverse window cannot be given: ${lacks(from)}, ${lacks(to)}; wrap both stores with gatedStore(), each with a feed`
  }
  const why = missing.length > 0 ? `missing: ${missing.join(', ')}; wrap both stores with gatedStore()` : `level ${Math.max(requireLevel, 4)} needs a durable register and a journal`
  return `level ${Math.max(requireLevel, 3)} cannot be given: ${why}`
}
