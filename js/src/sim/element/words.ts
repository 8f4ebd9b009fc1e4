// What is said to people.
import type { Survey } from '../session.js'
import type { SimJob, SimView } from '../view.js'

/** Promises, as somebody would put them who owns the data. What is not named here is shown by its name. */
const PROMISES: Readonly<Record<string, string>> = {
  'lost-write': 'No acknowledged write is lost',
  versions: 'Nothing older replaces something newer',
  verified: '“Verified” means: both sides equal',
  integrity: 'Nothing damaged becomes visible',
  checkpoint: 'Checkpoints claim only what is on disk',
  'move-safety': 'Nothing is deleted before it is safe',
  cancelled: 'Cancelled copies leave nothing behind',
  limits: 'Limits of rate and memory are kept',
  edges: 'Only legal changes of state',
  accounting: 'Receipts agree with what was done',
  liveness: 'Once healed, every move ends well',
  preemption: 'Whoever makes room loses nothing',
  // Of live migrations.
  cutover: 'Both are equal when owners change',
  goal: 'In the end all is where it was wanted',
  history: 'Reads never go back in time',
  linearizable: 'All reads and writes have one order',
  'left-over': 'Nothing is left behind on the old owner',
  ownership: 'Every key has exactly one owner',
  position: 'Receipts say where both were equal',
  pause: 'Writers wait no longer than agreed',
  plan: 'Plans are safe, help, and come to an end',
  'single-writer': 'No two stores take writes of one key',
  whole: 'What moves in parts moves as a whole',
  window: 'The way back stays open as agreed'
}

export const hasSentence = (oracle: string): boolean => oracle in PROMISES

export const promise = (oracle: string): string => PROMISES[oracle] ?? oracle.replaceAll('-', ' ')

/** A, B, …, Z, A1, … */
export const rangeName = (job: number): string => String.fromCharCode(65 + (job % 26)) + (job < 26 ? '' : String(Math.floor(job / 26)))

/** Bytes of a range where it is whole. */
export const sizeOf = ({ bytes }: SimJob): number => Math.max(...bytes)

export function seconds(us: number, digits = 1): string {
  const s = us / 1e6
  if (s >= 600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`
  return `${s.toFixed(s < 10 ? digits + 1 : digits)} s`
}

// One for all: toLocaleString() makes its own each time, and a thousand ranges have ten thousand numbers.
const NUMBERS = new Intl.NumberFormat('en-US')
export const count = (n: number): string => NUMBERS.format(n)

/** What is told of values, without what only fills them up, as in `j0/00012|5|3|abcdefgh…`; states and ranges as people write them. */
export const readable = (text: string): string =>
  text.replace(/(\|\d+\|\d+)\|[a-z]*…?/g, '$1').replace(/\b[a-z]+(?:[A-Z][a-z]+)+\b/g, stateName).replace(/\bjob (\d+)/g, (_, job) => `range ${rangeName(Number(job))}`)
    .replaceAll('->', '→').replace(/^VIOLATION of ([\w-]+)/, 'Promise broken ($1)').replace(/ {2}OK$/, '')

/** Of the life of a key, which stands above it: its values are told by who wrote them, the how manieth of theirs. */
export const ofLife = (text: string, key: string): string =>
  readable(text).replace(/(\S+)\|(\d+)\|(\d+)/g, (_, of, writer, write) => `${of === key ? '' : `${of}’s `}value ${writer}.${write}`).replace(`${key} = `, '').replace(`  ${key}:`, ':').replace('up 0', 'up')

export const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : one.endsWith('h') ? 'es' : 's'}`

/** `catchingUp` as `catching up`. */
export const stateName = (state: string): string => state.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** Ranges whose state is another one than before. */
export function changesOf(before: SimView | undefined, { jobs }: SimView): { range: number; state: string }[] {
  return jobs.flatMap(({ state }, range) => {
    const was = before?.jobs[range]?.state
    return was === undefined || was === state ? [] : [{ range, state }]
  })
}

/** How a survey of seeds goes. */
export function surveyed({ seeds, events, simulatedUs, broken }: Survey, tookMs: number): string {
  const hours = simulatedUs / 3.6e9
  const speed = count(Math.round(simulatedUs / 1000 / Math.max(1, tookMs)))
  return `${plural(seeds, 'seed')}, ${hours.toFixed(1)} simulated hours, ${count(events)} events, ${speed} times real time: ${broken === undefined ? '0 promises broken' : `seed ${broken} breaks one`}`
}
