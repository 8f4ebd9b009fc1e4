// What keys do; help.ts says it to people.
import type { KeyhaulSim } from './element.js'
import type { Goal } from './jump.js'
import type { Show } from './show.js'
import { Transport } from './transport.js'

export function onKey(event: KeyboardEvent, sim: KeyhaulSim, { breaking, bookmarks, help }: Show): void {
  const target = event.composedPath()[0] as HTMLElement
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(target.tagName)) return
  if (event.key === ' ' && target.tagName === 'BUTTON') return
  if (help.root.open) return
  const jump = (goal: Goal) => (): void => void sim.jump(goal, event.shiftKey ? -1 : 1)
  const keys: Record<string, () => void> = {
    ' ': () => (sim.playing ? sim.pause() : sim.play()), arrowright: () => void sim.step(1), arrowleft: () => void sim.step(-1),
    '[': () => { sim.speed = Transport.beside(sim.speed, -1) }, ']': () => { sim.speed = Transport.beside(sim.speed, 1) },
    n: () => breaking.pickBeside(1), p: () => breaking.pickBeside(-1), f: () => breaking.focus(),
    m: jump('fault'), c: jump('cutover'), v: jump('violation'),
    b: () => sim.bookmark(), ',': () => bookmarks.go(sim.timeUs, -1), '.': () => bookmarks.go(sim.timeUs, 1),
    k: () => sim.toggleFork(), '?': () => help.open()
  }
  const act = keys[event.key.toLowerCase()]
  if (act === undefined) return
  event.preventDefault()
  event.stopPropagation()
  act()
}
