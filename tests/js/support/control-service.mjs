// A service with a control socket and clients that write all the time, for control.test.ts and
// to look at by hand. node control-service.mjs FOLDER [KEYS [WRITERS]]
// Prints "ready", and after "quit" on stdin what its clients and stores hold, and how many keys do not hold what
// was acknowledged last.
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
/** What each key was acknowledged to hold last. */
const acknowledged = Array.from({ length: count }, (_, i) => `${i}/first`.padEnd(60))
for (let i = 0; i < count; i += 500) await db.batch(acknowledged.slice(i, i + 500).map((text, j) => [keyOf(i + j), text]))

const control = await serveControl({ path: join(folder, 'keyhaul.sock'), stores: { shard1, shard2 }, register, journals: join(folder, 'journals') })
let stopped = false
let writes = 0
// Each key has one writer: of two writes at once nobody could say which was the last.
const clients = Array.from({ length: Number(writers) }, async (_, w) => {
  const mine = acknowledged.map((_, i) => i).filter((i) => i % Number(writers) === w)
  for (let at = 0; !stopped && mine.length > 0; at = (at + 7) % mine.length) {
    const i = mine[at]
    const text = `${i}/${++writes}`
    await db.put(keyOf(i), text)
    acknowledged[i] = text
    await new Promise((wake) => setTimeout(wake, 1))
  }
})
console.log('ready')
process.stdin.on('data', async () => {
  stopped = true
  await Promise.all(clients)
  await control.close()
  let wrong = 0
  for (let i = 0; i < count; i += 500) {
    const values = await db.getMany(acknowledged.slice(i, i + 500).map((_, j) => keyOf(i + j)))
    values.forEach((value, j) => void (String(Buffer.from(value ?? [])) !== acknowledged[i + j] && wrong++))
  }
  let left = 0
  for await (const key of one.keys({ gte: 'key-', lt: 'key.' })) if (key !== '') left++
  let moved = 0
  for await (const key of two.keys({ gte: 'key-', lt: 'key.' })) if (key !== '') moved++
  console.log(JSON.stringify({ writes, wrong, left, moved }))
  db.close()
  await Promise.all([one.close(), two.close()])
  process.exit(0)
})
