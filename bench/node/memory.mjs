// Peak memory must follow the window, not the data: the same move with 100 k, 1 M
// and 3 M records, each in a process of its own. Anonymous memory only: LevelDB maps its files, and
// those pages belong to the kernel's cache.
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
  let peak = 0
  const sample = () => {
    peak = Math.max(peak, Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]))
  }
  const timer = setInterval(sample, 10)
  const run = await engine.migrate({ from: levelStore(a), to: levelStore(b) })
  const receipt = await run.done
  clearInterval(timer)
  console.log(JSON.stringify({ entries: receipt.entries, verified: receipt.verified, peakMB: Math.round(peak / 1000) }))
  process.exit(0)
}

// V8 lets garbage lie while there is room; a small heap shows what is really held.
const V8 = ['--max-semi-space-size=2', '--max-old-space-size=64']
const sizes = process.argv.includes('--quick') ? [50_000, 200_000, 600_000] : [100_000, 1_000_000, 3_000_000]
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
  const output = execFileSync(process.execPath, [...V8, import.meta.filename, 'move', path, join(folder, `b${size}`)], { encoding: 'utf8' })
  results.push({ size, ...JSON.parse(output) })
}
rmSync(folder, { recursive: true })
console.log('| records | peak anonymous memory |\n|---|---|')
for (const { size, peakMB } of results) console.log(`| ${size.toLocaleString('en-US')} | ${peakMB} MB |`)
const [least, more, most] = results.map(({ peakMB }) => peakMB)
console.log(`ten times the records, ${(more / least).toFixed(2)}x the peak; thirty times, ${(most / least).toFixed(2)}x`)
if (most / more > 1.4) process.exit(1)
