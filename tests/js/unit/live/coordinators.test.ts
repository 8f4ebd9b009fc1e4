// Two coordinators of one migration: who is alive keeps it, who died is followed, who was only slow is superseded.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine, type KeyhaulError, memoryJournal, type Migration, MigrationError } from '../../../../dist/index.js'
import { serveControl } from '../../../../dist/live/index.js'
import type { Lease, LeaseRequest } from '../../../../dist/register/register.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { inFolder, keyhaul } from '../../support/stores.ts'
import { reaches } from './reaches.ts'
import { inLevels, inMemory, type World } from './world.ts'

const SLOW = 50_000
const KEYS = 2_000
const TTL = 600

/** A register whose leases last for so long, and whose holders can be as if their process were stopped. */
function leasing(ttlMs: number, inner: Register = memoryRegister()): Register & { stopped: Set<string>; readonly asked: { readonly name: string; readonly lease: Lease }[] } {
  const stopped = new Set<string>()
  const asked: { name: string; lease: Lease }[] = []
  return {
    name: inner.name,
    durable: inner.durable,
    stopped,
    asked,
    read: () => inner.read(),
    compareAndSet: (version, document) => inner.compareAndSet(version, document),
    watch: (listener) => inner.watch(listener),
    lease: async (name: string, request: LeaseRequest) => {
      const lease = await (inner.lease as NonNullable<Register['lease']>)(name, { ...request, ttlMs })
      asked.push({ name, lease })
      return { ...lease, renew: () => (stopped.has(request.holder) ? new Promise<never>(() => {}) : lease.renew()) }
    }
  }
}

const begun = async ({ a, b, register }: World, engine = new Engine()): Promise<{ first: Migration; journal: ReturnType<typeof memoryJournal>; engine: Engine }> => {
  const journal = memoryJournal()
  const first = await engine.migrate({ live: true, from: a, to: b, register, journal, rate: SLOW })
  await reaches(first, 'copying')
  return { first, journal, engine }
}
const another = ({ a, b, register }: World, { bytes }: { readonly bytes: Uint8Array }, more: { takeOver?: boolean; signal?: AbortSignal } = {}): Promise<Migration> =>
  new Engine().resume({ from: a, to: b, register, journal: memoryJournal(bytes), ...more })
const refused = (work: Promise<unknown>): Promise<KeyhaulError> => work.then(() => assert.fail('it was not refused'), (reason: KeyhaulError) => reason)

/** It ends as superseded, at once or at its next step. */
async function assertSuperseded(migration: Migration): Promise<void> {
  const error = await refused(migration.done)
  assert.ok(error instanceof MigrationError)
  assert.equal(error.code, 'KEYHAUL_SUPERSEDED')
}

test('a second one is told who is at work, and the first one goes on undisturbed', () =>
  inMemory(KEYS, async (world) => {
    world.load.start()
    const { first, journal } = await begun(world)
    const error = await refused(another(world, journal))
    assert.equal(error.code, 'KEYHAUL_LEASE_HELD')
    assert.match(error.holder ?? '', new RegExp(`^process ${process.pid} on \\S+ \\([0-9a-f]{8}\\)$`))
    assert.equal(error.file, 'memory journal')
    assert.ok(error.message.startsWith(`memory journal: ${error.holder} is at work on the migration`), error.message)
    assert.equal(first.progress().state, 'copying')
    first.setRate(0)
    assert.equal((await first.done).state, 'done')
    await world.load.stop()
    await world.check('b')
  }, leasing(TTL)))

test('taken over on purpose: at once, the first one is superseded, and nothing is lost', () =>
  inMemory(KEYS, async (world) => {
    world.load.start()
    const { first, journal } = await begun(world)
    const second = await another(world, journal, { takeOver: true })
    await Promise.all([second.done, assertSuperseded(first)])
    await world.load.stop()
    await world.check('b')
  }, leasing(3_600_000)))

