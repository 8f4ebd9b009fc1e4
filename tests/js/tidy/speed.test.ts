// What README.md says of speed is what the tables of bench/README.md have: the tables are measured again, and the sentence is forgotten.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const text = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
const bench = text('bench/README.md')
const speed = /\n## Speed\n(.*?)\n## /s.exec(text('README.md'))?.[1] ?? ''

/** The cells of the first row that begins so. */
function row(begin: string): string[] {
  const line = bench.split('\n').find((one) => one.startsWith(begin))
  assert.ok(line !== undefined, `no row of bench/README.md begins with ${begin}`)
  return line.split('|').map((cell) => cell.trim())
}

test('moves: so many times as fast as the usual loop and as the bare one', () => {
  const times = (size: string): string[] => row(`| ${size} | keyhaul: checksum`).slice(4, 6).map((cell) => cell.replace('x', ' times'))
  const [small, page, large] = ['1 M x 116 B', '100 k x 4 KiB', '2 k x 256 KiB'].map(times) as [string[], string[], string[]]
  const said = [`116 B, in one run.*: ${small[0]} the usual loop .* ${small[1]} a bare loop`, `4 KiB ${page.join(' and ')}, of 256 KiB ${large.join(' and ')}\\.`]
  assert.match(speed.replaceAll('\n', ' '), new RegExp(said.join('.*')))
})

test('pauses of a live move: median and 99 of 100', () => {
  const [, , median, , most] = row('| pause of the receipts, ms')
  assert.ok(speed.includes(`${median} ms (median), ${most} ms (99 of`), `${median}, ${most}`)
})
