// The options of a run as attributes, named as the flags of the command.
import type { SimulateOptions } from '../arguments.js'

// Importing it where there is no page does nothing.
const Base = typeof HTMLElement === 'undefined' ? (class {} as unknown as typeof HTMLElement) : HTMLElement
const SPEED_MAX = 10_000

/** What an element has as attributes, and reflects. */
export class Attributed extends Base {
  get scenario(): string { return this.getAttribute('scenario') ?? 'story' }
  set scenario(value: string) { this.setAttribute('scenario', value) }
  get seed(): string { return this.getAttribute('seed') ?? '1' }
  set seed(value: string) { this.setAttribute('seed', value) }
  get speed(): number { return Math.min(SPEED_MAX, Math.max(0.1, Number(this.getAttribute('speed') ?? 1) || 1)) }
  set speed(value: number) { this.setAttribute('speed', String(value)) }
  get autoplay(): boolean { return this.hasAttribute('autoplay') }
  set autoplay(value: boolean) { this.toggleAttribute('autoplay', value) }
}

export const OPTIONS = ['scenario', 'seed', 'until', 'faults', 'sabotage', 'workload', 'do']

export function optionsOf(element: Element): SimulateOptions {
  const text = (name: string): string | undefined => element.getAttribute(name) || undefined
  const number = (name: string): number | undefined => (text(name) === undefined ? undefined : Number(text(name)))
  const scenario = text('scenario') ?? 'story'
  // The story is told without chance; everything else is about faults.
  const faults = text('faults') ?? (scenario === 'story' ? 'none' : undefined)
  const list = faults === undefined || faults === 'all' || faults === 'none' ? faults : faults.split(',')
  const given = { scenario, until: number('until'), faults: list, sabotage: text('sabotage'), workload: number('workload'), interventions: text('do')?.split(',') }
  const seed = /^\d{1,20}$/.test(text('seed') ?? '') ? BigInt(text('seed') as string) : 1n
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
