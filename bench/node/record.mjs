// A page of records on its way into the core: what each part takes a record. Ways take turns;
// results are compared first. node bench/node/record.mjs [--quick], after npm run bench built
// build/wasm/wasm/keyhaul_bench_record.wasm (the core's code, with an export for each part).
import { readFileSync } from 'node:fs'
import { crc32c } from '../../dist/checksum/index.js'
import { Boundary } from '../../dist/engine/boundary.js'
import { EngineHandle } from '../../dist/engine/handle.js'
import { getModule } from '../../dist/engine/load.js'

const ROUNDS = process.argv.includes('--quick') ? 11 : 101
const PAGE_BYTES = 256 * 1024
const HEADER_BYTES = 32
const ROOT = new URL('../..', import.meta.url)

const compiled = new WebAssembly.Module(readFileSync(new URL('build/wasm/wasm/keyhaul_bench_record.wasm', ROOT)))
const imports = {}
for (const { module, name } of WebAssembly.Module.imports(compiled)) {
  imports[module] ??= {}
  imports[module][name] = () => {
    throw new Error(`the core asked for ${name}`)
  }
}
const core = new WebAssembly.Instance(compiled, imports).exports
core._initialize?.()

const config = { slots: 0, sourceSlots: 0, targetSlots: 0, bytesPerSecond: 0, progressEveryMs: 200, stallMs: 30_000, retriesMax: 5, verifyRoundsMax: 2, differencesMax: 100 }
const engine = new EngineHandle(getModule(), config)
const boundary = new Boundary(getModule(), engine)

function measure(valueBytes) {
  const count = Math.floor(PAGE_BYTES / (16 + valueBytes))
  // A pool of its own Buffers, as a database gives them.
  const entries = Array.from({ length: count }, (_, i) => [Buffer.from(String(i).padStart(16, '0')), Buffer.alloc(valueBytes, i + 1)])
  const packed = boundary.pack(entries)
  engine.release(packed.buffer)
  const frame = framed(entries, packed.bytes)
  new Uint8Array(core.memory.buffer).set(frame, core.pageAddress())
  if (core.all(count, frame.length) !== 1) throw new Error('the page is refused')
  if (core.checksumOfLast() >>> 0 !== crc32c(frame.subarray(HEADER_BYTES))) throw new Error('another checksum')

  const ways = {
    'packed already: into the memory': () => {
      const to = engine.acquire(frame.length)
      new Uint8Array(getModule().memory.buffer).set(frame, to)
      engine.release(engine.acquired())
    },
    'from two byte arrays: into the memory': () => engine.release(boundary.pack(entries).buffer),
    'checked (bounds, order, sizes)': () => core.parse(count, frame.length),
    'checked + CRC-32C': () => core.parseAndChecksum(count, frame.length),
    'checked + digest': () => core.parseAndDigest(count, frame.length),
    'checked + CRC-32C + digest': () => core.all(count, frame.length)
  }
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (let round = -20; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const start = process.hrtime.bigint()
      run()
      if (round >= 0) times[name].push(Number(process.hrtime.bigint() - start) / count)
    }
  }
  return times
}

/** A page as a store may hold it: header's room, table, bytes. */
function framed(entries, bytes) {
  const frame = new Uint8Array(bytes)
  const words = new DataView(frame.buffer)
  let at = HEADER_BYTES + entries.length * 8
  entries.forEach(([key, value], i) => {
    words.setUint32(HEADER_BYTES + i * 8, key.length, true)
    words.setUint32(HEADER_BYTES + i * 8 + 4, value.length, true)
    frame.set(key, at)
    frame.set(value, at + key.length)
    at += key.length + value.length
  })
  return frame
}

console.log('| records of a page of 256 KiB, ns each (lowest to highest) | 116 B | 1,016 B | 4 KiB |\n|---|---|---|---|')
const columns = [100, 1000, 4096].map(measure)
for (const name of Object.keys(columns[0])) {
  const cells = columns.map((times) => {
    const list = times[name].sort((a, b) => a - b)
    return `${list[list.length >> 1].toFixed(1)} (${list[0].toFixed(1)} to ${list[list.length - 1].toFixed(0)})`
  })
  console.log(`| ${name} | ${cells.join(' | ')} |`)
}
engine.delete()
