// A run as text that can be shared: the part of a URL behind #, and the command that prints the same hash.
import { argumentsOf, type SimulateOptions } from '../arguments.js'
import { toSeed } from '../seed.js'

export interface Shared {
  readonly options: SimulateOptions
  /** Where to look, in microseconds. */
  readonly timeUs: number
  /** Moments to come back to, in microseconds. */
  readonly bookmarks?: readonly number[]
}

/** `v=1&s=story&seed=7&t=12400&k=900.12400&a=…`: t and k, bookmarks, in milliseconds; a, what was done by hand, as `--do` has it. */
export function toLink({ options, timeUs, bookmarks = [] }: Shared): string {
  const { scenario, seed, until, faults, sabotage, workload, interventions = [] } = options
  const list = typeof faults === 'object' ? faults.join(',') || 'none' : faults
  const fields = { v: 1, s: scenario, seed, u: until, f: list, b: sabotage, w: workload, t: Math.round(timeUs / 1000), k: bookmarks.map((us) => Math.round(us / 1000)).join('.'), a: interventions.join(',') }
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value)).replace(/%3A/g, ':').replace(/%2C/g, ',')}`)
    .join('&')
}

/** Undefined where it is none, or of a later version. Throws a sentence for people where its seed is none. */
export function fromLink(text: string): Shared | undefined {
  const fields = new URLSearchParams(text.replace(/^#/, ''))
  const seed = fields.get('seed')
  if (fields.get('v') !== '1' || seed === null) return undefined
  const optional = (name: string): string | undefined => fields.get(name) || undefined
  const number = (name: string): number | undefined => (/^\d+$/.test(fields.get(name) ?? '') ? Number(fields.get(name)) : undefined)
  const faults = optional('f')
  const options = {
    seed: toSeed(seed),
    scenario: optional('s'),
    until: number('u'),
    faults: faults === undefined || faults === 'none' || faults === 'all' ? faults : faults.split(','),
    sabotage: optional('b'),
    workload: number('w'),
    interventions: optional('a')?.split(',')
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as SimulateOptions
  const bookmarks = (optional('k')?.split('.') ?? []).filter((ms) => /^\d{1,9}$/.test(ms)).map((ms) => Number(ms) * 1000)
  return { options: given, timeUs: (number('t') ?? 0) * 1000, bookmarks }
}

/** What a link says in place of a seed. */
export const refusedSeed = (text: string): string => new URLSearchParams(text.replace(/^#/, '')).get('seed') || 'nothing'

/** In a terminal it prints the hash that the page ends with. */
export const toCommand = (options: SimulateOptions): string => `npx keyhaul sim ${argumentsOf(options).join(' ')}`
