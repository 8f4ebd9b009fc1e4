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
  /** What each row was made of: most of a thousand say what they said. */
  #known: readonly string[] = []
  #saidMs = Number.NEGATIVE_INFINITY

  show({ nodes, jobs }: Scene): void {
    fill(this.#nodes, nodes.filter(({ kind }) => kind !== 'client').map((node) => [node.name, node.kind, [troubleOf(node, nodes) || 'well', clockOf(node)].filter((text) => text !== '').join(', '), ...[node.entries, node.bytes, node.load].map((some) => (some === undefined ? '' : count(some))), node.zone ?? '']))
    const known = jobs.map((job) => `${nodes[job.source]?.name} ${nodes[job.target]?.name} ${job.state} ${job.atSource} ${job.atTarget} ${job.differ} ${job.epoch} ${sizeOf(job)} ${job.load}`)
    fill(this.#ranges, jobs.map((job, i) => (known[i] === this.#known[i] ? undefined : [rangeName(i), nodes[job.source]?.name ?? '', nodes[job.target]?.name ?? '', stateName(job.state), count(job.atSource), count(job.atTarget), count(job.differ), String(job.epoch), count(sizeOf(job)), count(job.load)])))
    this.#known = known
  }

  /** At most one in two seconds, but for what must be heard. */
  announce(text: string, nowMs: number, must = false): void {
    if (!must && nowMs - this.#saidMs < 2000) return
    this.#saidMs = nowMs
    say(this.live, text)
  }
}

const head = (...names: string[]): HTMLElement => h('thead', {}, h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name))))

/** A row that is undefined stays as it is. */
function fill(body: HTMLElement, rows: readonly (readonly string[] | undefined)[]): void {
  while (body.childElementCount > rows.length) body.lastElementChild?.remove()
  for (const [y, row] of rows.entries()) {
    if (row === undefined) continue
    if (body.childElementCount <= y) body.append(h('tr', {}, ...row.map((_, i) => (i === 0 ? h('th', { scope: 'row' }) : h('td')))))
    for (const [x, text] of row.entries()) say(body.children[y]?.children[x] as HTMLElement, text)
  }
}
