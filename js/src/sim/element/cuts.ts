// What does not pass: cuts between nodes, and the one that somebody drags.
import type { Scene } from '../session.js'
import { isCutOff } from './condition.js'
import type { Box, Placed } from './layout.js'
import type { Palette } from './palette.js'

/** From this node to here somebody drags. */
export interface Drag {
  readonly from: number
  readonly x: number
  readonly y: number
  readonly oneWay: boolean
}

/** Two nodes of which one does not hear the other; where one is cut off altogether its frame says so. */
export function drawCuts(c: CanvasRenderingContext2D, scene: Scene, placed: Placed, palette: Palette, height: number): void {
  for (const [id, node] of scene.nodes.entries()) {
    for (const other of node.cutFrom) {
      const peer = scene.nodes[other]
      const [a, b] = [placed.boxes.get(id), placed.boxes.get(other)]
      if (a === undefined || b === undefined || peer === undefined || node.kind === 'client' || peer.kind === 'client') continue
      if (isCutOff(node, scene.nodes) || isCutOff(peer, scene.nodes)) continue
      const both = peer.cutFrom.includes(id)
      if (!both || id < other) drawCut(c, a, b, both, palette, height)
    }
  }
}

function drawCut(c: CanvasRenderingContext2D, a: Box, b: Box, both: boolean, { bad, surface }: Palette, height: number): void {
  // Between neighbours it hangs below them, or stands above those at the bottom; else it goes straight from edge to edge.
  const beside = Math.abs(a.y - b.y) < 5
  const below = beside ? a.y < height / 2 : a.y < b.y
  const edge = (box: Box, isBelow: boolean): [number, number] => [box.x + box.w / 2, isBelow ? box.y + box.h : box.y]
  const [[x0, y0], [x1, y1]] = [edge(a, below), edge(b, beside ? below : !below)]
  const dip = beside ? Math.min(56, 22 + Math.abs(x1 - x0) / 12) * (below ? 1 : -1) : 0
  // Off the middle, where neighbours have theirs.
  const at = beside ? 0.5 : y1 > y0 ? 0.78 : 0.22
  const [x, y] = [x0 + (x1 - x0) * at, y0 + (y1 - y0) * at + dip / 2]
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

export function drawDrag(c: CanvasRenderingContext2D, drag: Drag | undefined, placed: Placed, { bad }: Palette): void {
  const box = placed.boxes.get(drag?.from ?? -1)
  if (drag === undefined || box === undefined) return
  c.strokeStyle = c.fillStyle = bad
  c.lineWidth = 2.5
  c.setLineDash([6, 5])
  c.beginPath()
  c.moveTo(box.x + box.w / 2, box.y + box.h / 2)
  c.lineTo(drag.x, drag.y)
  c.stroke()
  c.setLineDash([])
  c.beginPath()
  c.arc(drag.x, drag.y, drag.oneWay ? 4 : 7, 0, 7)
  c.fill()
}
