// Which mark is next, of those that somebody looks for, and when a range changed its owner.
import { MarkKind, type SimJob, type SimMark } from '../view.js'

export type Goal = 'fault' | 'cutover' | 'violation'

/** As far as a state of a job goes: enough to tell one range from another. */
type Range = Pick<SimJob, 'source' | 'target' | 'first' | 'last'>
type Reached = { readonly job: number; readonly state: string }

const STATE = /^job (\d+): (\w+)$/

/**
 * Those of these states, in the order of time, with which a range changes its owner, each change once. A live range does
 * when its target is activated, a move when its source lets go. After a crash either may be reached again, and what one
 * coordinator decided another one may carry out: only what was decided anew is another change.
 */
function cutovers<T extends Reached>(states: readonly T[], jobs: readonly Range[]): T[] {
  const decided = new Map<string, boolean>()
  const moved = new Set<number>()
  return states.filter(({ job, state }) => {
    const { source, target, first, last } = jobs[job] ?? { source: job, target: job, first: '', last: '' }
    const range = [source, target, first, last].join('\n')
    if (state === 'deciding') decided.set(range, true)
    if (state === 'activating') {
      const is = decided.get(range) ?? true // where nobody has seen it decided, it was decided all the same
      decided.set(range, false)
      return is
    }
    if (state !== 'deleting' || moved.has(job)) return false
    moved.add(job)
    return true
  })
}

export interface Cutover extends Reached {
  readonly timeUs: number
}

/** Those that have taken place, in the order of time. */
export function cutoversOf(jobs: readonly SimJob[]): Cutover[] {
  const states = jobs.flatMap(({ phases }, job) => phases.map(([timeUs, state]) => ({ job, timeUs, state })))
  return cutovers(states.sort((a, b) => a.timeUs - b.timeUs), jobs)
}

/** Those that have taken place since. */
export function newCutovers(before: { readonly jobs: readonly SimJob[] }, now: { readonly jobs: readonly SimJob[] }): Cutover[] {
  const states = (jobs: readonly SimJob[]): number => jobs.reduce((sum, { phases }) => sum + phases.length, 0)
  // Mostly nothing has changed, and there may be a thousand ranges.
  return states(before.jobs) >= states(now.jobs) ? [] : cutoversOf(now.jobs).slice(cutoversOf(before.jobs).length)
}

/** The marks of them. */
export function cutoverMarks(marks: readonly SimMark[], jobs: readonly Range[]): Set<SimMark> {
  const states = marks.flatMap((mark) => {
    const [, job, state = ''] = (mark[2] === MarkKind.state && STATE.exec(mark[3])) || []
    return job === undefined ? [] : [{ job: Number(job), state, mark }]
  })
  return new Set(cutovers(states, jobs).map(({ mark }) => mark))
}

/** The next one behind this event, or the last before it. */
export function markBeside(marks: readonly SimMark[], event: number, goal: Goal, by: 1 | -1, changes = cutoverMarks(marks, [])): SimMark | undefined {
  const is: Readonly<Record<Goal, (mark: SimMark) => boolean>> = {
    fault: ([, , kind]) => kind === MarkKind.fault || kind === MarkKind.byHand || kind === MarkKind.violation,
    cutover: (mark) => changes.has(mark),
    violation: ([, , kind]) => kind === MarkKind.violation
  }
  return by > 0 ? marks.find((mark) => mark[1] > event && is[goal](mark)) : marks.findLast((mark) => mark[1] < event && is[goal](mark))
}
