// The key space by time, of the whole run: who owns each part of it (the stripe's colour), how hot
// it is (how dark), where writers wait, and where a range changes its owner.
import type { Foresight } from '../session.js'
import { MarkKind, type SimColumn, type SimHeat, type SimJob } from '../view.js'
import { h, legendOf, say } from './dom.js'
import { AXIS, cellOf, endOf, type HeatMap, LEFT, paintMap, pausesOf, placeOf } from './heat-map.js'
import { cutoverMarks } from './jump.js'
import type { Palette } from './palette.js'
import { count, plural, rangeName, seconds, stateName } from './words.js'

export class HeatPanel {
  readonly canvas = h('canvas', { tabIndex: 0, role: 'application', 'aria-label': 'Key space by time', part: 'heat' })
  readonly #said = h('p', { className: 'read', role: 'status' }, 'looking ahead …')
  readonly #legend = legendOf('Legend of the key space by time')
  readonly box = h('div', { className: 'heatbox' }, this.canvas)
  readonly root = h('section', { role: 'group', className: 'heat', part: 'heatmap', 'aria-label': 'Key space by time' },
    h('h2', {}, 'Key space by time: who owns what, and where it is hot'), this.box, this.#said, this.#legend)
  readonly #context = this.canvas.getContext('2d') as CanvasRenderingContext2D
  #still: ImageBitmap | HTMLCanvasElement | undefined
  #palette: Palette | undefined
  #map: HeatMap | undefined
  #stores: readonly string[] = []
  #size = { width: 0, height: 0, ratio: 1 }
  #nowUs = 0
  /** Column and row that are read out. */
  #at: [number, number] | undefined

  constructor(readonly seek: (us: number) => void) {
    this.canvas.addEventListener('pointermove', (event) => this.#point(event))
    this.canvas.addEventListener('pointerleave', () => this.#read(undefined))
    this.canvas.addEventListener('click', (event) => {
      this.#point(event)
      this.#go()
    })
    this.canvas.addEventListener('keydown', (event) => this.#key(event))
  }

  setPalette(palette: Palette): void {
    this.#palette = palette
    this.#redraw()
  }

  resize(ratio: number): void {
    this.#size = { width: this.box.clientWidth, height: this.box.clientHeight, ratio }
    this.canvas.width = Math.round(this.#size.width * ratio)
    this.canvas.height = Math.round(this.#size.height * ratio)
    this.#redraw()
  }

  foresee(seen: Foresight | undefined, stores: readonly string[], jobs: readonly SimJob[]): void {
    this.#map = seen && { heat: seen.heat, marks: seen.marks, changes: cutoverMarks(seen.marks, jobs), pauses: pausesOf(seen) }
    this.#at = undefined
    if (seen === undefined) {
      this.#context.setTransform(1, 0, 0, 1, 0, 0)
      this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height)
      say(this.#said, 'looking ahead …')
      return
    }
    this.#stores = stores
    this.#list()
    this.#redraw()
    this.#read(undefined)
  }

  /** A line at this time. */
  now(us: number): void {
    const before = Math.round(this.#x(this.#nowUs))
    this.#nowUs = us
    if (Math.round(this.#x(us)) !== before) this.#draw()
  }

  #list(): void {
    const items = this.#stores.map((name, i) => [`owner${i % 4}`, `${name} owns it`])
    const { pauses = [], heat } = this.#map ?? {}
    const live = pauses.length > 0 || heat?.columns.some(({ fenced }) => fenced.includes('1'))
    const other = [['hot', 'stronger: more writes'], ['also', 'stands there as well'], ...(live ? [['fenced', 'writers wait']] : []), ['tick', 'changes its owner'], ...(this.#map?.marks.some(([, , kind]) => kind === MarkKind.violation) ? [['violation', 'a promise is broken']] : [])]
    this.#legend.replaceChildren(...legendOf('', [...items, ...other]).children)
  }

  get #endUs(): number {
    return this.#map === undefined ? 1 : endOf(this.#map.heat)
  }

  #x(us: number): number {
    return placeOf(us, this.#endUs, this.#size)
  }

  #redraw(): void {
    this.#still = undefined
    this.#draw()
  }

  #draw(): void {
    const { width, height, ratio } = this.#size
    if (this.#palette === undefined || width === 0 || this.#map === undefined) return
    this.#still ??= paintMap(this.#map, this.#size, this.#palette)
    const c = this.#context
    c.setTransform(1, 0, 0, 1, 0, 0)
    c.clearRect(0, 0, this.canvas.width, this.canvas.height)
    c.drawImage(this.#still, 0, 0)
    c.setTransform(ratio, 0, 0, ratio, 0, 0)
    c.fillStyle = this.#palette.ink
    c.fillRect(this.#x(this.#nowUs) - 1, 0, 2, height - AXIS)
    if (this.#at === undefined) return
    const [column, row] = this.#at
    const [w, rowHeight] = cellOf(this.#map.heat, this.#size)
    c.strokeStyle = this.#palette.ink
    c.lineWidth = 2
    c.strokeRect(LEFT + column * w - 1, row * rowHeight, Math.max(5, w + 2), Math.max(5, rowHeight))
  }

  #point({ offsetX, offsetY }: MouseEvent): void {
    if (this.#map === undefined) return
    const [w, rowHeight] = cellOf(this.#map.heat, this.#size)
    this.#read([Math.floor((offsetX - LEFT) / w), Math.floor(offsetY / rowHeight)])
  }

  #read(at: readonly [number, number] | undefined): void {
    const heat = this.#map?.heat
    const column = at === undefined ? undefined : heat?.columns[at[0]]
    const row = at === undefined ? undefined : heat?.rows[at[1]]
    this.#at = column === undefined || row === undefined ? undefined : [at?.[0] ?? 0, at?.[1] ?? 0]
    this.#draw()
    if (heat === undefined) return
    if (this.#at === undefined) {
      say(this.#said, `${plural(heat.rows.length, 'row')} of keys over ${seconds(this.#endUs)}. Point at it, or go through it with the arrow keys; a click or Enter goes to that time.`)
      return
    }
    say(this.#said, this.#sentence(heat, column as SimColumn, this.#at[1], this.#at[0]))
  }

  #sentence({ rows, columns }: SimHeat, column: SimColumn, y: number, x: number): string {
    const row = rows[y] as SimHeat['rows'][0]
    const name = (letter: string | undefined): string => this.#stores[(letter ?? '-').charCodeAt(0) - 97] ?? 'nobody'
    const fromUs = columns[x - 1]?.timeUs ?? 0
    const waits = column.fenced[y] === '1' || this.#map?.pauses.some((one) => row.jobs.includes(one.job) && one.toUs >= fromUs && one.fromUs <= column.timeUs)
    const also = column.also[y] === '-' ? '' : `, stands on ${name(column.also[y])} as well`
    const moving = row.jobs.map((job) => `range ${rangeName(job)} is ${stateName(column.jobs[job]?.[0] ?? '')}`)
    return `${seconds(fromUs)} to ${seconds(column.timeUs)}, ${row.first} … ${row.last} (${plural(row.keys, 'key')}): owned by ${name(column.owners[y])}${also}${waits ? ', writers wait' : ''}, ${count(column.writes[y] ?? 0)} writes${moving.length > 0 ? `; ${moving.join(', ')}` : ''}.`
  }

  #go(): void {
    if (this.#at !== undefined) this.seek(this.#map?.heat.columns[this.#at[0] - 1]?.timeUs ?? 0)
  }

  #key(event: KeyboardEvent): void {
    const heat = this.#map?.heat
    if (heat === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    const far = event.shiftKey ? 10 : 1
    const ways: Record<string, readonly [number, number]> = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }
    const way = ways[event.key]
    if (way === undefined && event.key !== 'Enter' && event.key !== 'Escape') return
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Escape') {
      this.#read(undefined)
      return
    }
    if (way === undefined) {
      this.#go()
      return
    }
    const within = (n: number, most: number): number => Math.min(most - 1, Math.max(0, n))
    const at = this.#at ?? [within(Math.floor((this.#nowUs / this.#endUs) * heat.columns.length), heat.columns.length) - way[0], -way[1]]
    this.#read([within(at[0] + way[0], heat.columns.length), within(at[1] + way[1], heat.rows.length)])
  }
}
