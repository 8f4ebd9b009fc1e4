// A live migration whose writers outrun it is moved in parts.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, inspectJournal, type KeyhaulError, memoryJournal, type Migration, type MigrateOptions, type MigrationError, migrate, type MigrationState } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore, inspectParts, readOwnership, shardedStore } from '../../../../dist/live/index.js'
import { halves } from '../../../../dist/live/split.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inFolder, keyhaul } from '../../support/stores.ts'
import { everything, Load } from './load.ts'
import { isAll, wide } from './wide.ts'

interface World {
  readonly folder: string
  readonly journal: string
  readonly a: GatedStore
  readonly b: GatedStore
  readonly register: ReturnType<typeof levelRegister>
  readonly engine: Engine
  readonly load: Load
}

const KEYS = 1500

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const [dbA, dbB] = [new ClassicLevel(join(folder, 'a')), new ClassicLevel(join(folder, 'b'))]
    const [a, b] = [gatedStore(levelStore(dbA, { name: 'a', feed: true })), gatedStore(levelStore(dbB, { name: 'b', feed: true }))]
    const register = levelRegister(dbA)
    await assignRange({ register, store: a })
    const engine = new Engine()
    const load = new Load(shardedStore({ stores: { a, b }, register }), KEYS)
    await load.fill()
    try {
      await work({ folder, journal: join(folder, 'move.journal'), a, b, register, engine, load })
    } finally {
      await load.stop()
      engine.close()
      await Promise.all([dbA.close(), dbB.close()])
    }
  })
}

async function moveSlow({ a, b, register, journal, engine }: World, more: Partial<MigrateOptions> = {}, isLong = isAll): Promise<Migration> {
  return engine.migrate({ live: true, from: wide(a, isLong), to: b, register, journal, pauseBudgetMs: 2000, ...more })
}

test('the halves of ranges are all of them, and share no key', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const ranges = [{ gte: bytes('b'), lt: bytes('d') }, { gte: bytes('f'), lt: bytes('h') }, { gte: bytes('k') }]
  for (const at of ['c', 'd', 'e', 'f', 'g', 'h', 'k', 'z']) {
    const [first, second] = halves(ranges, bytes(at))
    assert.ok(first.length > 0 && second.length > 0, at)
    const holds = (half: typeof first, key: string): number => half.filter(({ gte, lt }) => (gte === undefined || Buffer.compare(bytes(key), gte) >= 0) && (lt === undefined || Buffer.compare(bytes(key), lt) < 0)).length
    for (const key of 'abcdefghijklmnopqrstuvwxyz') {
      assert.equal(holds(first, key) + holds(second, key), holds(ranges, key), `${key} at ${at}`)
      assert.equal(holds(key < at ? second : first, key), 0, `${key} at ${at}`)
    }
  }
  assert.deepEqual(halves([{}], bytes('m')), [[{ lt: bytes('m') }], [{ gte: bytes('m') }]])
})

test('what cannot be split is refused, with what is in the way', async () => {
  const [from, to] = [gatedStore(memoryStore({ name: 'a' })), gatedStore(memoryStore({ name: 'b' }))]
  const base = { from, to, live: true, register: memoryRegister() } as const
  for (const [given, pattern] of [
    [{ ...base, splitMax: 1 }, /splitMax is 1; it must be 0, or a whole number of 2 to 64/],
    [{ ...base, splitMax: 65 }, /splitMax is 65/],
    [{ ...base, splitMax: 2.5 }, /splitMax is 2.5/],
    [{ ...base, splitMax: 4, reverseWindowMs: 1000 }, /leave splitMax out, or reverseWindowMs/],
    [{ ...base, splitMax: 4, follow: true }, /leave splitMax out, or follow/],
    [{ ...base, from: memoryStore({ name: 'plain' }), splitMax: 4, stopWrites: () => {}, resumeWrites: () => {} }, /leave splitMax out, or stopWrites/],
    [{ ...base, splitMax: 4, journal: memoryJournal() }, /splitMax needs a journal that is a path/],
    [{ from, to, splitMax: 4 }, /splitMax needs live: true/]
  ] as [MigrateOptions, RegExp][]) {
    await assert.rejects(migrate(given).done, (error: KeyhaulError) => {
      assert.equal(error.code, 'KEYHAUL_INVALID_ARGUMENT')
      assert.match(error.message, pattern)
      return true
    })
  }
})

