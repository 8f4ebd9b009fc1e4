// `keyhaul/sim`: whole simulations, and the checker of histories. A WASM module of its own, which
// no other part of the package loads.
import { KeyhaulError } from '../errors.js'
import { toBytes } from '../stores/bytes.js'
import { getSimModule, leftText, withBytes } from './load.js'

export type { SimulateOptions } from './arguments.js'
export { type SimChoice, type SimCounts, type SimHarm, type SimReport, type SimSabotage, type SimViolation, simFaults, simInterventions, simSabotages, simScenarios, simulate } from './simulate.js'

/** Is a history linearizable? `unknown` where the search was given up. */
export interface HistoryVerdict {
  readonly verdict: 'linearizable' | 'not linearizable' | 'unknown'
  /** Of what is not linearizable: the shortest proof, as text for people. */
  readonly witness: string | undefined
}

const VERDICTS = ['linearizable', 'not linearizable', 'unknown'] as const

/**
 * Checks a history, given as the text of a file of one of two kinds, one event a line:
 * `INFO  jepsen.util - 3 :invoke :cas [1 2]` on one register (`:read`, `:write`, `:cas`), or
 * `{:process 3, :type :invoke, :f :append, :key "k", :value "x"}` on a store of strings (`:get`,
 * `:put`, `:append`). Throws KEYHAUL_INVALID_ARGUMENT, naming the line, for other text.
 */
export function checkHistory(text: string | Uint8Array): HistoryVerdict {
  const module = getSimModule()
  return withBytes(module, toBytes(text), (address, bytes) => {
    const answer = module.checkHistory(address, bytes)
    const said = leftText(module)
    const verdict = VERDICTS[answer]
    if (verdict === undefined) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `not a history: ${said}` })
    return { verdict, witness: said === '' ? undefined : said }
  })
}
