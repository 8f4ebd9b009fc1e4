// What a host steers a run with, and what it is told: limits of a node, pause, events, totals, the receipt.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DataChunk, DataMigrator, type Difference, Engine, inspectJournal, type JournalStore, KeyhaulError, type MigrationState, memoryJournal, migrate, type Progress, resume, VERSION } from '../../../dist/index.js'
import { memoryStore, type MemoryStore } from '../../../dist/stores/memory.js'

function filled(name: string, count: number): MemoryStore {
  const store = memoryStore({ name })
  for (let i = 0; i < count; i++) store.put(`k${String(i).padStart(6, '0')}`, 'v'.repeat(50))
  return store
}

const range = (i: number): [string, string] => [`k${i}`, `k${i}~`]
const bySide = (store: MemoryStore, i: number): void => {
  for (let j = 0; j < 300; j++) store.put(`k${i}${String(j).padStart(5, '0')}`, 'v')
}

for (const [what, limit] of [['source', { sourceSlots: 1 }], ['target', { targetSlots: 1 }], ['neither', {}]] as const) {
  test(`runs of one ${what} and other stores: ${what === 'neither' ? 'all at once' : 'one after the other'}`, async () => {
    const engine = new Engine(limit)
    const shared = memoryStore({ name: 'shared' })
    const under = new Set<number>()
    let most = 0
    const runs = await Promise.all([0, 1, 2].map(async (i) => {
      const other = memoryStore({ name: `other ${i}` })
      bySide(what === 'target' ? other : shared, i)
      const [from, to] = what === 'target' ? [other, shared] : [shared, other]
      const run = await engine.migrate({ from, to, ranges: [range(i)], pageEntries: 10 })
      return run.on('state', (state: MigrationState) => {
        if (state === 'done') under.delete(i)
        else if (state !== 'pending') under.add(i)
        most = Math.max(most, under.size)
      })
    }))
    const receipts = await Promise.all(runs.map((run) => run.done))
    assert.deepEqual(receipts.map(({ verified, entries }) => [verified, entries]), [[true, 300], [true, 300], [true, 300]])
    assert.equal(most, what === 'neither' ? 3 : 1)
    engine.close()
  })
}

test('a paused run stands still, says so, and goes on', async () => {
  const [from, to] = [filled('a', 3000), memoryStore({ name: 'b' })]
  const engine = new Engine()
  const run = await engine.migrate({ from, to, pageEntries: 10 })
  while ([...to].length < 100) await sleep(1)
  run.pause()
  assert.equal(run.progress().paused, true)
  // What was under way lands; then two looks some time apart see the same.
  let [before, now] = [-1, [...to].length]
  while (before !== now) {
    await sleep(200)
    ;[before, now] = [now, [...to].length]
  }
  assert.ok(now < 3000, `${now} of 3000 were there before it was paused`)
  run.resume()
  assert.equal(run.progress().paused, false)
  assert.equal((await run.done).verified, true)
  assert.equal([...to].length, 3000)
  engine.close()
})

test('progress knows the whole from what the source estimates, and when it will be over', async () => {
  const [from, to] = [filled('a', 3000), memoryStore({ name: 'b' })]
  const seen: Progress[] = []
  const engine = new Engine({ progressEveryMs: 1 })
  const run = await engine.migrate({ from, to, pageEntries: 50, rate: 1_000_000 })
  for await (const progress of run) seen.push(progress)
  engine.close()
  const known = seen.filter(({ totalEntries }) => totalEntries > 0)
  assert.deepEqual([...new Set(known.map(({ totalEntries, totalBytes }) => `${totalEntries} ${totalBytes}`))], [`3000 ${3000 * 57}`])
  assert.ok(known.some(({ etaMs }) => etaMs !== undefined && etaMs > 0), 'no progress had an etaMs')
  const without = memoryStore({ name: 'c', without: ['stats'] })
  without.put('a', '1')
  // Once it has read them all it knows better.
  for await (const { state, totalEntries } of migrate({ from: without, to: memoryStore({ name: 'd' }) })) assert.equal(totalEntries, state === 'preparing' || state === 'copying' ? 0 : 1)
})

test('each difference is an event, until its listener is taken off', async () => {
  const [from, to] = [filled('a', 10), filled('b', 10)]
  to.put('k000003', 'other')
  to.put('x', 'extra')
  from.put('y', 'missing')
  const [heard, unheard]: Difference[][] = [[], []]
  const engine = new Engine()
  const run = await engine.migrate({ from, to, mode: 'verify' })
  const silent = (difference: Difference): void => void unheard?.push(difference)
  run.on('difference', silent).on('difference', (difference) => heard?.push(difference)).off('difference', silent)
  const receipt = await run.done
  assert.deepEqual(heard, [{ kind: 'changed', key: 'k000003' }, { kind: 'extra', key: 'x' }, { kind: 'missing', key: 'y' }])
  assert.deepEqual(unheard, [])
  assert.deepEqual(receipt.different, heard)
  engine.close()
})

test('a receipt has the ranges of its plan and the version of the package', async () => {
  const from = memoryStore({ name: 'a', entries: [['a', '1'], ['m', '2']] })
  const journal = memoryJournal()
  const hex = (text: string): string => Buffer.from(text).toString('hex')
  const ranges = [[hex('a'), hex('c\0')], [hex('m'), hex('n')]]
  const receipt = await migrate({ from, to: memoryStore({ name: 'b' }), journal, ranges: [{ prefix: 'm' }, ['a', 'c']] }).done
  assert.deepEqual(receipt.ranges, ranges)
  assert.deepEqual(inspectJournal(journal.bytes).receipt?.ranges, ranges)
  assert.deepEqual((await migrate({ from, to: memoryStore({ name: 'c' }) }).done).ranges, [['', null]])
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  assert.deepEqual([receipt.version, VERSION], [version, version])
})

