// Messages on their way, and what becomes of them.
import type { Scene } from '../session.js'
import { Fate, type SimFlight } from '../view.js'
import type { Box, Placed } from './layout.js'
import type { Palette } from './palette.js'

interface Dot {
  readonly flight: SimFlight
  readonly startMs: number
  readonly lastsMs: number
}

const LEAST_MS = 520
const MOST_MS = 20_000
/** So many of one view can be followed one by one; where there are more, a few stand for all. */
const FOLLOWED = 24
const STAND_FOR_ALL = 5

export class Dots {
  #dots: Dot[] = []

  constructor(readonly most: number) {}

  get count(): number {
    return this.#dots.length
  }

  reset(): void {
    this.#dots = []
  }

  send({ flights }: Scene, nowMs: number, speed: number): void {
    const wanted = flights.length > FOLLOWED ? STAND_FOR_ALL : flights.length
    const room = Math.min(wanted, this.most - this.#dots.length)
    if (room <= 0) return
    const every = Math.ceil(flights.length / room)
    for (let i = 0; i < flights.length; i += every) {
      const flight = flights[i] as SimFlight
      const lastsMs = Math.min(MOST_MS, Math.max(LEAST_MS, (flight[5] - flight[4]) / 1000 / speed))
      this.#dots.push({ flight, startMs: nowMs + ((i * 37) % 60), lastsMs })
    }
  }

  /** True while some are on their way. */
  draw(c: CanvasRenderingContext2D, scene: Scene, placed: Placed, palette: Palette, nowMs: number): boolean {
    this.#dots = this.#dots.filter(({ startMs, lastsMs }) => nowMs < startMs + lastsMs)
    for (const { flight, startMs, lastsMs } of this.#dots) {
      const way = wayOf(flight, placed, scene)
      const t = (nowMs - startMs) / lastsMs
      if (way !== undefined && t >= 0) drawOne(c, flight, t, way, scene, palette)
    }
    return this.#dots.length > 0
  }
}

function wayOf(flight: SimFlight, { boxes }: Placed, { nodes }: Scene): [number, number, number, number] | undefined {
  const [from, to] = [boxes.get(flight[0]), boxes.get(flight[1])]
  if (from === undefined || to === undefined) return undefined
  const middle = ({ x, w }: Box): number => x + w / 2
  const end = (box: Box, other: Box, kind: string | undefined): [number, number] =>
    [middle(box) + (kind === 'store' ? (middle(other) > middle(box) ? 1 : -1) * Math.min(14, box.w / 6) : 0), other.y > box.y ? box.y + box.h : box.y]
  return [...end(from, to, nodes[flight[0]]?.kind), ...end(to, from, nodes[flight[1]]?.kind)]
}

/** `t`: 0 where it leaves, 1 where it arrives. */
function drawOne(c: CanvasRenderingContext2D, flight: SimFlight, t: number, [x0, y0, x1, y1]: readonly [number, number, number, number], { nodes }: Scene, palette: Palette): void {
  const ofClient = nodes[flight[0]]?.kind === 'client' || nodes[flight[1]]?.kind === 'client'
  const fate = flight[3]
  const lost = fate === Fate.lost && t > 0.55
  const at = lost ? 0.55 : t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2
  const [x, y] = [x0 + (x1 - x0) * at + Math.sin(at * Math.PI) * (y1 > y0 ? 12 : -12), y0 + (y1 - y0) * at]
  const radius = ofClient ? 2.6 : Math.min(8, 2.6 + Math.sqrt(flight[6]) / 9)
  c.globalAlpha = lost ? Math.max(0, 1 - (t - 0.55) * 2.2) : 1
  c.lineWidth = 2
  if (lost) cross(c, x, y, Math.max(4, radius), palette.bad)
  else if (fate === Fate.damaged) rhombus(c, x, y, Math.max(4, radius) + 2, palette.bad)
  else {
    c.beginPath()
    c.arc(x, y, radius, 0, 7)
    c.fillStyle = c.strokeStyle = ofClient ? palette.quiet : (palette.ranges[flight[7] % palette.ranges.length] as string)
    if (fate === Fate.veryLate) c.strokeRect(x - radius, y - radius, radius * 2, radius * 2)
    else if (fate === Fate.doubled) c.stroke()
    else c.fill()
  }
  c.globalAlpha = 1
}

function cross(c: CanvasRenderingContext2D, x: number, y: number, size: number, colour: string): void {
  c.strokeStyle = colour
  c.beginPath()
  c.moveTo(x - size, y - size)
  c.lineTo(x + size, y + size)
  c.moveTo(x + size, y - size)
  c.lineTo(x - size, y + size)
  c.stroke()
}

function rhombus(c: CanvasRenderingContext2D, x: number, y: number, size: number, colour: string): void {
  c.strokeStyle = colour
  c.beginPath()
  c.moveTo(x, y - size)
  c.lineTo(x + size, y)
  c.lineTo(x, y + size)
  c.lineTo(x - size, y)
  c.closePath()
  c.stroke()
}
