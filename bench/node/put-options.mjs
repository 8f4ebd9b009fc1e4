// What a chained put costs: with options as own properties and as inherited ones, and the implementor's own method,
// which js/src/stores/level-batch.ts calls where nobody watches.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { machine } from '../shared/machine.mjs'

const ROWS = 300_000
const rows = Array.from({ length: ROWS }, (_, i) => [Buffer.from(String(i).padStart(16, '0')), Buffer.alloc(100, i)])
const own = { keyEncoding: 'buffer', valueEncoding: 'buffer' }

const put = (batch, [key, value], options) => batch.put(key, value, options)
const direct = (batch, [key, value], options, isFirst) => (isFirst ? batch.put(key, value, options) : batch._put(key, value, options))

async function time(options, add = put) {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
  const db = new ClassicLevel(folder)
  await db.open()
  let ms = 0
  for (let i = 0; i < ROWS; ) {
    const batch = db.batch()
    const start = performance.now()
    for (const [begin, end] = [i, Math.min(ROWS, i + 2300)]; i < end; i++) add(batch, rows[i], options, i === begin)
    ms += performance.now() - start
    await batch.write()
  }
  let found = 0
  for await (const [key, value] of db.iterator(own)) {
    if (!key.equals(rows[found][0]) || !value.equals(rows[found][1])) throw new Error(`row ${found} is another`)
    found++
  }
  if (found !== ROWS) throw new Error(`${found} rows of ${ROWS}`)
  await db.close()
  rmSync(folder, { recursive: true })
  return (ms * 1e6) / ROWS
}

const inherited = Object.create(own)
const WAYS = { 'own options': [own, put], 'inherited options': [inherited, put], '_put': [inherited, direct] }
const times = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]))
for (let round = 0; round < 6; round++) {
  for (const [way, [options, add]] of Object.entries(WAYS)) {
    const ns = await time(options, add)
    if (round > 0) times[way].push(ns) // the first is for the compilers
  }
}
console.log(`${machine('classic-level', 'abstract-level')}\n`)
console.log('| a chained put | ns (lowest to highest) | of own options |\n|---|---|---|')
const median = (list) => [...list].sort((x, y) => x - y)[list.length >> 1]
for (const [way, list] of Object.entries(times)) {
  const ns = [median(list), Math.min(...list), Math.max(...list)]
  console.log(`| ${way} | ${ns[0].toFixed(0)} (${ns[1].toFixed(0)} to ${ns[2].toFixed(0)}) | ${(median(times['own options']) / ns[0]).toFixed(2)}x |`)
}
