// The options of a run as attributes, named as the flags of the command.
import type { SimulateOptions } from '../arguments.js'
import { toSeed } from '../seed.js'

// Importing it where there is no page does nothing.
const Base = typeof HTMLElement === 'undefined' ? (class {} as unknown as typeof HTMLElement) : HTMLElement
const SPEED_MAX = 10_000

/** From this time on this is said above the picture, until the next one. */
export interface Caption {
  readonly atUs: number
  /** Empty: the picture speaks for itself again. */
  readonly text: string
}

/** What an element has as attributes, and reflects. */
export class Attributed extends Base {
  get scenario(): string { return this.getAttribute('scenario') ?? 'story' }
  set scenario(value: string) { this.setAttribute('scenario', value) }
  get seed(): string { return this.getAttribute('seed') ?? '1' }
  set seed(value: string) { this.setAttribute('seed', value) }
  /** Simulated seconds; as text, as the others of the command: empty where nobody said anything. */
  get until(): string { return this.getAttribute('until') ?? '' }
  set until(value: string) { this.#set('until', value) }
  get faults(): string { return this.getAttribute('faults') ?? '' }
  set faults(value: string) { this.#set('faults', value) }
  get sabotage(): string { return this.getAttribute('sabotage') ?? '' }
  set sabotage(value: string) { this.#set('sabotage', value) }
  get workload(): string { return this.getAttribute('workload') ?? '' }
  set workload(value: string) { this.#set('workload', value) }
  /** What is done by hand, as `--do` has it. */
  get do(): string { return this.getAttribute('do') ?? '' }
  set do(value: string) { this.#set('do', value) }
  /** Where it begins, in milliseconds; set later, it goes there. */
  get t(): number { return Math.max(0, Number(this.getAttribute('t') ?? 0) || 0) }
  set t(value: number) { this.setAttribute('t', String(value)) }
  /** `light` or `dark`; empty: as the reader has it. */
  get theme(): string { return this.getAttribute('theme') ?? '' }
  set theme(value: string) { this.#set('theme', value) }
  /** `few` shows the picture and the time only. */
  get controls(): string { return this.getAttribute('controls') ?? '' }
  set controls(value: string) { this.#set('controls', value) }

  #set(name: string, value: string): void {
    if (value === '') this.removeAttribute(name)
    else this.setAttribute(name, value)
  }

  get speed(): number { return Math.min(SPEED_MAX, Math.max(0.1, Number(this.getAttribute('speed') ?? 1) || 1)) }
  set speed(value: number) { this.setAttribute('speed', String(value)) }
  get autoplay(): boolean { return this.hasAttribute('autoplay') }
  set autoplay(value: boolean) { this.toggleAttribute('autoplay', value) }
}

export const OPTIONS = ['scenario', 'seed', 'until', 'faults', 'sabotage', 'workload', 'do']

/** Throws a sentence for people where the seed is none. */
export function optionsOf(element: Element): SimulateOptions {
  const text = (name: string): string | undefined => element.getAttribute(name) || undefined
  const number = (name: string): number | undefined => (text(name) === undefined ? undefined : Number(text(name)))
  const scenario = text('scenario') ?? 'story'
  // The story is told without chance; everything else is about faults.
  const faults = text('faults') ?? (scenario === 'story' ? 'none' : undefined)
  const list = faults === undefined || faults === 'all' || faults === 'none' ? faults : faults.split(',')
  const given = { scenario, until: number('until'), faults: list, sabotage: text('sabotage'), workload: number('workload'), interventions: text('do')?.split(',') }
  const seed = toSeed(text('seed') ?? '1')
  return { seed, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}

export function setOptions(element: Element, options: SimulateOptions, timeUs: number): void {
  const { faults, interventions } = options
  const given: Record<string, unknown> = { ...options, faults: typeof faults === 'object' ? faults.join(',') : faults, do: interventions?.join(',') || undefined, t: timeUs > 0 ? Math.round(timeUs / 1000) : undefined }
  for (const name of [...OPTIONS, 't']) {
    if (given[name] === undefined) element.removeAttribute(name)
    else element.setAttribute(name, String(given[name]))
  }
}
