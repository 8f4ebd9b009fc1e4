// A service with a control socket and clients that write all the time, for control.test.ts and
// to look at by hand. node control-service.mjs FOLDER [KEYS [WRITERS]]
// Prints "ready", and after "quit" on stdin what its clients and stores hold.
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { assignRange, gatedStore, serveControl, shardedStore } from '../../../dist/live/index.js'
import { levelRegister } from '../../../dist/register/level.js'
import { levelStore } from '../../../dist/stores/level.js'

const [folder, keys = '2000', writers = '2'] = process.argv.slice(2)
const count = Number(keys)
const [one, two] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
const shard1 = gatedStore(levelStore(one, { name: 'shard1', feed: true }))
const shard2 = gatedStore(levelStore(two, { name: 'shard2', feed: true }))
const register = levelRegister(one)
await assignRange({ register, store: shard1 })
const db = shardedStore({ stores: { shard1, shard2 }, register })
const keyOf = (i) => `key-${String(i).padStart(6, '0')}`
for (let i = 0; i < count; i += 500) await db.batch(Array.from({ length: Math.min(500, count - i) }, (_, j) => [keyOf(i + j), 'first'.padEnd(60)]))

const control = await serveControl({ path: join(folder, 'keyhaul.sock'), stores: { shard1, shard2 }, register, journals: join(folder, 'journals') })
let stopped = false
let writes = 0
const clients = Array.from({ length: Number(writers) }, async (_, w) => {
  for (let i = w; !stopped; i = (i + 7) % count) {
    await db.put(keyOf(i), `${i}/${++writes}`)
    await new Promise((wake) => setTimeout(wake, 1))
  }
})
console.log('ready')
process.stdin.on('data', async () => {
  stopped = true
  await Promise.all(clients)
  await control.close()
  let left = 0
  for await (const key of one.keys({ gte: 'key-', lt: 'key.' })) if (key !== '') left++
  let moved = 0
  for await (const key of two.keys({ gte: 'key-', lt: 'key.' })) if (key !== '') moved++
  console.log(JSON.stringify({ writes, left, moved }))
  db.close()
  await Promise.all([one.close(), two.close()])
  process.exit(0)
})
