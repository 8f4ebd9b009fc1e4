// What broken promises came to, in the words of who owns the data.
import type { SimHarm } from '../simulate.js'
import type { SimView } from '../view.js'

export interface Toll {
  readonly lost: number
  readonly stale: number
  readonly resurrected: number
  readonly doubled: number
  /** Stores that took writes of one key, the most at once; undefined where nothing moves live, and nobody asks. */
  readonly owners: number | undefined
}

export function tollOf({ violations, ownersMost }: Pick<SimView, 'violations' | 'ownersMost'>): Toll {
  const of = (harm: SimHarm): number => violations.filter((one) => one.harm === harm).length
  const owners = Math.max(ownersMost, of('owners') > 0 ? 2 : 0)
  return { lost: of('lost'), stale: of('stale'), resurrected: of('resurrected'), doubled: of('doubled'), owners: owners === 0 ? undefined : owners }
}
