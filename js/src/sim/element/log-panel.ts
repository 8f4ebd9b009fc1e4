// What the engine asked for, and why; and what happened to nodes.
import type { Scene } from '../session.js'
import type { SimLogLine } from '../view.js'
import { h } from './dom.js'
import { rangeName, readable, seconds } from './words.js'

const KEPT = 60

export class LogPanel {
  readonly #list = h('ol', { tabIndex: 0, 'aria-label': 'Log' })
  readonly root = h('section', { role: 'group', className: 'log', part: 'log', 'aria-label': 'What keyhaul asks for' }, h('h2', {}, 'What keyhaul asks for, and why'), this.#list)
  #lines: SimLogLine[] = []
  #drawn = 0

  reset(): void {
    this.#lines = []
    this.#list.replaceChildren()
  }

  take({ log }: Scene): void {
    if (log.length > 0) this.#lines = [...this.#lines, ...log].slice(-KEPT)
  }

  /** Seldom: reading is slower than drawing. */
  draw(): void {
    const last = this.#lines.at(-1)
    const stamp = (last?.[0] ?? 0) + this.#lines.length
    if (stamp === this.#drawn) return
    this.#drawn = stamp
    this.#list.replaceChildren(...joined(this.#lines).map(([timeUs, job, text]) => {
      const about = job < 0 ? h('b', { className: 'world' }, '!') : h('b', { style: `color:var(--keyhaul-range-${job % 8})` }, rangeName(job))
      return h('li', { className: text.startsWith('VIOLATION') ? 'bad' : '' }, h('time', {}, seconds(timeUs, 2)), about, h('span', {}, readable(text)))
    }))
    this.#list.scrollTop = this.#list.scrollHeight
  }
}

/** What is said several times at once is one line. */
function joined(lines: readonly SimLogLine[]): SimLogLine[] {
  const same = (a: SimLogLine | undefined, b: SimLogLine): boolean => a?.[0] === b[0] && a[1] === b[1] && a[2] === b[2]
  return lines.flatMap((line, i): SimLogLine[] => {
    if (same(lines[i - 1], line)) return []
    const end = lines.findIndex((other, at) => at > i && !same(other, line))
    const times = (end < 0 ? lines.length : end) - i
    return [[line[0], line[1], times === 1 ? line[2] : `${line[2]} (${times} times)`]]
  })
}
