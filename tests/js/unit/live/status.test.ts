// What a live migration shows while it runs, how it ends, and what its journal knows.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, inspectJournal, type JournalInfo, type LiveProgress, type MigrationError, memoryJournal, migrate, type Progress, type Receipt } from '../../../../dist/index.js'
import { assignRange, gatedStore } from '../../../../dist/live/index.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import type { ApplyOptions, Store, Write } from '../../../../dist/stores/store.js'
import { inFolder } from '../../support/stores.ts'
import { inLevels, inMemory } from './world.ts'

test('progress has the lag while it copies, a forecast and the budget before it cuts over', async () => {
  await inMemory(5_000, async ({ a, b, register, load }) => {
    load.start({ pause: 1 })
    const run = migrate({ live: true, from: a, to: b, register, pageEntries: 200, rate: 400_000, pauseBudgetMs: 700 })
    const seen: Progress[] = []
    for await (const progress of run) seen.push(progress)
    const receipt = await run.done
    await load.stop()
    assert.ok(seen.every(({ live }) => live?.budgetMs === 700))
    assert.ok(seen.some(({ state, live }) => state === 'copying' && (live as LiveProgress).lagChanges > 0), 'no lag while copying')
    assert.ok(seen.some(({ live }) => live?.forecastMs !== undefined && live.forecastMs > 0), 'no forecast')
    assert.ok(receipt.pauseForecastMs > 0 && receipt.pauseMs > 0)
    // Of a copy there is none.
    for await (const { live } of migrate({ from: memoryStore({ name: 'c' }), to: memoryStore({ name: 'd' }) })) assert.equal(live, undefined)
  })
})

test('a register that fails is named, with the number of tries and how long writers wait', async () => {
  const inner = memoryRegister()
  let deciding = false
  let broken = false
  const register: Register = {
    ...inner,
    compareAndSet: async (version, document) => {
      if (!deciding) return inner.compareAndSet(version, document)
      broken = true
      throw new Error('no route to host')
    }
  }
  await inMemory(500, async ({ a, b, load, check }) => {
    load.start({ pause: 1 })
    const engine = new Engine({ progressEveryMs: 5 })
    const migration = await engine.migrate({ live: true, from: a, to: b, register, journal: memoryJournal() })
    migration.on('state', (state) => {
      deciding = state === 'draining' || state === 'readFencing' || state === 'deciding'
    })
    while (!broken && migration.progress().state !== 'done') await new Promise((wake) => setTimeout(wake, 5))
    await new Promise((wake) => setTimeout(wake, 30))
    const { state, live } = migration.progress()
    assert.equal(state, 'deciding')
    assert.equal(live?.waitsFor, 'register')
    assert.match(live?.text ?? '', /^waits for the register, which failed \d+ times?; nobody knows whether it has decided, so the range stays fenced$/)
    assert.ok((live?.failures ?? 0) > 0 && (live?.pausedMs ?? 0) >= 25)
    deciding = false
    migration.on('state', () => { deciding = false })
    assert.equal((await migration.done).state, 'done')
    await load.stop()
    await check('b')
    engine.close()
  }, register)
})

test('an end has a code, the step it came in, and what to do next', async () => {
  await inLevels(3_000, async ({ a, b, register, load }, folder) => {
    load.start({ pause: 1 })
    const journal = join(folder, 'journal')
    const run = migrate({ live: true, from: a, to: b, register, journal, rate: 100_000 })
    const migration = await run.migration
    migration.on('state', (state) => void (state === 'copying' && migration.stop()))
    const error: MigrationError = await run.done.then(() => assert.fail(), (reason) => reason)
    assert.deepEqual(
      [error.code, error.step, error.retryable, error.resumable, error.next],
      ['KEYHAUL_INTERRUPTED', 'copying', false, true, 'resume continues it from the last checkpoint']
    )
    const { live } = inspectJournal(readFileSync(journal))
    assert.deepEqual({ ...live, claim: live?.claim.length }, { claim: 32, claimed: true, coordEpoch: 1, pauseBudgetMs: 1000, decided: false })
    await load.stop()
  })
})

const endOf = (error: MigrationError) => [error.code, error.step, error.retryable, error.resumable, error.next, error.receipt?.state]
const failureOf = (run: { readonly done: Promise<unknown> }): Promise<MigrationError> => run.done.then(() => assert.fail('it came to a good end'), (reason) => reason)

