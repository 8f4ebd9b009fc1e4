// What stands behind a page: one player that is watched, and a scout that runs ahead to the end.
// A whole run takes a tenth of a second, so its end is known before anybody has watched it: where
// faults strike, which promise breaks, and the hash. Runs in a Worker or on the page.
import { HeatRecorder } from './heat.js'
import { argumentsOf, type SimulateOptions } from './arguments.js'
import { Player, type Snapshot } from './player.js'
import { type SimChoice, type SimSabotage, simFaults, simInterventions, simSabotages, simScenarios } from './simulate.js'
import type { SimHeat, SimMark, SimView } from './view.js'

export interface SimLists {
  readonly scenarios: readonly SimChoice[]
  readonly faults: readonly SimChoice[]
  readonly sabotages: readonly SimSabotage[]
  readonly interventions: readonly SimChoice[]
}

/**
 * `reachedUs`: everything up to this time took place; a little later than the last event. `replayed`: so many events a
 * seek went through again to get there, from the snapshot before.
 */
export type Scene = SimView & { readonly reachedUs: number; readonly replayed?: number }

export interface Foresight {
  readonly done: boolean
  readonly endUs: number
  readonly hash: string
  readonly events: number
  readonly marks: readonly SimMark[]
  readonly violations: SimView['violations']
  readonly heat: SimHeat
  /** Of the key of the first violation. */
  readonly life: readonly string[]
}

export interface Survey {
  readonly seeds: number
  readonly events: number
  readonly simulatedUs: number
  /** The first seed that breaks a promise. */
  readonly broken: bigint | undefined
}

/** Events between two looks at the clock, and between two snapshots. */
const SLICE = 500
const SNAPSHOT_EVENTS = 20_000
const SNAPSHOTS_MAX = 12

export class Session {
  readonly #player = new Player()
  readonly #scout = new Player()
  #surveyor: Player | undefined
  #options: SimulateOptions = { seed: 1 }
  #reachedUs = 0
  #snapshots: Snapshot[] = []
  #spacing = SNAPSHOT_EVENTS
  /** Of the scout, since it was last looked at for a snapshot. */
  #events = 0
  #heat: HeatRecorder | undefined
  #scouting: 'run' | 'life' | 'done' = 'run'
  #foresight: Foresight | undefined
  /** The event at which the key comes to harm whose life is told: only its end is kept. */
  #lifeEnds = Number.POSITIVE_INFINITY

  /** Answers by name, for a message channel. */
  readonly calls = {
    lists: (): SimLists => ({ scenarios: simScenarios(), faults: simFaults(), sabotages: simSabotages(), interventions: simInterventions() }),
    open: (options: SimulateOptions): Scene => {
      this.#player.open(argumentsOf(options))
      this.#options = options
      this.#beginScout()
      return this.#scene(0)
    },
    /** As far as the budget allows. */
    advance: (untilUs: number, budgetMs = 10): Scene => this.#scene(this.#inSlices(this.#player, untilUs, budgetMs) ? untilUs : 0),
    seek: (untilUs: number): Scene => this.#seek(untilUs, Number.POSITIVE_INFINITY),
    seekEvent: (event: number): Scene => this.#seek(Number.POSITIVE_INFINITY, event),
    /** At the time that was reached, whatever the page has seen of it; `text` is what `--do` takes. */
    intervene: (what: string): Scene & { readonly text: string } => {
      const text = `${this.#reachedUs}:${what}`
      this.#player.intervene(text)
      this.#player.advance(this.#reachedUs) // so that it is seen at once
      const { interventions = [] } = this.#options
      this.#options = { ...this.#options, interventions: [...interventions, text] }
      this.#beginScout()
      return { ...this.#scene(this.#reachedUs), text }
    },
    /** Empty where such a run can be opened; else what is wrong with it. */
    check: (options: SimulateOptions): string => {
      this.#surveyor ??= new Player()
      try {
        this.#surveyor.open(argumentsOf(options))
        return ''
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    },
    scout: (budgetMs = 10): Foresight | undefined => this.#goScouting(budgetMs),
    /** Runs seeds from this one on, at most so many, until one breaks a promise or the budget is spent. */
    survey: (options: SimulateOptions, budgetMs: number, most = Number.POSITIVE_INFINITY): Survey => {
      const endMs = performance.now() + budgetMs
      this.#surveyor ??= new Player()
      let [seeds, events, simulatedUs] = [0, 0, 0]
      let broken: bigint | undefined
      for (let seed = BigInt(options.seed); broken === undefined && seeds < most && (seeds === 0 || performance.now() < endMs); seed++) {
        this.#surveyor.open(argumentsOf({ ...options, seed }))
        this.#surveyor.advance(Number.POSITIVE_INFINITY)
        const report = this.#surveyor.report()
        seeds++
        events += report.events
        simulatedUs += report.timeUs
        if (report.violations.length > 0) broken = seed
      }
      return { seeds, events, simulatedUs, broken }
    }
  }

  #inSlices(player: Player, untilUs: number, budgetMs: number): boolean {
    const endMs = performance.now() + budgetMs
    while (player.advance(untilUs, Number.POSITIVE_INFINITY, SLICE) === SLICE) {
      if (performance.now() >= endMs) return false
    }
    return true
  }

  #scene(untilUs: number): Scene {
    const view = this.#player.view()
    const known = view.ended === 1 || !Number.isFinite(untilUs)
    this.#reachedUs = known ? view.timeUs : Math.max(view.timeUs, Math.floor(untilUs))
    return { ...view, reachedUs: this.#reachedUs }
  }

  #seek(untilUs: number, event: number): Scene {
    const now = this.#player.view()
    const passed = (at: { timeUs: number; event: number }): boolean => at.timeUs > untilUs || at.event > event
    const nearest = this.#snapshots.filter((snapshot) => !passed(snapshot)).at(-1)
    if (passed(now)) {
      if (nearest === undefined) this.#player.open(argumentsOf(this.#options))
      else this.#player.restore(nearest)
    } else if (nearest !== undefined && nearest.event > now.event + SLICE) {
      this.#player.restore(nearest)
    }
    const replayed = this.#player.advance(untilUs, event)
    const view = this.#scene(untilUs)
    // What was sent on the way is not to be seen.
    return { ...view, replayed, flights: view.flights.filter((flight) => flight[5] > view.timeUs) }
  }

