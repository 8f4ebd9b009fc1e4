import type { SimulateOptions } from '../arguments.js'
import type { Survey } from '../session.js'
import { surveyed } from './words.js'

/** Runs so many seeds from this one on, or until one breaks a promise, part by part, so that the page stays alive. */
export async function surveySeeds(run: (options: SimulateOptions) => Promise<Survey | undefined>, options: SimulateOptions, seeds: number, tell: (text: string) => void): Promise<Survey> {
  let sum: Survey = { seeds: 0, events: 0, simulatedUs: 0, broken: undefined }
  const startMs = performance.now()
  while (sum.seeds < seeds && sum.broken === undefined) {
    const part = await run({ ...options, seed: BigInt(options.seed) + BigInt(sum.seeds) })
    if (part === undefined) break
    sum = { seeds: sum.seeds + part.seeds, events: sum.events + part.events, simulatedUs: sum.simulatedUs + part.simulatedUs, broken: part.broken }
    tell(surveyed(sum, performance.now() - startMs))
    await new Promise((resolve) => setTimeout(resolve))
  }
  return sum
}
