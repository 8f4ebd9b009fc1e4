// Play, stop, step, seek, how fast.
import type { SimJob, SimMark } from '../view.js'
import { MarkKind } from '../view.js'
import { h, say } from './dom.js'
import { what } from './help.js'
import type { Goal } from './jump.js'
import { cutoverMarks, markBeside } from './jump.js'
import { count, seconds } from './words.js'

export interface TransportCalls {
  toggle(): void
  restart(): void
  step(by: 1 | -1): void
  seek(us: number): void
  jump(goal: Goal, by: 1 | -1): void
  bookmark(): void
  fork(): void
  help(): void
  speed(value: number): void
}

/** 0.1x to 10,000x, by thirds of a decade. */
const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
const CLASSES = ['state', 'fault', 'recovery', 'hand', 'violation', 'healed']

export class Transport {
  readonly #play
  readonly #scrub
  readonly #speed
  readonly #speedSaid = h('output', {}, '1x')
  readonly #reached = h('span', { className: 'reached quiet', hidden: true })
  readonly #now = h('b')
  readonly #time = h('span', { className: 'time' }, what('time'), ' ', this.#now)
  readonly #event = h('b')
  readonly #marks = h('div', { className: 'marks', 'aria-hidden': 'true' })
  readonly #fork: HTMLButtonElement
  readonly #jumps: HTMLButtonElement[]
  readonly root: HTMLElement
  #endUs = 60_000_000
  #marked: readonly SimMark[] = []
  #changes: Set<SimMark> = new Set()

  constructor(calls: TransportCalls, bookmarks: HTMLElement) {
    const button = (label: string, icon: string, onclick: () => void, className = ''): HTMLButtonElement =>
      h('button', { type: 'button', className, 'aria-label': label, title: label, onclick }, icon)
    this.#fork = h('button', { type: 'button', title: 'two runs from here on, side by side', onclick: calls.fork }, 'fork here')
    const jump = (goal: Goal, text: string): HTMLButtonElement => h('button', { type: 'button', 'data-goal': goal, 'aria-label': `To the next ${text}`, onclick: () => calls.jump(goal, 1) }, text)
    this.#jumps = [jump('fault', 'fault'), jump('cutover', 'change of owner'), jump('violation', 'broken promise')]
    this.#play = button('Play', '▶', calls.toggle, 'play')
    this.#scrub = h('input', { type: 'range', className: 'scrub', min: '0', max: '1000', step: '1', value: '0', 'aria-label': 'Time', oninput: () => calls.seek((Number(this.#scrub.value) / 1000) * this.#endUs) })
    this.#speed = h('input', { type: 'range', className: 'speed', min: '0', max: String(SPEEDS.length - 1), step: '1', value: '3', 'aria-label': 'Speed', oninput: () => calls.speed(SPEEDS[Number(this.#speed.value)] as number) })
    this.root = h('div', { className: 'transport', part: 'transport', role: 'group', 'aria-label': 'Time' },
      h('div', { className: 'keys' }, this.#play, button('From the start', '«', calls.restart), button('One event back', '‹', () => calls.step(-1)), button('One event on', '›', () => calls.step(1))),
      h('div', { className: 'line' }, this.#marks, this.#scrub),
      h('span', { className: 'clock' }, this.#time, h('span', {}, what('event'), ' ', this.#event)),
      h('div', { className: 'rate' }, what('speed'), this.#speed, this.#speedSaid, this.#reached),
      h('div', { className: 'jumps', role: 'group', 'aria-label': 'Go to, keep and compare' }, h('span', { className: 'quiet' }, 'go to the next'), ...this.#jumps,
        h('button', { type: 'button', title: 'remember this moment, in the link too', onclick: calls.bookmark }, '☆ bookmark'),
        this.#fork, bookmarks,
        h('button', { type: 'button', className: 'helpbutton', 'aria-label': 'Help: keys and numbers', title: 'Help (?)', onclick: calls.help }, '?')))
  }

  /** The next slower or faster one. */
  static beside(speed: number, by: 1 | -1): number {
    const at = SPEEDS.reduce((best, one, i) => (Math.abs(one - speed) < Math.abs((SPEEDS[best] as number) - speed) ? i : best), 0)
    return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] as number
  }

  setSpeed(speed: number): void {
    const at = SPEEDS.findIndex((one) => one >= speed)
    this.#speed.value = String(at < 0 ? SPEEDS.length - 1 : at)
    say(this.#speedSaid, `${count(speed)}x`)
    this.#speed.setAttribute('aria-valuetext', `${speed} times`)
  }

  /** What this machine does of the speed that is asked for; undefined: all of it. */
  setReached(speed: number, reached: number | undefined): void {
    const tooSlow = reached !== undefined && reached < speed * 0.9
    this.#reached.hidden = !tooSlow
    say(this.#reached, tooSlow ? `this machine reaches ${reached >= 10 ? count(Math.round(reached)) : reached.toFixed(1)}x` : '')
  }

  forked(is: boolean): void {
    say(this.#fork, is ? 'close the fork' : 'fork here')
  }

  setPlaying(playing: boolean): void {
    say(this.#play, playing ? '❚❚' : '▶')
    this.#play.setAttribute('aria-label', playing ? 'Pause' : 'Play')
    this.#play.title = playing ? 'Pause' : 'Play'
  }

  show(timeUs: number, event: number): void {
    if (this.#scrub.getRootNode() instanceof ShadowRoot) this.#scrub.value = String(Math.round((timeUs / this.#endUs) * 1000))
    const [now, nth] = [`${seconds(timeUs)} of ${seconds(this.#endUs, 0)}`, count(event)]
    say(this.#now, now)
    say(this.#event, nth)
    for (const one of this.#jumps) one.disabled = this.mark(event, one.dataset.goal as Goal, 1) === undefined
    this.#scrub.setAttribute('aria-valuetext', `${now}, event ${nth}`)
  }

  setEnd(endUs: number, marks: readonly SimMark[], jobs: readonly SimJob[]): void {
    this.#endUs = Math.max(1, endUs)
    this.#marked = marks
    this.#changes = cutoverMarks(marks, jobs)
    const notable = marks.filter(([, , kind]) => kind !== MarkKind.recovery && kind !== MarkKind.state).slice(0, 400)
    this.#marks.replaceChildren(...notable.map(([timeUs, , kind, text]) => {
      const mark = h('i', { className: CLASSES[kind] ?? '', title: text })
      mark.style.left = `${(timeUs / this.#endUs) * 100}%`
      return mark
    }))
  }

  /** Another run, of which nothing is known yet: the marks of the one before lead nowhere. */
  forget(): void {
    this.#marked = []
    this.#marks.replaceChildren()
  }

  mark(event: number, goal: Goal, by: 1 | -1): SimMark | undefined {
    return markBeside(this.#marked, event, goal, by, this.#changes)
  }
}
