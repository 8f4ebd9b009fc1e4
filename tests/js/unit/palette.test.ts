// Colours, in both schemes: text and graphics stand out from what they are on, and who owns what can be told also by
// people who do not see red, green or blue as others do. Ranges have letters beside their colours, fates have shapes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STYLE } from '../../../dist/sim/element/style.js'

type Colour = readonly [number, number, number]
type Matrix = readonly [Colour, Colour, Colour]

const byName = (text: string): Map<string, Colour> =>
  new Map([...text.matchAll(/--keyhaul-([\w-]+): #([\da-f]{2})([\da-f]{2})([\da-f]{2})/g)].map(([, name, ...parts]) => [name as string, parts.map((part) => linear(Number.parseInt(part, 16) / 255)) as unknown as Colour]))
const linear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)

const dark = /@media \(prefers-color-scheme: dark\) \{[^{]*\{([^}]*)\}/.exec(STYLE)?.[1] ?? ''
const SCHEMES = { light: byName(STYLE.slice(0, STYLE.indexOf('@media'))), dark: byName(dark) }
const list = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}-${i}`)
const RANGES = list('range', 8)
const STORES = list('store', 4)

// WCAG 2.2: relative luminance and contrast.
const luminance = ([r, g, b]: Colour): number => 0.2126 * r + 0.7152 * g + 0.0722 * b
function contrast(a: Colour, b: Colour): number {
  const [dim, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

// Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
const EYES: Readonly<Record<string, Matrix>> = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
}
const times = (matrix: Matrix, [r, g, b]: Colour): Colour => matrix.map((row) => Math.min(1, Math.max(0, row[0] * r + row[1] * g + row[2] * b))) as unknown as Colour

/** CIE 1976: about 2 can just be told apart side by side, 20 at a glance. */
function difference(a: Colour, b: Colour): number {
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116)
  const lab = (colour: Colour): Colour => {
    const [r, g, blue] = colour
    const [x, y, z] = [f((0.4124564 * r + 0.3575761 * g + 0.1804375 * blue) / 0.95047), f(luminance(colour)), f((0.0193339 * r + 0.119192 * g + 0.9503041 * blue) / 1.08883)]
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
  }
  const [one, two] = [lab(a), lab(b)]
  return Math.hypot(one[0] - two[0], one[1] - two[1], one[2] - two[2])
}

for (const [scheme, palette] of Object.entries(SCHEMES)) {
  const of = (name: string): Colour => palette.get(name) ?? assert.fail(`${name} is not there in ${scheme}`)

  test(`${scheme}: text has a contrast of 4.5, graphics of 3`, () => {
    const papers = ['paper', 'surface', 'good-paper', 'bad-paper']
    for (const on of papers) for (const text of ['ink', 'quiet', 'bad', 'accent']) assert.ok(contrast(of(text), of(on)) >= 4.5, `${text} on ${on}: ${contrast(of(text), of(on))}`)
    // Letters of ranges: in the picture, and in the log.
    for (const on of ['paper', 'surface']) for (const text of RANGES) assert.ok(contrast(of(text), of(on)) >= 4.5, `${text} on ${on}: ${contrast(of(text), of(on))}`)
    assert.ok(contrast(of('on-accent'), of('accent')) >= 4.5)
    for (const on of ['paper', 'surface', 'empty']) for (const one of [...RANGES, ...STORES, 'changed', 'bad', 'accent']) assert.ok(contrast(of(one), of(on)) >= 3, `${one} on ${on}: ${contrast(of(one), of(on))}`)
  })

  test(`${scheme}: owners can be told apart by all eyes, and what is wrong from what is well`, () => {
    for (const [eyes, matrix] of Object.entries(EYES)) {
      const apart = (a: string, b: string, least: number): void => {
        const far = difference(times(matrix, of(a)), times(matrix, of(b)))
        assert.ok(far >= least, `${a} and ${b} to ${eyes} eyes: ${far.toFixed(1)}`)
      }
      for (const [i, a] of STORES.entries()) for (const b of STORES.slice(i + 1)) apart(a, b, 24)
      // Words and signs say it as well.
      apart('bad', 'accent', 15)
    }
  })
}
