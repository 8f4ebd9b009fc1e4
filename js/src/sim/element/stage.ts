// The picture: clients above, stores with their ranges in the middle, keyhaul below, and what is on
// its way between them. Drawn from the last scene; it asks for nothing and changes nothing.
import { Fate, type SimFlight, type SimJob, type SimNode } from '../view.js'
import type { Scene } from '../session.js'
import { type Box, layOut, outgrew, type Placed, type Row } from './layout.js'
import { Rows } from './rows.js'
import { count, seconds, sizeOf } from './words.js'

interface Dot {
  readonly flight: SimFlight
  readonly startMs: number
  readonly lastsMs: number
}

export interface Palette {
  readonly ink: string
  readonly quiet: string
  readonly line: string
  readonly surface: string
  readonly empty: string
  readonly bad: string
  readonly changed: string
  readonly accent: string
  readonly ranges: readonly string[]
  readonly stores: readonly string[]
}

const DOTS_MAX = 140
const LEAST_MS = 520

export class Stage {
  readonly #context: CanvasRenderingContext2D
  #palette: Palette | undefined
  #scene: Scene | undefined
  #dots: Dot[] = []
  readonly #rows = new Rows()
  #placed: Placed | undefined
  /** Of the ranges, as they were placed. */
  #sizes: readonly number[] = []
  #width = 0
  #height = 0
  selected = 0
  still = false
  /** From this node to here somebody drags. */
  drag: { readonly from: number; readonly x: number; readonly y: number; readonly oneWay: boolean } | undefined

  constructor(readonly canvas: HTMLCanvasElement, readonly dotsMax = DOTS_MAX) {
    this.#context = canvas.getContext('2d') as CanvasRenderingContext2D
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
    this.#dots = []
    this.#rows.reset()
    this.#placed = undefined
  }

