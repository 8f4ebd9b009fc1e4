// All keys, and what each number is. Numbers open it at what they are.
import { h } from './dom.js'

/** One table for what keys do and what the help says of them. */
export const KEYS: readonly (readonly [keys: string, text: string])[] = [
  ['space', 'play, and stop'], ['← →', 'one event back, one on'], ['[ ]', 'slower, faster'],
  ['m', 'to the next fault, or what was done by hand; shift: the one before'], ['c', 'to the next change of owner; shift: the one before'],
  ['v', 'to the next broken promise; shift: the one before'], ['b', 'bookmark this moment, or take it away'], [', .', 'to the bookmark before, to the next one'],
  ['n p', 'choose the next node, the one before'], ['f', 'to what breaks it'], ['k', 'fork here, or close the fork'], ['?', 'this help'],
  ['arrows', 'through the map of keys by time, with shift by tens; Enter goes to that time']
]

/** What it is, and the page and the heading that say more (scripts/docs.mjs). */
export const NUMBERS: Readonly<Record<string, readonly [text: string, about: string]>> = {
  time: ['Simulated time. Nothing waits for a real clock, so a minute may take a blink.', 'simulator#a-run'],
  event: ['A message arrives, a timer rings, a disk answers. Events have one order, the same each time.', 'simulator#a-run'],
  speed: ['Simulated seconds in one real second.', 'simulator#watched-and-broken-by-hand'],
  'operations checked': ['How often an oracle judged something. Oracles see all stores at once, which no real system can.', 'simulator#oracles'],
  lost: ['Keys whose last acknowledged write is gone, or stood where it could not survive, when it was claimed to be safe.', 'simulator#oracles'],
  stale: ['Keys that showed an older value than somebody had already seen or was told of.', 'simulator#oracles'],
  resurrected: ['Keys that were deleted, and came back.', 'simulator#oracles'],
  doubled: ['Keys that stood twice: given twice by a scan, or left behind where they do not belong.', 'simulator#oracles'],
  'owners a key': ['Stores that took writes of one key, the most at once. It has to be one.', 'simulator#live-migrations'],
  bytes: ['Of its keys and values: the height of its row, to one scale but for the smallest and the largest.', 'simulator#watched-and-broken-by-hand'],
  'writes a second': ['Acknowledged writes to this range in about the last second: the more, the stronger its colour.', 'simulator#watched-and-broken-by-hand'],
  'writes acknowledged': ['Writes that a client was told are done, of those it asked for. They may never be lost.', 'simulator#oracles'],
  crashes: ['How often a node died, with all that was not yet synced to its disk.', 'simulator#a-run'],
  resumes: ['How often a migration went on from its journal.', 'keyhaul#what-is-promised-and-what-is-not'],
  'trace hash': ['Of the time, kind, node and content of every event so far. Two runs with one hash did exactly the same; the terminal prints it too.', 'simulator#a-run'],
  keys: ['Keys that this store holds now.', 'simulator#watched-and-broken-by-hand'],
  state: ['What the migration of this range is doing now.', 'keyhaul#move-a-shard-while-your-service-runs'],
  on: ['Keys of this range that this store holds now.', 'simulator#watched-and-broken-by-hand'],
  behind: ['Keys that stand on both sides with different values: changed since they were copied.', 'keyhaul#writes-that-go-on-meanwhile'],
  'pages read': ['Pages of the source that were read, to copy and to compare.', 'keyhaul#five-minutes'],
  'changes followed': ['Changes that clients made meanwhile, as the change feed told them.', 'keyhaul#writes-that-go-on-meanwhile'],
  'calls failed': ['Calls to stores, journal or register that failed or got no answer. They are tried again.', 'keyhaul#errors'],
  epoch: ['Rises with each incarnation of the coordinator: stores refuse what comes from an older one.', 'simulator#what-the-engine-leaves-to-its-host'],
  journal: ['Bytes of the journal, from which a migration goes on after a crash.', 'keyhaul#five-minutes'],
  gate: ['What the gate in front of this store lets through: it serves, waits behind a fence, or sends clients on.', 'keyhaul#move-a-shard-while-your-service-runs'],
  'pause of writers': ['How long writers had to wait in the change of owner.', 'keyhaul#move-a-shard-while-your-service-runs'],
  'ready in about': ['What the engine reckons from its speed so far.', 'keyhaul#rehearse-it-first'],
  'lag of the feed': ['Changes that the engine knows of and has not applied to the target yet.', 'keyhaul#writes-that-go-on-meanwhile'],
  'to compare again': ['Keys that changed since they were compared.', 'keyhaul#writes-that-go-on-meanwhile'],
  'pause, forecast': ['How long writers will have to wait, by the last rounds of catching up. The change of owner begins when it is short enough.', 'keyhaul#rehearse-it-first'],
  'pause, allowed': ['The most that the plan allows. A longer attempt is given up, and tried later.', 'keyhaul#move-a-shard-while-your-service-runs'],
  'writers wait since': ['The fence stands since then.', 'keyhaul#move-a-shard-while-your-service-runs'],
  'attempts given up': ['Changes of owner that took too long and were undone.', 'keyhaul#move-a-shard-while-your-service-runs']
}

export class Help {
  readonly #links = new Map(Object.entries(NUMBERS).map(([name, [, about]]) => [name, h('a', { target: '_blank', rel: 'noopener', hidden: true }, `docs: ${about.split('#')[1]?.replaceAll('-', ' ')}`)]))
  readonly #list = h('dl', { className: 'glossary' }, ...Object.entries(NUMBERS).map(([name, [text]]) => h('div', { 'data-what': name, tabIndex: -1 }, h('dt', {}, name === 'on' ? 'on a store' : name), h('dd', {}, `${text} `, this.#links.get(name)))))
  readonly root = h('dialog', { className: 'help', part: 'help', 'aria-label': 'Help', onclick: (event: Event) => event.target === this.root && this.root.close() },
    h('div', { className: 'helphead' }, h('h2', {}, 'Keys and numbers'), h('button', { type: 'button', className: 'close', 'aria-label': 'Close help', onclick: () => this.root.close() }, '×')),
    h('div', { className: 'helpbody', tabIndex: 0, role: 'group', 'aria-label': 'Keys and numbers' }, h('h2', {}, 'Keys'), h('dl', { className: 'keylist' }, ...KEYS.map(([keys, text]) => h('div', {}, h('dt', {}, ...keys.split(' ').map((key) => h('kbd', {}, key))), h('dd', {}, text)))),
      h('h2', {}, 'What the numbers are'), this.#list))

  /** `docs`: where the pages are that say more; empty: nowhere. */
  constructor(readonly docs: () => string) {}

  /** At this number, if there is one of that name. */
  open(what?: string): void {
    if (!this.root.open) this.root.showModal()
    const docs = this.docs()
    for (const [name, link] of this.#links) {
      link.hidden = docs === ''
      if (docs !== '') link.href = `${docs}${(NUMBERS[name]?.[1] ?? '').replace('#', '.html#')}`
    }
    for (const item of this.#list.children) {
      const is = (item as HTMLElement).dataset.what === what
      item.classList.toggle('asked', is)
      if (!is) continue
      item.scrollIntoView({ block: 'center' })
      ;(item as HTMLElement).focus()
    }
  }
}

/** A number's name: pressing it says what it is. The frame listens for `.what`. */
export function what(name: string, key = name): HTMLButtonElement {
  return h('button', { type: 'button', className: 'what', 'data-what': key, title: 'What is this?' }, name)
}
