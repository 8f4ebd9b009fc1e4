// The picture in words, for who does not see it: tables of nodes and ranges, and what just happened.
import type { Scene } from '../session.js'
import { clockOf, troubleOf } from './condition.js'
import { h, say } from './dom.js'
import { count, rangeName, sizeOf, stateName } from './words.js'

export class Mirror {
  readonly #nodes = h('tbody')
  readonly #ranges = h('tbody')
  readonly live = h('p', { className: 'hidden', role: 'status', 'aria-live': 'polite' })
  readonly root = h('div', { className: 'hidden' },
    h('table', {}, h('caption', {}, 'Nodes'), head('node', 'kind', 'state', 'keys', 'bytes', 'writes a second', 'zone'), this.#nodes),
    h('table', {}, h('caption', {}, 'Ranges'), head('range', 'from', 'to', 'state', 'on the source', 'on the target', 'different', 'epoch', 'bytes', 'writes a second'), this.#ranges))
  #saidMs = Number.NEGATIVE_INFINITY

  show({ nodes, jobs }: Scene): void {
    fill(this.#nodes, nodes.filter(({ kind }) => kind !== 'client').map((node) => [node.name, node.kind, [troubleOf(node, nodes) || 'well', clockOf(node)].filter((text) => text !== '').join(', '), ...[node.entries, node.bytes, node.load].map((some) => (some === undefined ? '' : count(some))), node.zone ?? '']))
    fill(this.#ranges, jobs.map((job, i) => [rangeName(i), nodes[job.source]?.name ?? '', nodes[job.target]?.name ?? '', stateName(job.state), count(job.atSource), count(job.atTarget), count(job.differ), String(job.epoch), count(sizeOf(job)), count(job.load)]))
  }

  /** At most one in two seconds, but for what must be heard. */
  announce(text: string, nowMs: number, must = false): void {
    if (!must && nowMs - this.#saidMs < 2000) return
    this.#saidMs = nowMs
    say(this.live, text)
  }
}

const head = (...names: string[]): HTMLElement => h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name))))

function fill(body: HTMLElement, rows: readonly (readonly string[])[]): void {
  if (body.childElementCount !== rows.length) body.replaceChildren(...rows.map((row) => h('tr', {}, ...row.map((_, i) => (i === 0 ? h('th', { scope: 'row' }) : h('td'))))))
  for (const [y, row] of rows.entries()) for (const [x, text] of row.entries()) say(body.children[y]?.children[x] as HTMLElement, text)
}
