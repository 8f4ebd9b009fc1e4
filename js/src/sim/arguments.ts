export interface SimulateOptions {
  /** Everything that is drawn comes from it: equal options give equal runs, here and natively. */
  readonly seed: number | bigint
  /** What is moved and who writes meanwhile; see `simScenarios()`. Default `swarm`. */
  readonly scenario?: string
  /** Simulated seconds, 1 to 3,600. Chaos for two thirds of it, then everything heals. Default 60. */
  readonly until?: number
  /** Faults that may happen: names of `simFaults()`, `all` (the default) or `none`. The seed decides which do. */
  readonly faults?: 'all' | 'none' | readonly string[]
  /** A bug put in on purpose around the engine, which an oracle should find; see `simSabotages()`. */
  readonly sabotage?: string
  /** The only oracle that judges, as in `linearizable`. Default: all. */
  readonly oracle?: string
  /** Percent of keys and jobs, 1 to 1,000. Default 100. */
  readonly workload?: number
  /**
   * What somebody does to the world by hand, as in `['1500000:crash:3:800']`: microseconds, one of
   * `simInterventions()`, a node, and milliseconds; or `rate:drop:50000` (per million) and
   * `sabotage:no-dedupe`.
   */
  readonly interventions?: readonly string[]
  /** A key whose life is told in `life`; it does not change the run. */
  readonly explain?: string
}

/** The arguments of the command for the same run, as in `keyhaul sim --seed 7 --scenario follow`. */
export function argumentsOf({ seed, scenario, until, faults, sabotage, oracle, workload, interventions, explain }: SimulateOptions): string[] {
  const list = typeof faults === 'object' ? faults.join(',') || 'none' : faults
  const byHand = interventions === undefined || interventions.length === 0 ? undefined : interventions.join(',')
  const flags = { seed, scenario, until, faults: list, sabotage, oracle, workload, do: byHand, explain }
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]))
}