test('the same of one that cannot keep its budget', async () => {
  await inMemory(500, async ({ a, b, register, check }) => {
    // A fence that lasts until it is given up: no clock of a test decides.
    const gate = a.mover.gate as NonNullable<typeof a.mover.gate>
    let given = (): void => {}
    const change = async (call: Parameters<typeof gate.change>[0]): Promise<void> => {
      await gate.change(call)
      if (call.verb === 'fence') await new Promise<void>((done) => (given = done))
    }
    const run = migrate({ live: true, from: Object.create(a.mover, { gate: { value: { change } } }), to: b, register, pauseBudgetMs: 200 })
    const migration = await run.migration
    migration.on('state', (state) => void (state === 'postponing' && given()))
    assert.deepEqual(endOf(await failureOf(run)), ['KEYHAUL_PAUSE_BUDGET', 'closing', false, false, 'raise pauseBudgetMs, slow the writers, or try at a quieter time', 'failed'])
    await check('a')
  })
})

test('the same of one that was cancelled', async () => {
  await inMemory(500, async ({ a, b, register, check }) => {
    const run = migrate({ live: true, from: a, to: b, register, rate: 20_000 })
    const migration = await run.migration
    migration.on('state', (state) => void (state === 'copying' && migration.cancel()))
    assert.deepEqual(endOf(await failureOf(run)), ['KEYHAUL_CANCELLED', 'closing', false, false, undefined, 'cancelled'])
    await check('a')
  })
})

const KEY_7 = Buffer.from('key-7')
const SPOILT: Readonly<Record<'missing' | 'extra' | 'changed', (write: Write) => readonly Write[]>> = {
  missing: () => [],
  extra: (write) => [write, [Buffer.from('key-7x'), Buffer.from('nobody wrote it')]],
  changed: ([key]) => [[key, Buffer.from('nobody wrote it')]]
}

for (const [kind, spoilt] of Object.entries(SPOILT)) {
  for (const level of [3, 5]) {
    test(`the same of one whose target does not hold what it was given, level ${level}: ${kind}, and which key that is`, async () => {
      await inFolder(async (folder) => {
        const dbs = ['a', 'b'].map((name) => new ClassicLevel<string, string>(join(folder, name))) as [ClassicLevel, ClassicLevel]
        const inner = level === 3 ? memoryStore({ name: 'b' }) : levelStore(dbs[1], { name: 'b', feed: true })
        const apply = (writes: readonly Write[], options: ApplyOptions): Promise<void> =>
          inner.apply(writes.flatMap((write) => (KEY_7.equals(write[0]) && write[1] !== undefined ? spoilt(write) : [write])), options)
        const spoiling = Object.assign(Object.create(inner) as Store, { apply, applyPacked: undefined, prepare: undefined })
        const [a, b] = [gatedStore(level === 3 ? memoryStore({ name: 'a' }) : levelStore(dbs[0], { name: 'a', feed: true })), gatedStore(spoiling)]
        const register = level === 3 ? memoryRegister() : levelRegister(dbs[0])
        await assignRange({ register, store: a })
        for (let i = 0; i < 50; i++) await a.put(`key-${i}`, String(i))
        const error = await failureOf(migrate({ live: true, from: a, to: b, register, ...(level === 3 ? {} : { requireLevel: 5, journal: join(folder, 'journal') }) }))
        assert.deepEqual(endOf(error), ['KEYHAUL_VERIFY_MISMATCH', 'closing', false, false, 'find out why, then move again', 'mismatch'])
        const key = kind === 'extra' ? 'key-7x' : 'key-7'
        const counts = { missing: 0, extra: 0, changed: 0, [kind]: 1 }
        assert.equal(error.message, `b differs from a: ${counts.missing} missing, ${counts.extra} extra, ${counts.changed} changed, first ${kind} key ${key}; find out why, then move again`)
        const { missing, extra, changed, different } = error.receipt as Receipt
        assert.deepEqual([{ missing, extra, changed }, different], [counts, [{ key, kind }]])
        assert.equal(String(Buffer.from((await a.get('key-7')) ?? [])), '7')
        for (const db of dbs) await db.close()
      })
    })
  }
}

test('of each beginning of a journal: whether the decision was taken, and where only the register knows', async () => {
  await inLevels(500, async ({ a, b, register, load }, folder) => {
    load.start({ pause: 1 })
    const journal = join(folder, 'journal')
    await migrate({ live: true, from: a, to: b, register, journal }).done
    await load.stop()
    const bytes = readFileSync(journal)
    const said = new Map<string, string>()
    for (let size = 0; size <= bytes.length; size++) {
      let info: JournalInfo
      try {
        info = inspectJournal(bytes.subarray(0, size))
      } catch {
        continue // it holds not even a plan
      }
      said.set(info.state, String(info.live?.decided))
    }
    const expected = { claiming: 'false', preparing: undefined, copying: 'false', verifying: 'false', approaching: 'false', fencing: 'undefined', draining: 'undefined', deciding: 'undefined', activating: 'true', redirecting: 'true', cleaning: 'true', closing: 'true', done: 'true' }
    for (const [state, decided] of Object.entries(expected)) assert.equal(said.get(state), decided, state)
  })
})
