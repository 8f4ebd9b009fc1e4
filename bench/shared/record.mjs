// A page of records on its way into the core: what each part takes a record.
import { crc32c } from '../../dist/checksum/index.js'
import { Boundary } from '../../dist/engine/boundary.js'
import { EngineHandle } from '../../dist/engine/handle.js'
import { getModule } from '../../dist/engine/load.js'
import { packPage } from '../../dist/stores/packed.js'
import { median, table, takeTurns } from './measure.mjs'

const PAGE_BYTES = 256 * 1024
const HEADER_BYTES = 32
const CONFIG = { slots: 0, sourceSlots: 0, targetSlots: 0, bytesPerSecond: 0, progressEveryMs: 200, stallMs: 30_000, retriesMax: 5, verifyRoundsMax: 2, differencesMax: 100 }

/** The exports of wasm/bench/record.cc. */
function instantiate(bytes) {
  const compiled = new WebAssembly.Module(bytes)
  const imports = {}
  for (const { module, name } of WebAssembly.Module.imports(compiled)) {
    imports[module] ??= {}
    imports[module][name] = () => {
      throw new Error(`the core asked for ${name}`)
    }
  }
  const core = new WebAssembly.Instance(compiled, imports).exports
  core._initialize?.()
  return core
}

/** `bytesOf(length, fill)`: as a store of that platform gives them. `pages`: how many are timed together. */
export function recordTable(wasm, { rounds, bytesOf, pages }) {
  const core = instantiate(wasm)
  const engine = new EngineHandle(getModule(), CONFIG)
  const boundary = new Boundary(getModule(), engine)
  const measure = (valueBytes) => {
    const count = Math.floor(PAGE_BYTES / (16 + valueBytes))
    const entries = Array.from({ length: count }, (_, i) => {
      const key = bytesOf(16, 48)
      key.set(new TextEncoder().encode(String(i).padStart(16, '0')))
      return [key, bytesOf(valueBytes, i + 1)]
    })
    const frame = packPage(entries)
    new Uint8Array(core.memory.buffer).set(frame, core.pageAddress())
    if (core.all(count, frame.length) !== 1) throw new Error('the page is refused')
    if (core.checksumOfLast() >>> 0 !== crc32c(frame.subarray(HEADER_BYTES))) throw new Error('another checksum')
    const digest = core.digestOfLast()
    if (core.parseAndDigest(count, frame.length) !== 1 || core.digestOfLast() !== digest || digest === 0) throw new Error('another digest')
    for (const { buffer, bytes } of [boundary.copyIn(frame), boundary.pack(entries)]) {
      if (bytes !== frame.length) throw new Error('another page')
      engine.release(buffer)
    }
    const ways = {
      'packed already: into the memory': () => engine.release(boundary.copyIn(frame).buffer),
      'from two byte arrays: into the memory': () => engine.release(boundary.pack(entries).buffer),
      'checked (bounds, order, sizes)': () => core.parse(count, frame.length),
      'checked + CRC-32C': () => core.parseAndChecksum(count, frame.length),
      'checked + digest': () => core.parseAndDigest(count, frame.length),
      'checked + CRC-32C + digest': () => core.all(count, frame.length)
    }
    const repeated = Object.fromEntries(Object.entries(ways).map(([name, run]) => [name, () => {
      for (let i = 0; i < pages; i++) run()
    }]))
    return takeTurns(repeated, { rounds, warmUp: 20, units: pages * count })
  }
  const columns = [100, 1000, 4096].map(measure)
  engine.delete()
  const rows = Object.keys(columns[0]).map((name) => [
    name,
    ...columns.map((times) => {
      const list = times[name]
      return `${median(list).toFixed(1)} (${list[0].toFixed(1)} to ${list[list.length - 1].toFixed(0)})`
    })
  ])
  return table(['records of a page of 256 KiB, ns each (lowest to highest)', '116 B', '1,016 B', '4 KiB'], rows)
}
