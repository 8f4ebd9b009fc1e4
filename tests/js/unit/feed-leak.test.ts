// A feed makes its source log every write: the log stays small while it is followed, and
// nothing is left of it when nobody can go on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { MemoryLevel } from 'memory-level'
import { Engine, type Store } from '../../../dist/index.js'
import { memoryJournal } from '../../../dist/journal/journal.js'
import { levelStore } from '../../../dist/stores/level.js'
import { memoryStore } from '../../../dist/stores/memory.js'

interface Source {
  readonly store: Store
  put(key: string, value: string): Promise<unknown>
  /** Rows of the change log, and records of open feeds. */
  rows(): Promise<number>
}

async function memorySource(): Promise<Source> {
  const store = memoryStore({ name: 'a' })
  const inside = store as unknown as { log: unknown[]; feeds: Map<number, number> }
  return { store, put: async (key, value) => store.put(key, value), rows: async () => inside.log.length + inside.feeds.size }
}

async function levelSource(): Promise<Source> {
  const db = new MemoryLevel<string, string>()
  await db.open()
  return {
    store: levelStore(db, { name: 'a', feed: true }),
    put: (key, value) => db.put(key, value),
    rows: async () => (await db.keys({ gte: '!\0keyhaul!', lt: '!\0keyhaul"' }).all()).length
  }
}

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await pause(10)
}

for (const [name, create] of [['memory', memorySource], ['level', levelSource]] as const) {
  const filled = async (count: number): Promise<Source> => {
    const source = await create()
    for (let i = 0; i < count; i++) await source.put(`k${i}`, 'v')
    return source
  }

  test(`${name}: the log of a followed source stays small, and goes with the end`, async () => {
    const source = await filled(100)
    const to = memoryStore({ name: 'b' })
    const run = await new Engine().migrate({ from: source.store, to, follow: true, journal: memoryJournal() })
    await until(() => run.progress().state === 'catchingUp')
    let written = 0
    let most = 0
    for (const end = Date.now() + 3500; Date.now() < end; await pause(5)) {
      for (let i = 0; i < 10; i++) await source.put(`k${written++ % 200}`, String(written))
      if (written % 100 === 0) most = Math.max(most, await source.rows())
    }
    run.finish()
    assert.equal((await run.done).verified, true)
    assert.ok(most < written * 0.7, `${most} of ${written} changes were held`)
    assert.equal(await source.rows(), 0)
  })

  test(`${name}: a refused migration leaves no feed`, async () => {
    const source = await filled(10)
    const to = memoryStore({ name: 'b', entries: [['k', 'in the way']] })
    await assert.rejects(async () => (await new Engine().migrate({ from: source.store, to })).done)
    assert.equal(await source.rows(), 0)
  })

  test(`${name}: a stop without a journal leaves no feed, one with a journal keeps it, a cancel ends it`, async () => {
    for (const journal of [undefined, memoryJournal()]) {
      const source = await filled(500)
      const to = memoryStore({ name: 'b' })
      const options = { from: source.store, to, follow: true, pageEntries: 10, journal }
      const run = await new Engine().migrate(options)
      await until(() => ['copying', 'catchingUp'].includes(run.progress().state))
      run.stop()
      await assert.rejects(run.done, /INTERRUPTED|stopped before/)
      await source.put('k1', 'later')
      assert.equal((await source.rows()) > 0, journal !== undefined)
      if (journal === undefined) continue
      const again = await new Engine().migrate(options)
      again.cancel()
      await assert.rejects(again.done, /cancelled/)
      assert.equal(to.size, 0)
      assert.equal(await source.rows(), 0)
    }
  })

  test(`${name}: closing an engine ends the feeds that no journal goes on with`, async () => {
    const source = await filled(10)
    const engine = new Engine()
    const run = await engine.migrate({ from: source.store, to: memoryStore({ name: 'b' }), follow: true })
    await until(() => run.progress().state === 'catchingUp')
    engine.close()
    await assert.rejects(run.done)
    await until(async () => (await source.rows()) === 0)
  })
}