for (const [what, inStores] of [['memory', inMemory], ['LevelDB', inLevels]] as const) {
  const withShortLeases = (work: (world: World) => Promise<void>): Promise<void> =>
    what === 'memory' ? inMemory(KEYS, work, leasing(TTL)) : inStores(KEYS, (world) => work({ ...world, register: leasing(TTL, world.register) }))
  test(`${what}: a process that was stopped is taken over after its time, and is superseded when it goes on`, () =>
    withShortLeases(async (world) => {
      world.load.start()
      const { first, journal } = await begun(world)
      const { stopped } = world.register as ReturnType<typeof leasing>
      const { holder } = await refused(another(world, journal))
      first.pause()
      stopped.add(holder as string)
      const at = performance.now()
      const second = await another(world, journal)
      assert.ok(performance.now() - at >= TTL / 2, 'it was not waited for')
      assert.equal((world.register as ReturnType<typeof leasing>).asked.at(-1)?.lease.from?.holder, holder)
      await reaches(second, 'copying')
      first.resume()
      await Promise.all([second.done, assertSuperseded(first)])
      await world.load.stop()
      await world.check('b')
    }))
}

test('one that goes on when the other one has ended long ago finds it done, and changes nothing', () =>
  inMemory(KEYS, async (world) => {
    world.load.start()
    const { first, journal } = await begun(world)
    first.pause()
    await (await another(world, journal, { takeOver: true })).done
    first.resume()
    const { state, verified, deletedEntries } = await first.done
    assert.deepEqual([state, verified, deletedEntries], ['done', false, 0])
    await world.load.stop()
    await world.check('b')
  }, leasing(TTL)))

const ENDS: Readonly<Record<string, (run: { readonly first: Migration; readonly engine: Engine }) => unknown>> = {
  stopped: ({ first }) => first.stop(),
  cancelled: ({ first }) => first.cancel(),
  finished: ({ first }) => first.setRate(0),
  'closed with its engine': ({ engine }) => engine.close()
}
for (const [how, end] of Object.entries(ENDS)) {
  test(`one that has ${how} has given its lease back`, () =>
    inMemory(KEYS, async (world) => {
      const register = world.register as ReturnType<typeof leasing>
      const run = await begun(world)
      end(run)
      await run.first.done.catch(() => {})
      const [{ name }] = register.asked as unknown as [{ readonly name: string }]
      // Who asks after that waits for nothing: it would be for an hour.
      const lease = await (register.lease as NonNullable<Register['lease']>)(name, { holder: 'the next one', ttlMs: 1 })
      assert.equal(lease.from, undefined)
      await lease.release()
      if (how === 'stopped' || how.startsWith('closed')) assert.equal((await (await another(world, run.journal)).done).state, 'done')
      await world.load.stop()
      await world.check(how === 'cancelled' ? 'a' : 'b')
    }, leasing(3_600_000)))
}

test('one that was refused when it was gone on with leaves the lease to lapse', () =>
  inMemory(KEYS, async (world) => {
    const { first, journal } = await begun(world)
    first.stop()
    await first.done.catch(() => {})
    const engine = new Engine()
    const resumed = engine.resume({ from: world.a, to: world.b, register: world.register, journal: memoryJournal(journal.bytes) })
    engine.close()
    assert.equal((await refused(resumed)).code, 'KEYHAUL_CLOSED')
    assert.equal((await (await another(world, journal)).done).state, 'done')
    await world.load.stop()
    await world.check('b')
  }, leasing(TTL)))

test('a register that never answers for a lease keeps nobody who is told to leave, and what it says late is given back', () =>
  inMemory(KEYS, async (world) => {
    const { first, journal, engine } = await begun(world)
    first.stop()
    await first.done.catch(() => {})
    engine.close()
    let released = 0
    let answer = (_: Lease): void => {}
    const hanging: Register = { ...world.register, lease: () => new Promise((resolve) => { answer = resolve }) }
    const leaving = new AbortController()
    setTimeout(() => leaving.abort(), 50)
    assert.equal((await refused(another({ ...world, register: hanging } as World, journal, { signal: leaving.signal }))).code, 'KEYHAUL_INTERRUPTED')
    answer({ ttlMs: 1, from: undefined, renew: async () => false, release: async () => { released++ } })
    await new Promise((wake) => setTimeout(wake, 10))
    assert.equal(released, 1)
  }))

