import { KeyhaulError } from './errors.js'
import type { MigrateOptions } from './options.js'

/** Those of MigrateOptions; tests/js/unit/given.test.ts does not compile where one is missing. */
export const OPTION_NAMES = [
  'from', 'to', 'ranges', 'mode', 'live', 'register', 'pauseBudgetMs', 'share', 'stopWrites', 'resumeWrites', 'journal', 'signal', 'verify', 'repair',
  'intoNonempty', 'follow', 'requireLevel', 'rate', 'priority', 'checksum', 'pageBytes', 'pageEntries', 'lanes', 'windowPages', 'durablePages',
  'entryBytesMax', 'expected', 'hostInfo', 'reverseWindowMs'
] as const satisfies readonly (keyof MigrateOptions)[]

/**
 * Without TypeScript a misspelt option is not seen: `range` for `ranges` would move everything, `jurnal`
 * would keep none.
 */
export function assertGiven(given: MigrateOptions): void {
  assertRate(given.rate)
  for (const [name, value] of Object.entries(given)) {
    const isKnown = OPTION_NAMES.includes(name as never)
    if (isKnown && !(typeof value === 'number' && !(value >= 0 && value < 1 / 0))) continue
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: isKnown ? `${name} is ${value}; it must be 0 or more` : `there is no option ${name}` })
  }
}

/** The engine takes what is no number for no limit: `'5M'` would be as fast as it goes. */
export function assertRate(rate: number | undefined): void {
  if (rate === undefined || (typeof rate === 'number' && rate >= 0 && rate < 1 / 0)) return
  throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `rate is ${String(rate)}; it must be a finite number of 0 or more, in bytes a second` })
}
