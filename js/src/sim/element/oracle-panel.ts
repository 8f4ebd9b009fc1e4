// What was promised, whether it holds, and the life of the key where it does not.
import type { Foresight, Scene } from '../session.js'
import { h, say, toggle } from './dom.js'
import { what } from './help.js'
import { tollOf } from './toll.js'
import { wildStory } from './wild.js'
import { count, ofLife, promise, readable, seconds } from './words.js'

const NUMBERS = ['operations checked', 'writes acknowledged', 'lost', 'stale', 'resurrected', 'doubled', 'owners a key', 'crashes', 'resumes'] as const
type Told = Readonly<Record<(typeof NUMBERS)[number], string>>

export class OraclePanel {
  readonly #verdict = h('p', { className: 'verdict' })
  readonly #values = NUMBERS.map(() => h('dd'))
  readonly #numbers = h('dl', { className: 'numbers' }, ...NUMBERS.map((name, i) => h('div', {}, h('dt', {}, what(name.replace('writes ', ''), name)), this.#values[i] ?? null)))
  readonly #list = h('ul', { className: 'promises' })
  readonly #broken = h('div', { className: 'broken', hidden: true })
  readonly #hash = h('code', { className: 'hash', part: 'hash' })
  readonly #end = h('p', { className: 'end' })
  readonly root = h('section', { role: 'group', className: 'oracle', part: 'oracle', tabIndex: 0, 'aria-label': 'Promises, checked at every event' },
    h('h2', {}, 'Is every promise kept?'), this.#verdict, this.#numbers, this.#broken,
    h('p', { className: 'trace' }, what('trace hash'), ' now ', this.#hash), this.#end, this.#list)
  #names = ''
  #told = ''

  show(scene: Scene): void {
    const broken = new Set(scene.violations.map(({ oracle }) => oracle))
    // Two oracles may watch one promise, each in its kind of migration.
    const oracles = [...new Set(scene.oracles)]
    const names = oracles.join()
    if (names !== this.#names) {
      this.#names = names
      this.#list.replaceChildren(...oracles.map((name) => h('li', { title: name }, promise(name))))
    }
    for (const [i, name] of oracles.entries()) toggle(this.#list.children[i] as HTMLElement, 'bad', broken.has(name))
    toggle(this.root, 'bad', broken.size > 0)
    say(this.#verdict, broken.size === 0 ? 'Yes. 0 broken.' : `No. ${scene.violations.length} found.`)
    const { lost, stale, resurrected, doubled, owners } = tollOf(scene)
    const values: Told = {
      'operations checked': count(scene.checks), 'writes acknowledged': `${count(scene.clientAcks)} of ${count(scene.clientOps)}`,
      lost: count(lost), stale: count(stale), resurrected: count(resurrected), doubled: count(doubled), 'owners a key': count(owners ?? 1),
      crashes: count(scene.crashes), resumes: count(scene.resumes)
    }
    const harm: Partial<Record<keyof Told, boolean>> = { lost: lost > 0, stale: stale > 0, resurrected: resurrected > 0, doubled: doubled > 0, 'owners a key': (owners ?? 1) > 1 }
    for (const [i, name] of NUMBERS.entries()) {
      const value = this.#values[i] as HTMLElement
      say(value, values[name])
      toggle(value.parentElement as HTMLElement, 'bad', harm[name] === true)
    }
    say(this.#hash, scene.hash)
    if (broken.size === 0) {
      this.#broken.hidden = true
      this.#told = ''
    }
  }

  foresee(foresight: Foresight | undefined, scene: Scene | undefined): void {
    say(this.#end, foresight === undefined ? 'looking ahead …' : `ends after ${count(foresight.events)} events with `)
    if (foresight !== undefined) this.#end.append(h('code', { className: 'hash final' }, foresight.hash))
    const [first] = scene?.violations ?? []
    if (first === undefined || foresight === undefined) return
    const shown = `${first.oracle}${first.timeUs}${foresight.life.length}`
    if (shown === this.#told) return
    this.#told = shown
    this.#broken.hidden = false
    const story = wildStory(scene?.sabotage ?? 'none')
    const key = scene?.violations.find((one) => one.key !== '')?.key
    this.#broken.replaceChildren(
      h('p', { className: 'found' }, `${readable(first.text)}. `, h('span', { className: 'quiet' }, `After ${seconds(first.timeUs)}, event ${count(first.event)}.`)),
      ...(key === undefined || foresight.life.length === 0 ? [] : [
        h('h3', {}, 'The life of key ', h('code', {}, key)),
        h('ol', { className: 'life', tabIndex: 0, 'aria-label': `What happened to key ${key}` }, ...foresight.life.slice(-12).map((line) => told(line, key)))
      ]),
      ...(story === undefined ? [] : [h('p', { className: 'wild' }, h('b', {}, 'In the wild: '), `${story.text} `, h('a', { href: story.link, target: '_blank', rel: 'noopener noreferrer' }, story.source))])
    )
  }
}

/** A line of the report: its time in seconds, and without what only fills values up. */
function told(line: string, key: string): HTMLElement {
  const [, us = '0', text = line] = /^(\d+) us {2}(.*)$/.exec(line) ?? []
  return h('li', {}, h('b', {}, seconds(Number(us), 2)), ` ${ofLife(text, key)}`)
}
