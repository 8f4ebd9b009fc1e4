// A coordinator dies, and its journal with it: endClaim() brings the claim to one of its two ends, whatever had been done.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, KeyhaulError, memoryJournal, type MigrateOptions, type Migration } from '../../../../dist/index.js'
import { assignRange, type ClaimInfo, endClaim, type GatedStore, gatedStore, readOwnership } from '../../../../dist/live/index.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore, listFeeds } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import type { GateCall, Store } from '../../../../dist/stores/store.js'
import { inFolder } from '../../support/stores.ts'
import { everything } from './load.ts'
import { reaches } from './reaches.ts'
import { inMemory, inStores, type World } from './world.ts'

const refused = (work: Promise<unknown>): Promise<KeyhaulError> => work.then(() => assert.fail('it was not refused'), (reason: KeyhaulError) => reason)

type When = 'before' | 'after'

/** Counts the calls of register and gates, and at one of them the process dies: before it was carried out, or before it was answered. */
class Dying {
  calls = 0
  readonly seen: string[] = []
  private readonly never = new Promise<never>(() => {})
  private isDead = false
  readonly died: Promise<void>
  private die!: () => void

  constructor(
    private readonly at: number,
    private readonly when: When,
    /** The call is rejected, and no other one. */
    private readonly fails = false
  ) {
    this.died = new Promise((resolve) => (this.die = resolve))
  }

  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.isDead) return this.never
    const isLast = ++this.calls === this.at
    this.seen.push(what)
    if (isLast && this.when === 'before') return this.end()
    const answer = await work()
    return isLast || this.isDead ? this.end() : answer
  }

  register(register: Register): Register {
    return {
      name: register.name,
      durable: register.durable,
      read: () => this.call('read', () => register.read()),
      compareAndSet: (version, document) => this.call('swap', () => register.compareAndSet(version, document)),
      watch: (listener) => register.watch(listener)
    }
  }

  store(store: GatedStore): Store {
    const mover = store.mover as Store
    const change = (call: GateCall): Promise<void> => this.call(`${store.name}: ${call.verb}`, () => (mover.gate as NonNullable<Store['gate']>).change(call))
    const view = Object.assign(Object.create(mover) as Store, { gate: { change } })
    return Object.assign(Object.create(store) as Store, { mover: view })
  }

  private end(): Promise<never> {
    this.die()
    if (this.fails) throw new KeyhaulError('KEYHAUL_STORE_CORRUPT')
    this.isDead = true
    return this.never
  }
}

/** What the migration is on its way to when it dies. */
const WAYS: Readonly<Record<string, { readonly options?: Partial<MigrateOptions>; readonly onward?: (migration: Migration) => void }>> = {
  move: {},
  cancelled: { onward: (migration) => void reaches(migration, 'copying').then(() => migration.cancel()).catch(() => {}) },
  reversed: { options: { reverseWindowMs: 600_000 }, onward: (migration) => void reaches(migration, 'reversible').then(() => migration.reverse()).catch(() => {}) },
  'window closed': { options: { reverseWindowMs: 600_000 }, onward: (migration) => void reaches(migration, 'reversible').then(() => migration.closeWindow()).catch(() => {}) }
}

/** The owner that the register names is the one that it has in the end, and all is where it belongs. */
async function assertEnds(world: World, about: string): Promise<ClaimInfo | undefined> {
  const { a, b, register, load } = world
  const [claim] = (await readOwnership(register)).claims
  if (claim === undefined) {
    await assert.rejects(endClaim({ register, stores: [a, b], takeOver: true }), { code: 'KEYHAUL_NOT_FOUND' }, about)
  } else {
    const owner = claim.state === 'decided' ? claim.to : claim.from
    const end = await endClaim({ register, stores: [a, b], takeOver: true })
    assert.deepEqual([end.claim, end.outcome, end.owner], [claim.id, claim.state === 'decided' ? 'finished' : 'cancelled', owner], about)
  }
  await load.stop()
  const owner = (await readOwnership(register)).parts[0]?.owner as 'a' | 'b'
  try {
    await world.check(owner)
  } catch (cause) {
    throw new Error(about, { cause })
  }
  const engine = new Engine()
  const [from, to] = owner === 'a' ? [a, b] : [b, a]
  assert.equal((await (await engine.migrate({ live: true, from, to, register, pauseBudgetMs: 10_000 })).done).state, 'done', about)
  engine.close()
  await world.check(owner === 'a' ? 'b' : 'a')
  return claim
}

