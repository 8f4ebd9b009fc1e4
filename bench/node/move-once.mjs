// One way to move one database, in a process of its own that has moved a tenth of it before, as a service that runs has:
// move.mjs starts it with { way, folder, rows, valueBytes, pageBytes } as JSON (without a folder: memory, filled here) and
// reads { ms, verifyMs, fingerprint, expected } from it.
import { join } from 'node:path'
import { Engine } from '../../dist/index.js'
import { levelStore } from '../../dist/stores/level.js'
import { databaseOf, fill, fingerprint } from '../shared/databases.mjs'
import { BYTES, bareLoop, usualLoop } from '../shared/loops.mjs'

const { way, folder, rows, valueBytes, pageBytes } = JSON.parse(process.argv[2])

const WAYS = {
  'one by one': async (a, b) => {
    for await (const [key, value] of a.iterator(BYTES)) await b.put(key, value, BYTES)
  },
  'usual loop: nextv(1000) + batch([])': usualLoop,
  'chained batch + read-ahead, nothing else on': bareLoop(256 * 1024),
  'keyhaul: checksum, digest, checkpoints, journal': async (a, b, journal) => {
    const engine = new Engine()
    const run = await engine.migrate({ from: levelStore(a), to: levelStore(b), journal, checksum: 'crc32c', ...(pageBytes && { pageBytes: Number(pageBytes) }) })
    const receipt = await run.done
    engine.close()
    if (!receipt.verified) throw new Error('not verified')
    return receipt
  }
}

async function move(name, rows) {
  const path = (what) => folder && join(folder, what + name)
  const [a, b] = [databaseOf(path('source')), databaseOf(path('target'))]
  await Promise.all([a.open(), b.open()])
  if (folder === undefined) await fill(a, rows, valueBytes)
  const start = performance.now()
  const receipt = await WAYS[way](a, b, path('journal'))
  const ms = performance.now() - start
  const result = { ms, verifyMs: receipt?.verifyMs, fingerprint: await fingerprint(b), expected: await fingerprint(a) }
  await Promise.all([a.close(), b.close()])
  return result
}

await move('-warm', rows / 10)
console.log(JSON.stringify(await move('', rows)))