test('one whose pause is too long for all of it moves in two parts, while clients read and write', { timeout: 120_000 }, async () => {
  await inWorld(async (world) => {
    const { load, journal, a, b, register } = world
    load.start({ writers: 4, readers: 2, pause: 2 })
    const migration = await moveSlow(world, { splitMax: 2 })
    const states: MigrationState[] = []
    migration.on('state', (state) => states.push(state))
    const seen: string[] = []
    const reads = (async () => {
      for await (const { state } of migration) seen.push(state)
    })()
    const receipt = await migration.done
    await reads
    await load.stop()
    assert.equal(receipt.state, 'done')
    assert.equal(receipt.level, 4)
    assert.equal(receipt.verified, true)
    assert.equal(receipt.splitAt, undefined)
    assert.equal(receipt.postponed, 5)
    assert.deepEqual(receipt.ranges, [['', null]])
    const [first, second] = receipt.parts ?? []
    assert.equal(receipt.parts?.length, 2)
    assert.deepEqual([first?.state, first?.verified, second?.state, second?.verified], ['done', true, 'done', true])
    assert.equal(first?.ranges[0]?.[1], second?.ranges[0]?.[0])
    assert.equal(receipt.entries, (first?.entries ?? 0) + (second?.entries ?? 0))
    // By what was written, and the writes are spread over all keys.
    assert.ok((first?.entries ?? 0) > KEYS / 8 && (second?.entries ?? 0) > KEYS / 8, `${first?.entries} and ${second?.entries}`)
    // The end of a part is not the end.
    await Promise.resolve()
    assert.deepEqual(states.filter((state) => /^(done|failed|stopped|cancelled)$/.test(state)), ['done'])
    assert.equal(states.filter((state) => state === 'deciding').length, 2)
    assert.ok(!seen.includes('failed'))
    assert.equal(migration.progress().state, 'done')
    assert.deepEqual(await everything(b), load.expected())
    assert.equal((await everything(a)).size, 0)
    assert.deepEqual((await readOwnership(register)).claims, [])
    // Its journals tell the same, and begin nothing anew.
    assert.deepEqual((await inspectParts(journal))?.receipt?.parts?.map(({ state }) => state), ['done', 'done'])
    const root = inspectJournal(new Uint8Array(readFileSync(journal)))
    assert.equal(root.receipt?.state, 'failed')
    assert.equal(root.stopped, 'KEYHAUL_PAUSE_BUDGET')
    assert.equal(root.live?.splitMax, 2)
    for (const again of [() => moveSlow(world, { splitMax: 2 }), () => world.engine.resume({ from: a, to: b, register, journal })]) {
      await assert.rejects(again, { code: 'KEYHAUL_ALREADY_COMPLETE' })
    }
  })
})

test('without it the same move ends, and nothing has moved', { timeout: 60_000 }, async () => {
  await inWorld(async (world) => {
    world.load.start({ writers: 4, readers: 2, pause: 2 })
    await assert.rejects((await moveSlow(world)).done, (error: MigrationError) => {
      assert.equal(error.code, 'KEYHAUL_PAUSE_BUDGET')
      assert.equal(error.receipt?.splitAt, undefined)
      return true
    })
    await world.load.stop()
    assert.deepEqual(await everything(world.a), world.load.expected())
  })
})

test('a cancel in the second part leaves the first one moved, and says so', { timeout: 120_000 }, async () => {
  await inWorld(async (world) => {
    const { load, journal, a, b, register, engine } = world
    load.start({ writers: 2, readers: 1, pause: 2 })
    const migration = await moveSlow(world, { splitMax: 2 })
    let decided = false
    migration.on('state', (state) => {
      if (state === 'deciding') decided = true
      else if (decided && state === 'copying') migration.cancel()
    })
    const error: MigrationError = await migration.done.then(() => assert.fail('it was cancelled'), (error) => error)
    await load.stop()
    assert.equal(error.code, 'KEYHAUL_CANCELLED')
    assert.equal(error.resumable, false)
    assert.match(error.message, /the range was split: what is before key-\d+ has moved and is b's, what is from there on is a's$/)
    assert.equal(error.receipt?.state, 'cancelled')
    assert.deepEqual(error.receipt?.parts?.map(({ state }) => state), ['done', 'cancelled'])
    const [low, high] = [await everything(b), await everything(a)]
    assert.ok(low.size > 0 && high.size > 0)
    assert.deepEqual(new Map([...low, ...high].sort()), new Map([...load.expected()].sort()))
    assert.deepEqual((await readOwnership(register)).parts.map(({ owner }) => owner), ['b', 'a'])
    // It is over, also for whoever comes with its journal.
    assert.equal((await inspectParts(journal))?.receipt?.state, 'cancelled')
    await assert.rejects(engine.resume({ from: a, to: b, register, journal }), { code: 'KEYHAUL_ALREADY_COMPLETE' })
  })
})

