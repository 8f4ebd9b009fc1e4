// How busy a range is, as strength of its colour.
import type { SimJob } from '../view.js'

/** Steps, so that rows need not be drawn again for each write. 0 is for what nobody writes. */
export const LEVELS = 4

/** The side that takes the writes of a range: the gate says so, and where there is none the source, until it has let go. */
export function writtenSide({ gates, atSource, atTarget, keys, state }: SimJob): 0 | 1 {
  const serves = gates.findIndex((gate) => /^(serving|fenced|read)/.test(gate))
  if (serves >= 0) return serves as 0 | 1
  return keys > 0 && atSource === 0 && atTarget > 0 && state !== 'pending' ? 1 : 0
}

/** 0 to LEVELS, by the square root of the share of the busiest, so that the less busy ones can be told apart too. */
export const levelOf = (load: number, busiest: number): number => (load <= 0 || busiest <= 0 ? 0 : Math.max(1, Math.round(LEVELS * Math.sqrt(Math.min(1, load / busiest)))))
