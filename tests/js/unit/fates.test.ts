// Each fate of a message on its way looks like no other, whatever its colour, and the legend has it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dots } from '../../../dist/sim/element/dots.js'
import { LEGEND } from '../../../dist/sim/element/show.js'
import type { Palette } from '../../../dist/sim/element/palette.js'
import { Stage } from '../../../dist/sim/element/stage.js'
import { type Scene, Session } from '../../../dist/sim/session.js'
import { Fate } from '../../../dist/sim/view.js'

/** A context that writes down what it is asked to draw, and in which colours. */
class Pen {
  readonly drawn: string[] = []
  readonly canvas: HTMLCanvasElement

  constructor() {
    const set: Record<string, unknown> = {}
    const context = new Proxy({}, {
      set: (_, name, value) => { set[String(name)] = value; return true },
      get: (_, name) => (...args: unknown[]) => {
        if (name === 'measureText') return { width: String(args[0]).length * 7 }
        this.drawn.push(/^(stroke|fill)/.test(String(name)) ? `${String(name)} ${set[String(name).startsWith('stroke') ? 'strokeStyle' : 'fillStyle']}` : String(name))
        return undefined
      }
    })
    this.canvas = { getContext: () => context, append() {}, width: 0, height: 0 } as unknown as HTMLCanvasElement
  }
}

const names = ['ink', 'quiet', 'line', 'surface', 'empty', 'bad', 'changed', 'accent'] as const
const PALETTE = { ...Object.fromEntries(names.map((name) => [name, name])), ranges: ['range'], stores: ['store'] } as unknown as Palette

function sceneWith(flights: Scene['flights']): Scene {
  const session = new Session()
  session.calls.open({ seed: 1, scenario: 'story', faults: 'none' })
  return { ...session.calls.advance(3_000_000, Number.POSITIVE_INFINITY), flights }
}

/** What is drawn of a page from s0 to s1 in the second half of its way. */
function drawn(fate: number): string[] {
  const pens: Pen[] = []
  Object.assign(globalThis, { document: { createElement: () => (pens.push(new Pen()), pens.at(-1)?.canvas) } })
  const flown = (flights: Scene['flights']): string[] => {
    const pen = new Pen()
    const stage = new Stage(pen.canvas)
    stage.setPalette(PALETTE)
    stage.resize(900, 400, 1)
    stage.show(sceneWith(flights), 0, 1)
    stage.draw(380)
    assert.equal(stage.dots, flights.length)
    return pen.drawn
  }
  const bare = flown([])
  return flown([[0, 1, 1, fate, 2_990_000, 3_010_000, 4000, 0]]).slice(bare.length)
}

test('each fate has a shape of its own, and a place in the legend', () => {
  const shapes = Object.entries(Fate).map(([name, fate]) => [name, drawn(fate).join()] as const)
  for (const [name, shape] of shapes) assert.ok(shape.length > 0, `${name} is not drawn`)
  // The colours taken away, so that shapes alone have to differ.
  assert.equal(new Set(shapes.map(([, shape]) => shape.replaceAll(/ \w+/g, ''))).size, shapes.length, shapes.join('\n'))
  const of = Object.fromEntries(shapes)
  assert.match(of.arrives ?? '', /arc,fill range/)
  assert.match(of.doubled ?? '', /arc,stroke range/)
  assert.match(of.veryLate ?? '', /strokeRect range/)
  assert.match(of.lost ?? '', /moveTo,lineTo,moveTo,lineTo,stroke bad/)
  assert.match(of.damaged ?? '', /closePath,stroke bad/)
  const legend: Readonly<Record<string, string>> = { arrives: 'page', lost: 'lost', damaged: 'damaged', doubled: 'twice', veryLate: 'late' }
  for (const [name] of shapes) assert.ok(LEGEND.some(([icon]) => icon === legend[name]), `${name} is not in the legend`)
})

test('what can be followed is all drawn, up to 500; where more is sent at once, a few stand for all', () => {
  const flights = (count: number): Scene['flights'] => Array.from({ length: count }, (_, i) => [0, 1, 1, 0, i, i + 1, 100, 0] as const)
  const dots = new Dots(500)
  const send = (count: number): number => {
    const before = dots.count
    dots.send(sceneWith(flights(count)), 0, 1)
    return dots.count - before
  }
  assert.deepEqual([0, 1, 24].map(send), [0, 1, 24])
  assert.ok([25, 240].map(send).every((sent) => sent >= 3 && sent <= 5))
  for (let i = 0; i < 40; i++) send(24)
  assert.equal(dots.count, 500)
})

test('with little motion nothing is on its way', () => {
  const pen = new Pen()
  Object.assign(globalThis, { document: { createElement: () => new Pen().canvas } })
  const stage = new Stage(pen.canvas)
  stage.still = true
  stage.setPalette(PALETTE)
  stage.resize(900, 400, 1)
  stage.show(sceneWith([[0, 1, 1, Fate.arrives, 2_990_000, 3_010_000, 4000, 0]]), 0, 1)
  assert.equal(stage.draw(380), false)
  assert.equal(stage.dots, 0)
})
