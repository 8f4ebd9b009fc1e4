import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, memoryJournal, type MigrationError, migrate } from '../../../../dist/index.js'
import { assignRange, gatedStore, readOwnership, shardedStore } from '../../../../dist/live/index.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { everything } from './load.ts'
import { inLevels, inMemory } from './world.ts'

/** A register that can be made to fail, before or after it did what it was asked for. */
function faulty(): { register: Register; fails: 'never' | 'before' | 'after'; calls: number } {
  const inner = memoryRegister()
  const state = {
    fails: 'never' as 'never' | 'before' | 'after',
    calls: 0,
    register: {
      name: 'faulty',
      durable: false,
      watch: (listener) => inner.watch(listener),
      read: async () => {
        state.calls++
        if (state.fails !== 'never') throw new Error('the register is away')
        return inner.read()
      },
      compareAndSet: async (version, document) => {
        state.calls++
        if (state.fails === 'before') throw new Error('the register is away')
        const answer = await inner.compareAndSet(version, document)
        if (state.fails === 'after') throw new Error('the answer of the register was lost')
        return answer
      }
    } satisfies Register
  }
  return state
}

for (const fails of ['before', 'after'] as const) {
  test(`the register fails ${fails} it decides, for a while: writers wait, and nothing is lost`, async () => {
    const away = faulty()
    await inMemory(
      3_000,
      async ({ a, b, register, load, check }) => {
        load.start()
        const migration = await new Engine().migrate({ live: true, from: a, to: b, register, journal: memoryJournal() })
        const warnings = new Set<string>()
        migration.on('warning', (error) => warnings.add(error.code))
        migration.on('state', (state) => {
          if (state !== 'draining') return
          away.fails = fails
          setTimeout(() => {
            away.fails = 'never'
          }, 400)
        })
        const receipt = await migration.done
        assert.equal(receipt.state, 'done')
        assert.ok(receipt.retries > 0)
        assert.ok(warnings.has('KEYHAUL_COMMIT_UNKNOWN'), [...warnings].join())
        assert.ok(receipt.pauseMs > 300, `${receipt.pauseMs}`)
        await load.stop()
        await check('b')
      },
      away.register
    )
  })
}

test('a register that is away from the start is named, and nothing was touched', async () => {
  const away = faulty()
  await inMemory(100, async ({ a, b, register, load, check }) => {
    away.fails = 'before'
    const error: MigrationError = await new Engine({ retries: 2 }).migrate({ live: true, from: a, to: b, register }).then((migration) => migration.done).then(() => assert.fail(), (reason) => reason)
    assert.equal(error.code, 'KEYHAUL_REGISTER_FAILED')
    assert.match(error.message, /the register is away/)
    away.fails = 'never'
    await load.stop()
    await check('a')
  }, away.register)
})

test('a budget that cannot be kept: put off, given up with PAUSE_BUDGET, and no write is lost', async () => {
  await inMemory(3_000, async ({ a, b, register, load, check }) => {
    load.start({ pause: 2 })
    // A source whose fence takes longer than the writers may be paused.
    const gate = a.mover.gate as NonNullable<typeof a.mover.gate>
    const slow = Object.create(a.mover, {
      gate: {
        value: {
          change: async (call: Parameters<typeof gate.change>[0]) => {
            await gate.change(call)
            if (call.verb === 'fence') await new Promise((wake) => setTimeout(wake, 800))
          }
        }
      }
    }) as typeof a.mover
    const states: string[] = []
    const migration = await new Engine().migrate({ live: true, from: slow, to: b, register, pauseBudgetMs: 500 })
    migration.on('state', (state) => states.push(state))
    const error: MigrationError = await migration.done.then(() => assert.fail(), (reason) => reason)
    assert.equal(error.code, 'KEYHAUL_PAUSE_BUDGET')
    assert.equal(error.receipt?.postponed, 5)
    assert.ok(states.includes('postponing') && states.includes('unfencing'))
    await load.stop()
    await check('a')
  })
})

test('a budget that is missed once is put off, and kept the next time', async () => {
  await inLevels(3_000, async ({ a, b, register, load, check }) => {
    load.start()
    const gate = a.mover.gate as NonNullable<typeof a.mover.gate>
    let fences = 0
    const slow = Object.create(a.mover, {
      gate: {
        value: {
          change: async (call: Parameters<typeof gate.change>[0]) => {
            await gate.change(call)
            if (call.verb === 'fence' && ++fences === 1) await new Promise((wake) => setTimeout(wake, 700))
          }
        }
      }
    }) as typeof a.mover
    const receipt = await new Engine().migrate({ live: true, from: slow, to: b, register, pauseBudgetMs: 500 }).then((migration) => migration.done)
    assert.equal(receipt.postponed, 1)
    assert.ok(receipt.pauseMs > 0 && receipt.pauseMs <= 500, `${receipt.pauseMs}`)
    await load.stop()
    await check('b')
  })
})

test('two migrations cannot claim the same keys', async () => {
  await inMemory(5_000, async ({ a, b, register, load, check }) => {
    const c = gatedStore(memoryStore({ name: 'c' }))
    const first = migrate({ live: true, from: a, to: b, register, rate: 300_000 })
    await new Promise<void>((wake) => void first.migration.then((migration) => migration.on('state', (state) => void (state === 'copying' && wake()))))
    await assert.rejects(migrate({ live: true, from: a, to: c, register, ranges: [['key-00000001', 'key-00000002']] }).done, { code: 'KEYHAUL_RANGE_CLAIMED' })
    await first.done
    await load.stop()
    await check('b')
  })
})