test('Symbol.dispose closes an engine and a migrator', async () => {
  const engine = new Engine()
  engine[Symbol.dispose]()
  const closed = (error: unknown): boolean => error instanceof KeyhaulError && error.code === 'KEYHAUL_CLOSED'
  await assert.rejects(engine.migrate({ from: memoryStore({ name: 'a' }), to: memoryStore({ name: 'b' }) }), closed)
  const migrator = new DataMigrator()
  migrator[Symbol.dispose]()
  assert.throws(() => migrator.getStatus('mig-1'), closed)
})

test('a migrator forgets the oldest that ended beyond `retained`', () => {
  const migrator = new DataMigrator({ retained: 1 })
  const ids = [0, 1].map(() => migrator.startMigration(migrator.createPlan('a', 'b', [['a', 'z']])))
  for (const id of ids) {
    migrator.transferChunk(id, new DataChunk('k', 'v'))
    migrator.completeMigration(id)
  }
  assert.deepEqual(ids.map((id) => migrator.getStatus(id)), [undefined, { state: 'completed' }])
  migrator.close()
})

test('an engine that is closed while it looks at a journal begins nothing, and lets the journal go', async () => {
  for (const how of ['migrate', 'resume'] as const) {
    const [from, to] = [filled('a', 10), memoryStore({ name: 'b' })]
    const inner = memoryJournal()
    if (how === 'resume') {
      const run = migrate({ from, to, journal: inner, rate: 1 })
      while (inner.bytes.length === 0) await sleep(1)
      await run.stop()
      await assert.rejects(run.done, { code: 'KEYHAUL_INTERRUPTED' })
    }
    let closed = 0
    const slow: JournalStore = {
      name: 'slow',
      read: async () => {
        await sleep(5)
        return inner.read()
      },
      append: (bytes) => inner.append(bytes),
      truncate: (length) => inner.truncate(length),
      close: async () => {
        closed++
      }
    }
    const engine = new Engine()
    const begun = engine[how]({ from, to, journal: slow })
    engine.close()
    await assert.rejects(begun, { code: 'KEYHAUL_CLOSED' })
    assert.equal(closed, 1)
    // The module is none the worse for it.
    assert.equal((await migrate({ from, to: memoryStore({ name: 'c' }) }).done).verified, true)
  }
})

test('a signal that aborts while a journal is read stops what comes of it, and it goes on from there', async () => {
  const [from, to] = [filled('a', 500), memoryStore({ name: 'b' })]
  const journal = memoryJournal()
  const stopped = async (run: { readonly done: Promise<unknown> }): Promise<void> => assert.rejects(run.done, { code: 'KEYHAUL_INTERRUPTED' })
  const first = new AbortController()
  const slow = migrate({ from, to, journal, pageEntries: 10, rate: 1, signal: first.signal })
  while (journal.bytes.length === 0) await sleep(1)
  first.abort()
  await stopped(slow)
  for (const how of [resume, migrate]) {
    for (const when of ['before', 'meanwhile']) {
      const controller = new AbortController()
      if (when === 'before') controller.abort()
      const run = how({ from, to, journal, signal: controller.signal })
      controller.abort()
      await stopped(run)
      assert.equal(inspectJournal(journal.bytes).resumable, true)
    }
  }
  const { verified, entries } = await resume({ from, to, journal }).done
  assert.deepEqual([verified, entries, to.size], [true, 500, 500])
})

test('a listener may close the engine while others are still to be told', async () => {
  const engine = new Engine()
  const runs = await Promise.all(['a', 'b'].map((name) => engine.migrate({ from: filled(`${name}1`, 100), to: memoryStore({ name: `${name}2` }) })))
  for (const run of runs) run.on('state', () => engine.close())
  for (const run of runs) await assert.rejects(run.done, { code: 'KEYHAUL_CLOSED' })
})

test('an engine at rest has 4 MiB of memory at most, and one that has moved something keeps to its window', () => {
  const dist = new URL('../../../dist/', import.meta.url).href
  const script = `
    import { Engine, migrate } from '${dist}index.js'
    import { getModule } from '${dist}engine/load.js'
    import { memoryStore } from '${dist}stores/memory.js'
    const engine = new Engine()
    const atRest = getModule().memory.buffer.byteLength
    const from = memoryStore({ name: 'a' })
    for (let i = 0; i < 60_000; i++) from.put('k' + i, 'v'.repeat(1000))
    const { verified } = await (await engine.migrate({ from, to: memoryStore({ name: 'b' }) })).done
    console.log(JSON.stringify([verified, atRest, getModule().memory.buffer.byteLength]))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  assert.equal(stderr, '')
  const [verified, atRest, after] = JSON.parse(stdout) as [boolean, number, number]
  assert.equal(verified, true)
  assert.ok(atRest <= 4 << 20, `${atRest} bytes`)
  // 60 MB went through it, in pages of 4 MB: two of the target and two of the source while they are compared, and memory grows by a fifth more than is asked for.
  assert.ok(after <= 24 << 20, `${after} bytes`)
})
