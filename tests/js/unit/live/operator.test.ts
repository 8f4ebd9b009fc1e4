// Level 2: the source has no gate, the caller stops its writers.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, type JournalStore, memoryJournal, type MigrateOptions, type MigrationError, migrate, type Receipt, resume } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore, readOwnership } from '../../../../dist/live/index.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inFolder, keyOf } from '../../support/stores.ts'
import { everything } from './load.ts'

const KEYS = 2000

/** A database that its writers use as they always did, and a valve that stops them. */
class Legacy {
  readonly expected = new Map<string, string>()
  readonly log: string[] = []
  private gate: Promise<void> | undefined
  private open = (): void => {}
  private stopped = false
  private readonly workers: Promise<void>[] = []
  private version = 0
  private busy = 0
  /** Where writes go. */
  write: (key: string, value: string | undefined) => Promise<void>

  constructor(first: (key: string, value: string | undefined) => Promise<void>, private readonly second: (key: string, value: string | undefined) => Promise<void>) {
    this.write = first
  }
  start(): void {
    for (let w = 0; w < 4; w++) this.workers.push(this.work(w))
  }
  private async work(w: number): Promise<void> {
    for (let i = w; !this.stopped; i = (i + 4 * 37) % KEYS) {
      while (this.gate !== undefined) await this.gate
      const value = this.version % 5 === 0 ? undefined : `v${this.version++}`
      this.version++
      this.busy++
      await this.write(keyOf(i), value)
      this.busy--
      if (value === undefined) this.expected.delete(keyOf(i))
      else this.expected.set(keyOf(i), value)
      await new Promise((wake) => setImmediate(wake))
    }
  }
  readonly stopWrites = async (): Promise<void> => {
    this.log.push('stop')
    this.gate = new Promise((open) => {
      this.open = open
    })
    while (this.busy > 0) await new Promise((wake) => setImmediate(wake))
  }
  readonly resumeWrites = ({ owner }: { readonly owner: string | undefined }): void => {
    this.log.push(`resume ${owner}`)
    if (owner === 'new') this.write = this.second
    this.gate = undefined
    this.open()
  }
  isStopped(): boolean {
    return this.gate !== undefined
  }
  async end(): Promise<void> {
    this.stopped = true
    this.open()
    await Promise.all(this.workers)
  }
}

/** A new owner may be a moment away from its activation. */
async function untilServed(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if ((error as { code?: string }).code !== 'KEYHAUL_RETRY') throw error
      await new Promise((wake) => setTimeout(wake, 1))
    }
  }
}

interface World {
  readonly plan: MigrateOptions
  readonly legacy: Legacy
  readonly to: GatedStore
  readonly register: Register
  readonly journal: JournalStore
}

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const [old, fresh] = [new ClassicLevel(join(folder, 'old')), new ClassicLevel(join(folder, 'new'))]
    const from = levelStore(old as unknown as LevelDatabase, { name: 'old', feed: true })
    const to = gatedStore(levelStore(fresh as unknown as LevelDatabase, { name: 'new', feed: true }))
    const register = memoryRegister()
    await assignRange({ register, store: from, ungated: true })
    const legacy = new Legacy(
      (key, value) => (value === undefined ? old.del(key) : old.put(key, value)),
      (key, value) => untilServed(() => (value === undefined ? to.del(key) : to.put(key, value)))
    )
    for (let i = 0; i < KEYS; i++) {
      await old.put(keyOf(i), 'first')
      legacy.expected.set(keyOf(i), 'first')
    }
    legacy.start()
    const { stopWrites, resumeWrites } = legacy
    const journal = memoryJournal()
    try {
      await work({ plan: { live: true, from, to, register, journal, stopWrites, resumeWrites, pageEntries: 300, pauseBudgetMs: 2000 }, legacy, to, register, journal })
    } finally {
      await legacy.end()
      await Promise.all([old.close(), fresh.close()])
    }
  })
}

test('moved with the word of its caller: level 2, nothing is lost, and the receipt says what was not promised', async () => {
  await inWorld(async ({ plan, legacy, to, register }) => {
    const receipt: Receipt = await migrate(plan).done
    await legacy.end()
    assert.deepEqual([receipt.state, receipt.level, receipt.verified], ['done', 2, true])
    assert.match(receipt.notPromised.join(), /stopWrites\(\) did not stop/)
    assert.ok(receipt.pauseMs > 0)
    assert.deepEqual(legacy.log, ['stop', 'resume new'])
    assert.deepEqual(await everything(to), legacy.expected)
    assert.deepEqual((await readOwnership(register)).parts.map(({ owner }) => owner), ['new'])
  })
})

