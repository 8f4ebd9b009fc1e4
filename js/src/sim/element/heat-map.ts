// The map itself, of a whole run: what does not change until the next run, drawn once.
import type { Foresight } from '../session.js'
import { MarkKind, type SimHeat, type SimMark } from '../view.js'
import { h } from './dom.js'
import type { Palette } from './palette.js'
import { rangeName, seconds } from './words.js'

export const LEFT = 64
export const AXIS = 18
const WAITING = /^job (\d+): (fencing|draining|readFencing|deciding)$/
const STATE = /^job (\d+): /

/** Writers of a job waited from here to there. */
export interface Pause {
  readonly job: number
  readonly fromUs: number
  readonly toUs: number
}

export function pausesOf({ marks, endUs }: Foresight): Pause[] {
  const pauses: Pause[] = []
  const since = new Map<number, number>()
  for (const [timeUs, , kind, text] of marks) {
    if (kind !== MarkKind.state) continue
    const job = Number(STATE.exec(text)?.[1] ?? -1)
    const fromUs = since.get(job)
    if (WAITING.test(text)) since.set(job, fromUs ?? timeUs)
    else if (fromUs !== undefined) {
      pauses.push({ job, fromUs, toUs: timeUs })
      since.delete(job)
    }
  }
  return [...pauses, ...[...since].map(([job, fromUs]) => ({ job, fromUs, toUs: endUs }))]
}

export interface HeatMap {
  readonly heat: SimHeat
  readonly marks: readonly SimMark[]
  /** Those of the marks with which a range changes its owner. */
  readonly changes: ReadonlySet<SimMark>
  readonly pauses: readonly Pause[]
}

export interface Size {
  readonly width: number
  readonly height: number
  readonly ratio: number
}

export const endOf = ({ columns }: SimHeat): number => columns.at(-1)?.timeUs ?? 1
export const placeOf = (us: number, endUs: number, { width }: Size): number => LEFT + (width - LEFT - 1) * Math.min(1, us / endUs)

/** Width and height of one cell. */
export const cellOf = ({ rows, columns }: SimHeat, { width, height }: Size): [number, number] =>
  [(width - LEFT) / Math.max(1, columns.length), (height - AXIS) / Math.max(1, rows.length)]

export function paintMap(map: HeatMap, size: Size, palette: Palette): HTMLCanvasElement {
  const still = h('canvas', { width: Math.round(size.width * size.ratio), height: Math.round(size.height * size.ratio) })
  const c = still.getContext('2d') as CanvasRenderingContext2D
  c.setTransform(size.ratio, 0, 0, size.ratio, 0, 0)
  paintCells(c, map.heat, size, palette)
  paintPauses(c, map, size, palette)
  paintMarks(c, map, size, palette)
  paintAxes(c, map.heat, size, palette)
  return still
}

function paintCells(c: CanvasRenderingContext2D, heat: SimHeat, size: Size, palette: Palette): void {
  const [w, rowHeight] = cellOf(heat, size)
  const sorted = heat.columns.flatMap(({ writes }) => writes).sort((a, b) => a - b)
  // One key that is hot for a moment is not to make all else look cold.
  const most = Math.max(1, sorted[Math.floor(sorted.length * 0.98)] ?? 1)
  const colour = (letter: string | undefined): string | undefined => (letter === undefined || letter === '-' ? undefined : palette.stores[(letter.charCodeAt(0) - 97) % palette.stores.length])
  for (const [x, column] of heat.columns.entries()) {
    for (let y = 0; y < heat.rows.length; y++) {
      const [left, top, wide, high] = [LEFT + x * w, y * rowHeight, Math.ceil(w + 0.2), Math.ceil(rowHeight) - (rowHeight > 5 ? 1 : 0)]
      c.globalAlpha = 1
      c.fillStyle = palette.empty
      c.fillRect(left, top, wide, high)
      const owner = colour(column.owners[y])
      if (owner === undefined) continue
      c.globalAlpha = 0.3 + 0.7 * Math.min(1, Math.sqrt((column.writes[y] ?? 0) / most))
      c.fillStyle = owner
      c.fillRect(left, top, wide, high)
      c.globalAlpha = 1
      const also = colour(column.also[y])
      if (also !== undefined) {
        c.fillStyle = also
        c.fillRect(left, top + high - Math.max(2, high * 0.3), wide, Math.max(2, high * 0.3))
      }
      if (column.fenced[y] === '1') paintWaiting(c, left, top, Math.max(3, wide), high, palette)
    }
  }
}

