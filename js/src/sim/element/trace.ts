// A run as a file: its options, what came of it, and one line for each thing that happened. It is
// replayed from the options; the hash tells whether the same took place.
import type { SimulateOptions } from '../arguments.js'
import { parseSeed } from '../seed.js'
import type { Foresight } from '../session.js'
import { h } from './dom.js'

export interface Trace {
  readonly options: SimulateOptions
  readonly hash: string
}

const TRACE_BYTES_MAX = 8 << 20
const KINDS = ['state', 'fault', 'recovery', 'by hand', 'violation', 'healed']
const NAME = /^[a-z][a-z-]{0,39}$/
const LIST = /^-?[a-z][a-z,-]{0,999}$/
const DONE = /^\d{1,16}:[a-z-]{1,20}:[a-z0-9-]{1,40}(:\d{1,9})?$/

export function toTrace(options: SimulateOptions, { hash, events, endUs, marks, violations }: Foresight): string {
  const head = { keyhaulTrace: 1, options: { ...options, seed: String(options.seed) }, hash, events, endUs }
  const lines = marks.map(([timeUs, event, kind, text]) => ({ timeUs, event, kind: KINDS[kind], text }))
  return `${[head, ...lines, ...violations.map((one) => ({ ...one, kind: 'broken promise' }))].map((line) => JSON.stringify(line)).join('\n')}\n`
}

export function saveTrace({ scenario, seed, foresight }: { scenario: string; seed: string; foresight: Foresight | undefined }, options: SimulateOptions): void {
  if (foresight === undefined) return
  const url = URL.createObjectURL(new Blob([toTrace(options, foresight)], { type: 'application/jsonl' }))
  h('a', { href: url, download: `keyhaul-${scenario}-${seed}.jsonl` }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** The trace, or one sentence about what is wrong with the file. Nothing of the file is believed. */
function fromTrace(text: string): Trace | string {
  const first = text.slice(0, 1 << 20).split('\n', 1)[0] ?? ''
  let head: Record<string, unknown>
  try {
    head = JSON.parse(first) as Record<string, unknown>
  } catch {
    return 'This is no trace: its first line is not JSON.'
  }
  if (typeof head !== 'object' || head === null || head.keyhaulTrace !== 1) return 'This is no trace of keyhaul, or one of a later version.'
  const { hash, options } = head
  if (typeof hash !== 'string' || !/^[0-9a-f]{16}$/.test(hash)) return 'This trace has no hash.'
  if (typeof options !== 'object' || options === null) return 'This trace does not say which run it is of.'
  return checked(options as Record<string, unknown>, hash)
}

function checked(options: Record<string, unknown>, hash: string): Trace | string {
  const { seed, interventions = [] } = options
  const number = typeof seed === 'string' ? parseSeed(seed) : undefined
  if (number === undefined) return 'The seed of this trace is not a number.'
  if (!Array.isArray(interventions) || interventions.length > 5000 || !interventions.every((one) => typeof one === 'string' && DONE.test(one))) return 'What was done by hand in this trace cannot be read.'
  const patterns = { scenario: NAME, sabotage: NAME, faults: LIST }
  const made: Record<string, unknown> = { seed: number }
  if (interventions.length > 0) made.interventions = interventions
  for (const [name, pattern] of Object.entries(patterns)) {
    const value = Array.isArray(options[name]) ? (options[name] as unknown[]).join(',') : options[name]
    if (value === undefined) continue
    if (typeof value !== 'string' || !pattern.test(value)) return `“${name}” of this trace cannot be read.`
    made[name] = name === 'faults' && value !== 'all' && value !== 'none' ? value.split(',') : value
  }
  for (const name of ['until', 'workload']) {
    if (options[name] === undefined) continue
    if (!Number.isSafeInteger(options[name])) return `“${name}” of this trace is not a number.`
    made[name] = options[name]
  }
  return { options: made as unknown as SimulateOptions, hash }
}

/** `check` says what is wrong with options, or nothing. */
export async function readTrace(file: Blob, check: (options: SimulateOptions) => Promise<string | undefined>): Promise<Trace | string> {
  const found = file.size > TRACE_BYTES_MAX ? 'This file is too large for a trace.' : fromTrace(await file.text())
  if (typeof found === 'string') return found
  const wrong = await check(found.options)
  return wrong === '' ? found : `This run cannot be opened: ${wrong ?? 'another one was opened meanwhile'}.`
}

/** What comes of a replay, once the run has been looked through. */
export const replayed = (recorded: string, now: string): string =>
  recorded === now
    ? `Replayed: this run ends with the hash of the trace, ${now}.`
    : `This is not what was recorded: the trace ends with ${recorded}, this run with ${now}. It may be from another version of keyhaul.`
