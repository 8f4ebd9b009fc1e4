// The life of one range: through which states it goes, and how much is where.
import type { Scene } from '../session.js'
import { h, say } from './dom.js'
import { count, rangeName, seconds, stateName } from './words.js'

export class RangePanel {
  readonly #tabs = h('div', { className: 'chips', role: 'group', 'aria-label': 'Range to look at' })
  readonly #line = h('ol', { className: 'lifeline', 'aria-label': 'States of the range' })
  readonly #facts = h('dl', { className: 'facts' })
  readonly #what = h('p', { className: 'quiet' })
  readonly root = h('section', { className: 'range', part: 'range', 'aria-label': 'One range' }, h('h2', {}, 'The life of a range'), this.#tabs, this.#what, this.#line, this.#facts)
  #count = 0
  #shown = ''
  selected = 0

  constructor(readonly onselect: (job: number) => void) {}

  show(scene: Scene): void {
    if (scene.jobs.length !== this.#count) {
      this.#count = scene.jobs.length
      this.selected = Math.min(this.selected, Math.max(0, this.#count - 1))
      this.#tabs.replaceChildren(...scene.jobs.map((_, i) => h('button', { type: 'button', className: 'chip', 'data-range': i % 8, onclick: () => this.onselect(i) }, rangeName(i))))
    }
    for (const [i, chip] of [...this.#tabs.children].entries()) chip.setAttribute('aria-pressed', String(i === this.selected))
    const job = scene.jobs[this.selected]
    if (job === undefined) return
    const [from, to] = [scene.nodes[job.source]?.name ?? '', scene.nodes[job.target]?.name ?? '']
    say(this.#what, `${job.mode} ${job.first} … ${job.last} from ${from} to ${to}${job.follow === 1 ? ', following what clients write' : ''}`)
    const end = job.phase === 'ended' ? (job.phases.at(-1)?.[0] ?? 0) : scene.reachedUs
    const parts = job.phases.map(([fromUs, state], i) => ({ state, us: (job.phases[i + 1]?.[0] ?? end) - fromUs, fromUs })).slice(-14)
    const shown = parts.map(({ state, us }) => state + Math.round(us / 1e5)).join()
    this.#line.hidden = parts.length === 0
    if (shown !== this.#shown) {
      this.#shown = shown
      this.#line.replaceChildren(...parts.map(({ state, us, fromUs }) => {
        const item = h('li', { className: `state ${state}`, title: `from ${seconds(fromUs)} on` }, h('b', {}, stateName(state)), us > 0 ? h('span', {}, seconds(us)) : null)
        item.style.flexGrow = String(Math.max(1, Math.sqrt(us / 1e5)))
        return item
      }))
    }
    const facts: [string, string][] = [
      ['state', `${stateName(job.state)}${job.phase === 'running' || job.phase === 'ended' ? '' : `, ${job.phase}`}`],
      [`on ${from}`, count(job.atSource)], [`on ${to}`, count(job.atTarget)],
      ['behind', `${count(job.differ)} keys`], ['pages read', count(job.pages)], ['changes followed', count(job.followed)],
      ['calls failed', count(job.retries)], ['epoch', String(job.epoch)], ['journal', `${count(job.journalBytes)} B`]
    ]
    if (job.gates[0] !== '') facts.push([`gate of ${from}`, job.gates[0]], [`gate of ${to}`, job.gates[1]])
    if (job.pauseUs > 0) facts.push(['pause of writers', `${(job.pauseUs / 1000).toFixed(1)} ms`])
    if (this.#facts.childElementCount !== facts.length) this.#facts.replaceChildren(...facts.map(() => h('div', {}, h('dt'), h('dd'))))
    for (const [i, [name, value]] of facts.entries()) {
      const [dt, dd] = [...(this.#facts.children[i]?.children ?? [])] as [HTMLElement, HTMLElement]
      say(dt, name)
      say(dd, value)
    }
  }
}
