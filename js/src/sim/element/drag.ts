// Dragging from node to node in the picture parts them; a press without it chooses.
import type { BreakPanel } from './break-panel.js'
import type { Stage } from './stage.js'

const LEAST = 8

export function listenForDrags(canvas: HTMLCanvasElement, stage: Stage, breaking: BreakPanel, calls: { choose(hit: { node?: number; job?: number }): void; redraw(): void }): void {
  let began: { readonly node: number | undefined; readonly x: number; readonly y: number } | undefined
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    began = { node: stage.hit(event.offsetX, event.offsetY).node, x: event.offsetX, y: event.offsetY }
    if (began.node !== undefined) canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointermove', ({ offsetX: x, offsetY: y, shiftKey }) => {
    const { node, job } = stage.hit(x, y)
    canvas.style.cursor = node === undefined ? '' : 'grab'
    canvas.title = stage.about(job)
    if (began?.node === undefined || Math.hypot(x - began.x, y - began.y) < LEAST) return
    stage.drag = { from: began.node, x, y, oneWay: shiftKey }
    calls.redraw()
  })
  canvas.addEventListener('pointerup', ({ offsetX, offsetY, shiftKey }) => {
    const hit = stage.hit(offsetX, offsetY)
    if (stage.drag === undefined) calls.choose(hit)
    else if (hit.node !== undefined && hit.node !== stage.drag.from) breaking.part(stage.drag.from, hit.node, shiftKey || undefined)
    began = stage.drag = undefined
    calls.redraw()
  })
  canvas.addEventListener('pointercancel', () => {
    began = stage.drag = undefined
    calls.redraw()
  })
  // A finger on a node drags; elsewhere it scrolls the page.
  canvas.addEventListener('touchstart', (event) => {
    const touch = event.changedTouches[0]
    const box = canvas.getBoundingClientRect()
    if (touch !== undefined && stage.hit(touch.clientX - box.left, touch.clientY - box.top).node !== undefined) event.preventDefault()
  }, { passive: false })
}
