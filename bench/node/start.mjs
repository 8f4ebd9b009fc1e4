// From nothing to the first checksum, and what an engine at rest holds: fresh processes, each against an empty
// one in turn. node bench/node/start.mjs [--quick]
import { execFileSync } from 'node:child_process'
import { machine } from '../shared/machine.mjs'
import { median, table } from '../shared/measure.mjs'

const ROUNDS = process.argv.includes('--quick') ? 7 : 31
const at = (path) => JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href)
const CODE = {
  nothing: '',
  'keyhaul/checksum: import, crc32 of 9 bytes': `const { crc32 } = await import(${at('checksum/index.js')}); if (crc32('123456789') !== 0xcbf43926) throw 1;`,
  'keyhaul: import, crc32 of 9 bytes': `const { crc32 } = await import(${at('index.js')}); if (crc32('123456789') !== 0xcbf43926) throw 1;`,
  'keyhaul: import, new Engine()': `const { Engine } = await import(${at('index.js')}); globalThis.engine = new Engine();`
}
// Milliseconds from before the import to behind what follows, by the clock and of the processor, which other work on
// the machine changes less; the memory of the process, and that of the module.
const program = (code) => `
  const before = process.cpuUsage()
  const start = performance.now()
  ${code}
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  const rss = process.memoryUsage.rss()
  const { getModule } = await import(${at('engine/load.js')})
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, rss, linear: ${code.includes('Engine') ? 'getModule().memory.buffer.byteLength' : '0'} }))`

const results = Object.fromEntries(Object.keys(CODE).map((name) => [name, { ms: [], cpuMs: [], wholeMs: [], rss: [], linear: 0 }]))
for (let round = -1; round < ROUNDS; round++) {
  for (const [name, code] of Object.entries(CODE)) {
    const start = performance.now()
    const { ms, cpuMs, rss, linear } = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program(code)], { encoding: 'utf8' }))
    if (round < 0) continue // the files come from the disk
    const result = results[name]
    result.ms.push(ms)
    result.cpuMs.push(cpuMs)
    result.wholeMs.push(performance.now() - start)
    result.rss.push(rss / 2 ** 20)
    result.linear = linear
  }
}
const spread = (list, digits) => {
  list.sort((a, b) => a - b)
  return `${median(list).toFixed(digits)} (${list[0].toFixed(digits)} to ${list[list.length - 1].toFixed(digits)})`
}
console.log(machine())
console.log(table(['in a fresh process', 'ms (lowest to highest)', 'of the processor, ms', 'whole process, ms', 'resident, MB', 'linear memory, MiB'],
  Object.entries(results).map(([name, { ms, cpuMs, wholeMs, rss, linear }]) => [name, spread(ms, 1), spread(cpuMs, 1), spread(wholeMs, 0), spread(rss, 1), linear === 0 ? '' : (linear / 2 ** 20).toFixed(1)])))
