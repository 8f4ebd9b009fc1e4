// What is known of a run before anybody has watched it, and what can be looked for from there.
import type { SimulateOptions } from '../arguments.js'
import type { Survey } from '../session.js'
import type { SimSabotage } from '../simulate.js'
import { h } from './dom.js'
import type { KeyhaulSim } from './element.js'
import type { Show } from './show.js'
import { count, seconds } from './words.js'

/** The bug that is in at the end. */
export function sabotageOf(options: SimulateOptions): string {
  const last = options.interventions?.findLast((one) => one.includes(':sabotage:'))
  return last?.split(':')[2] ?? options.sabotage ?? 'none'
}

export function tellAhead(sim: KeyhaulSim, { breaking }: Show, options: SimulateOptions): void {
  const seen = sim.foresight
  if (seen === undefined) return
  const [first] = seen.violations
  const there = sim.scene?.violations.length ?? 0
  if (first !== undefined && there === 0) {
    breaking.ahead(`Ahead: after ${seconds(first.timeUs)} the oracle “${first.oracle}” finds it.`, h('button', { type: 'button', onclick: () => void sim.seek(Math.max(0, first.timeUs - 400_000)).then(() => sim.play()) }, 'watch it happen'))
  } else if (first === undefined && sabotageOf(options) !== 'none') {
    breaking.ahead('Nothing comes of it in this run: it takes a fault at the wrong moment.', h('button', { type: 'button', onclick: () => void sim.hunt() }, 'look for a seed'))
  } else breaking.ahead('')
}

const HUNT_SEEDS = 2000

/** Where this bug is looked for: the first run. A bug of live migrations does nothing to a copy, nor the other way round. */
export function huntFor(sabotage: string, sabotages: readonly SimSabotage[]): SimulateOptions | undefined {
  const scenario = sabotages.find(({ name }) => name === sabotage)?.scenario
  return scenario === undefined ? undefined : { seed: 1n, scenario, faults: 'all', sabotage }
}

export async function hunt(sim: KeyhaulSim, { breaking }: Show, options: SimulateOptions): Promise<void> {
  const wanted = huntFor(sabotageOf(options), breaking.sabotages)
  if (wanted === undefined) return
  const { broken, seeds } = await sim.survey(wanted, HUNT_SEEDS, (text) => breaking.ahead(text))
  if (broken === undefined) {
    // Fewer, where another run was opened meanwhile: that one says what there is to say.
    if (seeds >= HUNT_SEEDS) breaking.ahead(`None of ${count(seeds)} seeds of scenario ${wanted.scenario} breaks a promise with this bug. It may do so in a later one.`)
    return
  }
  sim.open({ ...wanted, seed: broken })
  sim.play()
}

/** Two hundred seeds from this one on, with all faults; the first that breaks a promise is opened. */
export async function trySeeds(sim: KeyhaulSim, show: Show, options: SimulateOptions): Promise<Survey> {
  const { interventions: _, ...others } = options
  const wanted = { ...others, faults: 'all', sabotage: sabotageOf(options) } as const
  const found = await sim.survey(wanted, 200, (text) => show.surveyed(text))
  if (found.broken !== undefined) sim.open({ ...wanted, seed: found.broken })
  return found
}
