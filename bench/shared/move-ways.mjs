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
