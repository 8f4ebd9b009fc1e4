// What the options of a chained put cost: own properties against inherited ones.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { machine } from '../shared/machine.mjs'

const ROWS = 300_000
const rows = Array.from({ length: ROWS }, (_, i) => [Buffer.from(String(i).padStart(16, '0')), Buffer.alloc(100, i)])
const own = { keyEncoding: 'buffer', valueEncoding: 'buffer' }

async function time(options) {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
  const db = new ClassicLevel(folder)
  await db.open()
  let ms = 0
  for (let i = 0; i < ROWS; ) {
    const batch = db.batch()
    const start = performance.now()
    for (const end = Math.min(ROWS, i + 2300); i < end; i++) batch.put(rows[i][0], rows[i][1], options)
    ms += performance.now() - start
    await batch.write()
  }
  await db.close()
  rmSync(folder, { recursive: true })
  return (ms * 1e6) / ROWS
}

await time(own)
const [slow, fast] = [await time(own), await time(Object.create(own))]
console.log(machine('classic-level', 'abstract-level'))
console.log(`own ${slow.toFixed(0)} ns a put, inherited ${fast.toFixed(0)} ns, ${(slow / fast).toFixed(2)}x`)