test('a higher level is refused with the bits that are missing, and nothing was stopped', async () => {
  await inWorld(async ({ plan, legacy }) => {
    await assert.rejects(migrate({ ...plan, requireLevel: 3 }).done, { code: 'KEYHAUL_LEVEL_NOT_MET', message: /^level 3 cannot be given: missing: fence; wrap both stores/ })
    await assert.rejects(migrate({ ...plan, to: memoryStore({ name: 'x' }) }).done, { code: 'KEYHAUL_LEVEL_NOT_MET', message: /missing on the target: activate/ })
    await assert.rejects(migrate({ ...plan, resumeWrites: undefined }).done, { code: 'KEYHAUL_INVALID_ARGUMENT', message: /give both/ })
    await assert.rejects(migrate({ ...plan, stopWrites: undefined }).done, { code: 'KEYHAUL_INVALID_ARGUMENT', message: /give both/ })
    await assert.rejects(migrate({ ...plan, from: gatedStore(memoryStore({ name: 'old' })) }).done, { code: 'KEYHAUL_INVALID_ARGUMENT', message: /its gate stops writers better/ })
    await assert.rejects(migrate({ ...plan, stopWrites: undefined, resumeWrites: undefined }).done, { code: 'KEYHAUL_LEVEL_NOT_MET', message: /gatedStore/ })
    assert.deepEqual(legacy.log, [])
  })
})

test('a stopWrites that fails is tried again, and each time writers are let go on', async () => {
  await inWorld(async ({ plan, legacy, to }) => {
    let failures = 2
    const stopWrites = async (): Promise<void> => {
      if (failures-- > 0) throw new Error('the switch is stuck')
      return legacy.stopWrites()
    }
    const receipt = await migrate({ ...plan, stopWrites }).done
    await legacy.end()
    assert.equal(receipt.state, 'done')
    assert.ok(receipt.retries >= 2)
    assert.equal(legacy.log.at(-1), 'resume new')
    assert.deepEqual(await everything(to), legacy.expected)
  })
})

test('a stopWrites that hangs is over with the budget: the attempt is put off, then given up, and writers go on', async () => {
  await inWorld(async ({ plan, legacy, register }) => {
    let aborted = 0
    const late: (() => void)[] = []
    const stopWrites = async ({ signal }: { signal: AbortSignal }): Promise<void> => {
      signal.addEventListener('abort', () => aborted++)
      await legacy.stopWrites()
      return new Promise((done) => late.push(done))
    }
    // On a busy machine no forecast is within a tenth of it, and it waits for one that is.
    const error: MigrationError = await migrate({ ...plan, stopWrites, pauseBudgetMs: 1000 }).done.then(() => assert.fail(), (reason) => reason)
    assert.equal(error.code, 'KEYHAUL_PAUSE_BUDGET')
    assert.equal(error.receipt?.postponed, 5)
    assert.equal(aborted, 5)
    assert.equal(legacy.isStopped(), false)
    assert.deepEqual(legacy.log, Array.from({ length: 5 }, () => ['stop', 'resume old']).flat())
    // They come to their end long after anybody waited for them.
    for (const done of late) done()
    await new Promise((wake) => setTimeout(wake, 20))
    assert.equal(legacy.log.at(-1), 'resume old')
    assert.equal(legacy.isStopped(), false)
    assert.deepEqual((await readOwnership(register)).parts.map(({ owner }) => owner), ['old'])
  })
})

for (const [state, owner] of [['draining', 'old'], ['activating', 'new']] as const) {
  test(`the engine is closed under it while ${state}: writers go on, and the journal resumes it`, async () => {
    await inWorld(async ({ plan, legacy, to, register, journal }) => {
      const engine = new Engine()
      const migration = await engine.migrate(plan)
      migration.on('state', (now) => void (now === state && engine.close()))
      await assert.rejects(migration.done, { code: 'KEYHAUL_CLOSED' })
      await new Promise((wake) => setTimeout(wake, 50))
      assert.deepEqual(legacy.log, ['stop', `resume ${owner}`])
      const { from, stopWrites, resumeWrites } = plan
      await assert.rejects(resume({ from, to, register, journal }).done, { code: 'KEYHAUL_JOURNAL_MISMATCH', message: /stopWrites/ })
      const receipt = await resume({ from, to, register, journal, stopWrites, resumeWrites }).done
      await legacy.end()
      assert.deepEqual([receipt.state, receipt.level], ['done', 2])
      assert.equal(legacy.log.at(-1), 'resume new')
    })
  })
}
