// Break it by hand: nodes, the network, and bugs in what is around the engine.
import type { Scene, SimLists } from '../session.js'
import { h, say } from './dom.js'

/** What may be turned up while it runs; the others are drawn when the world is made. */
const SLIDERS = ['drop', 'duplicate', 'reorder', 'corrupt', 'store-error', 'disk-error', 'bit-rot']
const MILLISECONDS: Readonly<Record<string, number>> = { crash: 1500, pause: 3000, slow: 4000, cut: 3000, mute: 3000, 'disk-full': 3000, 'clock-jump': 30_000, 'feed-lost': 0, torn: 1500, rival: 0, 'zone-loss': 2000 }
const LABELS: Readonly<Record<string, string>> = { torn: 'tear its next write', rival: 'second coordinator', 'feed-lost': 'forget changes', 'zone-loss': 'lose its zone' }

export class BreakPanel {
  readonly #nodes = h('div', { className: 'chips', role: 'group', 'aria-label': 'Node to break' })
  readonly #acts = h('div', { className: 'buttons' })
  readonly #pair = [h('select', { 'aria-label': 'Part this node' }), h('select', { 'aria-label': 'from this node' })] as const
  readonly #way = h('select', { 'aria-label': 'In which direction' }, h('option', { value: 'part' }, 'both ways'), h('option', { value: 'one-way' }, 'only there'))
  readonly #parting = h('div', { className: 'parting', role: 'group', 'aria-label': 'Cut between two nodes' }, this.#pair[0], '↮', this.#pair[1], this.#way,
    h('button', { type: 'button', onclick: () => this.part(Number(this.#pair[0].value), Number(this.#pair[1].value)) }, 'part them'), h('span', { className: 'quiet' }, 'or drag from one to the other in the picture; with shift, only that way'))
  readonly #sliders = h('div', { className: 'sliders' })
  readonly #bugs = h('select', { className: 'bugs', 'aria-label': 'Bug to put in', onchange: () => this.act(`sabotage:${this.#bugs.value}`) })
  readonly #bug = h('p', { className: 'quiet bug' })
  readonly #ahead = h('p', { className: 'ahead' })
  readonly root = h('section', { role: 'group', className: 'break', part: 'break', 'aria-label': 'Break it' },
    h('h2', {}, 'Break it'), this.#nodes, this.#acts, this.#parting, this.#sliders,
    h('h3', {}, 'Sabotage: put a bug in'), this.#bugs, this.#bug, this.#ahead)
  #lists: SimLists | undefined
  #target = -1
  /** Of the nodes that there are buttons for: where, of which kind and by which name. */
  #keys: readonly string[] = []
  #scene: Scene | undefined

  /** `act` gets what `--do` takes behind the time. */
  constructor(readonly act: (what: string) => void) {}

  get sabotages(): SimLists['sabotages'] {
    return this.#lists?.sabotages ?? []
  }

  list(lists: SimLists): void {
    this.#lists = lists
    const acts = lists.interventions.filter(({ name }) => name in MILLISECONDS)
    this.#acts.replaceChildren(
      ...acts.map(({ name, what }) => h('button', { type: 'button', title: what, 'data-act': name, onclick: () => this.act(`${name}:${this.#target}:${MILLISECONDS[name]}`) }, LABELS[name] ?? name.replace('-', ' '))),
      h('button', { type: 'button', className: 'chaos', title: 'a few of them at once', onclick: () => this.#chaos() }, 'chaos')
    )
    this.#sliders.replaceChildren(...lists.faults.flatMap(({ name, what }) => {
      if (!SLIDERS.includes(name)) return []
      const out = h('output', {}, '0 %')
      const most = name === 'corrupt' ? 50_000 : name === 'bit-rot' || name === 'disk-error' ? 20_000 : name === 'reorder' ? 1_000_000 : 300_000
      const input = h('input', { type: 'range', min: '0', max: String(most), step: String(most / 20), value: '0', title: what, 'data-fault': name, onchange: () => this.act(`rate:${name}:${input.value}`), oninput: () => say(out, percent(Number(input.value))) })
      return [h('label', {}, h('span', {}, name.replace('-', ' ')), input, out)]
    }))
    this.#bugs.replaceChildren(h('option', { value: 'none' }, 'no bug'), ...lists.sabotages.map(({ name }) => h('option', { value: name }, name)))
  }

  show(scene: Scene): void {
    const nodes = scene.nodes.flatMap((node, i) => (node.kind === 'client' ? [] : [{ name: node.name, kind: node.kind, i }]))
    const keys = nodes.map(({ i, kind, name }) => `${i}:${kind}:${name}`)
    if (keys.join() !== this.#keys.join()) {
      const picked = this.#keys.find((key) => key.startsWith(`${this.#target}:`))
      this.#keys = keys
      if (picked === undefined || !keys.includes(picked)) this.#target = nodes.find(({ kind }) => kind === 'mover')?.i ?? 0
      for (const [at, select] of this.#pair.entries()) {
        select.replaceChildren(...nodes.map(({ name, i }) => h('option', { value: String(i) }, name)))
        select.selectedIndex = at
      }
      this.#nodes.replaceChildren(...nodes.map(({ name, i }) => h('button', { type: 'button', className: 'chip', 'data-node': i, onclick: () => this.pick(i) }, name)))
    }
    this.#scene = scene
    this.pick(this.#target)
    const healed = scene.healed === 1
    for (const input of this.#sliders.querySelectorAll('input')) {
      const rate = scene.rates[this.#lists?.faults.findIndex(({ name }) => name === input.dataset.fault) ?? -1] ?? 0
      if (this.root.getRootNode() instanceof ShadowRoot && (this.root.getRootNode() as ShadowRoot).activeElement === input) continue
      input.value = String(rate)
      say(input.nextElementSibling as HTMLElement, percent(rate))
    }
    if (this.#bugs.value !== scene.sabotage) this.#bugs.value = scene.sabotage
    const bug = this.#lists?.sabotages.find(({ name }) => name === scene.sabotage)
    say(this.#bug, bug === undefined ? (healed ? 'Everything has healed: nothing breaks any more, and every move has to end well.' : 'Nothing of it is in the engine: only what is around it lies.') : `Now ${bug.what}.`)
  }

  ahead(text: string, ...buttons: HTMLButtonElement[]): void {
    if (this.#ahead.dataset.text === text) return
    this.#ahead.dataset.text = text
    this.#ahead.replaceChildren(text, ' ', ...buttons)
  }

  pick(node: number): void {
    this.#target = node
    this.#allow()
    for (const chip of this.#nodes.children) chip.setAttribute('aria-pressed', String((chip as HTMLElement).dataset.node === String(node)))
  }

  /** Only what can be done to the chosen node, and now. */
  #allow(): void {
    const { nodes = [], healed = 1, ended = 1 } = this.#scene ?? {}
    const none: Readonly<Record<string, boolean>> = { rival: !nodes.some(({ kind }) => kind === 'register'), 'zone-loss': (nodes[this.#target]?.zone ?? '') === '' }
    for (const control of this.root.querySelectorAll<HTMLButtonElement>('.buttons button, .parting :is(button, select), input')) control.disabled = healed === 1 || ended === 1 || none[control.dataset.act ?? ''] === true
  }

  pickBeside(by: 1 | -1): void {
    const nodes = [...this.#nodes.children].map((chip) => Number((chip as HTMLElement).dataset.node))
    this.pick(nodes[(nodes.indexOf(this.#target) + by + nodes.length) % nodes.length] ?? 0)
  }

  /** Nothing passes between them for a while, or not from the first to the second. */
  part(from: number, to: number, oneWay = this.#way.value === 'one-way'): void {
    if (from !== to) this.act(`${oneWay ? 'one-way' : 'part'}:${from}-${to}:3000`)
  }

  focus(): void {
    ;(this.#acts.firstElementChild as HTMLElement | null)?.focus()
  }

  #chaos(): void {
    const nodes = [...this.#nodes.children].map((chip) => (chip as HTMLElement).dataset.node as string)
    const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
    for (let i = 0; i < 4; i++) {
      const name = any(['crash', 'pause', 'slow', 'cut', 'mute', 'disk-full'])
      this.act(`${name}:${any(nodes)}:${500 + Math.floor(Math.random() * 3000)}`)
    }
    this.act('rate:drop:60000')
    this.act('rate:duplicate:90000')
  }
}

const percent = (perMillion: number): string => `${(perMillion / 10_000).toFixed(perMillion > 0 && perMillion < 10_000 ? 1 : 0)} %`