/** Half red, half paper, so that it is told from a range in a red colour. */
function paintWaiting(c: CanvasRenderingContext2D, x: number, y: number, wide: number, high: number, { surface, bad }: Palette): void {
  c.fillStyle = surface
  c.fillRect(x, y, wide, high)
  c.fillStyle = bad
  c.fillRect(x, y, wide, Math.max(1, high * 0.5))
}

function paintPauses(c: CanvasRenderingContext2D, { heat, pauses }: HeatMap, size: Size, palette: Palette): void {
  const [endUs, [, rowHeight]] = [endOf(heat), cellOf(heat, size)]
  for (const { job, fromUs, toUs } of pauses) {
    const x = placeOf(fromUs, endUs, size)
    const wide = Math.max(3, placeOf(toUs, endUs, size) - x)
    for (const [y, { jobs }] of heat.rows.entries()) if (jobs.includes(job)) paintWaiting(c, x, y * rowHeight, wide, rowHeight, palette)
  }
}

function paintMarks(c: CanvasRenderingContext2D, { heat: { rows, columns }, marks, changes }: HeatMap, size: Size, { ink, bad, surface }: Palette): void {
  const [endUs, [, rowHeight]] = [endOf({ rows, columns }), cellOf({ rows, columns }, size)]
  for (const mark of marks) {
    const [timeUs, , kind, text] = mark
    const x = placeOf(timeUs, endUs, size)
    const job = changes.has(mark) ? /\d+/.exec(text)?.[0] : undefined
    if (kind === MarkKind.violation) {
      c.fillStyle = bad
      c.fillRect(x - 1.5, 0, 3, rowHeight * rows.length)
    } else if (job !== undefined) {
      const own = rows.flatMap(({ jobs }, y) => (jobs.includes(Number(job)) ? [y] : []))
      if (own.length === 0) continue
      const [top, end] = [(own[0] as number) * rowHeight, ((own.at(-1) as number) + 1) * rowHeight]
      c.fillStyle = surface
      c.fillRect(x - 2, top, 4, end - top)
      c.fillStyle = ink
      c.fillRect(x - 1, top, 2, end - top)
      c.beginPath()
      c.moveTo(x - 4, top)
      c.lineTo(x + 4, top)
      c.lineTo(x, top + 6)
      c.fill()
    }
  }
}

function paintAxes(c: CanvasRenderingContext2D, heat: SimHeat, size: Size, { quiet }: Palette): void {
  const [endUs, [, rowHeight], { rows }] = [endOf(heat), cellOf(heat, size), heat]
  c.fillStyle = quiet
  c.font = '11px system-ui, sans-serif'
  c.textBaseline = 'middle'
  c.textAlign = 'right'
  let last = -100
  for (const [y, row] of rows.entries()) {
    const isFirst = y === 0 || row.jobs[0] !== rows[y - 1]?.jobs[0]
    if (!isFirst || y * rowHeight < last + 13) continue
    last = y * rowHeight
    const name = row.jobs.length === 0 ? 'stays' : row.jobs.length > 3 ? `${rangeName(row.jobs[0] as number)} …` : row.jobs.map(rangeName).join(' ')
    c.fillText(name, LEFT - 6, last + Math.max(6, rowHeight / 2))
  }
  c.textBaseline = 'bottom'
  const steps = size.width < 500 ? 2 : 6
  for (let i = 0; i <= steps; i++) {
    c.textAlign = i === 0 ? 'left' : i === steps ? 'right' : 'center'
    c.fillText(seconds((endUs * i) / steps, 0), placeOf((endUs * i) / steps, endUs, size), size.height - 1)
  }
}
