// Nodes as they are drawn: clients, stores with what they hold, keyhaul and the register, zones around stores.
import type { Scene } from '../session.js'
import type { SimNode } from '../view.js'
import { busyOf, clockOf, fillOf, isCutOff, isLost, troubleOf } from './condition.js'
import { BARS, type Box, type Placed } from './layout.js'
import type { Palette } from './palette.js'
import { count, plural } from './words.js'

const SMALL = '12px system-ui, sans-serif'

/** Who the circles are. */
export function nameClients(c: CanvasRenderingContext2D, scene: Scene, placed: Placed, { quiet }: Palette): void {
  const first = placed.boxes.get(scene.nodes.findIndex(({ kind }) => kind === 'client'))
  if (first === undefined) return
  c.font = SMALL
  c.fillStyle = quiet
  c.textAlign = 'left'
  c.fillText('clients', 16, first.y + first.h / 2)
}

/** Behind the stores that fail together. */
export function drawZones(c: CanvasRenderingContext2D, scene: Scene, placed: Placed, { empty, quiet, bad }: Palette): void {
  for (const { zone, stores, box } of placed.zones) {
    const lost = isLost(stores, scene.nodes)
    c.beginPath()
    c.roundRect(box.x, box.y, box.w, box.h, 13)
    c.fillStyle = empty
    c.globalAlpha = 0.45
    c.fill()
    c.globalAlpha = 1
    if (lost) {
      c.strokeStyle = bad
      c.lineWidth = 2
      c.setLineDash([5, 4])
      c.stroke()
      c.setLineDash([])
    }
    c.font = SMALL
    c.textAlign = 'left'
    c.fillStyle = lost ? bad : quiet
    c.fillText(`zone ${zone}${lost ? ' is lost' : ''}`, box.x + 10, box.y + 10)
  }
}

export function drawNode(c: CanvasRenderingContext2D, scene: Scene, id: number, box: Box, palette: Palette): void {
  const node = scene.nodes[id] as SimNode
  if (node.kind === 'client') drawClient(c, scene, box, node, palette)
  else if (node.kind === 'store') drawStore(c, scene, id, node, box, palette)
  else drawPill(c, scene, id, node, box, palette)
}

function drawClient(c: CanvasRenderingContext2D, scene: Scene, box: Box, node: SimNode, { quiet, surface, bad }: Palette): void {
  c.beginPath()
  c.arc(box.x + box.w / 2, box.y + box.h / 2, box.w / 2, 0, 7)
  c.fillStyle = surface
  c.fill()
  c.strokeStyle = isCutOff(node, scene.nodes) ? bad : quiet
  c.lineWidth = 1.5
  c.stroke()
}

/** Its trouble, in words; empty: none. */
function drawFrame(c: CanvasRenderingContext2D, scene: Scene, box: Box, node: SimNode, palette: Palette, radius: number): string {
  const trouble = troubleOf(node, scene.nodes)
  c.beginPath()
  c.roundRect(box.x, box.y, box.w, box.h, radius)
  c.fillStyle = palette.surface
  c.fill()
  c.lineWidth = trouble === '' ? 1 : 2
  c.strokeStyle = trouble === '' ? palette.line : palette.bad
  if (trouble === 'down' || trouble === 'cut off') c.setLineDash([5, 4])
  c.stroke()
  c.setLineDash([])
  return trouble
}

function drawStore(c: CanvasRenderingContext2D, scene: Scene, id: number, node: SimNode, box: Box, palette: Palette): void {
  const trouble = drawFrame(c, scene, box, node, palette, 10)
  const colour = palette.stores[id % palette.stores.length] as string
  c.fillStyle = colour
  c.fillRect(box.x + 12, box.y, Math.min(46, box.w - 24), 4)
  c.font = '600 15px system-ui, sans-serif'
  c.fillStyle = palette.ink
  c.textAlign = 'left'
  c.fillText(node.name, box.x + 12, box.y + 19)
  c.font = SMALL
  c.fillStyle = trouble === '' ? palette.quiet : palette.bad
  c.textAlign = 'right'
  if (box.w > 130) c.fillText(trouble === '' ? `${count(node.entries ?? 0)} keys` : trouble, box.x + box.w - 12, box.y + 19)
  else if (trouble !== '') c.fillText('!', box.x + box.w - 12, box.y + 19)
  if (box.h >= BARS.leastHeight) drawBars(c, scene, node, box, colour, palette)
}

/** What it holds, with a tick at an equal share, which is in the middle; and how much it is written. */
function drawBars(c: CanvasRenderingContext2D, { nodes }: Scene, node: SimNode, box: Box, colour: string, { empty, ink, quiet, bad }: Palette): void {
  const [x, y, w] = [box.x + 12, box.y + BARS.y, box.w - 24]
  c.fillStyle = empty
  c.fillRect(x, y, w, BARS.held)
  c.fillRect(x, y + BARS.held + 2, w, BARS.written)
  c.globalAlpha = node.up === 0 ? 0.35 : 1
  c.fillStyle = node.full === 1 ? bad : colour
  c.fillRect(x, y, node.full === 1 ? w : w * Math.min(1, fillOf(node, nodes) / 2), BARS.held)
  c.fillStyle = quiet
  c.fillRect(x, y + BARS.held + 2, w * Math.min(1, busyOf(node, nodes)), BARS.written)
  c.globalAlpha = 1
  c.fillStyle = ink
  c.fillRect(x + w / 2 - 0.5, y - 2, 1, BARS.held + 3)
}

function drawPill(c: CanvasRenderingContext2D, scene: Scene, id: number, node: SimNode, box: Box, palette: Palette): void {
  const trouble = drawFrame(c, scene, box, node, palette, box.h / 2)
  c.textAlign = 'center'
  c.font = '600 14px system-ui, sans-serif'
  c.fillStyle = trouble === '' ? palette.accent : palette.bad
  const under = scene.jobs.filter(({ phase, mover }) => phase === 'running' && mover === id).length
  const doing = trouble || (node.kind === 'mover' ? `moves ${plural(under, 'range')}` : node.kind === 'register' ? 'who owns what' : '')
  const alarm = trouble || clockOf(node)
  const said = (...parts: string[]): string => [node.name, ...parts].filter((text) => text !== '').join(' · ')
  // Where many coordinators share the row, the name has to do.
  const short = alarm === '' ? node.name : `${node.name} !`
  const fits = [said(doing, clockOf(node)), said(alarm || doing)].find((text) => c.measureText(text).width < box.w - 16)
  c.fillText(fits ?? short, box.x + box.w / 2, box.y + box.h / 2 + 1, box.w - 8)
}
