// Everything that is seen of one element, and how it is put together.
import type { Foresight, Scene, SimLists } from '../session.js'
import { BreakPanel } from './break-panel.js'
import { Bookmarks } from './bookmarks.js'
import { busiest, caption } from './caption.js'
import { h, legendOf, say, toggle } from './dom.js'
import { listenForDrags } from './drag.js'
import type { Fork } from './fork.js'
import { Help } from './help.js'
import { HeatPanel } from './heat-panel.js'
import { LogPanel } from './log-panel.js'
import { Mirror } from './mirror.js'
import { OraclePanel } from './oracle-panel.js'
import { paletteOf } from './palette.js'
import { RangePanel } from './range-panel.js'
import { Stage } from './stage.js'
import { STYLE } from './style.js'
import { Transport, type TransportCalls } from './transport.js'

export interface ShowCalls extends TransportCalls {
  act(what: string): void
  copyLink(): void
  copyCommand(): void
  /** `chance`: with faults that are drawn from the seed. */
  choose(scenario: string, seed: string, chance: boolean): void
  survey(): void
  bookmarked(): void
  saveTrace(): void
  openTrace(file: File): void
  redraw(): void
  docs(): string
  key(event: KeyboardEvent): void
}

let sheet: CSSStyleSheet | undefined

function styleSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
  }
  return sheet
}

export const LEGEND: readonly (readonly [string, string])[] = [
  ['', 'keys that are there'], ['empty', 'not there'], ['changed', 'changed since it was copied'], ['page', 'a page on its way'], ['twice', 'sent twice'], ['late', 'very late'], ['damaged', 'damaged'], ['lost', 'lost'], ['bytes', 'height: bytes'], ['load', 'stronger: more writes'], ['bars', 'a store’s bytes (tick: equal share), writes']
]

