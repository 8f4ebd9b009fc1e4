// Ranges as rows of cells. They are most of what is drawn and change seldom, so they stand on a
// layer of their own, on which only rows that changed are drawn again.
import type { Scene } from '../session.js'
import type { SimJob } from '../view.js'
import { h as make } from './dom.js'
import type { Row } from './layout.js'
import { LEVELS, levelOf, writtenSide } from './load.js'
import type { Palette } from './palette.js'
import { rangeName, stateName } from './words.js'

const GLOW_MS = 600
/** What nobody writes: pale, and told from what is empty all the same. */
const PALEST = 0.42

interface Drawn {
  own: string
  differ: string
  label: string
  up: number
  /** How much it is written, 0 to LEVELS. */
  level: number
  /** When each cell last changed. */
  readonly atMs: Float64Array
  untilMs: number
}

export class Rows {
  readonly #layer = make('canvas')
  readonly #context = this.#layer.getContext('2d') as CanvasRenderingContext2D
  readonly #drawn = new Map<number, Drawn>()
  #ratio = 1

  resize(width: number, height: number, ratio: number): void {
    this.#layer.width = width
    this.#layer.height = height
    this.#ratio = ratio
    this.reset()
  }

  reset(): void {
    this.#drawn.clear()
    this.#context.setTransform(1, 0, 0, 1, 0, 0)
    this.#context.clearRect(0, 0, this.#layer.width, this.#layer.height)
    this.#context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0)
    this.#context.textBaseline = 'middle'
  }

  /** True while a change still glows. */
  draw(onto: CanvasRenderingContext2D, scene: Scene, rows: ReadonlyMap<number, readonly Row[]>, palette: Palette, nowMs: number, still: boolean): boolean {
    let glowing = false
    // Of all of them, though never of next to nothing.
    const busiest = scene.jobs.reduce((most, { load }) => Math.max(most, load), 4)
    for (const [store, own] of rows) {
      const up = scene.nodes[store]?.up ?? 1
      for (const row of own) glowing = this.#renew(scene, row, up, busiest, palette, nowMs, still) || glowing
    }
    onto.save()
    onto.setTransform(1, 0, 0, 1, 0, 0)
    if (this.#layer.width > 0) onto.drawImage(this.#layer, 0, 0)
    onto.restore()
    return glowing
  }

  #renew(scene: Scene, row: Row, up: number, busiest: number, palette: Palette, nowMs: number, still: boolean): boolean {
    const job = scene.jobs[row.job] as SimJob
    const [own, differ] = [job.cells[row.side], job.cells[2]]
    const label = row.label === 'above' ? `${scene.nodes[row.side === 0 ? job.target : job.source]?.name}/${job.gates[row.side] || job.state}` : ''
    const level = writtenSide(job) === row.side ? levelOf(job.load, busiest) : 0
    const key = row.job * 2 + row.side
    let drawn = this.#drawn.get(key)
    if (drawn !== undefined && drawn.own === own && drawn.differ === differ && drawn.label === label && drawn.up === up && drawn.level === level && nowMs > drawn.untilMs) return false
    if (drawn === undefined) {
      drawn = { own, differ, label, up, level, atMs: new Float64Array(own.length).fill(-GLOW_MS), untilMs: 0 }
      this.#drawn.set(key, drawn)
    } else if (drawn.own !== own || drawn.differ !== differ) {
      for (let i = 0; i < own.length; i++) if (drawn.own[i] !== own[i] || drawn.differ[i] !== differ[i]) drawn.atMs[i] = nowMs
      // What is a pixel high cannot be seen to glow.
      drawn.untilMs = still || row.h < 4 ? 0 : nowMs + GLOW_MS
    }
    Object.assign(drawn, { own, differ, label, up, level })
    this.#row(job, row, scene, drawn, palette, nowMs)
    return drawn.untilMs >= nowMs
  }

  #row(job: SimJob, row: Row, scene: Scene, drawn: Drawn, palette: Palette, nowMs: number): void {
    const c = this.#context
    const colour = palette.ranges[row.job % palette.ranges.length] as string
    const top = row.label === 'above' ? 20 : 0
    const left = row.label === 'left' ? 20 : row.label === 'above' ? 4 : 0
    c.clearRect(row.x - left, row.y - top, row.w + left, row.h + top)
    const alpha = drawn.up === 0 ? 0.35 : 1
    c.globalAlpha = alpha
    if (row.label !== 'none') this.#label(job, row, scene, colour, palette)
    c.fillStyle = palette.empty
    const step = row.w / drawn.own.length
    const wide = step - (step > 3 && row.h >= 4 ? 0.7 : 0)
    if (wide === step) c.fillRect(row.x, row.y, row.w, row.h)
    else for (let i = 0; i < drawn.own.length; i++) c.fillRect(row.x + i * step, row.y, wide, row.h)
    for (let i = 0; i < drawn.own.length; i++) {
      const [filled, from] = [Number(drawn.own[i]), row.x + i * step]
      if (filled > 0) {
        c.globalAlpha = alpha * (PALEST + ((1 - PALEST) * drawn.level) / LEVELS)
        c.fillStyle = colour
        const high = Math.min(row.h, Math.max(3, (row.h * filled) / 9))
        c.fillRect(from, row.y + row.h - high, wide, high)
      }
      if (row.side === 1 && drawn.differ[i] !== '0') {
        c.globalAlpha = alpha
        c.fillStyle = palette.changed
        const strip = Math.min(row.h, Math.max(2, row.h * 0.34))
        c.fillRect(from, row.y, wide, strip)
        // By a gap it is told from what is below, also by who does not tell the colours apart.
        c.fillStyle = palette.surface
        if (row.h >= 8) c.fillRect(from, row.y + strip, wide, 1)
      }
      const since = nowMs - (drawn.atMs[i] as number)
      if (drawn.untilMs > nowMs && since < GLOW_MS) {
        c.globalAlpha = alpha * 0.75 * (1 - since / GLOW_MS)
        c.fillStyle = palette.surface
        c.fillRect(from, row.y, wide, row.h)
      }
    }
    // Whose range it is can be told by its edge, however pale it is.
    c.globalAlpha = alpha
    c.fillStyle = colour
    if (row.label !== 'none') c.fillRect(row.x - 4, row.y, 3, row.h)
    c.globalAlpha = 1
  }

  #label({ source, target, state, gates }: SimJob, { job, side, x, y, w, h, label }: Row, scene: Scene, colour: string, { quiet }: Palette): void {
    const c = this.#context
    c.font = '600 12px system-ui, sans-serif'
    c.textAlign = 'left'
    c.fillStyle = label === 'above' ? colour : quiet
    if (label === 'left') {
      c.fillText(rangeName(job), x - 18, y + h / 2 + 0.5)
      return
    }
    c.fillText(rangeName(job), x, y - 10)
    c.font = '12px system-ui, sans-serif'
    c.fillStyle = quiet
    const name = rangeName(job)
    const other = side === 0 ? `→ ${scene.nodes[target]?.name}` : `← ${scene.nodes[source]?.name}`
    const left = name.length > 1 ? 24 : 14
    c.fillText(other, x + left, y - 10)
    c.textAlign = 'right'
    const room = w - left - c.measureText(other).width - 8
    const what = stateName(gates[side] || state)
    // Without the epoch where there is no room for it; the table beside has it.
    const fits = [what, what.split(',')[0] as string].find((text) => c.measureText(text).width <= room)
    if (fits !== undefined) c.fillText(fits, x + w, y - 10)
  }
}