  show(scene: Scene, nowMs: number, speed: number): void {
    if (scene.nodes.length !== this.#scene?.nodes.length || scene.jobs.length !== this.#scene.jobs.length || outgrew(this.#sizes, scene)) this.#placed = undefined
    this.#scene = scene
    if (this.still) return
    const room = this.dotsMax - this.#dots.length
    const every = Math.max(1, Math.ceil(scene.flights.length / Math.max(1, Math.min(room, 24))))
    for (const [i, flight] of scene.flights.entries()) {
      if (i % every !== 0 || this.#dots.length >= this.dotsMax) continue
      const lastsMs = Math.min(20_000, Math.max(LEAST_MS, (flight[5] - flight[4]) / 1000 / speed))
      this.#dots.push({ flight, startMs: nowMs + ((i * 37) % 60), lastsMs })
    }
  }

  /** Messages that are drawn now. */
  get dots(): number {
    return this.#dots.length
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

  /** True while something still moves. */
  draw(nowMs: number): boolean {
    const [scene, palette] = [this.#scene, this.#palette]
    if (scene === undefined || palette === undefined || this.#width === 0) return false
    if (this.#placed === undefined) {
      this.#placed = layOut(scene, this.#width, this.#height)
      this.#sizes = scene.jobs.map(sizeOf)
      this.#rows.reset()
    }
    const c = this.#context
    c.clearRect(0, 0, this.#width, this.#height)
    c.textBaseline = 'middle'
    this.#paths(scene, this.#placed, palette)
    this.#namings(scene, this.#placed, palette)
    for (const [id, box] of this.#placed.boxes) {
      const node = scene.nodes[id] as SimNode
      if (node.kind === 'client') this.#client(scene, box, node, palette)
      else if (node.kind === 'store') this.#store(scene, id, node, box, palette)
      else this.#pill(scene, id, node, box, palette)
    }
    const glowing = this.#rows.draw(c, scene, this.#placed.rows, palette, nowMs, this.still)
    for (const row of [...this.#placed.rows.values()].flat()) this.#aroundRow(scene, row, palette)
    this.#cuts(scene, this.#placed, palette)
    this.#dots = this.#dots.filter(({ startMs, lastsMs }) => nowMs < startMs + lastsMs)
    this.#dragged(palette)
    for (const dot of this.#dots) this.#dot(dot, this.#placed, palette, nowMs, scene)
    return glowing || this.#dots.length > 0
  }

  #colour(job: number): string {
    const { ranges } = this.#palette as Palette
    return ranges[job % ranges.length] as string
  }

  #anchors(flight: SimFlight, placed: Placed, scene: Scene): [number, number, number, number] | undefined {
    const [from, to] = [placed.boxes.get(flight[0]), placed.boxes.get(flight[1])]
    if (from === undefined || to === undefined) return undefined
    const at = (box: Box, other: Box, kind: string | undefined): [number, number] => [box.x + box.w / 2 + (kind === 'store' ? (other.x + other.w / 2 > box.x + box.w / 2 ? 1 : -1) * Math.min(14, box.w / 6) : 0), other.y > box.y ? box.y + box.h : box.y]
    return [...at(from, to, scene.nodes[flight[0]]?.kind), ...at(to, from, scene.nodes[flight[1]]?.kind)]
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

  /** Two nodes of which one does not hear the other; where one is cut off altogether its frame says so. */
  #cuts(scene: Scene, placed: Placed, palette: Palette): void {
    for (const [id, node] of scene.nodes.entries()) {
      for (const other of node.cutFrom) {
        const peer = scene.nodes[other]
        const [a, b] = [placed.boxes.get(id), placed.boxes.get(other)]
        if (a === undefined || b === undefined || peer === undefined || node.kind === 'client' || peer.kind === 'client') continue
        if (isCutOff(node, scene.nodes) || isCutOff(peer, scene.nodes)) continue
        const both = peer.cutFrom.includes(id)
        if (!both || id < other) this.#cut(a, b, both, palette)
      }
    }
  }

  #cut(a: Box, b: Box, both: boolean, { bad, surface }: Palette): void {
    // Between neighbours it hangs below them, or stands above those at the bottom; else it goes straight from edge to edge.
    const beside = Math.abs(a.y - b.y) < 5
    const below = beside ? a.y < this.#height / 2 : a.y < b.y
    const edge = (box: Box, isBelow: boolean): [number, number] => [box.x + box.w / 2, isBelow ? box.y + box.h : box.y]
    const [[x0, y0], [x1, y1]] = [edge(a, below), edge(b, beside ? below : !below)]
    const dip = beside ? Math.min(56, 22 + Math.abs(x1 - x0) / 12) * (below ? 1 : -1) : 0
    // Off the middle, where neighbours have theirs.
    const at = beside ? 0.5 : y1 > y0 ? 0.78 : 0.22
    const [x, y] = [x0 + (x1 - x0) * at, y0 + (y1 - y0) * at + dip / 2]
    const c = this.#context
    c.strokeStyle = bad
    c.lineWidth = 2
    c.setLineDash([4, 5])
    c.beginPath()
    c.moveTo(x0, y0)
    if (beside) c.quadraticCurveTo(x, y + dip / 2, x1, y1)
    else c.lineTo(x1, y1)
    c.stroke()
    c.setLineDash([])
    c.beginPath()
    c.arc(x, y, 11, 0, 7)
    c.fillStyle = surface
    c.fill()
    c.stroke()
    c.fillStyle = bad
    c.textAlign = 'center'
    c.font = '700 14px system-ui, sans-serif'
    c.save()
    c.translate(x, y)
    if (!both) c.rotate(Math.atan2(y1 - y0, x1 - x0))
    c.fillText(both ? '×' : '⇥', 0, 1)
    c.restore()
  }

  #dragged({ bad }: Palette): void {
    const box = this.#placed?.boxes.get(this.drag?.from ?? -1)
    if (this.drag === undefined || box === undefined) return
    const c = this.#context
    c.strokeStyle = c.fillStyle = bad
    c.lineWidth = 2.5
    c.setLineDash([6, 5])
    c.beginPath()
    c.moveTo(box.x + box.w / 2, box.y + box.h / 2)
    c.lineTo(this.drag.x, this.drag.y)
    c.stroke()
    c.setLineDash([])
    c.beginPath()
    c.arc(this.drag.x, this.drag.y, this.drag.oneWay ? 4 : 7, 0, 7)
    c.fill()
  }

  /** Who the circles are. */
  #namings(scene: Scene, placed: Placed, { quiet }: Palette): void {
    const first = placed.boxes.get(scene.nodes.findIndex(({ kind }) => kind === 'client'))
    if (first === undefined) return
    const c = this.#context
    c.font = '12px system-ui, sans-serif'
    c.fillStyle = quiet
    c.textAlign = 'left'
    c.fillText('clients', 16, first.y + first.h / 2)
  }

  #client(scene: Scene, box: Box, node: SimNode, { quiet, surface, bad }: Palette): void {
    const c = this.#context
    c.beginPath()
    c.arc(box.x + box.w / 2, box.y + box.h / 2, box.w / 2, 0, 7)
    c.fillStyle = surface
    c.fill()
    c.strokeStyle = isCutOff(node, scene.nodes) ? bad : quiet
    c.lineWidth = 1.5
    c.stroke()
  }

  #frame(scene: Scene, box: Box, node: SimNode, palette: Palette, radius: number): boolean {
    const c = this.#context
    const trouble = troubleOf(node, scene.nodes)
    const troubled = trouble !== ''
    c.beginPath()
    c.roundRect(box.x, box.y, box.w, box.h, radius)
    c.fillStyle = palette.surface
    c.fill()
    c.lineWidth = troubled ? 2 : 1
    c.strokeStyle = troubled ? palette.bad : palette.line
    if (trouble === 'down' || trouble === 'cut off') c.setLineDash([5, 4])
    c.stroke()
    c.setLineDash([])
    return troubled
  }

  #store(scene: Scene, id: number, node: SimNode, box: Box, palette: Palette): void {
    const c = this.#context
    const troubled = this.#frame(scene, box, node, palette, 10)
    c.fillStyle = palette.stores[id % palette.stores.length] as string
    c.fillRect(box.x + 12, box.y, Math.min(46, box.w - 24), 4)
    c.font = '600 15px system-ui, sans-serif'
    c.fillStyle = palette.ink
    c.textAlign = 'left'
    c.fillText(node.name, box.x + 12, box.y + 19)
    c.font = '12px system-ui, sans-serif'
    c.fillStyle = troubled ? palette.bad : palette.quiet
    c.textAlign = 'right'
    const trouble = troubleOf(node, scene.nodes)
    if (box.w > 130) c.fillText(trouble === '' ? `${count(node.entries ?? 0)} keys` : trouble, box.x + box.w - 12, box.y + 19)
    else if (trouble !== '') c.fillText('!', box.x + box.w - 12, box.y + 19)
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

  #pill(scene: Scene, id: number, node: SimNode, box: Box, palette: Palette): void {
    const c = this.#context
    const troubled = this.#frame(scene, box, node, palette, box.h / 2)
    c.textAlign = 'center'
    c.font = '600 14px system-ui, sans-serif'
    c.fillStyle = troubled ? palette.bad : palette.accent
    const under = scene.jobs.filter(({ phase, mover }) => phase === 'running' && mover === id).length
    const doing = troubleOf(node, scene.nodes) || (node.kind === 'mover' ? `moves ${under} range${under === 1 ? '' : 's'}` : '')
    const what = [doing, clockOf(node)].filter((text) => text !== '').join(' · ')
    // Where many coordinators share the row, the name has to do.
    const whole = `${node.name}${what === '' ? '' : ` · ${what}`}`
    c.fillText(c.measureText(whole).width < box.w - 16 ? whole : troubled || clockOf(node) !== '' ? `${node.name} !` : node.name, box.x + box.w / 2, box.y + box.h / 2 + 1, box.w - 8)
  }

  #dot({ flight, startMs, lastsMs }: Dot, placed: Placed, palette: Palette, nowMs: number, scene: Scene): void {
    const way = this.#anchors(flight, placed, scene)
    const t = (nowMs - startMs) / lastsMs
    if (way === undefined || t < 0) return
    const c = this.#context
    const [x0, y0, x1, y1] = way
    const ofClient = scene.nodes[flight[0]]?.kind === 'client' || scene.nodes[flight[1]]?.kind === 'client'
    const fate = flight[3]
    const lost = fate === Fate.lost && t > 0.55
    const at = lost ? 0.55 : t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2
    const [x, y] = [x0 + (x1 - x0) * at + Math.sin(at * Math.PI) * (y1 > y0 ? 12 : -12), y0 + (y1 - y0) * at]
    const radius = ofClient ? 2.6 : Math.min(8, 2.6 + Math.sqrt(flight[6]) / 9)
    const colour = ofClient ? palette.quiet : this.#colour(flight[7])
    c.globalAlpha = lost ? Math.max(0, 1 - (t - 0.55) * 2.2) : 1
    c.lineWidth = 2
    if (lost || fate === Fate.damaged) {
      const size = Math.max(4, radius)
      c.strokeStyle = palette.bad
      c.beginPath()
      if (lost) {
        c.moveTo(x - size, y - size)
        c.lineTo(x + size, y + size)
        c.moveTo(x + size, y - size)
        c.lineTo(x - size, y + size)
      } else {
        c.moveTo(x, y - size - 2)
        c.lineTo(x + size + 2, y)
        c.lineTo(x, y + size + 2)
        c.lineTo(x - size - 2, y)
        c.closePath()
      }
      c.stroke()
    } else {
      c.beginPath()
      c.arc(x, y, radius, 0, 7)
      c.fillStyle = c.strokeStyle = colour
      if (fate === Fate.veryLate) c.strokeRect(x - radius, y - radius, radius * 2, radius * 2)
      else if (fate === Fate.doubled) c.stroke()
      else c.fill()
    }
    c.globalAlpha = 1
  }
}

/** From most of the others: where one is cut off, the others miss only that one. */
const isCutOff = (node: SimNode, nodes: readonly SimNode[]): boolean => node.cutFrom.length * 2 > nodes.length - 1

export function troubleOf(node: SimNode, nodes: readonly SimNode[]): string {
  if (node.up === 0) return 'down'
  if (node.paused === 1) return 'stands still'
  if (isCutOff(node, nodes)) return 'cut off'
  if (node.full === 1) return 'disk full'
  return node.slow === 1 ? 'slow' : ''
}

/** Of a node that is well or not: how far its clock is ahead, once it jumped. */
export const clockOf = ({ aheadUs = 0 }: SimNode): string => (aheadUs === 0 ? '' : `clock +${seconds(aheadUs, 0)}`)
