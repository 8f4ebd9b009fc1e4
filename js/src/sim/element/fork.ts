// Two runs that were one until now: the second beside the first, at the same time, and what differs.
import type { SimulateOptions } from '../arguments.js'
import type { Foresight, Scene } from '../session.js'
import { setOptions } from './attributes.js'
import type { KeyhaulSim } from './element.js'
import type { Show } from './show.js'
import { h, say, toggle } from './dom.js'
import { count, plural, seconds } from './words.js'

export interface Side {
  readonly scene: Scene | undefined
  readonly foresight: Foresight | undefined
}

const ROWS: readonly (readonly [string, (side: Side) => string])[] = [
  ['trace hash', ({ scene }) => scene?.hash ?? ''],
  ['events', ({ scene }) => count(scene?.event ?? 0)],
  ['promises broken', ({ scene }) => count(scene?.violations.length ?? 0)],
  ['checks', ({ scene }) => count(scene?.checks ?? 0)],
  ['writes acknowledged', ({ scene }) => count(scene?.clientAcks ?? 0)],
  ['crashes', ({ scene }) => count(scene?.crashes ?? 0)],
  ['resumes', ({ scene }) => count(scene?.resumes ?? 0)],
  ['keys behind', ({ scene }) => count((scene?.jobs ?? []).reduce((sum, { differ }) => sum + differ, 0))],
  ['ranges done', ({ scene }) => count((scene?.jobs ?? []).filter(({ phase }) => phase === 'ended').length)],
  ['ends after', ({ foresight }) => (foresight === undefined ? '…' : seconds(foresight.endUs))],
  ['breaks in the end', ({ foresight }) => (foresight === undefined ? '…' : plural(foresight.violations.length, 'promise'))],
  ['ends with', ({ foresight }) => foresight?.hash ?? '…']
]

export class Fork {
  readonly #cells = ROWS.map(() => [h('td'), h('td')] as const)
  readonly #said = h('p', { className: 'forksaid', role: 'status' })
  readonly root: HTMLElement
  /** Stands below the first run, so that both pictures are at one height. */
  readonly table: HTMLElement

  constructor(readonly other: HTMLElement & Side, sinceUs: number, onclose: () => void) {
    this.root = h('section', { role: 'group', className: 'fork', part: 'fork', 'aria-label': 'Fork' },
      h('div', { className: 'forkhead' }, h('h2', {}, `Fork: the same until ${seconds(sinceUs)}`), h('button', { type: 'button', onclick: onclose }, 'close fork')), other)
    this.table = h('section', { role: 'group', className: 'compare', part: 'compare', 'aria-label': 'What differs' }, h('h2', {}, 'What differs'), this.#said,
      h('table', { className: 'difference' }, h('caption', { className: 'hidden' }, 'What differs'),
        h('thead', {}, h('tr', {}, ...['', 'this run', 'the fork'].map((name) => (name === '' ? h('td') : h('th', { scope: 'col' }, name))))),
        h('tbody', {}, ...ROWS.map(([name], i) => h('tr', {}, h('th', { scope: 'row' }, name), ...(this.#cells[i] ?? []))))))
  }

  show(own: Side): void {
    let different = 0
    for (const [i, [, of]] of ROWS.entries()) {
      const [a, b] = [of(own), of(this.other)]
      const [left, right] = this.#cells[i] as readonly [HTMLElement, HTMLElement]
      say(left, a)
      say(right, b)
      toggle(right, 'differs', a !== b)
      if (a !== b) different++
    }
    say(this.#said, different === 0 ? 'Both do the same so far. Break something in one of them.' : `They differ in ${plural(different, 'figure')}.`)
  }
}

/** A fork of this run, from now on; it keeps to the time of this one. */
export function forkOf(own: KeyhaulSim, { interventions = [], ...options }: SimulateOptions, show: Show): { sim: KeyhaulSim; panel: Fork } {
  const sim = document.createElement('keyhaul-sim')
  const sinceUs = own.timeUs
  setOptions(sim, { ...options, interventions: interventions.filter((one) => Number.parseInt(one, 10) <= sinceUs) }, sinceUs)
  sim.setAttribute('controls', 'fork')
  const theme = own.getAttribute('theme')
  if (theme !== null) sim.setAttribute('theme', theme)
  sim.addEventListener('foresight', () => {
    for (const section of sim.shadowRoot?.querySelectorAll('section') ?? []) section.setAttribute('aria-label', `Fork: ${section.getAttribute('aria-label') ?? ''}`)
  }, { once: true })
  const panel = new Fork(sim, sinceUs, () => own.closeFork())
  for (const kind of ['foresight', 'violation', 'follow']) sim.addEventListener(kind, () => panel.show(own))
  sim.addEventListener('foresight', () => void sim.follow(own.timeUs), { once: true })
  show.fork(panel)
  panel.show(own)
  return { sim, panel }
}

/** Goes where another run is, one call at a time, and forgets where it was on the way. */
export class Follower {
  #wantedUs: number | undefined
  #busy = false

  /** `go` says whether it arrived. */
  constructor(readonly element: HTMLElement, readonly go: (us: number) => Promise<boolean>) {}

  async follow(us: number): Promise<void> {
    this.#wantedUs = us
    if (this.#busy) return
    this.#busy = true
    while (this.#wantedUs !== undefined && this.element.isConnected) {
      const wanted: number = this.#wantedUs
      this.#wantedUs = undefined
      if (!(await this.go(wanted)) && this.element.isConnected) this.#wantedUs ??= wanted
    }
    this.#busy = false
    this.element.dispatchEvent(new CustomEvent('follow'))
  }
}
