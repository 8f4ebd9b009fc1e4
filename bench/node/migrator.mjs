// DataMigrator from JavaScript: 100,000 chunks of 116 B (16 B key, 100 B value), one by one and many
// in one call; each chunk another, and the same 1,000 again and again, which stay in the caches. Counts
// are compared; ways take turns. node bench/node/migrator.mjs
import { DataChunk, DataMigrator } from '../../dist/index.js'
import { machine } from '../shared/machine.mjs'

const CHUNKS = 100_000
const ROUNDS = process.argv.includes('--quick') ? 5 : 21
const chunks = Array.from({ length: CHUNKS }, (_, i) => new DataChunk(Buffer.from(String(i).padStart(16, 'k')), Buffer.alloc(100, i)))
const BATCH = 1000
const batches = Array.from({ length: CHUNKS / BATCH }, (_, i) => chunks.slice(i * BATCH, (i + 1) * BATCH))
const WAYS = {
  'transferChunk, one by one': (migrator, id, batch) => {
    for (const chunk of batch) migrator.transferChunk(id, chunk)
  },
  'transferChunks, 1,000 at once': (migrator, id, batch) => migrator.transferChunks(id, batch),
  'isValid(), for the checksum alone': (migrator, id, batch) => {
    for (const chunk of batch) if (!chunk.isValid()) throw new Error('not valid')
  },
  'a byte of the key and two of the value read, and nothing else': (migrator, id, batch) => {
    for (const { key, value } of batch) read ^= key[0] ^ value[0] ^ value[64]
  }
}
/** Looked at in the end, or nothing need be read. Each chunk is read an even number of times, so it is 0 then. */
let read = 0
const POOLS = { 'each another': batches, 'the same 1,000': batches.map(() => batches[0]) }

const times = Object.fromEntries(Object.keys(WAYS).map((name) => [name, Object.fromEntries(Object.keys(POOLS).map((pool) => [pool, []]))]))
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries(WAYS)) {
    for (const [pool, list] of Object.entries(POOLS)) {
      const migrator = new DataMigrator()
      const id = migrator.startMigration(migrator.createPlan('a', 'b', [['', '\uffff']]))
      // Each batch by itself: what else the machine does then strikes some of them, and not the median.
      const spent = list.map((batch) => {
        const start = process.hrtime.bigint()
        run(migrator, id, batch)
        return Number(process.hrtime.bigint() - start) / BATCH
      })
      const { chunksTransferred } = migrator.completeMigration(id)
      if (chunksTransferred !== (name.startsWith('transfer') ? CHUNKS : 0)) throw new Error(`${name} counted ${chunksTransferred}`)
      if (round > 0) times[name][pool].push(...spent) // the first is for the compilers
      migrator.close()
    }
  }
}
if (read !== 0) throw new Error('read something else')
const text = (list) => {
  list.sort((a, b) => a - b)
  return `${list[list.length >> 1].toFixed(0)} (${list[0].toFixed(0)} to ${list[list.length - 1].toFixed(0)})`
}
console.log(`${machine()}\n`)
console.log(`| 116 B chunks, ns each: median of batches of 1,000 (lowest to highest) | ${Object.keys(POOLS).join(' | ')} |\n|---|---|---|`)
for (const [name, byPool] of Object.entries(times)) console.log(`| ${name} | ${Object.values(byPool).map(text).join(' | ')} |`)
