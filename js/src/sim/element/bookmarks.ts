// Moments that somebody wants to come back to. They are part of the link.
import { h } from './dom.js'
import { seconds } from './words.js'

const MOST = 20

export class Bookmarks {
  readonly root = h('span', { className: 'bookmarks', role: 'group', 'aria-label': 'Bookmarks' })
  #times: readonly number[] = []

  constructor(readonly seek: (us: number) => void, readonly onchange: () => void) {}

  get times(): readonly number[] {
    return this.#times
  }

  set(times: readonly number[]): void {
    this.#times = [...new Set(times)].sort((a, b) => a - b).slice(0, MOST)
    this.root.replaceChildren(...this.#times.map((us) => h('span', { className: 'mark' },
      h('button', { type: 'button', 'aria-label': `Bookmark at ${seconds(us)}`, onclick: () => this.seek(us) }, `★ ${seconds(us)}`),
      h('button', { type: 'button', className: 'remove', 'aria-label': `Remove the bookmark at ${seconds(us)}`, onclick: () => this.toggle(us) }, '×'))))
  }

  /** In whole milliseconds, as links have them. */
  toggle(timeUs: number): void {
    const us = Math.round(timeUs / 1000) * 1000
    this.set(this.#times.includes(us) ? this.#times.filter((one) => one !== us) : [...this.#times, us])
    this.onchange()
  }

  go(fromUs: number, by: 1 | -1): void {
    const us = by > 0 ? this.#times.find((one) => one > fromUs + 500) : this.#times.findLast((one) => one < fromUs - 500)
    if (us !== undefined) this.seek(us)
  }
}
