// What broken promises came to, in the words of who owns the data.
import type { SimView } from '../view.js'

/** Of one key each; `owners`: two stores took its writes. */
export type Harm = 'lost' | 'stale' | 'resurrected' | 'doubled' | 'owners'

/** By oracle and by what it says (core/sim/oracles); the first that fits. */
const HARMS: readonly (readonly [oracle: RegExp, text: RegExp, harm: Harm])[] = [
  [/^(history|lost-write)$/, /which was deleted/, 'resurrected'],
  [/^history$/, /gives a key twice/, 'doubled'],
  [/^history$/, /nothing, which is older|^a scan left out|^nobody owns/, 'lost'],
  [/^history$/, /older than what was known/, 'stale'],
  [/^lost-write$/, /read nothing|hold the last write|holds the last write/, 'lost'],
  [/^lost-write$/, /a client read|differ/, 'stale'],
  [/^(move-safety|cutover|checkpoint)$/, /does not (durably )?hold/, 'lost'],
  [/^verified$/, /is missing in/, 'lost'],
  [/^verified$/, /only in the target/, 'doubled'],
  [/^verified$/, /is different/, 'stale'],
  [/^(left-over|cancelled)$/, /left (at|in)|staged at|^closed, and left/, 'doubled'],
  [/^(single-writer|ownership)$/, /two stores|still serves|does not own|does not say so|two claims|overlap|was taken after/, 'owners']
]

export const harmOf = ({ oracle, text }: { readonly oracle: string; readonly text: string }): Harm | undefined =>
  HARMS.find(([name, said]) => name.test(oracle) && said.test(text))?.[2]

export interface Toll {
  readonly lost: number
  readonly stale: number
  readonly resurrected: number
  readonly doubled: number
  /** Stores that took writes of one key, the most at once; undefined where nothing moves live, and nobody asks. */
  readonly owners: number | undefined
}

export function tollOf({ violations, ownersMost }: Pick<SimView, 'violations' | 'ownersMost'>): Toll {
  const harms = violations.map(harmOf)
  const of = (harm: Harm): number => harms.filter((one) => one === harm).length
  const owners = Math.max(ownersMost, of('owners') > 0 ? 2 : 0)
  return { lost: of('lost'), stale: of('stale'), resurrected: of('resurrected'), doubled: of('doubled'), owners: owners === 0 ? undefined : owners }
}