for (const [way, { options, onward }] of Object.entries(WAYS)) {
  test(`${way}: dies at each call of register and gates, before it is carried out and before it is answered`, { timeout: 300_000 }, async (t) => {
    const found = new Set<string>()
    for (const when of ['before', 'after'] as const) {
      for (let at = 1, isOver = false; !isOver; at++) {
        await inMemory(150, async (world) => {
          world.load.start()
          const dying = new Dying(at, when)
          const engine = new Engine()
          const migration = await engine.migrate({ live: true, from: dying.store(world.a), to: dying.store(world.b), register: dying.register(world.register), pauseBudgetMs: 10_000, pageEntries: 50, ...options })
          onward?.(migration)
          const ended = migration.done.then(() => true, () => true)
          isOver = await Promise.race([ended, dying.died.then(() => false)])
          engine.close()
          const claim = await assertEnds(world, `${way}, ${when} call ${at}: ${dying.seen.join(', ')}`)
          if (claim !== undefined) found.add(`${claim.from} to ${claim.to}, ${claim.state}`)
        })
        assert.ok(at < 200)
      }
    }
    t.diagnostic([...found].join('; '))
    const expected = {
      move: ['a to b, claimed', 'a to b, decided'],
      cancelled: ['a to b, claimed', 'a to b, aborted'],
      reversed: ['a to b, claimed', 'a to b, decided', 'b to a, claimed', 'b to a, decided'],
      'window closed': ['a to b, claimed', 'a to b, decided', 'b to a, claimed', 'b to a, aborted']
    }[way] as string[]
    assert.deepEqual([...found].sort(), [...expected].sort())
  })
}

for (const [way, state] of [['move', 'fencing'], ['move', 'activating'], ['reversed', 'turning'], ['reversed', 'reversible']] as const) {
  test(`${way}, died in ${state}: whoever ends the claim fails at each call, and calls again`, { timeout: 120_000 }, async () => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1, isOver = false; !isOver; at++) {
        await inMemory(100, async (world) => {
          const { a, b, register } = world
          world.load.start()
          const first = new Engine()
          const { options, onward } = WAYS[way] as (typeof WAYS)[string]
          const migration = await first.migrate({ live: true, from: a, to: b, register, pauseBudgetMs: 10_000, ...options })
          migration.on('state', (now) => void (now === state && first.close()))
          onward?.(migration)
          await refused(migration.done)
          const dying = new Dying(at, when, true)
          let hasFailed = false
          void dying.died.then(() => (hasFailed = true))
          const end = endClaim({ register: dying.register(register), stores: [dying.store(a), dying.store(b)], takeOver: true })
          await end.catch((error: KeyhaulError) => assert.match(error.code, /STORE_CORRUPT$/))
          isOver = !hasFailed
          await assertEnds(world, `${when} call ${at}: ${dying.seen.join(', ')}`)
        })
        assert.ok(at < 60)
      }
    }
  })
}

/** Dies as soon as it is there, or once so much of it is done; `back`: the way that follows the first one. */
const STATES: readonly { readonly way: keyof typeof WAYS; readonly state: string; readonly back?: boolean; readonly entries?: number }[] = [
  ...['claiming', 'preparing', 'staging', 'catchingUp', 'verifying', 'approaching', 'fencing', 'draining', 'deciding', 'activating', 'redirecting', 'cleaning', 'closing'].map((state) => ({ way: 'move', state })),
  { way: 'move', state: 'copying', entries: 200 },
  ...['aborting', 'discarding', 'releasing', 'closing'].map((state) => ({ way: 'cancelled', state })),
  ...['arming', 'turning'].map((state) => ({ way: 'reversed', state })),
  ...['staging', 'reversible', 'fencing', 'deciding', 'activating', 'redirecting', 'cleaning', 'closing'].map((state) => ({ way: 'reversed', state, back: true })),
  ...['aborting', 'discarding', 'releasing'].map((state) => ({ way: 'window closed', state, back: true }))
]

