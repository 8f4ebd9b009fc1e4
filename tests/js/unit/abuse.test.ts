// What users do that nobody meant: each was a hang, a loss or a crash once.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryLevel } from 'memory-level'
import { Engine, KeyhaulError, migrate } from '../../../dist/index.js'
import { memoryJournal } from '../../../dist/journal/journal.js'
import { levelStore } from '../../../dist/stores/level.js'
import { memoryStore } from '../../../dist/stores/memory.js'

const rows = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [`k${String(i).padStart(6, '0')}`, `v${i}`])
const withCode = (code: string) => (error: unknown) => error instanceof KeyhaulError && error.code === code

test('ranges in any order are followed', async () => {
  const from = memoryStore({ name: 'a', entries: [['a1', 'v'], ['m1', 'v']] })
  const to = memoryStore({ name: 'b' })
  const run = migrate({ from, to, ranges: [['m', 'z'], ['a', 'c']], follow: true, verify: 'none' })
  const migration = await run.migration
  await new Promise((wake) => setTimeout(wake, 300))
  from.put('a2', 'x')
  from.put('m1', 'new')
  migration.finish()
  assert.equal((await run.done).feedChanges, 2)
  assert.deepEqual([...to], [...from])
})

test('a move leaves what was written to the source while it deletes', async () => {
  const db = new MemoryLevel<string, string>()
  await db.batch(rows(3000).map(([key, value]) => ({ type: 'put' as const, key, value })))
  const from = levelStore(db, { name: 'a' })
  const written = new Map<string, string>()
  const slow = {
    name: 'a',
    identity: from.identity,
    capabilities: from.capabilities,
    scan: from.scan.bind(from),
    // Without deleteEqual: keyhaul reads again by itself. The writes come before that read.
    apply: from.apply.bind(from)
  }
  const run = migrate({ from: slow, to: memoryStore({ name: 'b' }), mode: 'move', pageEntries: 100 })
  ;(await run.migration).on('state', (state) => {
    if (state !== 'deleting') return
    for (let i = 0; i < 3000; i += 7) {
      const key = `k${String(i).padStart(6, '0')}`
      written.set(key, 'newer')
      void db.put(key, 'newer')
    }
  })
  const receipt = await run.done
  assert.equal(receipt.leftOnSource, written.size)
  assert.equal(receipt.deletedEntries, 3000 - written.size)
  assert.deepEqual(new Map(await db.iterator().all()), written)
})

test('a root is not copied into its own sublevel, but a part beside it is', async () => {
  const db = new MemoryLevel<string, string>()
  await db.batch(rows(10).map(([key, value]) => ({ type: 'put' as const, key, value })))
  const [from, to] = [levelStore(db), levelStore(db.sublevel('x'), { name: 'x' })]
  await assert.rejects(migrate({ from, to }).done, withCode('KEYHAUL_SAME_STORE'))
  const receipt = await migrate({ from, to, ranges: [{ prefix: 'k' }] }).done
  assert.equal(receipt.entries, 10)
})

test('closing an engine ends what runs on it, and frees its journal', async () => {
  const engine = new Engine()
  const controller = new AbortController()
  let closed = 0
  const journal = { ...memoryJournal(), close: async () => void closed++ }
  const run = await engine.migrate({
    from: memoryStore({ name: 'a', entries: rows(5000) }),
    to: memoryStore({ name: 'b' }),
    pageEntries: 10,
    signal: controller.signal,
    journal
  })
  const iterated = (async () => {
    for await (const _ of run);
  })()
  engine.close()
  await assert.rejects(run.done, withCode('KEYHAUL_CLOSED'))
  await assert.rejects(iterated, withCode('KEYHAUL_CLOSED'))
  assert.throws(() => run.pause(), withCode('KEYHAUL_CLOSED'))
  controller.abort()
  assert.equal(closed, 1)
})

test('a listener that throws surfaces, and stops no migration', () => {
  const script = `
    import { Engine } from ${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}
    import { memoryStore } from ${JSON.stringify(new URL('../../../dist/stores/memory.js', import.meta.url).href)}
    let thrown = 0
    process.on('uncaughtException', () => thrown++)
    const engine = new Engine()
    const store = (name, entries = []) => memoryStore({ name, entries })
    const one = await engine.migrate({ from: store('a', [['k', 'v']]), to: store('b') })
    const two = await engine.migrate({ from: store('c', [['k', 'v']]), to: store('d') })
    one.on('state', () => { throw new Error('listener') })
    await Promise.all([one.done, two.done])
    await new Promise((wake) => setTimeout(wake, 10))
    console.log(thrown > 0 ? 'surfaced' : 'swallowed')
  `
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 10_000 })
  assert.equal(stdout.trim(), 'surfaced', stderr)
})

test('the lock of an earlier process with our own pid is stale; one of this process is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keyhaul-lock-'))
  try {
    const journal = join(folder, 'j')
    const stores = () => ({ from: memoryStore({ name: 'a', entries: rows(2000) }), to: memoryStore({ name: 'b' }), pageEntries: 10 })
    await writeFile(`${journal}.lock`, `${process.pid} 1 of-an-earlier-life`)
    const first = migrate({ ...stores(), journal })
    await new Promise((wake) => void first.migration.then((started) => started.on('state', wake)))
    assert.match(await readFile(`${journal}.lock`, 'utf8'), new RegExp(`^${process.pid} \\d+ `))
    await assert.rejects(migrate({ ...stores(), journal }).done, withCode('KEYHAUL_JOURNAL_IN_USE'))
    await first.done
    await assert.rejects(readFile(`${journal}.lock`), /ENOENT/)
    // A live process of another start time is another process.
    await writeFile(`${journal}2.lock`, `${process.ppid} 1 x`)
    await migrate({ ...stores(), journal: `${journal}2` }).done
  } finally {
    await rm(folder, { recursive: true })
  }
})
