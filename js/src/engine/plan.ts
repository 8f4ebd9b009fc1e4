import { refused } from '../given.js'
import type { ScanRange } from '../stores/store.js'

/** A plan on its way to the core. Numbers are those of core/include/keyhaul/plan.h. */
export interface PlanWords {
  source: string
  target: string
  hostInfo: string
  sourceCapabilities: number
  targetCapabilities: number
  mode: number
  verify: number
  require: number
  priority: number
  intoNonempty: boolean
  repair: boolean
  follow: boolean
  checksumKind: number
  digestKey: Uint8Array
  pageBytes: number
  pageEntries: number
  lanes: number
  windowPages: number
  durablePages: number
  entryBytesMax: number
  expectedEntries: number
  expectedBytes: number
  ranges: readonly ScanRange[]
  /** Mode 4 only. */
  live?: LiveWords | undefined
}

export interface LiveWords {
  /** 16 random bytes, the name of the migration in the register and at the gates. */
  claim: Uint8Array
  pauseBudgetMs: number
  durable: boolean
  operatorFence: boolean
  /** 0: none. */
  reverseWindowMs: number
  /** Parts at most; 0 or 1: never split. */
  splitMax: number
}

/** The payload of the journal's plan record (core/src/journal/FORMAT.md). Throws KEYHAUL_INVALID_ARGUMENT. */
export function encodePlan(plan: PlanWords): Uint8Array {
  const out: number[] = []
  const number = (name: keyof PlanWords | keyof LiveWords, most = 0xffffffff, option: string = name): void => {
    const value = { ...plan, ...plan.live }[name] as number
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw refused(`${option} is ${String(value)}; it must be a whole number of 0 to ${most}`)
    }
    varint(out, value)
  }
  const text = (value: string): void => bytes(out, new TextEncoder().encode(value))
  text(plan.source)
  text(plan.target)
  number('sourceCapabilities')
  number('targetCapabilities')
  number('mode', 4)
  number('verify', 2)
  number('require', 5, 'requireLevel')
  varint(out, 0) // the level, which the core finds
  number('priority', 255)
  varint(out, (plan.intoNonempty ? 1 : 0) | (plan.repair ? 2 : 0) | (plan.follow ? 4 : 0))
  number('checksumKind', 2)
  out.push(...plan.digestKey)
  for (const name of ['pageBytes', 'pageEntries', 'lanes', 'windowPages', 'durablePages'] as const) number(name)
  for (const name of ['entryBytesMax', 'expectedEntries', 'expectedBytes'] as const) number(name, Number.MAX_SAFE_INTEGER)
  text(plan.hostInfo)
  varint(out, plan.ranges.length)
  for (const { gte, lt } of plan.ranges) {
    bytes(out, gte ?? new Uint8Array(0))
    varint(out, lt === undefined ? 1 : 0)
    if (lt !== undefined) bytes(out, lt)
  }
  if (plan.live !== undefined) {
    out.push(...plan.live.claim)
    number('pauseBudgetMs')
    varint(out, (plan.live.durable ? 1 : 0) | (plan.live.operatorFence ? 2 : 0) | (plan.live.reverseWindowMs ? 4 : 0) | (plan.live.splitMax > 1 ? 8 : 0))
    if (plan.live.reverseWindowMs) number('reverseWindowMs', 604_800_000)
    if (plan.live.splitMax > 1) number('splitMax', 64)
  }
  return Uint8Array.from(out)
}

function varint(out: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    out.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
}

function bytes(out: number[], value: Uint8Array): void {
  varint(out, value.length)
  for (const byte of value) out.push(byte)
}
