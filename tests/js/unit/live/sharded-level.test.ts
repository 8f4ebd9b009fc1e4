// What was a Level becomes several stores, and ranges move under those who read it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrate } from '../../../../dist/index.js'
import { ShardedLevel } from '../../../../dist/live/level.js'
import { keyOf } from '../../support/stores.ts'
import { inLevels, inMemory } from './world.ts'

test('iterated both ways while ranges move there and back: each key once, in order', async () => {
  await inLevels(3000, async ({ a, b, register, load }) => {
    const db = new ShardedLevel({ stores: { a, b }, register, pageEntries: 50 })
    load.start({ pause: 1, scanners: 0 })
    let moving = true
    const stable = Array.from({ length: 3000 / 8 }, (_, i) => keyOf(i * 8))
    let passes = 0
    const read = async (reverse: boolean): Promise<void> => {
      for (; moving || passes < 4; passes++) {
        const keys = await db.keys({ reverse }).all()
        const sorted = [...keys].sort()
        assert.deepEqual(keys, reverse ? sorted.reverse() : sorted)
        assert.equal(new Set(keys).size, keys.length)
        const seen = new Set(keys)
        assert.deepEqual(stable.filter((key) => !seen.has(key)), [])
        await new Promise((wake) => setTimeout(wake, 1))
      }
    }
    const readers = Promise.all([read(false), read(true)])
    const part = [[keyOf(700), keyOf(1900)]] as const
    await migrate({ live: true, from: a, to: b, register, ranges: part }).done
    await migrate({ live: true, from: b, to: a, register, ranges: part }).done
    await migrate({ live: true, from: a, to: b, register }).done
    moving = false
    await readers
    assert.ok(passes > 4)
    await load.stop()
    await db.close()
  })
})

test('a sublevel moves, with its encoding, and its last entry is found from behind', async () => {
  await inMemory(10, async ({ a, b, register }) => {
    const db = new ShardedLevel<string, string>({ stores: { a, b }, register })
    const users = db.sublevel<string, { name: string }>('users', { valueEncoding: 'json' })
    for (const name of ['ann', 'bob', 'eve']) await users.put(name, { name })
    await migrate({ live: true, from: a, to: b, register, ranges: [{ prefix: '!users!' }] }).done
    assert.deepEqual(await users.get('bob'), { name: 'bob' })
    assert.deepEqual(await users.values({ reverse: true, limit: 1 }).all(), [{ name: 'eve' }])
    assert.notEqual(await b.get('!users!bob'), undefined)
    // The rest stayed.
    assert.notEqual(await a.get(keyOf(0)), undefined)
    await users.clear({ gt: 'ann' })
    assert.deepEqual(await users.keys().all(), ['ann'])
    await db.close()
  })
})

test('a batch over two stores is refused, or goes store by store where that was asked for', async () => {
  await inMemory(20, async ({ a, b, register, load }) => {
    await migrate({ live: true, from: a, to: b, register, ranges: [[keyOf(10), keyOf(19)]] }).done
    await load.stop()
    const options = { stores: { a, b }, register }
    const writes = [{ type: 'put', key: keyOf(1), value: 'x' }, { type: 'del', key: keyOf(11) }, { type: 'put', key: keyOf(2), value: 'y' }] as const
    const strict = new ShardedLevel(options)
    await assert.rejects(strict.batch([...writes]), { code: 'KEYHAUL_INVALID_ARGUMENT', message: /a batch is atomic on one store only/ })
    assert.notEqual(await strict.get(keyOf(1)), 'x')
    await strict.batch().put(keyOf(1), 'x').put(keyOf(3), 'z').write()
    await strict.close()
    const loose = new ShardedLevel({ ...options, batchAcross: 'perStore' })
    await loose.batch([...writes])
    assert.deepEqual(await loose.getMany([keyOf(1), keyOf(2), keyOf(3), keyOf(11)]), ['x', 'y', 'z', undefined])
    const said: string[] = []
    for (const event of ['closing', 'closed'] as const) loose.on(event, () => said.push(event))
    assert.equal(loose.status, 'open')
    await loose.close()
    assert.deepEqual(said, ['closing', 'closed'])
    await assert.rejects(loose.get('x'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
    await loose.open()
    assert.equal(await loose.get(keyOf(1)), 'x')
    await loose.close()
  })
})

test('what is given as to another database is refused, not passed over', async () => {
  await inMemory(10, async ({ a, b, register }) => {
    const refused = { code: 'KEYHAUL_INVALID_ARGUMENT', message: 'a ShardedLevel takes one object, with stores and register, and with its encodings too' }
    const options = { stores: { a, b }, register }
    const Loose = ShardedLevel as unknown as new (...given: unknown[]) => ShardedLevel
    for (const given of [[options, { valueEncoding: 'json' }], [a, { valueEncoding: 'json' }], [{ a, b }], [{ stores: { a, b } }], []]) assert.throws(() => new Loose(...given), refused)
    const db = new ShardedLevel<string, unknown>({ ...options, valueEncoding: 'json' })
    assert.equal(db.valueEncoding().commonName, 'json')
    await db.close()
  })
})
