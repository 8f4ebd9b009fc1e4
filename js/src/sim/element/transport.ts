// Play, stop, step, seek, how fast.
import type { SimMark } from '../view.js'
import { MarkKind } from '../view.js'
import { h, say } from './dom.js'
import { seconds } from './words.js'

export interface TransportCalls {
  toggle(): void
  restart(): void
  step(by: 1 | -1): void
  seek(us: number): void
  nextMark(): void
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
  readonly #time = h('span', { className: 'time' })
  readonly #marks = h('div', { className: 'marks', 'aria-hidden': 'true' })
  readonly root: HTMLElement
  #endUs = 60_000_000
  #marked: readonly SimMark[] = []

  constructor(calls: TransportCalls) {
    const button = (label: string, icon: string, onclick: () => void, className = ''): HTMLButtonElement =>
      h('button', { type: 'button', className, 'aria-label': label, title: label, onclick }, icon)
    this.#play = button('Play', '▶', calls.toggle, 'play')
    this.#scrub = h('input', { type: 'range', className: 'scrub', min: '0', max: '1000', step: '1', value: '0', 'aria-label': 'Time', oninput: () => calls.seek((Number(this.#scrub.value) / 1000) * this.#endUs) })
    this.#speed = h('input', { type: 'range', className: 'speed', min: '0', max: String(SPEEDS.length - 1), step: '1', value: '3', 'aria-label': 'Speed', oninput: () => calls.speed(SPEEDS[Number(this.#speed.value)] as number) })
    this.root = h('div', { className: 'transport', part: 'transport', role: 'group', 'aria-label': 'Time' },
      h('div', { className: 'keys' }, this.#play, button('From the start', '«', calls.restart), button('One event back', '‹', () => calls.step(-1)), button('One event on', '›', () => calls.step(1)), button('To the next fault or violation', '»', calls.nextMark)),
      h('div', { className: 'line' }, this.#marks, this.#scrub), this.#time,
      h('label', { className: 'rate' }, h('span', {}, 'speed'), this.#speed, this.#speedSaid))
  }

  /** The next slower or faster one. */
  static beside(speed: number, by: 1 | -1): number {
    const at = SPEEDS.reduce((best, one, i) => (Math.abs(one - speed) < Math.abs((SPEEDS[best] as number) - speed) ? i : best), 0)
    return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] as number
  }

  setSpeed(speed: number): void {
    const at = SPEEDS.findIndex((one) => one >= speed)
    this.#speed.value = String(at < 0 ? SPEEDS.length - 1 : at)
    say(this.#speedSaid, `${speed.toLocaleString('en-US')}x`)
    this.#speed.setAttribute('aria-valuetext', `${speed} times`)
  }

  setPlaying(playing: boolean): void {
    say(this.#play, playing ? '❚❚' : '▶')
    this.#play.setAttribute('aria-label', playing ? 'Pause' : 'Play')
    this.#play.title = playing ? 'Pause' : 'Play'
  }

  show(timeUs: number, event: number): void {
    if (this.#scrub.getRootNode() instanceof ShadowRoot) this.#scrub.value = String(Math.round((timeUs / this.#endUs) * 1000))
    const text = `${seconds(timeUs)} of ${seconds(this.#endUs, 0)}, event ${event.toLocaleString('en-US')}`
    say(this.#time, text)
    this.#scrub.setAttribute('aria-valuetext', text)
  }

  setEnd(endUs: number, marks: readonly SimMark[]): void {
    this.#endUs = Math.max(1, endUs)
    this.#marked = marks
    const notable = marks.filter(([, , kind]) => kind !== MarkKind.recovery && kind !== MarkKind.state).slice(0, 400)
    this.#marks.replaceChildren(...notable.map(([timeUs, , kind, text]) => {
      const mark = h('i', { className: CLASSES[kind] ?? '', title: text })
      mark.style.left = `${(timeUs / this.#endUs) * 100}%`
      return mark
    }))
  }

  /** The next fault, violation or thing done by hand behind this event. */
  nextMark(event: number): SimMark | undefined {
    const notable: readonly number[] = [MarkKind.fault, MarkKind.violation, MarkKind.byHand]
    return this.#marked.find(([, at, kind]) => at > event && notable.includes(kind))
  }
}
