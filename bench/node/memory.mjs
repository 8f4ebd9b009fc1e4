// Peak memory must follow the window, not the data: the same move with 100 k and with 1 M
// records, each in a process of its own, peak resident set by the kernel's account.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

if (process.argv[2] === 'move') {
  const { Engine } = await import('../../dist/index.js')
  const { levelStore } = await import('../../dist/stores/level.js')
  const [a, b] = [new ClassicLevel(process.argv[3]), new ClassicLevel(process.argv[4])]
  const engine = new Engine()
  const run = await engine.migrate({ from: levelStore(a), to: levelStore(b) })
  const receipt = await run.done
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  console.log(JSON.stringify({ entries: receipt.entries, verified: receipt.verified, peakMB: Math.round(peak / 1000) }))
  process.exit(0)
}

const sizes = process.argv.includes('--quick') ? [20_000, 200_000] : [100_000, 1_000_000]
const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bench-'))
const results = []
for (const size of sizes) {
  const path = join(folder, `a${size}`)
  const db = new ClassicLevel(path)
  await db.open()
  for (let i = 0; i < size; ) {
    const batch = db.batch()
    for (const end = i + 10_000; i < end; i++) batch.put(String(i).padStart(16, '0'), String(i).padEnd(100, 'v'))
    await batch.write()
  }
  await db.close()
  const output = execFileSync(process.execPath, [import.meta.filename, 'move', path, join(folder, `b${size}`)], { encoding: 'utf8' })
  results.push({ size, ...JSON.parse(output) })
}
rmSync(folder, { recursive: true })
console.log('| records | peak resident set |\n|---|---|')
for (const { size, peakMB } of results) console.log(`| ${size.toLocaleString('en-US')} | ${peakMB} MB |`)
const ratio = results[1].peakMB / results[0].peakMB
console.log(`ten times the records, ${ratio.toFixed(2)}x the peak`)
if (ratio > 1.5) process.exit(1)
