// What a page hears of a run as events, and who does not see the picture as words.
import type { Scene } from '../session.js'
import { newCutovers } from './jump.js'
import type { Mirror } from './mirror.js'
import { changesOf, rangeName, stateName } from './words.js'

/** `played` or `stepped` over, or leapt by a seek: then nothing is said of what lies between. */
export type Way = 'played' | 'stepped' | 'leapt'

/** Of two scenes of one run; the first may be of another one, if it is leapt to. */
export function tellNews(element: HTMLElement, mirror: Mirror | undefined, before: Scene | undefined, scene: Scene, way: Way): void {
  const nowMs = performance.now()
  const say = (name: string, detail: unknown): unknown => element.dispatchEvent(new CustomEvent(name, { detail }))
  if (way === 'played') for (const { range, state } of changesOf(before, scene)) mirror?.announce(`Range ${rangeName(range)}: ${stateName(state)}`, nowMs)
  if (before !== undefined && way !== 'leapt') for (const { job, state, timeUs } of newCutovers(before, scene)) say('cutover', { range: job, state, timeUs })
  for (const violation of scene.violations.slice(before?.violations.length ?? 0)) {
    mirror?.announce(`A promise is broken: ${violation.text}`, nowMs, true)
    say('violation', violation)
  }
  if (scene.ended === 1 && before?.ended !== 1) say('hash', scene.hash)
}
