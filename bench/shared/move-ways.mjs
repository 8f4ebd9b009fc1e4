// The ways of moving one database into another that move.mjs compares, by the names of its tables.
import { Engine } from '../../dist/index.js'
import { levelStore } from '../../dist/stores/level.js'
import { BYTES, bareLoop, usualLoop } from './loops.mjs'

export const WAYS = {
  'one by one': async (a, b) => {
    for await (const [key, value] of a.iterator(BYTES)) await b.put(key, value, BYTES)
  },
  'usual loop: nextv(1000) + batch([])': usualLoop,
  'chained batch + read-ahead, nothing else on': bareLoop(256 * 1024),
  'keyhaul: checksum, digest, checkpoints, journal': async (a, b, journal, pageBytes) => {
    const engine = new Engine()
    const run = await engine.migrate({ from: levelStore(a), to: levelStore(b), journal, checksum: 'crc32c', ...(pageBytes && { pageBytes: Number(pageBytes) }) })
    const receipt = await run.done
    engine.close()
    if (!receipt.verified) throw new Error('not verified')
    return receipt
  }
}

/** What no way into a memory-level is without, by the method of its implementors: its tree takes rows that lie there ready. Gives its own time. */
export const FLOOR = 'nothing read: the tree of the target takes rows that lie ready'
export async function floor(a, b) {
  const operations = []
  for await (const [key, value] of a.iterator(BYTES)) operations.push({ type: 'put', key, value })
  const start = performance.now()
  for (let i = 0; i < operations.length; i += 1000) await b._batch(operations.slice(i, i + 1000), {})
  return { ms: performance.now() - start }
}
