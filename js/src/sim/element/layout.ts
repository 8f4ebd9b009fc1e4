// Where everything is drawn.
import type { SimView } from '../view.js'
import { zonesOf } from './condition.js'
import { sizeOf } from './words.js'

export interface Box {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

/** A range as one side has it. */
export interface Row extends Box {
  readonly job: number
  /** 0 as the source, 1 as the target. */
  readonly side: 0 | 1
  readonly label: 'above' | 'left' | 'none'
}

export interface Placed {
  /** By node. */
  readonly boxes: ReadonlyMap<number, Box>
  /** By store. */
  readonly rows: ReadonlyMap<number, readonly Row[]>
  /** Around the stores that fail together; none, where each fails alone. */
  readonly zones: readonly { readonly zone: string; readonly stores: readonly number[]; readonly box: Box }[]
}

/** In a store, below its name: how much it holds, and is written. */
export const BARS = { y: 31, held: 6, written: 3, leastHeight: 70 }

const margin = (width: number): number => (width < 460 ? 0 : 14)
const HEAD = 46
const CLIENT = 13
const CLIENTS_Y = 20
const STORES_Y = 64
const PILL = 38
const STORE = 320
/** Two nodes in one row, at least. */
const between = (width: number): number => (width < 460 ? 6 : 10)

export function layOut(view: SimView, width: number, height: number): Placed {
  const boxes = new Map<number, Box>()
  const of = (kind: string): number[] => view.nodes.flatMap((node, i) => (node.kind === kind ? [i] : []))
  const spread = (ids: readonly number[], w: number, y: number, h: number, left = margin(width)): void => {
    const slot = (width - left - margin(width)) / Math.max(1, ids.length)
    for (const [i, id] of ids.entries()) {
      const own = Math.min(w, slot - between(width))
      boxes.set(id, { x: left + slot * i + (slot - own) / 2, y, w: own, h })
    }
  }
  spread(of('client'), CLIENT, CLIENTS_Y, CLIENT, 66)
  const bottom = [...of('mover'), ...of('register'), ...of('other')]
  spread(bottom, 240, height - PILL - 6, PILL)
  const stores = of('store')
  const zones = placeStores(view, boxes, stores, width, height)
  return { boxes, zones, rows: rowsOf(view, boxes, stores) }
}

/** All alike; those of one zone side by side, with room between zones. */
function placeStores(view: SimView, boxes: Map<number, Box>, all: readonly number[], width: number, height: number): Placed['zones'] {
  const found = zonesOf(view.nodes)
  const isZoned = found.length > 1 && found.flatMap(({ stores }) => stores).length === all.length
  const zones = isZoned ? found : [{ zone: '', stores: all }]
  const gap = width < 460 ? 6 : 18
  const slot = (width - 2 * margin(width) - gap * (zones.length - 1)) / Math.max(1, all.length)
  const [w, h] = [Math.min(STORE, slot - between(width)), Math.max(90, height - PILL - STORES_Y - 64)]
  let x = margin(width)
  const placed = zones.map(({ zone, stores }) => {
    const left = x
    for (const id of stores) {
      boxes.set(id, { x: x + (slot - w) / 2, y: STORES_Y, w, h })
      x += slot
    }
    const box = { x: left + 1, y: STORES_Y - 22, w: x - left - 2, h: h + 28 }
    x += gap
    return { zone, stores, box }
  })
  return isZoned ? placed : []
}

interface Column {
  readonly store: number
  readonly own: readonly (readonly [job: number, side: 0 | 1])[]
  /** For the rows and what is around them. */
  readonly room: number
  readonly label: Row['label']
  /** Around each row, and of a row: the least and the most. */
  readonly around: number
  readonly least: number
  readonly most: number
}

/** Rows are as wide as their store, and stores are alike; so with heights by bytes to one scale, areas are too. */
function rowsOf(view: SimView, boxes: ReadonlyMap<number, Box>, stores: readonly number[]): Map<number, Row[]> {
  const columns = stores.map((store) => columnOf(view, store, (boxes.get(store) as Box).h - HEAD - 10))
  const sizes = view.jobs.map(sizeOf)
  const most = Math.max(1, ...sizes)
  const high = ({ least, most: top }: Column, job: number, scale: number): number => Math.max(least, Math.min(top, (sizes[job] as number) * scale))
  // The largest is as high as any may be; then smaller, until all fit that are not at their least.
  let scale = Math.max(...columns.map((column) => column.most)) / most
  const fits = (column: Column): boolean => column.own.reduce((sum, [job]) => sum + column.around + high(column, job, scale), 0) <= column.room + 0.5
  for (let i = 0; i < 80 && !columns.every(fits); i++) scale *= 0.93
  return new Map(columns.map((column) => [column.store, placed(column, boxes.get(column.store) as Box, (job) => high(column, job, scale))]))
}

function columnOf(view: SimView, store: number, room: number): Column {
  const own = view.jobs.flatMap((job, i): [number, 0 | 1][] => (job.source === store ? [[i, 0]] : job.target === store ? [[i, 1]] : []))
  const slot = Math.min(92, room / Math.max(1, own.length))
  if (slot >= 38) return { store, own, room, label: 'above', around: 30, least: 8, most: 62 }
  const least = slot >= 12 ? 4 : Math.min(3, slot)
  return { store, own, room, label: slot >= 12 ? 'left' : 'none', around: Math.min(slot * 0.38, slot - least), least, most: slot >= 12 ? 30 : 12 }
}

function placed({ own, label, around }: Column, box: Box, high: (job: number) => number): Row[] {
  const left = label === 'left' ? 32 : 12
  let y = box.y + HEAD
  return own.map(([job, side]) => {
    const h = high(job)
    const row: Row = { job, side, label, x: box.x + left, y: y + (label === 'above' ? 20 : around / 2), w: box.w - left - 12, h }
    y += h + around
    return row
  })
}

/** Whether a range has become so much larger or smaller that it should be drawn so. */
export function outgrew(before: readonly number[], { jobs }: SimView): boolean {
  const most = Math.max(...before)
  return jobs.some((job, i) => Math.abs(sizeOf(job) - (before[i] ?? 0)) > 0.15 * Math.max(most, sizeOf(job)))
}
