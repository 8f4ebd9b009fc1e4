// One way to move one database, in a process of its own that has moved a tenth of it before, as a service that runs has:
// move.mjs starts it with { way, folder, rows, valueBytes, pageBytes } as JSON (without a folder: memory, filled here) and
// reads { ms, verifyMs, fingerprint, expected } from it.
import { join } from 'node:path'
import { databaseOf, fill, fingerprint } from '../shared/databases.mjs'
import { FLOOR, floor, WAYS } from '../shared/move-ways.mjs'

const { way, folder, rows, valueBytes, pageBytes } = JSON.parse(process.argv[2])

async function move(name, rows) {
  const path = (what) => folder && join(folder, what + name)
  const [a, b] = [databaseOf(path('source')), databaseOf(path('target'))]
  await Promise.all([a.open(), b.open()])
  if (folder === undefined) await fill(a, rows, valueBytes)
  const start = performance.now()
  const receipt = await (way === FLOOR ? floor(a, b) : WAYS[way](a, b, path('journal'), pageBytes))
  const ms = receipt?.ms ?? performance.now() - start
  const result = { ms, verifyMs: receipt?.verifyMs, fingerprint: await fingerprint(b), expected: await fingerprint(a) }
  await Promise.all([a.close(), b.close()])
  return result
}

await move('-warm', rows / 10)
console.log(JSON.stringify(await move('', rows)))