for (const { way, state, back = false, entries = 0 } of STATES) {
  test(`two LevelDBs: ${way}, dies in ${back ? 'the second ' : ''}${state}; no feed is left either`, { timeout: 60_000 }, async () => {
    await inFolder(async (folder) => {
      const [first, second] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
      const stored = (db: ClassicLevel, name: string): GatedStore => gatedStore(levelStore(db, { name, feed: true }))
      try {
        await inStores(stored(first, 'a'), stored(second, 'b'), 500, async (world) => {
          world.load.start({ pause: 1 })
          const { options, onward } = WAYS[way] as (typeof WAYS)[string]
          const engine = new Engine()
          // With a journal, that is thrown away: without one the engine would end its feeds when it is closed.
          const migration = await engine.migrate({ live: true, from: world.a, to: world.b, register: world.register, journal: memoryJournal(), pauseBudgetMs: 10_000, pageEntries: 50, ...(entries > 0 && { rate: 20_000 }), ...options })
          onward?.(migration)
          await new Promise<void>((dies, fails) => {
            let isBack = false
            migration.on('state', (now) => {
              if (now === state && isBack === back && entries === 0) engine.close()
              isBack ||= now === 'turning'
            })
            migration.on('progress', (progress) => {
              if (entries > 0 && progress.state === state && progress.entries >= entries) engine.close()
            })
            migration.done.then(() => fails(new Error(`it never was in ${state}`)), ({ code }: KeyhaulError) => (code === 'KEYHAUL_CLOSED' ? dies() : fails(new Error(code))))
          })
          await assertEnds(world, `${way} in ${state}`)
          for (const db of [first, second]) assert.deepEqual(await listFeeds(db), [])
        }, levelRegister(first))
      } finally {
        await first.close()
        await second.close()
      }
    })
  })
}

/** One that is at work, and slow. */
async function atWork({ a, b, register }: World): Promise<{ readonly engine: Engine; readonly migration: Migration }> {
  const engine = new Engine()
  const migration = await engine.migrate({ live: true, from: a, to: b, register, rate: 5_000 })
  await reaches(migration, 'copying')
  return { engine, migration }
}

test('somebody alive is at work on it: refused, and nothing is changed; taken over on purpose that one is superseded', () =>
  inMemory(2_000, async (world) => {
    world.load.start()
    const { a, b, register } = world
    const { engine, migration } = await atWork(world)
    const error = await refused(endClaim({ register, stores: [a, b] }))
    assert.equal(error.code, 'KEYHAUL_LEASE_HELD')
    assert.match(error.message, /takeOver: true/)
    assert.equal(migration.progress().state, 'copying')
    const end = await endClaim({ register, stores: [b, a], takeOver: true })
    assert.deepEqual([end.outcome, end.from, end.to, end.owner], ['cancelled', 'a', 'b', 'a'])
    migration.setRate(0)
    assert.equal((await refused(migration.done)).code, 'KEYHAUL_SUPERSEDED')
    engine.close()
    await world.load.stop()
    await world.check('a')
  }))

test('a register that gives no leases cannot tell, so it has to be said', () => {
  const { lease: _, ...without } = memoryRegister()
  return inMemory(100, async (world) => {
    const { a, b, register } = world
    const { engine } = await atWork(world)
    engine.close()
    const error = await refused(endClaim({ register, stores: [a, b] }))
    assert.equal(error.code, 'KEYHAUL_INVALID_ARGUMENT')
    assert.match(error.message, /see to it that nobody is, then give takeOver: true$/)
    await assertEnds(world, 'without leases')
  }, without)
})

test('the stores are not those of the claim, the claim is not there, or several are: refused, and nothing is changed', () =>
  inMemory(0, async ({ a, b, register }) => {
    const ranges = [['a', 'c'], ['e', 'g']] as const
    const engine = new Engine()
    for (const [from, to] of ranges) {
      await a.put(from, 'x')
      await reaches(await engine.migrate({ live: true, from: a, to: b, register, ranges: [[from, to]], rate: 1, reverseWindowMs: 60_000 }), 'copying')
    }
    engine.close()
    const { version } = await register.read()
    const c = gatedStore(memoryStore({ name: 'c' }))
    const [one, two] = (await readOwnership(register)).claims as [ClaimInfo, ClaimInfo]
    const refusals = [
      [{ stores: [a, c] }, /no claim is between a and c: .* \(from a to b, claimed\)/],
      [{ stores: [a, b] }, new RegExp(`2 claims are between these stores, name one: ${one.id} .*, ${two.id} `)],
      [{ stores: [a, c], claim: one.id }, /the claim is of a and b; b is not among the stores/],
      [{ stores: [a, b], claim: '00'.repeat(16) }, /the register has no such claim/],
      [{ stores: [a, Object.assign(Object.create(a) as GatedStore, { name: 'b' })], claim: one.id }, /same store/],
      [{ stores: [a, b], claim: one.id, takeOver: 1 as never }, /takeOver is 1/]
    ] as const
    for (const [options, text] of refusals) assert.match((await refused(endClaim({ register, ...options }))).message, text)
    assert.equal((await register.read()).version, version)
    for (const { id } of [one, two]) await endClaim({ register, stores: [c, b, a], claim: id })
    assert.deepEqual((await readOwnership(register)).claims, [])
  }))

