import type { Forecast, Outcome } from './forecast.js'
import type { Measurement } from './measurement.js'
import type { RehearsalPlan } from './plan.js'

const number = (value: number): string => value.toLocaleString('en-US')

/** However well the runs end: nothing would be copied over what is there. */
export function refusalOf({ mode, intoNonempty }: RehearsalPlan, { targetHolds }: Measurement): Pick<Forecast, 'verdict' | 'text'> | undefined {
  if (targetHolds !== true || (mode !== 'live' && intoNonempty === true)) return undefined
  const other = mode === 'live' ? 'a live migration takes an empty range only' : 'choose an empty range, or --into-nonempty (intoNonempty: true)'
  return { verdict: 'refused', text: `would be refused, because the target holds keys in the range: KEYHAUL_TARGET_NOT_EMPTY; ${other}` }
}

/** One sentence for what all seeds say together. */
export function verdictOf(plan: RehearsalPlan, calm: Outcome, mild: Outcome): Pick<Forecast, 'verdict' | 'text'> {
  const failed = calm.done < calm.runs ? calm : mild.done < mild.runs ? mild : undefined
  const { writes = 0, pauseBudgetMs = 1000 } = plan
  const isLive = plan.mode === 'live'
  if (failed !== undefined) {
    const kind = failed === calm ? 'without faults' : 'with mild faults'
    const many = `${failed.runs - failed.done} of ${failed.runs} runs ${kind}`
    const lag = failed.lagChanges.p50
    // Who gets as far as the approach and no further has followed the feed.
    const approached = failed.rounds.p50 > 2
    if (isLive && !approached && failed.reasons.some((reason) => reason === 'unfinished' || reason === 'KEYHAUL_NOT_CONVERGING')) {
      return { verdict: 'notConverging', text: `would not converge at ${number(writes)} writes/s: the feed outgrows the copy (${number(lag)} changes waited in ${many}); slow the writers, or give it a larger share` }
    }
    if (approached || failed.reasons.includes('KEYHAUL_PAUSE_BUDGET')) {
      return { verdict: 'overBudget', text: `would not fit: no cutover within ${number(pauseBudgetMs)} ms in ${many}; allow a longer pause, or move when fewer write` }
    }
    return { verdict: 'fails', text: `would fail in ${many}: ${failed.reasons.join(', ')}` }
  }
  if (!isLive) return { verdict: 'fits', text: 'would end well in every run' }
  const worst = Math.max(calm.pauseMs.max, mild.pauseMs.max)
  if (worst > pauseBudgetMs) {
    return { verdict: 'overBudget', text: `would end, and might keep writers waiting for ${number(Math.round(worst))} ms of the ${number(pauseBudgetMs)} ms that are allowed` }
  }
  return { verdict: 'fits', text: `would fit: writers wait ${number(Math.round(calm.pauseMs.p50))} ms, at most ${number(Math.round(worst))} ms in ${calm.runs + mild.runs} runs, of the ${number(pauseBudgetMs)} ms that are allowed` }
}
