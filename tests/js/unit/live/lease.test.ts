// Leases of registers: one contract, whichever register it is.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import type { KeyhaulError } from '../../../../dist/errors.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { type Lease, type LeaseRequest, memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { inFolder } from '../../support/stores.ts'

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))
const TTL = 400
/** Nobody who waits for that comes to an end. */
const HOUR = 3_600_000
type Leasing = Register & Required<Pick<Register, 'lease'>>
const ask = (register: Register, holder: string, more: Partial<LeaseRequest> = {}): Promise<Lease> => (register as Leasing).lease('claim', { holder, ttlMs: TTL, ...more })
const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
  const at = performance.now()
  return [await work, performance.now() - at]
}
/** That it is not had. */
const refused = (work: Promise<Lease>): Promise<KeyhaulError> => work.then(() => assert.fail('it was had'), (reason: KeyhaulError) => reason)
/** Renewed as a coordinator does, until it is stopped. */
function renewing(lease: Lease): { stop(): void } {
  const timer = setInterval(() => void lease.renew(), lease.ttlMs / 3)
  return { stop: () => clearInterval(timer) }
}

const REGISTERS: Readonly<Record<string, (work: (register: Register) => Promise<void>) => Promise<void>>> = {
  memory: (work) => work(memoryRegister()),
  LevelDB: (work) =>
    inFolder(async (folder) => {
      const db = new ClassicLevel(join(folder, 'db'))
      await work(levelRegister(db))
      // It is nobody's data.
      assert.deepEqual(await levelStore(db).scan({}, { maxEntries: 10, maxBytes: 1000 }), { entries: [], end: true })
      await db.close()
    })
}

for (const [name, withRegister] of Object.entries(REGISTERS)) {
  test(`${name}: a lease is had at once where nobody has it, by one of many, and given back`, () =>
    withRegister(async (register) => {
      const tries = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => ask(register, `coordinator ${i}`, { ttlMs: HOUR })))
      const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      assert.equal(got.length, 1)
      for (const one of tries) if (one.status === 'rejected') assert.equal(one.reason.code, 'KEYHAUL_LEASE_HELD')
      const [first] = got as [Lease]
      assert.equal(first.from, undefined)
      assert.equal(first.ttlMs, HOUR)
      assert.equal(await first.renew(), true)
      // Also while it is being renewed.
      await Promise.all([first.renew(), first.release()])
      assert.equal(await first.renew(), false)
      const second = await ask(register, 'second')
      assert.equal(second.from, undefined)
      // What the first one does now is of no lease of his.
      await first.release()
      assert.equal(await second.renew(), true)
      await second.release()
      // Another name is another lease.
      const both = await Promise.all(['one', 'other'].map((lease) => (register as Leasing).lease(lease, { holder: 'me', ttlMs: TTL })))
      await Promise.all(both.map((lease) => lease.release()))
    }))

  test(`${name}: whoever renews it keeps it, and the other one is told who has it and for how long`, () =>
    withRegister(async (register) => {
      const first = await ask(register, 'the first', { ttlMs: HOUR })
      const second = refused(ask(register, 'the second'))
      await sleep(TTL)
      assert.equal(await first.renew(), true)
      const error = await second
      assert.equal(error.code, 'KEYHAUL_LEASE_HELD')
      assert.equal(error.holder, 'the first')
      assert.ok((error.heldMs ?? 0) >= TTL, `held for ${error.heldMs} ms`)
      assert.match(error.message, /^the first is at work on the migration(, and has been for \d+ s)?; wait for its end, or take over with --take-over/)
      assert.equal(error.retryable, true)
      assert.equal(await first.renew(), true)
      await first.release()
    }))

  test(`${name}: one that is not renewed lapses, not before its time, and whoever wakes up late has lost it`, () =>
    withRegister(async (register) => {
      const first = await ask(register, 'the first')
      const [second, ms] = await timed(ask(register, 'the second'))
      assert.ok(ms >= TTL * 0.9, `after ${ms} ms`)
      assert.deepEqual(second.from, { holder: 'the first', heldMs: 0 })
      assert.equal(await first.renew(), false)
      await first.release()
      assert.equal(await second.renew(), true)
      await second.release()
    }))

  test(`${name}: it is taken over on purpose at once`, () =>
    withRegister(async (register) => {
      const first = await ask(register, 'the first', { ttlMs: HOUR })
      const second = await ask(register, 'the second', { takeOver: true })
      assert.equal(second.from?.holder, 'the first')
      assert.equal(await first.renew(), false)
      await second.release()
    }))

  test(`${name}: a process that was stopped as a whole takes nothing from itself when it goes on`, () =>
    withRegister(async (register) => {
      const first = await ask(register, 'the first')
      const renewals = renewing(first)
      const other = refused(ask(register, 'the second'))
      await sleep(TTL / 20)
      const until = performance.now() + 3 * TTL
      while (performance.now() < until);
      assert.equal((await other).code, 'KEYHAUL_LEASE_HELD')
      renewals.stop()
      await first.release()
    }))

  test(`${name}: who waits for it can be told to leave, and the document stays as it is`, () =>
    withRegister(async (register) => {
      await register.compareAndSet(0, Uint8Array.of(7))
      const first = await ask(register, 'the first')
      const leaving = new AbortController()
      const other = ask(register, 'the second', { signal: leaving.signal })
      setTimeout(() => leaving.abort(), TTL / 10)
      await assert.rejects(other, { code: 'KEYHAUL_INTERRUPTED' })
      assert.equal(await first.renew(), true)
      const { version, document } = await register.read()
      assert.deepEqual([version, ...document], [1, 7])
      await first.release()
    }))
}

