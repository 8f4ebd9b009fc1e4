// The key space by time, of the whole run: who owns each part of it (the stripe's colour), how hot
// it is (how dark), where writers wait, and where a range changes its owner.
import type { Foresight } from '../session.js'
import { MarkKind, type SimColumn, type SimHeat, type SimJob, type SimMark } from '../view.js'
import { h, say } from './dom.js'
import { cutoverMarks } from './jump.js'
import type { Palette } from './stage.js'
import { count, plural, rangeName, seconds, stateName } from './words.js'

const LEFT = 64
const AXIS = 18
const WAITING = /^job (\d+): (fencing|draining|readFencing|deciding)$/
const STATE = /^job (\d+): /

/** Writers of a job waited from here to there. */
interface Pause {
  readonly job: number
  readonly fromUs: number
  readonly toUs: number
}

function pausesOf({ marks, endUs }: Foresight): Pause[] {
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

export class HeatPanel {
  readonly canvas = h('canvas', { tabIndex: 0, role: 'application', 'aria-label': 'Key space by time', part: 'heat' })
  readonly #said = h('p', { className: 'read', role: 'status' }, 'looking ahead …')
  readonly #legend = h('ul', { className: 'legend', 'aria-label': 'Legend of the key space by time' })
  readonly box = h('div', { className: 'heatbox' }, this.canvas)
  readonly root = h('section', { role: 'group', className: 'heat', part: 'heatmap', 'aria-label': 'Key space by time' },
    h('h2', {}, 'Key space by time: who owns what, and where it is hot'), this.box, this.#said, this.#legend)
  readonly #context = this.canvas.getContext('2d') as CanvasRenderingContext2D
  #still: ImageBitmap | HTMLCanvasElement | undefined
  #palette: Palette | undefined
  #heat: SimHeat | undefined
  #seen: Foresight | undefined
  #changes: Set<SimMark> = new Set()
  #pauses: readonly Pause[] = []
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
    this.#seen = seen
    this.#changes = cutoverMarks(seen?.marks ?? [], jobs)
    this.#heat = seen?.heat
    this.#at = undefined
    if (seen === undefined) {
      this.#pauses = []
      this.#context.setTransform(1, 0, 0, 1, 0, 0)
      this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height)
      say(this.#said, 'looking ahead …')
      return
    }
    this.#pauses = pausesOf(seen)
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
    const live = this.#pauses.length > 0 || this.#heat?.columns.some(({ fenced }) => fenced.includes('1'))
    const other = [['hot', 'darker: more writes'], ['also', 'stands there as well'], ...(live ? [['fenced', 'writers wait']] : []), ['tick', 'changes its owner']]
    this.#legend.replaceChildren(...[...items, ...other].map(([name, text]) => h('li', {}, h('i', { className: name ?? '', 'aria-hidden': 'true' }), text ?? '')))
  }

  get #endUs(): number {
    return this.#heat?.columns.at(-1)?.timeUs ?? 1
  }

  #x(us: number): number {
    return LEFT + (this.#size.width - LEFT - 1) * Math.min(1, us / this.#endUs)
  }

  #redraw(): void {
    this.#still = undefined
    this.#draw()
  }

  #draw(): void {
    const { width, height, ratio } = this.#size
    if (this.#palette === undefined || width === 0 || this.#heat === undefined) return
    this.#still ??= this.#paint(this.#heat, this.#palette)
    const c = this.#context
    c.setTransform(1, 0, 0, 1, 0, 0)
    c.clearRect(0, 0, this.canvas.width, this.canvas.height)
    c.drawImage(this.#still, 0, 0)
    c.setTransform(ratio, 0, 0, ratio, 0, 0)
    c.fillStyle = this.#palette.ink
    c.fillRect(this.#x(this.#nowUs) - 1, 0, 2, height - AXIS)
    if (this.#at === undefined) return
    const [column, row] = this.#at
    const [w, rowHeight] = this.#cell()
    c.strokeStyle = this.#palette.ink
    c.lineWidth = 2
    c.strokeRect(LEFT + column * w - 1, row * rowHeight, Math.max(5, w + 2), Math.max(5, rowHeight))
  }

  #cell(): [number, number] {
    const { rows, columns } = this.#heat as SimHeat
    return [(this.#size.width - LEFT) / Math.max(1, columns.length), (this.#size.height - AXIS) / Math.max(1, rows.length)]
  }

  /** All that does not change until the next run, drawn once. */
  #paint(heat: SimHeat, palette: Palette): HTMLCanvasElement {
    const still = h('canvas', { width: this.canvas.width, height: this.canvas.height })
    const c = still.getContext('2d') as CanvasRenderingContext2D
    c.setTransform(this.#size.ratio, 0, 0, this.#size.ratio, 0, 0)
    const [w, rowHeight] = this.#cell()
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
        const also = colour(column.also[y])
        if (also !== undefined) {
          c.globalAlpha = 1
          c.fillStyle = also
          c.fillRect(left, top + high - Math.max(2, high * 0.3), wide, Math.max(2, high * 0.3))
        }
        if (column.fenced[y] === '1') {
          c.globalAlpha = 1
          c.fillStyle = palette.surface
          c.fillRect(left, top, Math.max(3, wide), high)
          c.fillStyle = palette.bad
          c.fillRect(left, top, Math.max(3, wide), Math.max(1, high * 0.5))
        }
      }
    }
    c.globalAlpha = 1
    this.#ticks(c, heat, palette, rowHeight)
    this.#axes(c, heat, palette, rowHeight)
    return still
  }

  #ticks(c: CanvasRenderingContext2D, { rows }: SimHeat, { ink, bad, surface }: Palette, rowHeight: number): void {
    for (const { job, fromUs, toUs } of this.#pauses) {
      const [x, wide] = [this.#x(fromUs), Math.max(3, this.#x(toUs) - this.#x(fromUs))]
      for (const [y, { jobs }] of rows.entries()) {
        if (!jobs.includes(job)) continue
        c.fillStyle = surface
        c.fillRect(x, y * rowHeight, wide, rowHeight)
        c.fillStyle = bad
        c.fillRect(x, y * rowHeight, wide, Math.max(1, rowHeight * 0.5))
      }
    }
    for (const mark of this.#seen?.marks ?? []) {
      const [timeUs, , kind, text] = mark
      const x = this.#x(timeUs)
      const job = this.#changes.has(mark) ? /\d+/.exec(text)?.[0] : undefined
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

  #axes(c: CanvasRenderingContext2D, { rows }: SimHeat, { quiet }: Palette, rowHeight: number): void {
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
    const bottom = this.#size.height - 1
    const steps = this.#size.width < 500 ? 2 : 6
    for (let i = 0; i <= steps; i++) {
      c.textAlign = i === 0 ? 'left' : i === steps ? 'right' : 'center'
      c.fillText(seconds((this.#endUs * i) / steps, 0), this.#x((this.#endUs * i) / steps), bottom)
    }
  }

  #point({ offsetX, offsetY }: MouseEvent): void {
    if (this.#heat === undefined) return
    const [w, rowHeight] = this.#cell()
    this.#read([Math.floor((offsetX - LEFT) / w), Math.floor(offsetY / rowHeight)])
  }

  #read(at: readonly [number, number] | undefined): void {
    const heat = this.#heat
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
    const waits = column.fenced[y] === '1' || this.#pauses.some((one) => row.jobs.includes(one.job) && one.toUs >= fromUs && one.fromUs <= column.timeUs)
    const also = column.also[y] === '-' ? '' : `, stands on ${name(column.also[y])} as well`
    const moving = row.jobs.map((job) => `range ${rangeName(job)} is ${stateName(column.jobs[job]?.[0] ?? '')}`)
    return `${seconds(fromUs)} to ${seconds(column.timeUs)}, ${row.first} … ${row.last} (${plural(row.keys, 'key')}): owned by ${name(column.owners[y])}${also}${waits ? ', writers wait' : ''}, ${count(column.writes[y] ?? 0)} writes${moving.length > 0 ? `; ${moving.join(', ')}` : ''}.`
  }

  #go(): void {
    if (this.#at !== undefined) this.seek(this.#heat?.columns[this.#at[0] - 1]?.timeUs ?? 0)
  }

  #key(event: KeyboardEvent): void {
    const heat = this.#heat
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
