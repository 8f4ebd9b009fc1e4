// `keyhaul/rehearse`: a plan in the simulator, with the sizes and rates of the real stores.
import { type Forecast, forecastInTurns } from './forecast.js'
import { type MeasureOptions, measure } from './measure.js'
import { assertPlan, type RehearsalPlan } from './plan.js'

export { type Forecast, forecast, type Outcome, type Quantiles } from './forecast.js'
export { type MeasureOptions, measure } from './measure.js'
export { type Measurement, toMeasurement } from './measurement.js'
export type { PauseTimes } from './pause-watch.js'
export type { RehearsalPlan } from './plan.js'

export type RehearseOptions = Omit<MeasureOptions, 'plan'> & RehearsalPlan

/**
 * Measures, and then runs the plan with what was measured in the simulator, without faults and
 * with mild ones. Reads the source, looks into the target where it is given, and writes into the scratch stores only.
 */
export async function rehearse(options: RehearseOptions): Promise<Forecast> {
  const { from, to, scratch, scratchSource, scratchRegister, ranges, countMax, trialMax, watchMs, isServing, signal, ...plan } = options
  assertPlan(plan)
  return forecastInTurns(await measure({ from, to, scratch, scratchSource, scratchRegister, ranges, countMax, trialMax, watchMs, isServing, signal, plan }), plan, signal)
}
