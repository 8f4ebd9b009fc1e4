// What is known of a run before anybody has watched it, and what can be looked for from there.
import type { SimulateOptions } from '../arguments.js'
import type { Survey } from '../session.js'
import { h } from './dom.js'
import type { KeyhaulSim } from './element.js'
import type { Show } from './show.js'
import { seconds } from './words.js'

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

/** Bugs of live migrations show in live scenarios, the others in those of copies and moves. */
export async function hunt(sim: KeyhaulSim, { breaking }: Show, options: SimulateOptions): Promise<void> {
  const live = (sim.scene?.nodes ?? []).some(({ kind }) => kind === 'register')
  const wanted: SimulateOptions = { seed: 1n, scenario: live ? 'live-swarm' : 'swarm', faults: 'all', sabotage: sabotageOf(options) }
  const { broken } = await sim.survey(wanted, 2000, (text) => breaking.ahead(text))
  if (broken === undefined) return
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
