// Checksums of a Uint8Array by several packages: equal first, then timed.
import { median, table, takeTurns } from './measure.mjs'

const SIZES = [64, 256, 1024, 4096, 16_384, 65_536, 1 << 20, 16 << 20]
const sizeName = (n) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${n >> 10} KiB` : `${n >> 20} MiB`)

function randomBytes(length) {
  let seed = 1
  return Uint8Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed >>> 24
  })
}

/** `kinds`: a name -> its ways, ours first; `against`: the ways whose ratio is shown. `atOnce`: bytes that are timed together. */
export function checksumTables(kinds, { rounds, against, atOnce }) {
  const data = randomBytes(SIZES[SIZES.length - 1])
  return Object.entries(kinds).map(([kind, ways]) => {
    const names = Object.keys(ways)
    const peers = Object.keys(against).filter((name) => names.includes(name))
    const rows = SIZES.map((size) => {
      const bytes = data.subarray(0, size)
      const results = names.map((name) => ways[name](bytes))
      for (let i = 1; i < names.length; i++) {
        if (results[i] !== results[0]) throw new Error(`${kind} of ${size} bytes: ${names[0]} ${results[0]}, ${names[i]} ${results[i]}`)
      }
      const calls = Math.max(1, Math.ceil(atOnce / (size + 200)))
      const repeated = Object.fromEntries(names.map((name) => [name, () => {
        const run = ways[name]
        for (let i = 0; i < calls; i++) run(bytes)
      }]))
      const times = takeTurns(repeated, { rounds, warmUp: 1, units: calls })
      const cells = names.map((name) => {
        const list = times[name]
        return `${(size / median(list)).toFixed(2)} (${(size / list[list.length - 1]).toFixed(2)} to ${(size / list[0]).toFixed(2)})`
      })
      const ratios = peers.map((name) => `${(median(times[name]) / median(times[names[0]])).toFixed(2)}x`)
      return [sizeName(size), ...cells, ...ratios]
    })
    return table([`${kind}, GB/s (lowest to highest)`, ...names, ...peers.map((name) => against[name])], rows)
  })
}