test('a store of that name that is another one: its gate refuses, nothing is deleted, and the right one ends it', () =>
  inMemory(300, async (world) => {
    const { a, b, register, load } = world
    const named = (store: GatedStore, name: string): GatedStore => Object.assign(Object.create(store) as GatedStore, { name, mover: Object.assign(Object.create(store.mover as Store) as Store, { name }) })
    for (const state of ['copying', 'fencing', 'activating']) {
      const engine = new Engine()
      const [from, to] = (await readOwnership(register)).parts[0]?.owner === 'a' ? [a, b] : [b, a]
      const migration = await engine.migrate({ live: true, from, to, register, pauseBudgetMs: 10_000 })
      migration.on('state', (now) => void (now === state && engine.close()))
      await refused(migration.done)
      const wrong = gatedStore(memoryStore({ name: from.name }))
      await assignRange({ register: memoryRegister(), store: wrong, ranges: [['x', 'z']] })
      await wrong.put('xyz', 'kept')
      for (const stores of [[wrong, to], [named(to, from.name), named(from, to.name)]]) {
        assert.equal((await refused(endClaim({ register, stores }))).code, 'KEYHAUL_NOT_OWNER')
      }
      assert.equal((await everything(wrong)).get('xyz'), 'kept')
      const end = await endClaim({ register, stores: [a, b] })
      assert.equal(end.owner, state === 'activating' ? to.name : from.name)
      await load.stop()
      await world.check(end.owner as 'a' | 'b')
    }
  }))

test('stopped by a signal it says so, and is called again', () =>
  inMemory(300, async (world) => {
    const { a, b, register } = world
    const { engine } = await atWork(world)
    engine.close()
    const stop = new AbortController()
    const end = endClaim({ register, stores: [a, b], signal: stop.signal, onMigration: () => stop.abort() })
    assert.equal((await refused(end)).code, 'KEYHAUL_INTERRUPTED')
    await assert.rejects(endClaim({ register, stores: [a, b], signal: AbortSignal.abort() }), { code: 'KEYHAUL_INTERRUPTED' })
    // Also one that waits for a store that hangs.
    const later = new AbortController()
    const dying = new Dying(4, 'before')
    const hangs = endClaim({ register: dying.register(register), stores: [dying.store(a), dying.store(b)], takeOver: true, signal: later.signal })
    await dying.died
    later.abort()
    assert.equal((await refused(hangs)).code, 'KEYHAUL_INTERRUPTED')
    await assertEnds(world, 'stopped')
  }))

test('one that ends meanwhile is not claimed anew', () =>
  inMemory(100, async (world) => {
    const { a, b, register } = world
    const { engine } = await atWork(world)
    engine.close()
    let reads = 0
    const slow: Register = {
      ...register,
      // The second one has it, and has ended, when the first one asks for it.
      read: async () => {
        if (++reads === 2) await endClaim({ register, stores: [a, b], takeOver: true })
        return register.read()
      }
    }
    const error = await refused(endClaim({ register: slow, stores: [a, b], takeOver: true }))
    assert.equal(error.code, 'KEYHAUL_NOT_FOUND')
    await world.check('a')
  }))

test('a source without a gate (level 2): whoever stopped its writers is told that they may go on', async () => {
  for (const state of ['draining', 'activating']) {
    const a = memoryStore({ name: 'a', entries: [['k', 'v']] })
    const b = gatedStore(memoryStore({ name: 'b' }))
    const register = memoryRegister()
    await assignRange({ register, store: a, ungated: true })
    const engine = new Engine()
    const migration = await engine.migrate({ live: true, from: a, to: b, register, pauseBudgetMs: 10_000, stopWrites: () => {}, resumeWrites: () => {} })
    migration.on('state', (now) => void (now === state && engine.close()))
    await refused(migration.done)
    const owners: (string | undefined)[] = []
    const end = await endClaim({ register, stores: [a, b], stopWrites: () => {}, resumeWrites: ({ owner }) => void owners.push(owner) })
    const owner = state === 'draining' ? 'a' : 'b'
    assert.equal(end.owner, owner)
    assert.deepEqual([...new Set(owners)], [owner])
    const { entries } = await a.scan({}, { maxEntries: 10, maxBytes: 1000 })
    assert.deepEqual([entries.length, (await everything(b)).size], owner === 'a' ? [1, 0] : [0, 1])
    assert.deepEqual((await readOwnership(register)).claims, [])
  }
})