export class Show {
  readonly canvas = h('canvas', { tabIndex: 0, role: 'application', 'aria-label': 'Simulation', part: 'canvas' })
  readonly stage = new Stage(this.canvas)
  readonly oracle = new OraclePanel()
  readonly log = new LogPanel()
  readonly mirror = new Mirror()
  readonly range = new RangePanel((job) => this.#select(job))
  readonly heat: HeatPanel
  readonly breaking: BreakPanel
  readonly transport: Transport
  readonly bookmarks: Bookmarks
  readonly help: Help
  readonly #caption = h('p', { className: 'caption', part: 'caption' })
  readonly #command = h('code', { part: 'command' })
  readonly #notice = h('p', { className: 'notice', role: 'alert', hidden: true })
  readonly #wrong = h('p', { className: 'wrong', role: 'alert', hidden: true })
  readonly #surveyed = h('p', { className: 'surveyed', role: 'status' })
  readonly #scenario
  readonly #seed
  readonly #chance
  readonly #about = h('span', { className: 'quiet' })
  readonly #frame: HTMLElement
  readonly box = h('div', { className: 'canvas' }, this.canvas)
  readonly #instead
  #scene: Scene | undefined
  #drawnMs = 0
  #captioned = ''
  #chose = false

  constructor(readonly root: ShadowRoot, readonly calls: ShowCalls) {
    this.help = new Help(calls.docs)
    this.breaking = new BreakPanel(calls.act)
    this.bookmarks = new Bookmarks(calls.seek, calls.bookmarked)
    this.transport = new Transport(calls, this.bookmarks.root)
    this.heat = new HeatPanel(calls.seek)
    this.#instead = h('button', { type: 'button', onclick: () => calls.choose('story', '1', false) }, 'show another run')
    const choose = (): void => calls.choose(this.#scenario.value, this.#seed.value, this.#chance.checked)
    this.#chance = h('input', { type: 'checkbox', onchange: choose })
    this.#scenario = h('select', { 'aria-label': 'Scenario', onchange: choose })
    this.#seed = h('input', { type: 'text', autocapitalize: 'off', spellcheck: false, title: 'a number, or hexadecimal digits as in 82e0', 'aria-label': 'Seed', onchange: choose })
    const file = h('input', { type: 'file', hidden: true, accept: '.jsonl,.json,.txt', onchange: () => {
      for (const one of file.files ?? []) calls.openTrace(one)
      file.value = ''
    } })
    const share = h('div', { className: 'share', part: 'share' },
      h('label', {}, 'scenario ', this.#scenario), h('label', {}, 'seed ', this.#seed), h('label', { title: 'drawn from the seed' }, this.#chance, 'faults by chance'),
      h('button', { type: 'button', title: 'runs them here, and opens the first that breaks a promise', onclick: () => calls.survey() }, 'try 200 seeds'),
      h('button', { type: 'button', onclick: () => calls.copyLink() }, 'copy link'), h('button', { type: 'button', onclick: () => calls.copyCommand() }, 'copy command'),
      h('button', { type: 'button', title: 'all that happened, as lines of JSON', onclick: () => calls.saveTrace() }, 'save trace'),
      h('button', { type: 'button', title: 'or drop the file anywhere on the picture', onclick: () => file.click() }, 'open trace'), file, this.#about, this.#command, this.#surveyed)
    this.#frame = h('div', { className: 'frame', part: 'frame', onkeydown: (event: Event) => calls.key(event as KeyboardEvent) },
      this.#wrong, this.#caption, this.#notice,
      h('div', { className: 'scene' }, this.box,
        legendOf('Legend', LEGEND)),
      this.oracle.root, this.transport.root, share, this.heat.root,
      h('div', { className: 'more' }, this.breaking.root, this.range.root, this.log.root),
      this.mirror.root, this.mirror.live, this.help.root)
    this.#frame.addEventListener('click', (event) => {
      const asked = (event.target as HTMLElement).closest<HTMLElement>('button.what')
      if (asked !== null) this.help.open(asked.dataset.what)
    })
    this.#frame.addEventListener('dragover', (event) => event.dataTransfer?.types.includes('Files') && event.preventDefault())
    this.#frame.addEventListener('drop', (event) => {
      const [dropped] = event.dataTransfer?.files ?? []
      if (dropped === undefined) return
      event.preventDefault()
      calls.openTrace(dropped)
    })
    root.adoptedStyleSheets = [styleSheet()]
    root.replaceChildren(this.#frame)
    listenForDrags(this.canvas, this.stage, this.breaking, { choose: (hit) => this.#choose(hit), redraw: calls.redraw })
  }

  /** Until somebody chooses, the range that most is to be seen of. */
  #follow(scene: Scene): void {
    if (this.#chose || scene.jobs[this.stage.selected]?.phase === 'running') return
    const at = busiest(scene)
    if (at >= 0) this.range.selected = this.stage.selected = at
  }

  #select(job: number): void {
    this.#chose = true
    this.range.selected = this.stage.selected = job
    if (this.#scene !== undefined) this.range.show(this.#scene) // it may stand still
    this.calls.redraw()
  }

  /** Another run beside this one; undefined takes it away. */
  fork(fork: Fork | undefined): void {
    for (const old of this.#frame.querySelectorAll('.fork, .compare')) old.remove()
    this.transport.forked(fork !== undefined)
    this.#frame.classList.toggle('forked', fork !== undefined)
    if (fork !== undefined) this.transport.root.before(fork.table, fork.root)
  }

  /** Empty takes it away. */
  notice(text: string): void {
    this.#notice.hidden = text === ''
    say(this.#notice, text)
  }

  #choose({ node, job }: { node?: number; job?: number }): void {
    if (job !== undefined) this.#select(job)
    if (node !== undefined) this.breaking.pick(node)
  }

  reset(): void {
    this.stage.reset()
    this.log.reset()
  }

  list(lists: SimLists): void {
    this.#scenario.replaceChildren(...lists.scenarios.map(({ name, what }) => h('option', { value: name, title: what }, name)))
    this.breaking.list(lists)
  }

  chosen(scenario: string, seed: string, chance: boolean, command: string): void {
    this.#scenario.value = scenario
    this.#seed.value = seed
    this.#chance.checked = chance
    say(this.#about, this.#scenario.selectedOptions[0]?.title ?? '')
    say(this.#command, command)
  }

  readPalette(host: Element): void {
    const palette = paletteOf(host)
    this.stage.setPalette(palette)
    this.heat.setPalette(palette)
    this.range.palette = palette
  }

  /** Panels are read, so they change five times a second at most. */
  scene(scene: Scene, nowMs: number, speed: number, said: string | undefined, now = false): void {
    this.#scene = scene
    this.stage.show(scene, nowMs, speed)
    this.log.take(scene)
    this.transport.show(scene.reachedUs, scene.event)
    this.heat.now(scene.reachedUs)
    if (now || scene.violations.length > 0 || nowMs - this.#drawnMs >= 200) this.settle(nowMs, said)
  }

  /** All that is read says what is so now; with the next scene, or where it stands still. */
  settle(nowMs: number, said: string | undefined): void {
    const scene = this.#scene
    if (scene === undefined) return
    const bad = scene.violations.length > 0
    this.#drawnMs = nowMs
    const text = bad ? caption(scene) : (said ?? caption(scene))
    if (text !== this.#captioned) {
      this.#captioned = text
      say(this.#caption, text)
      this.canvas.setAttribute('aria-label', `Simulation of stores, clients and keyhaul. ${text}`)
    }
    toggle(this.#caption, 'bad', bad)
    this.#follow(scene)
    this.oracle.show(scene)
    this.range.show(scene)
    this.breaking.show(scene)
    this.mirror.show(scene)
    this.log.draw()
  }

  foresee(foresight: Foresight | undefined, scene: Scene | undefined): void {
    if (foresight === undefined) this.transport.forget()
    else this.transport.setEnd(foresight.endUs, foresight.marks, scene?.jobs ?? [])
    this.heat.foresee(foresight, (scene?.nodes ?? []).filter(({ kind }) => kind === 'store').map(({ name }) => name), scene?.jobs ?? [])
    this.range.heat = foresight?.heat
    if (scene !== undefined) {
      this.transport.show(scene.reachedUs, scene.event)
      this.range.show(scene)
    }
    this.oracle.foresee(foresight, scene)
  }

  resize(): void {
    const ratio = Math.min(2, devicePixelRatio)
    this.stage.resize(this.box.clientWidth, this.box.clientHeight, ratio)
    this.heat.resize(ratio)
  }

  /** Without a clipboard, where the page is not served securely or stands in a frame that may not, it is shown. */
  async copy(text: string, what: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      this.surveyed(`The ${what} is copied.`) // seen, and heard: it is a status
    } catch {
      this.notice(`This page may not copy. Here is the ${what}: ${text}`)
    }
  }

  surveyed(text: string): void {
    say(this.#surveyed, text)
  }

  /** In place of all else, until a run can be opened; empty brings that back. */
  wrong(text: string): void {
    this.#wrong.hidden = text === ''
    this.#wrong.replaceChildren(text, ' ', this.#instead)
    toggle(this.#frame, 'unshown', text !== '')
    if (text !== '') this.foresee(undefined, undefined)
  }
}
