// The life of one range: through which states it goes, and how much is where.
import type { Scene } from '../session.js'
import type { SimEngineView, SimHeat } from '../view.js'
import { h, say } from './dom.js'
import { what } from './help.js'
import { LagChart } from './lag-chart.js'
import type { Palette } from './palette.js'
import { count, plural, rangeName, seconds, sizeOf, stateName } from './words.js'

export class RangePanel {
  readonly #tabs = h('div', { className: 'chips', role: 'group', 'aria-label': 'Range to look at' })
  readonly #line = h('ol', { className: 'lifeline', 'aria-label': 'States of the range' })
  readonly #facts = h('dl', { className: 'facts' })
  readonly #chart = new LagChart()
  readonly #waits = h('p', { className: 'waits' })
  readonly #what = h('p', { className: 'quiet' })
  readonly root = h('section', { role: 'group', className: 'range', part: 'range', 'aria-label': 'One range' }, h('h2', {}, 'The life of a range'), this.#tabs, this.#what, this.#waits, this.#line, this.#chart.root, this.#facts)
  #count = 0
  #shown = ''
  selected = 0
  heat: SimHeat | undefined
  palette: Palette | undefined

  constructor(readonly onselect: (job: number) => void) {}

  show(scene: Scene): void {
    if (scene.jobs.length !== this.#count) {
      this.#count = scene.jobs.length
      this.selected = Math.min(this.selected, Math.max(0, this.#count - 1))
      this.#tabs.replaceChildren(...scene.jobs.map((_, i) => h('button', { type: 'button', className: 'chip', onclick: () => this.onselect(i) }, rangeName(i))))
    }
    const chosen = this.#tabs.children[this.selected]
    if (chosen?.getAttribute('aria-pressed') !== 'true') for (const chip of this.#tabs.children) chip.setAttribute('aria-pressed', String(chip === chosen))
    const job = scene.jobs[this.selected]
    if (job === undefined) return
    const [from, to] = [scene.nodes[job.source]?.name ?? '', scene.nodes[job.target]?.name ?? '']
    say(this.#what, `${job.mode} ${job.first} … ${job.last} from ${from} to ${to}${job.follow === 1 ? ', following what clients write' : ''}`)
    const end = job.phase === 'ended' ? (job.phases.at(-1)?.[0] ?? 0) : scene.reachedUs
    const parts = job.phases.map(([fromUs, state], i) => ({ state, us: (job.phases[i + 1]?.[0] ?? end) - fromUs })).slice(-14)
    const shown = parts.map(({ state, us }) => state + Math.round(us / 1e5)).join()
    this.#line.hidden = parts.length === 0
    if (shown !== this.#shown) {
      this.#shown = shown
      this.#line.replaceChildren(...parts.map(({ state, us }) => {
        const item = h('li', { className: state }, h('b', {}, stateName(state)), us > 0 ? h('span', {}, seconds(us)) : null)
        item.style.flexGrow = String(Math.max(1, Math.sqrt(us / 1e5)))
        return item
      }))
    }
    this.#chart.draw(this.heat, this.selected, scene.reachedUs, this.palette)
    const waits = job.engine?.waits ?? ''
    say(this.#waits, waits === '' ? '' : `${/^(waits|is|follows) /.test(waits) ? 'keyhaul ' : ''}${waits}.`)
    const facts: [string, string][] = [
      ['state', `${stateName(job.state)}${['running', 'ended', job.state].includes(job.phase) ? '' : `, ${job.phase}`}`],
      [`on ${from}`, count(job.atSource)], [`on ${to}`, count(job.atTarget)],
      ['behind', plural(job.differ, 'key')], ['pages read', count(job.pages)], ['changes followed', count(job.followed)],
      ['calls failed', count(job.retries)], ['epoch', String(job.epoch)], ['journal', `${count(job.journalBytes)} B`],
      ['bytes', count(sizeOf(job))], ['writes a second', count(job.load)]
    ]
    if (job.gates[0] !== '') facts.push([`gate of ${from}`, stateName(job.gates[0])], [`gate of ${to}`, stateName(job.gates[1])])
    if (job.engine !== null) facts.push(...known(job.engine))
    if (job.pauseUs > 0) facts.push(['pause of writers', ms(job.pauseUs)])
    if (this.#facts.childElementCount !== facts.length) this.#facts.replaceChildren(...facts.map(() => h('div', {}, h('dt', {}, what('', '')), h('dd'))))
    for (const [i, [name, value]] of facts.entries()) {
      const [dt, dd] = [...(this.#facts.children[i]?.children ?? [])] as [HTMLElement, HTMLElement]
      const asked = dt.firstElementChild as HTMLElement
      say(asked, name)
      asked.dataset.what = /^(on|gate)\b/.exec(name)?.[0] ?? name
      say(dd, value)
    }
  }
}

const ms = (us: number): string => `${(us / 1000).toFixed(1)} ms`

/** What the engine itself reckons. */
function known({ etaUs, lag, toCompare, forecastUs, budgetUs, pausedUs, postponed }: SimEngineView): [string, string][] {
  const facts: [string, string][] = []
  if (etaUs !== null) facts.push(['ready in about', seconds(etaUs)])
  if (lag === undefined) return facts
  facts.push(['lag of the feed', plural(lag, 'change')], ['to compare again', plural(toCompare ?? 0, 'key')])
  facts.push(['pause, forecast', typeof forecastUs === 'number' ? ms(forecastUs) : 'not known yet'])
  if (typeof budgetUs === 'number') facts.push(['pause, allowed', ms(budgetUs)])
  if ((pausedUs ?? 0) > 0) facts.push(['writers wait since', ms(pausedUs as number)])
  if ((postponed ?? 0) > 0) facts.push(['attempts given up', count(postponed as number)])
  return facts
}
