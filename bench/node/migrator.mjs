// DataMigrator from JavaScript: 100,000 chunks of 116 B (16 B key, 100 B value), one by one and many
// in one call. Both are counted and compared first; ways take turns. node bench/node/migrator.mjs
import { DataChunk, DataMigrator } from '../../dist/index.js'
import { machine } from '../shared/machine.mjs'

const CHUNKS = 100_000
const ROUNDS = process.argv.includes('--quick') ? 5 : 21
const chunks = Array.from({ length: CHUNKS }, (_, i) => new DataChunk(Buffer.from(String(i).padStart(16, 'k')), Buffer.alloc(100, i)))
const WAYS = {
  'transferChunk, one by one': (migrator, id) => {
    for (const chunk of chunks) migrator.transferChunk(id, chunk)
  },
  'transferChunks, 1,000 at once': (migrator, id) => {
    for (let at = 0; at < CHUNKS; at += 1000) migrator.transferChunks(id, chunks.slice(at, at + 1000))
  },
  'isValid(), for the checksum alone': () => {
    for (const chunk of chunks) if (!chunk.isValid()) throw new Error('not valid')
  }
}

const times = Object.fromEntries(Object.keys(WAYS).map((name) => [name, []]))
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries(WAYS)) {
    const migrator = new DataMigrator()
    const id = migrator.startMigration(migrator.createPlan('a', 'b', [['', '\uffff']]))
    const start = process.hrtime.bigint()
    run(migrator, id)
    const ns = Number(process.hrtime.bigint() - start) / CHUNKS
    const { chunksTransferred } = migrator.completeMigration(id)
    if (chunksTransferred !== (name.startsWith('transfer') ? CHUNKS : 0)) throw new Error(`${name} counted ${chunksTransferred}`)
    if (round > 0) times[name].push(ns) // the first is for the compilers
    migrator.close()
  }
}
console.log(`${machine()}\n`)
console.log('| 116 B chunks | ns a chunk (lowest to highest) |\n|---|---|')
for (const [name, list] of Object.entries(times)) {
  list.sort((a, b) => a - b)
  console.log(`| ${name} | ${list[list.length >> 1].toFixed(0)} (${list[0].toFixed(0)} to ${list[list.length - 1].toFixed(0)}) |`)
}
