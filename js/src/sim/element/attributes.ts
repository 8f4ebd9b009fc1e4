// The options of a run as attributes, named as the flags of the command.
import type { SimulateOptions } from '../arguments.js'

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
