// A plan as the words of a start command; as in tests/native/transcript/plan_words.cc.
import type { PlanWords } from '../../../dist/engine/plan.js'
import { parseNumber, parseRange } from './text.js'

const MODES: Readonly<Record<string, number>> = { copy: 1, move: 2, verify: 3 }
const DEPTHS: Readonly<Record<string, number>> = { none: 0, target: 1, both: 2 }
const FLAGS = ['intoNonempty', 'repair', 'follow'] as const
const NUMBERS = ['pageBytes', 'pageEntries', 'lanes', 'windowPages', 'durablePages', 'priority', 'entryBytesMax', 'expectedEntries', 'expectedBytes'] as const

export function planOf(stores: Pick<PlanWords, 'source' | 'target' | 'sourceCapabilities' | 'targetCapabilities'>, words: readonly string[]): PlanWords {
  const ranges: PlanWords['ranges'][number][] = []
  const plan: PlanWords = {
    ...stores, ranges, hostInfo: '', mode: 1, verify: 1, require: 0, priority: 128, intoNonempty: false, repair: false, follow: false,
    // A secret in real life; here the digests are to be the same in each run.
    checksumKind: 1, digestKey: Uint8Array.from({ length: 32 }, (_, i) => i),
    pageBytes: 256 * 1024, pageEntries: 16_384, lanes: 1, windowPages: 8, durablePages: 20,
    entryBytesMax: 64 * 1024 * 1024, expectedEntries: 0, expectedBytes: 0
  }
  for (const word of words) {
    const [name = '', value = ''] = word.split(/=(.*)/s)
    const flag = FLAGS.find((known) => known === word)
    const number = NUMBERS.find((known) => known === name)
    if (flag !== undefined) plan[flag] = true
    else if (number !== undefined) plan[number] = parseNumber(value)
    else if (name === 'range') ranges.push(parseRange(value))
    else if (name === 'mode') plan.mode = numberOf(MODES, value)
    else if (name === 'verify') plan.verify = numberOf(DEPTHS, value)
    else if (name === 'level') plan.require = parseNumber(value)
    else throw new Error(`a plan knows no ${word}`)
  }
  if (ranges.length === 0) ranges.push({})
  return plan
}

function numberOf(known: Readonly<Record<string, number>>, name: string): number {
  const number = known[name]
  if (number === undefined) throw new Error(`no ${name}`)
  return number
}