test('what a plan lacks is said before anything is touched', async () => {
  const register = memoryRegister()
  const a = gatedStore(memoryStore({ name: 'a' }))
  const b = gatedStore(memoryStore({ name: 'b' }))
  await assignRange({ register, store: a })
  const refused = (options: object, code: string, message: RegExp): Promise<void> =>
    assert.rejects(new Engine().migrate({ live: true, from: a, to: b, register, ...options }), (error: MigrationError) => error.code === code && message.test(error.message))
  await refused({ register: undefined }, 'KEYHAUL_INVALID_ARGUMENT', /register/)
  await refused({ mode: 'move' }, 'KEYHAUL_INVALID_ARGUMENT', /leave `mode` out/)
  await refused({ pauseBudgetMs: 3 }, 'KEYHAUL_INVALID_ARGUMENT', /pauseBudgetMs/)
  await refused({ from: memoryStore({ name: 'x' }) }, 'KEYHAUL_LEVEL_NOT_MET', /level 3 .*fence.*gatedStore/)
  await refused({ to: memoryStore({ name: 'x' }) }, 'KEYHAUL_LEVEL_NOT_MET', /activate/)
  await refused({ from: gatedStore(memoryStore({ name: 'x', without: ['feed'] })) }, 'KEYHAUL_LEVEL_NOT_MET', /feed/)
  await refused({ requireLevel: 4, journal: memoryJournal() }, 'KEYHAUL_LEVEL_NOT_MET', /durable register and a journal/)
  await refused({ requireLevel: 5, journal: memoryJournal() }, 'KEYHAUL_LEVEL_NOT_MET', /level 5 .*durable register and a journal/)
  await refused({ requireLevel: 5, verify: 'none' }, 'KEYHAUL_INVALID_ARGUMENT', /verify/)
  await assert.rejects(migrate({ live: true, from: b, to: a, register }).done, { code: 'KEYHAUL_NOT_OWNER' })
})

test('a client of a store that was never given the keys is told, and one without an owner too', async () => {
  const register = memoryRegister()
  const a = gatedStore(memoryStore({ name: 'a' }))
  const clients = shardedStore({ stores: { a }, register })
  await assert.rejects(a.get('x'), { code: 'KEYHAUL_MOVED' })
  await assert.rejects(a.put('x', '1'), { code: 'KEYHAUL_MOVED' })
  await assert.rejects(clients.get('x'), { code: 'KEYHAUL_NOT_OWNER' })
  await assignRange({ register, store: a, ranges: [['m', 'z']] })
  await assignRange({ register, store: a, ranges: [['m', 'z']] })
  await clients.put('x', '1')
  assert.equal((await clients.get('x'))?.length, 1)
  await assert.rejects(clients.put('b', '1'), { code: 'KEYHAUL_NOT_OWNER' })
  const keys: string[] = []
  for await (const [key] of clients.iterator()) keys.push(new TextDecoder().decode(key))
  assert.deepEqual(keys, ['x'])
  assert.equal((await everything(a)).size, 1)
  assert.equal((await readOwnership(register)).parts.length, 1)
  // Everything that is still free goes to the other one, and what has an owner stays, also while it is fenced.
  const b = gatedStore(memoryStore({ name: 'b' }))
  await assignRange({ register, store: b })
  const parts = (await readOwnership(register)).parts.map(({ gte, lt, owner }) => [Buffer.from(gte).toString(), lt && Buffer.from(lt).toString(), owner])
  assert.deepEqual(parts, [['', 'm', 'b'], ['m', 'z\0', 'a'], ['z\0', undefined, 'b']])
  await a.mover.gate?.change({ verb: 'fence', claim: new Uint8Array(16), coordEpoch: 1, epoch: 2, target: 'b', ranges: [{ gte: Buffer.from('n'), lt: Buffer.from('p') }] })
  for (const store of [a, b]) await assignRange({ register, store })
  await b.put('b', '1')
  await a.put('m', '1')
  await assert.rejects(a.put('n', '1'), { code: 'KEYHAUL_RETRY' })
  await assert.rejects(b.put('m', '1'), { code: 'KEYHAUL_MOVED' })
  clients.close()
})

test('a fenced range keeps writers waiting, and they give up after their time', async () => {
  await inMemory(10, async ({ a, b, register }) => {
    const clients = shardedStore({ stores: { a, b }, register, timeoutMs: 100 })
    const claim = new Uint8Array(16).fill(9)
    const change = (verb: 'fence' | 'unfence', epoch: number): Promise<void> | undefined =>
      a.mover.gate?.change({ verb, claim, coordEpoch: 1, epoch, target: 'b', ranges: [{}] })
    await change('fence', 2)
    await assert.rejects(clients.put('key-00000001', 'x'), { code: 'KEYHAUL_STORE_STALLED' })
    assert.ok(await clients.get('key-00000001'))
    const late = shardedStore({ stores: { a, b }, register }).put('key-00000001', 'x')
    await change('unfence', 3)
    await late
    clients.close()
  })
})
