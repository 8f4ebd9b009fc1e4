// The picture: clients above, stores with their ranges in the middle, keyhaul below, and what is on
// its way between them. Drawn from the last scene; it asks for nothing and changes nothing.
import type { Scene } from '../session.js'
import type { SimJob } from '../view.js'
import { type Drag, drawCuts, drawDrag } from './cuts.js'
import { Dots } from './dots.js'
import { type Box, layOut, outgrew, type Placed, type Row } from './layout.js'
import { writtenSide } from './load.js'
import { drawNode, drawZones, nameClients } from './nodes.js'
import type { Palette } from './palette.js'
import { Rows } from './rows.js'
import { rangeName, sizeOf, stateName } from './words.js'

const DOTS_MAX = 500

export class Stage {
  readonly #context: CanvasRenderingContext2D
  readonly #dots = new Dots(DOTS_MAX)
  readonly #rows = new Rows()
  #palette: Palette | undefined
  #scene: Scene | undefined
  #placed: Placed | undefined
  /** Of the ranges, as they were placed. */
  #sizes: readonly number[] = []
  #width = 0
  #height = 0
  selected = 0
  #still = false
  drag: Drag | undefined

  constructor(readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext('2d') as CanvasRenderingContext2D
  }

  get still(): boolean {
    return this.#still
  }

  /** Little is to move: nothing flies, also not what is on its way by then. */
  set still(is: boolean) {
    this.#still = is
    if (is) this.#dots.reset()
  }

  setPalette(palette: Palette): void {
    this.#palette = palette
    this.#rows.reset()
  }

  resize(width: number, height: number, ratio: number): void {
    this.#width = width
    this.#height = height
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round(height * ratio)
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.#rows.resize(this.canvas.width, this.canvas.height, ratio)
    this.#placed = undefined
  }

  /** Begins anew: nothing of before is on its way. */
  reset(): void {
    this.#dots.reset()
    this.#rows.reset()
    this.#placed = undefined
  }

  show(scene: Scene, nowMs: number, speed: number): void {
    if (scene.nodes.length !== this.#scene?.nodes.length || scene.jobs.length !== this.#scene.jobs.length || outgrew(this.#sizes, scene)) this.#placed = undefined
    this.#scene = scene
    if (!this.#still) this.#dots.send(scene, nowMs, speed)
  }

  /** Messages that are drawn now. */
  get dots(): number {
    return this.#dots.count
  }

  /** What is at this place. */
  hit(x: number, y: number): { node?: number; job?: number } {
    const within = (box: Box, by: number): boolean => x >= box.x - by && x <= box.x + box.w + by && y >= box.y - by && y <= box.y + box.h + by
    for (const [node, box] of this.#placed?.boxes ?? []) {
      if (!within(box, 2)) continue
      const row = this.#placed?.rows.get(node)?.find((one) => within(one, 4))
      return row === undefined ? { node } : { node, job: row.job }
    }
    return {}
  }

  /** Of the range that somebody points at: whose it is now, and what is done with it. Empty: there is none. */
  about(job = -1): string {
    const [range, nodes] = [this.#scene?.jobs[job], this.#scene?.nodes ?? []]
    if (range === undefined) return ''
    const side = writtenSide(range)
    const owner = nodes[side === 0 ? range.source : range.target]?.name
    return `Range ${rangeName(job)}: ${owner} owns it (${stateName(range.gates[side]) || `epoch ${range.epoch}`}); ${stateName(range.state)}`
  }

  /** True while something still moves. */
  draw(nowMs: number): boolean {
    const [scene, palette, c] = [this.#scene, this.#palette, this.#context]
    if (scene === undefined || palette === undefined || this.#width === 0) return false
    if (this.#placed === undefined) {
      this.#placed = layOut(scene, this.#width, this.#height)
      this.#sizes = scene.jobs.map(sizeOf)
      this.#rows.reset()
    }
    const placed = this.#placed
    c.clearRect(0, 0, this.#width, this.#height)
    c.textBaseline = 'middle'
    drawZones(c, scene, placed, palette)
    this.#paths(scene, placed, palette)
    nameClients(c, scene, placed, palette)
    for (const [id, box] of placed.boxes) drawNode(c, scene, id, box, palette)
    const glowing = this.#rows.draw(c, scene, placed.rows, palette, nowMs, this.#still)
    for (const row of [...placed.rows.values()].flat()) this.#aroundRow(scene, row, palette)
    drawCuts(c, scene, placed, palette, this.#height)
    drawDrag(c, this.drag, placed, palette)
    return this.#dots.draw(c, scene, placed, palette, nowMs) || glowing
  }

  #paths(scene: Scene, placed: Placed, { line, bad }: Palette): void {
    const c = this.#context
    c.lineWidth = 1
    for (const [id, box] of placed.boxes) {
      if (scene.nodes[id]?.kind !== 'store') continue
      for (const [mover, to] of placed.boxes) {
        if (scene.nodes[mover]?.kind !== 'mover') continue
        const cut = scene.nodes[id]?.cutFrom.includes(mover) || scene.nodes[mover].cutFrom.includes(id)
        c.strokeStyle = cut ? bad : line
        c.setLineDash(cut ? [3, 5] : [])
        c.beginPath()
        c.moveTo(box.x + box.w / 2, box.y + box.h)
        c.lineTo(to.x + to.w / 2, to.y)
        c.stroke()
        c.setLineDash([])
      }
    }
  }

  /** Around a row what may be at many places, so that rows themselves need not be drawn again. */
  #aroundRow(scene: Scene, { job, x, y, w, h }: Row, palette: Palette): void {
    this.#culprit(scene, job, { x, y, w, h }, palette)
    if (job !== this.selected) return
    this.#context.strokeStyle = palette.ink
    this.#context.lineWidth = 1
    this.#context.strokeRect(x - 2.5, y - 2.5, w + 4.3, h + 5)
  }

  /** Where the key of the first violation is. */
  #culprit(scene: Scene, job: number, { x, y, w, h }: Box, { bad }: Palette): void {
    const key = scene.violations.find((violation) => violation.key !== '')?.key
    const { first, last } = scene.jobs[job] as SimJob
    if (key === undefined || key < first || key > last) return
    const number = (text: string): number => Number(/\d+$/.exec(text)?.[0] ?? 0)
    const at = x + 2 + ((w - 4) * (number(key) - number(first))) / Math.max(1, number(last) - number(first))
    const c = this.#context
    c.strokeStyle = c.fillStyle = bad
    c.lineWidth = 2.5
    c.beginPath()
    c.arc(at, y + h / 2, Math.min(15, h / 2 + 4), 0, 7)
    c.stroke()
    c.beginPath()
    c.arc(at, y + h / 2, 3, 0, 7)
    c.fill()
  }
}
