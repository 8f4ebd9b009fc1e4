// Which mark is next, of those that somebody looks for.
import { MarkKind, type SimMark } from '../view.js'

export type Goal = 'fault' | 'cutover' | 'violation'

const CUTOVER = /^job \d+: (activating|deleting)$/

const IS: Readonly<Record<Goal, (mark: SimMark) => boolean>> = {
  fault: ([, , kind]) => kind === MarkKind.fault || kind === MarkKind.byHand || kind === MarkKind.violation,
  // A live range changes its owner when the target is activated; a move, when the source lets go.
  cutover: ([, , kind, text]) => kind === MarkKind.state && CUTOVER.test(text),
  violation: ([, , kind]) => kind === MarkKind.violation
}

/** The next one behind this event, or the last before it. */
export function markBeside(marks: readonly SimMark[], event: number, goal: Goal, by: 1 | -1): SimMark | undefined {
  return by > 0 ? marks.find((mark) => mark[1] > event && IS[goal](mark)) : marks.findLast((mark) => mark[1] < event && IS[goal](mark))
}

export const isCutover = IS.cutover
