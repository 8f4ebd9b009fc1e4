import { KeyhaulError } from './errors.js'
import type { EngineOptions, MigrateOptions } from './options.js'

/** Those of MigrateOptions; tests/js/unit/given.test.ts does not compile where one is missing. */
export const OPTION_NAMES = [
  'from', 'to', 'ranges', 'mode', 'live', 'register', 'pauseBudgetMs', 'share', 'stopWrites', 'resumeWrites', 'journal', 'signal', 'verify', 'repair',
  'intoNonempty', 'follow', 'requireLevel', 'rate', 'priority', 'checksum', 'pageBytes', 'pageEntries', 'lanes', 'windowPages', 'durablePages',
  'entryBytesMax', 'expected', 'hostInfo', 'reverseWindowMs', 'splitMax', 'takeOver'
] as const satisfies readonly (keyof MigrateOptions)[]

export const RESUME_NAMES = ['from', 'to', 'signal', 'rate', 'register', 'share', 'stopWrites', 'resumeWrites', 'journal', 'takeOver']

export const ENGINE_NAMES = ['slots', 'sourceSlots', 'targetSlots', 'rate', 'progressEveryMs', 'stallMs', 'retries', 'verifyRounds', 'differencesMax'] as const satisfies readonly (keyof EngineOptions)[]

/**
 * Without TypeScript a misspelt option is not seen: `range` for `ranges` would move everything, `jurnal`
 * would keep none, and `live: 1` would copy while clients write.
 */
export function assertGiven(given: object, names: readonly string[] = OPTION_NAMES): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!names.includes(name)) throw refused(`there is no option ${name}`)
    if (name === 'rate') assertRate(value)
    // The engine would take `'2'` for 2, and `'two'` and 0.5 for no limit.
    else if (names === ENGINE_NAMES && value != null && !Number.isInteger(value)) throw refused(`${name} is ${value}; it must be a whole number of 0 or more`)
    if (typeof value === 'number' && !(value >= 0 && value < 1 / 0)) throw refused(`${name} is ${value}; it must be 0 or more`)
    // Who forgot `live` would get a copy that no fence makes right.
    if (names === OPTION_NAMES && value !== undefined && (given as MigrateOptions).live !== true && /^(register|pause|share|stopW|resumeW|reverse|split|take)/.test(name)) throw refused(`${name} needs live: true`)
    if (/^(live|repair|intoN.*|follow)$/.test(name) && value != null && typeof value !== 'boolean') throw refused(`${name} is ${value}; it must be true or false`)
  }
}

/** The engine takes what is no number for no limit: `'5M'` would be as fast as it goes. */
export function assertRate(rate: unknown): void {
  if (rate === undefined || (typeof rate === 'number' && rate >= 0 && rate < 1 / 0)) return
  throw refused(`rate is ${String(rate)}; it must be a finite number of 0 or more, in bytes a second`)
}

export const refused = (message: string): KeyhaulError => new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message })
