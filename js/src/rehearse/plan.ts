import { KeyhaulError } from '../errors.js'

/** What is to be done with what was measured. */
export interface RehearsalPlan {
  /** Default `copy`; `live` is a move while clients write. */
  readonly mode?: 'copy' | 'move' | 'live' | undefined
  /** Not live: the target may hold keys in the ranges already. */
  readonly intoNonempty?: boolean | undefined
  readonly verify?: 'none' | 'target' | 'both' | undefined
  /** Of clients in the range, a second, live only; taken to hit its keys evenly. Default: what was measured, else 0. */
  readonly writes?: number | undefined
  /** Live: writers may be refused for so long, 10 to 3,600,000. Default 1,000. */
  readonly pauseBudgetMs?: number | undefined
  /** Live: of the thread, 0.01 to 1. Default 0.25. */
  readonly share?: number | undefined
  /** Bytes a second at most. Default: no limit. */
  readonly rate?: number | undefined
  readonly pageBytes?: number | undefined
  readonly pageEntries?: number | undefined
  readonly windowPages?: number | undefined
  readonly durablePages?: number | undefined
  /** The first seed; equal measurement, plan and seeds give equal forecasts. Default 1. */
  readonly seed?: number | undefined
  /** Runs without faults, and as many with mild ones, 1 to 1,000. Default 20. */
  readonly seeds?: number | undefined
}

export const MODES = { copy: 1, move: 2, live: 4 } as const
export const DEPTHS = { none: 0, target: 1, both: 2 } as const

const LEAST: Readonly<Record<string, readonly [number, number]>> = {
  writes: [0, 10_000_000],
  pauseBudgetMs: [10, 3_600_000],
  rate: [1, 1e12],
  seed: [0, 2 ** 52],
  seeds: [1, 1000],
  pageBytes: [1024, 64 * 1024 * 1024],
  pageEntries: [1, 1_000_000],
  windowPages: [1, 1000],
  durablePages: [1, 1_000_000]
}

/** Throws KEYHAUL_INVALID_ARGUMENT. */
export function assertPlan(plan: RehearsalPlan): void {
  const refuse = (message: string): never => {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message })
  }
  for (const [name, [least, most]] of Object.entries(LEAST)) {
    const value = (plan as Record<string, unknown>)[name]
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= least && (value as number) <= most)) {
      refuse(`${name} is ${String(value)}; it must be a whole number of ${least} to ${most}`)
    }
  }
  const { mode = 'copy', verify = 'target', share = 0.25, writes = 0 } = plan
  if (!Object.hasOwn(MODES, mode)) refuse(`mode is ${String(mode)}; it must be copy, move or live`)
  if (!Object.hasOwn(DEPTHS, verify)) refuse(`verify is ${String(verify)}; it must be none, target or both`)
  if (!(share >= 0.01 && share <= 1)) refuse(`share is ${String(share)}; it must be 0.01 to 1`)
  if (writes > 0 && mode !== 'live') refuse('writes are of a live migration; a copy or a move is of a range that nobody writes')
}

/** As migrate() has them, unless the plan says otherwise. */
export function pagesOf(plan: RehearsalPlan): { pageEntries: number; pageBytes: number; windowPages: number; durablePages: number } {
  const isLive = plan.mode === 'live'
  const { pageEntries = 4096, pageBytes = isLive ? 65_536 : plan.rate ? 1_000_000 : 4_000_000, windowPages = isLive ? 2 : 4, durablePages = isLive ? 20 : 256 } = plan
  return { pageEntries, pageBytes, windowPages, durablePages }
}
