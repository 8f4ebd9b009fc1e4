// What each module costs until it can be compiled: its bytes as it travels, and how long it takes to unpack, in Node and in headless Chromium.
// The page's module by both packers. npm run bench -- unpack, or after a build: node bench/node/unpack.mjs [--quick]
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { pack } from '../../scripts/pack.mjs'
import { machine } from '../shared/machine.mjs'

const TIMES = process.argv.includes('--quick') ? 3 : 15
const at = (name) => new URL(`../../${name}`, import.meta.url)
const named = async (file) => {
  const { unpacker, packed, apartBytes, wasmBytes } = await import(at(file).href)
  return { unpacker, packed, apartBytes, wasmBytes }
}
const entry = await named('dist/engine/inline.js')
const page = await named('build/page/inline.js')
const lzma = pack(readFileSync(at('build/page/keyhaul-page.wasm')))
const modules = {
  'the entry, LZMA': entry,
  'keyhaul/live, LZMA': await named('dist/live/inline.js'),
  'keyhaul/sim, LZMA': await named('dist/sim/inline.js'),
  'the page, LZMA': { ...page, unpacker: entry.unpacker, packed: lzma.packed.toString('base64'), apartBytes: lzma.apartBytes },
  'the page, mixing': page
}

/** As js/src/engine/instantiate.ts, each time with an unpacker that is compiled anew; in milliseconds. */
function timesOf({ unpacker, packed, apartBytes, wasmBytes }, times) {
  return Array.from({ length: times }, () => {
    const start = performance.now()
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(atob(unpacker), (character) => character.charCodeAt(0))))
    new TextEncoder().encodeInto(packed, new Uint8Array(exports.memory.buffer, 0x10000))
    new Uint8Array(exports.memory.buffer, exports.unpack(0x10000, packed.length, apartBytes), wasmBytes)
    return performance.now() - start
  })
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const shown = (times) => {
  const sorted = [...times].sort((a, b) => a - b)
  return `${sorted[sorted.length >> 1].toFixed(0)} (${sorted[0].toFixed(0)} to ${sorted.at(-1).toFixed(0)})`
}
console.log(`${machine()}, Chromium ${browser.version()}\n`)
console.log('| module | bytes | as it travels, with its unpacker, gzip | Node, ms | Node, processor time, ms | Chromium, ms |\n|---|---|---|---|---|---|')
for (const [name, module] of Object.entries(modules)) {
  const before = process.cpuUsage()
  const node = timesOf(module, TIMES)
  const { user, system } = process.cpuUsage(before)
  const tab = await browser.newPage()
  const inTab = await tab.evaluate(`(${timesOf})(${JSON.stringify(module)}, ${TIMES})`)
  await tab.close()
  const travels = gzipSync(module.unpacker + module.packed, { level: 9 }).length
  console.log(`| ${name} | ${module.wasmBytes} | ${travels} | ${shown(node)} | ${((user + system) / 1000 / TIMES).toFixed(0)} | ${shown(inTab)} |`)
}
await browser.close()
