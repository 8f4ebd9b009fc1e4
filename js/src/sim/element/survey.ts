import type { SimulateOptions } from '../arguments.js'
import type { Connection } from '../channel.js'
import type { Survey } from '../session.js'
import { surveyed } from './words.js'

/** Seeds that are dealt out at once, and for how long one answer may take: so long nobody is told how it goes. */
const PART = 8
const BUDGET_MS = 25
const HELPERS_MAX = 3

export interface Hosts {
  /** The one that plays. */
  readonly own: Connection
  /** A Worker more, for as long as it takes. */
  another(): Promise<Connection>
  /** False: somebody has opened another run. */
  goesOn(): boolean
}

/**
 * Runs so many seeds from this one on, or until one breaks a promise, on as many Workers as there are processors. It is
 * the first seed that breaks one, whoever is quicker. `tell` hears how it goes.
 */
export async function surveySeeds({ own, another, goesOn }: Hosts, options: SimulateOptions, seeds: number, tell: (text: string) => void): Promise<Survey> {
  const first = BigInt(options.seed)
  const startMs = performance.now()
  let next = 0
  let sum: Survey = { seeds: 0, events: 0, simulatedUs: 0, broken: undefined }
  const isPast = (seed: bigint): boolean => sum.broken !== undefined && seed > sum.broken

  async function runParts({ call }: Connection): Promise<void> {
    while (next < seeds && sum.broken === undefined) {
      let at = next
      next = Math.min(seeds, next + PART)
      for (const end = next; at < end && goesOn() && !isPast(first + BigInt(at)); ) {
        const part = await call('survey', { ...options, seed: first + BigInt(at) }, BUDGET_MS, end - at)
        if (!goesOn()) return
        at = part.broken === undefined ? at + part.seeds : end
        const broken = part.broken === undefined || isPast(part.broken) ? sum.broken : part.broken
        sum = { seeds: sum.seeds + part.seeds, events: sum.events + part.events, simulatedUs: sum.simulatedUs + part.simulatedUs, broken }
        tell(surveyed(sum, performance.now() - startMs))
        await new Promise((resolve) => setTimeout(resolve)) // on the page's own thread it draws meanwhile
      }
      if (!goesOn()) return
    }
  }

  async function help(): Promise<void> {
    const helper = await another()
    try {
      if (helper.isWorker) await runParts(helper)
    } finally {
      helper.close()
    }
  }

  const helpers = own.isWorker ? Math.min(HELPERS_MAX, (globalThis.navigator?.hardwareConcurrency ?? 1) - 1) : 0
  await Promise.all([runParts(own), ...Array.from({ length: helpers }, help)])
  return sum
}
