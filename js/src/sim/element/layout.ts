// Where everything is drawn.
import type { SimView } from '../view.js'

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
}

const margin = (width: number): number => (width < 460 ? 0 : 14)
const HEAD = 34
const CLIENT = 13
const CLIENTS_Y = 20
const STORES_Y = 64
const PILL = 38

export function layOut(view: SimView, width: number, height: number): Placed {
  const boxes = new Map<number, Box>()
  const rows = new Map<number, Row[]>()
  const of = (kind: string): number[] => view.nodes.flatMap((node, i) => (node.kind === kind ? [i] : []))
  const spread = (ids: readonly number[], w: number, y: number, h: number, left = margin(width)): void => {
    const slot = (width - left - margin(width)) / Math.max(1, ids.length)
    for (const [i, id] of ids.entries()) {
      const own = Math.min(w, slot - (width < 460 ? 6 : 10))
      boxes.set(id, { x: left + slot * i + (slot - own) / 2, y, w: own, h })
    }
  }
  spread(of('client'), CLIENT, CLIENTS_Y, CLIENT, 66)
  const bottom = [...of('mover'), ...of('register'), ...of('other')]
  spread(bottom, 240, height - PILL - 6, PILL)
  const stores = of('store')
  spread(stores, 320, STORES_Y, Math.max(90, height - PILL - STORES_Y - 64))
  for (const id of stores) rows.set(id, rowsOf(view, id, boxes.get(id) as Box))
  return { boxes, rows }
}

function rowsOf(view: SimView, store: number, box: Box): Row[] {
  const own = view.jobs.flatMap((job, i): [number, 0 | 1][] => (job.source === store ? [[i, 0]] : job.target === store ? [[i, 1]] : []))
  const room = box.h - HEAD - 10
  const slot = Math.min(92, room / Math.max(1, own.length))
  const label = slot >= 38 ? 'above' : slot >= 12 ? 'left' : 'none'
  const left = label === 'left' ? 32 : 12
  const top = label === 'above' ? 20 : slot * 0.14
  const h = label === 'above' ? Math.min(44, slot - 30) : slot * 0.62
  return own.map(([job, side], i) => ({ job, side, label, x: box.x + left, y: box.y + HEAD + i * slot + top, w: box.w - left - 12, h: Math.max(Math.min(3, slot), h) }))
}