test('a stop between the parts is gone on with, and a cancel then takes nothing back that has moved', { timeout: 120_000 }, async () => {
  for (const then of ['resume', 'cancel'] as const) {
    await inWorld(async (world) => {
      const { load, journal, a, b, register, engine } = world
      const migration = await moveSlow(world, { splitMax: 2 })
      load.start({ writers: 2, readers: 1, pause: 2 })
      migration.on('state', (state) => {
        // Of the first part: what is decided is moved to its end, and the stop is heard behind it.
        if (state === 'redirecting') migration.stop()
      })
      await assert.rejects(migration.done, (error: MigrationError) => {
        assert.equal(error.code, 'KEYHAUL_INTERRUPTED')
        assert.equal(error.resumable, true)
        return true
      })
      const node = await inspectParts(journal)
      assert.equal(node?.receipt, undefined)
      assert.equal(node?.parts.length, 1)
      const resumed = await engine.resume({ from: a, to: b, register, journal })
      if (then === 'cancel') resumed.cancel()
      const end = await resumed.done.catch((error: MigrationError) => error.receipt)
      await load.stop()
      const isMoved = then === 'resume' || (await readOwnership(register)).parts.every(({ owner }) => owner === 'b')
      assert.equal(end?.state, then === 'resume' ? 'done' : 'cancelled')
      const all = new Map([...(await everything(a)), ...(await everything(b))].sort())
      assert.deepEqual(all, new Map([...load.expected()].sort()))
      assert.equal((await everything(a)).size === 0, isMoved)
      assert.ok((await inspectParts(journal))?.receipt !== undefined)
    })
  }
})

test('journals of parts that another migration left are in the way before anything has begun', async () => {
  await inWorld(async (world) => {
    writeFileSync(`${world.journal}.2`, 'whatever it is')
    await assert.rejects(moveSlow(world, { splitMax: 2 }), (error: KeyhaulError) => {
      assert.equal(error.code, 'KEYHAUL_JOURNAL_MISMATCH')
      assert.match(error.message, /move\.journal\.2: it is of a part of another migration/)
      return true
    })
    assert.deepEqual((await readOwnership(world.register)).claims, [])
  })
})

test('without a journal it is split too, in this process', { timeout: 120_000 }, async () => {
  await inWorld(async (world) => {
    const migration = await moveSlow(world, { splitMax: 4, journal: undefined })
    world.load.start({ writers: 2, readers: 1, pause: 2 })
    const receipt = await migration.done
    await world.load.stop()
    assert.equal(receipt.level, 3)
    assert.equal(receipt.parts?.length, 2)
    assert.deepEqual(await everything(world.b), world.load.expected())
  })
})

test('keyhaul status, resume and cancel know the parts', { timeout: 180_000 }, async () => {
  await inWorld(async (world) => {
    const { load, journal, folder } = world
    const places = { from: `level:${join(folder, 'a')}`, to: `level:${join(folder, 'b')}`, register: `level:${join(folder, 'a')}` }
    const migration = await moveSlow(world, { splitMax: 2, hostInfo: { places } })
    load.start({ writers: 2, readers: 1, pause: 2 })
    let ends = 0
    migration.on('state', (state) => {
      if (state === 'cleaning' && ++ends === 1) migration.stop()
    })
    await assert.rejects(migration.done, { code: 'KEYHAUL_INTERRUPTED' })
    await load.stop()
    const told = await keyhaul(['status', journal])
    assert.match(told.stdout, /split at key-\d+; 1 of 2 parts begun/)
    assert.match(told.stdout, /part 1 \(.*move\.journal\.1\): (done|stopped)/)
    assert.match(told.stdout, /resume with: keyhaul resume .*move\.journal\n$/)
    const json = JSON.parse((await keyhaul(['status', journal, '--json'])).stdout)
    assert.equal(json.resumable, true)
    assert.equal(json.parts.length, 1)
    assert.ok(existsSync(`${journal}.1`))
  })
})

test('a process that goes to another folder finds the journals of its parts where the first one is', { timeout: 120_000 }, async (t) => {
  await inWorld(async (world) => {
    const { load, journal, folder, a, b, register, engine } = world
    const before = process.cwd()
    t.after(() => process.chdir(before))
    process.chdir(folder)
    const migration = await moveSlow(world, { splitMax: 2, journal: 'move.journal' })
    process.chdir('/')
    load.start({ writers: 2, readers: 1, pause: 2 })
    migration.on('state', (state) => {
      if (state === 'redirecting') migration.stop()
    })
    await assert.rejects(migration.done, { code: 'KEYHAUL_INTERRUPTED' })
    assert.ok(existsSync(`${journal}.1`))
    process.chdir(folder)
    const resuming = engine.resume({ from: a, to: b, register, journal: 'move.journal' })
    process.chdir('/')
    assert.equal((await (await resuming).done).parts?.length, 2)
    await load.stop()
    assert.ok(existsSync(`${journal}.2`))
    assert.deepEqual(await everything(b), load.expected())
  })
})

test('--split is of a live move, and of 2 to 64 parts', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [`level:${join(folder, 'a')}`, `level:${join(folder, 'b')}`]
    const plain = await keyhaul(['move', a, b, '--split', '4'])
    assert.equal(plain.code, 2)
    assert.match(plain.stderr, /--split and --require are of a live move; add --live/)
    const one = await keyhaul(['move', '--live', a, b, '--register', a, '--split', '1'])
    assert.equal(one.code, 2)
    assert.match(one.stderr, /1 is not a number from 2 to 64 \(--split\)/)
  })
})

