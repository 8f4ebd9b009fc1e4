// How far the target of a range is behind its source, over the whole run: what is missing, what is
// different, when calls failed, and when writers had to wait.
import type { SimHeat } from '../view.js'
import { h, legendOf } from './dom.js'
import type { Palette } from './palette.js'
import { count, seconds } from './words.js'

const HEIGHT = 72
const PAUSED = /^(fencing|draining|readFencing|deciding)$/

export class LagChart {
  readonly #canvas = h('canvas', { role: 'img', 'aria-label': '' })
  readonly #box = h('div', { className: 'lag' }, this.#canvas)
  readonly #legend = legendOf('Legend of keys behind', [['', 'not there yet'], ['differ', 'different'], ['held', 'writers wait'], ['failed', 'a call failed']])
  readonly root = h('div', { hidden: true }, this.#box, this.#legend)
  readonly #context = this.#canvas.getContext('2d') as CanvasRenderingContext2D
  #drawn = ''

  draw(heat: SimHeat | undefined, job: number, nowUs: number, palette: Palette | undefined): void {
    this.root.hidden = heat === undefined || (heat.columns.at(-1)?.jobs.length ?? 0) <= job
    const width = this.#box.clientWidth
    if (this.root.hidden || heat === undefined || palette === undefined || width === 0) return
    // From its beginning to a little behind its end: the rest of the run says nothing of it.
    const all = heat.columns.map(({ jobs }) => jobs[job])
    const from = Math.max(0, all.findIndex((one) => one !== undefined && one[0] !== 'pending') - 1)
    const to = Math.min(all.length, all.findLastIndex((one, i) => one?.[0] !== all[i + 1]?.[0] && i + 1 < all.length) + 4)
    const columns = heat.columns.slice(from, Math.max(to, from + 8))
    const [startUs, endUs] = [heat.columns[from - 1]?.timeUs ?? 0, columns.at(-1)?.timeUs ?? 1]
    const x = (us: number): number => (width * (us - startUs)) / (endUs - startUs)
    const stamp = `${job}/${width}/${Math.round(x(nowUs))}/${palette.ink}/${startUs}/${endUs}`
    if (stamp === this.#drawn) return
    this.#drawn = stamp
    const ratio = Math.min(2, devicePixelRatio)
    this.#canvas.width = Math.round(width * ratio)
    this.#canvas.height = HEIGHT * ratio
    const c = this.#context
    c.setTransform(ratio, 0, 0, ratio, 0, 0)
    const states = columns.map(({ jobs }) => jobs[job])
    const most = Math.max(1, ...states.map((one) => (one?.[1] ?? 0) + (one?.[2] ?? 0)))
    const y = (keys: number): number => HEIGHT - 14 - (keys / most) * (HEIGHT - 30)
    const wide = width / columns.length
    for (const [i, one] of states.entries()) {
      if (one === undefined) continue
      const [state, missing, differ, retries] = one
      const left = i * wide
      if (PAUSED.test(state)) {
        c.fillStyle = palette.bad
        c.fillRect(left, 14, Math.max(2, wide), HEIGHT - 28)
      }
      c.fillStyle = palette.ranges[job % palette.ranges.length] as string
      c.fillRect(left, y(missing), wide + 0.4, HEIGHT - 14 - y(missing))
      c.fillStyle = palette.changed
      c.fillRect(left, y(missing + differ), wide + 0.4, y(missing) - y(missing + differ))
      if (retries > (states[i - 1]?.[3] ?? 0)) {
        c.fillStyle = palette.bad
        c.fillRect(left, HEIGHT - 12, Math.max(2, wide), 4)
      }
    }
    c.fillStyle = palette.line
    c.fillRect(0, HEIGHT - 14, width, 1)
    c.fillStyle = palette.ink
    c.fillRect(x(nowUs) - 1, 12, 2, HEIGHT - 26)
    c.font = '11px system-ui, sans-serif'
    c.fillStyle = palette.quiet
    c.textBaseline = 'top'
    c.fillText(`keys behind, at most ${count(most)}`, 1, 1)
    c.textAlign = 'right'
    c.fillText(`${seconds(startUs)} to ${seconds(endUs)}`, width - 1, 1)
    this.#legend.style.setProperty('--keyhaul-range-0', palette.ranges[job % palette.ranges.length] as string)
    const last = states.at(-1)
    this.#canvas.setAttribute('aria-label', `Keys behind, ${seconds(startUs)} to ${seconds(endUs)}: at most ${count(most)}, at the end ${count((last?.[1] ?? 0) + (last?.[2] ?? 0))}; ${count(last?.[3] ?? 0)} calls failed.`)
  }
}