test('who waits for one that may be dead can be told to leave', () =>
  inMemory(KEYS, async (world) => {
    const { first, journal } = await begun(world)
    const leaving = new AbortController()
    setTimeout(() => leaving.abort(), 100)
    assert.equal((await refused(another(world, journal, { signal: leaving.signal }))).code, 'KEYHAUL_INTERRUPTED')
    first.setRate(0)
    await first.done
    await world.load.stop()
    await world.check('b')
  }, leasing(3_600_000)))

test('a register without leases, and one whose leases fail: taken over at any time, as safe as ever', async () => {
  const { lease: _, ...without } = memoryRegister()
  const failing: Register = { ...memoryRegister(), lease: () => Promise.reject(new Error('it has none today')) }
  for (const register of [without, failing]) {
    await inMemory(KEYS, async (world) => {
      world.load.start()
      const { first, journal } = await begun(world)
      const second = await another(world, journal)
      await Promise.all([second.done, assertSuperseded(first)])
      await world.load.stop()
      await world.check('b')
    }, register)
  }
})

test('takeOver is of live migrations, and true or false', () =>
  inMemory(10, async (world) => {
    const { a, b, register } = world
    await assert.rejects(new Engine().migrate({ from: a, to: b, takeOver: true }), { code: 'KEYHAUL_INVALID_ARGUMENT', message: 'takeOver needs live: true' })
    const { first, journal } = await begun(world)
    await assert.rejects(another({ ...world, register }, journal, { takeOver: 1 as unknown as boolean }), { code: 'KEYHAUL_INVALID_ARGUMENT', message: 'takeOver is 1; it must be true or false' })
    first.setRate(0)
    await first.done
  }))

test('a service does not take over what another coordinator works on, unless it is told to', () =>
  inFolder((folder) =>
    inMemory(KEYS, async (world) => {
      world.load.start()
      const { a, b, register } = world
      const path = join(folder, 'theirs.journal')
      const first = await new Engine().migrate({ live: true, from: a, to: b, register, journal: path, rate: 2_000 })
      await reaches(first, 'copying')
      mkdirSync(join(folder, 'j'))
      copyFileSync(path, join(folder, 'j', 'aaaa.journal'))
      const socket = join(folder, 's')
      const control = await serveControl({ path: socket, stores: { a, b }, register, journals: join(folder, 'j') })
      try {
        const [run] = control.runs()
        assert.deepEqual([run?.state, run?.resumable, run?.error?.code], ['stopped', true, 'KEYHAUL_LEASE_HELD'])
        const shown = await keyhaul(['status', '--service', socket])
        assert.match(shown.stdout, new RegExp(`KEYHAUL_LEASE_HELD: .*process ${process.pid} on .* is at work on the migration`))
        const no = await keyhaul(['resume', '--service', socket, 'aaaa'])
        assert.equal(no.code, 1)
        assert.match(no.stderr, /KEYHAUL_LEASE_HELD[\s\S]*wait for its end, or take over with --take-over/)
        assert.equal(first.progress().state, 'copying')
        const superseded = assertSuperseded(first)
        const yes = await keyhaul(['resume', '--service', socket, 'aaaa', '--take-over', '--rate', 'none'])
        assert.equal(yes.code, 0, yes.stderr)
        await superseded
        await world.load.stop()
        await world.check('b')
        assert.match((await keyhaul(['resume', path, '--take-over'])).stderr, /--take-over needs --service SOCKET/)
      } finally {
        await control.close()
      }
    }, leasing(TTL))))