test('LevelDB: what a process left that is gone is in nobody\'s way, and who that was is told', async () => {
  await inFolder(async (folder) => {
    const db = new ClassicLevel(join(folder, 'db'))
    const first = await ask(levelRegister(db), 'the first', { ttlMs: HOUR })
    await (levelRegister(db) as Leasing).lease('other', { holder: 'the first', ttlMs: HOUR })
    await first.renew()
    await db.close()
    await assert.rejects(first.renew(), { code: 'KEYHAUL_REGISTER_FAILED' })
    const again = new ClassicLevel(join(folder, 'db'))
    const lease = await ask(levelRegister(again), 'the second', { ttlMs: HOUR })
    assert.equal(lease.from?.holder, 'the first')
    await lease.release()
    // Nothing of it is left, not of the one either that nobody has asked for.
    assert.deepEqual(await again.keys().all(), [])
    await again.close()
    // And one that was held when its own process closed the database is lost.
    await db.open()
    assert.equal(await first.renew(), false)
    await db.close()
  })
})

test('LevelDB: what is cleared in its database takes no lease from whoever is alive', async () => {
  await inFolder(async (folder) => {
    const db = new ClassicLevel(join(folder, 'db'))
    const first = await ask(levelRegister(db), 'the first', { ttlMs: HOUR })
    for (const clear of [() => db.sublevel('cache').clear(), () => db.clear({ gte: 'a', lt: 'b' }), () => db.clear()]) {
      await clear()
      const second = refused(ask(levelRegister(db), 'the second'))
      await sleep(20)
      assert.equal(await first.renew(), true)
      assert.equal((await second).code, 'KEYHAUL_LEASE_HELD')
    }
    await first.release()
    assert.deepEqual(await db.keys().all(), [])
    await db.close()
  })
})

test('LevelDB: a row that nobody can read is in nobody\'s way', async () => {
  await inFolder(async (folder) => {
    const db = new ClassicLevel<Uint8Array, Uint8Array>(join(folder, 'db'), { keyEncoding: 'view', valueEncoding: 'view' })
    for (const [i, text] of ['', '{', 'null', '7', '{"holder":3,"heldMs":"x"}'].entries()) await db.put(Buffer.from(`!\0keyhaul!\u0007row ${i}`), Buffer.from(text))
    const register = levelRegister(db) as Leasing
    for (let i = 0; i < 5; i++) {
      const lease = await register.lease(`row ${i}`, { holder: 'me', ttlMs: HOUR })
      assert.deepEqual(lease.from, { holder: 'somebody', heldMs: 0 })
      await lease.release()
    }
    assert.deepEqual(await db.keys().all(), [])
    await db.close()
  })
})