  /** Without the snapshots of before: each is a whole world, and none of them knows of what was done since by hand. */
  #beginScout(): void {
    this.#snapshots = []
    this.#spacing = SNAPSHOT_EVENTS
    this.#scout.open(argumentsOf(this.#options))
    this.#heat = new HeatRecorder(this.#scout)
    this.#events = 0
    this.#scouting = 'run'
    this.#foresight = undefined
  }

  #goScouting(budgetMs: number): Foresight | undefined {
    const endMs = performance.now() + budgetMs
    while (this.#scouting !== 'done' && performance.now() < endMs) {
      if (this.#scouting === 'life') {
        if (this.#scout.advance(Number.POSITIVE_INFINITY, this.#lifeEnds, SLICE) < SLICE) this.#arrive()
      } else this.#goOn(this.#heat as HeatRecorder)
    }
    return this.#foresight
  }

  #goOn(heat: HeatRecorder): void {
    const done = this.#scout.advance(heat.nextUs, Number.POSITIVE_INFINITY, SLICE)
    this.#events += done
    if (this.#events >= this.#spacing) this.#keep()
    if (done === SLICE) return
    if (this.#scout.ended) this.#arrive()
    else heat.take()
  }

  /** A snapshot now and then; every second is let go when there are too many. */
  #keep(): void {
    const { timeUs, event } = this.#scout.view()
    this.#events = 0
    if (event < (this.#snapshots.at(-1)?.event ?? 0) + this.#spacing) return
    this.#snapshots.push(this.#scout.snapshot(timeUs, event))
    if (this.#snapshots.length <= SNAPSHOTS_MAX) return
    this.#snapshots = this.#snapshots.filter((_, i) => i % 2 === 1)
    this.#spacing *= 2
  }

  #arrive(): void {
    const { hash, events, timeUs, violations, life } = this.#scout.report()
    if (this.#scouting === 'life') {
      this.#foresight = { ...(this.#foresight as Foresight), done: true, life }
      this.#scouting = 'done'
      return
    }
    const { key, event = 0 } = violations.find((violation) => violation.key !== '') ?? {}
    // What is found once all is over is found only there.
    this.#lifeEnds = event < events ? event : Number.POSITIVE_INFINITY
    this.#foresight = { done: key === undefined, endUs: timeUs, hash, events, marks: this.#scout.marks(), heat: (this.#heat as HeatRecorder).end(), violations, life }
    this.#scouting = key === undefined ? 'done' : 'life'
    if (key !== undefined) this.#scout.open(argumentsOf({ ...this.#options, explain: key }))
  }
}
