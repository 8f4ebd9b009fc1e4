import type { SimFlags } from './sim.js'

/** The names of what there is: one of the lists of the simulator. */
export type Names = (what: 'scenarios' | 'faults' | 'sabotage' | 'interventions') => readonly string[]

const NEAR_MAX = 3

/** What is wrong with flags that the simulator has not understood, in one sentence, with what was perhaps meant; `otherwise` where nothing is found. */
export function simUsage({ seed, seeds, scenario, until, faults, sabotage, workload, do: byHand }: SimFlags, names: Names, otherwise: string): string {
  const sentences = [
    text(seed, (given) => (isNumber(given) ? '' : `${given === '' ? "''" : given} is not a seed; write a whole number`)),
    text(seeds, seedsSentence),
    text(scenario, (given) => unknown('scenario', given, names('scenarios'), '--list-scenarios')),
    text(until, (given) => bounded('until', given, 3600)),
    text(faults, (given) => faultsSentence(given, names('faults'))),
    text(sabotage, (given) => unknown('sabotage', given, names('sabotage'), '--list-sabotage')),
    text(workload, (given) => bounded('workload', given, 1000)),
    text(byHand, (given) => byHandSentence(given, names))
  ]
  return sentences.find((sentence) => sentence !== '') ?? otherwise
}

const text = (given: string | true | undefined, sentence: (given: string) => string): string => (typeof given === 'string' ? sentence(given) : '')
const isNumber = (given: string): boolean => /^(\d+|0x[0-9a-f]+)$/i.test(given)

function seedsSentence(given: string): string {
  const [first = '', last = '', ...more] = given.split('..')
  if (!isNumber(first) || !isNumber(last) || more.length > 0) return `${given} is not a list of seeds; write it as first..last, as in 1..200`
  return BigInt(first) > BigInt(last) ? `${given} ends before it begins; swap the seeds` : ''
}

function bounded(flag: string, given: string, most: number): string {
  return isNumber(given) && Number(given) >= 1 && Number(given) <= most ? '' : `--${flag} is ${given}; it must be a whole number of 1 to ${most}`
}

function faultsSentence(given: string, known: readonly string[]): string {
  if (given === 'all' || given === 'none') return ''
  const wrong = given.replace(/^-/, '').split(',').find((name) => !known.includes(name))
  return wrong === undefined ? '' : unknown('fault', wrong, ['all', 'none', ...known], '--list-faults')
}

/** `microseconds:what:of which:how much`, more of them with commas. */
function byHandSentence(given: string, names: Names): string {
  for (const one of given.split(',')) {
    const [at = '', what = '', which = ''] = one.split(':')
    if (!isNumber(at)) return `${one} is not done at any time; write microseconds, what, and to which, as in 1500000:crash:3:800`
    const wrong =
      unknown('intervention', what, names('interventions'), '--list-interventions') ||
      (what === 'rate' ? unknown('fault', which, names('faults'), '--list-faults') : '') ||
      (what === 'sabotage' ? unknown('sabotage', which, names('sabotage'), '--list-sabotage') : '')
    if (wrong !== '') return wrong
  }
  return `${given} is not understood; write microseconds, what, to which, and milliseconds, as in 1500000:crash:3:800`
}

function unknown(kind: string, name: string, known: readonly string[], list: string): string {
  if (known.includes(name)) return ''
  const near = nearest(name, known)
  return `there is no ${kind} ${name === '' ? "''" : name}; ${near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `}${list} has them all`
}

/** Those that a slip of the hand or half a name leads to, the nearest first. */
export function nearest(name: string, known: readonly string[]): string[] {
  const apart = known.map((one) => ({ one, by: distance(name, one), isPart: name.length > 2 && (one.includes(name) || name.includes(one)) }))
  const near = apart.filter(({ by, isPart }) => isPart || by <= Math.max(1, Math.floor(name.length / 3)))
  return near.sort((a, b) => a.by - b.by).slice(0, NEAR_MAX).map(({ one }) => one)
}

/** Letters to put in, take out or change; two that were swapped are one. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min((row[j - 1] as number) + 1, (last[j] as number) + 1, (last[j - 1] as number) + same)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) row[j] = Math.min(row[j] as number, (before[j - 2] as number) + 1)
    }
    before = last
    last = row
  }
  return last[b.length] as number
}
