// Who is told that a range cannot be moved is told whose it is, and what to do next.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KeyhaulError, migrate, type RangesInput } from '../../../../dist/index.js'
import { assignRange, gatedStore, readOwnership } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { inMemory } from './world.ts'

const text = (key: Uint8Array | string | undefined): string | undefined => key && Buffer.from(key).toString()

async function refusal(run: Promise<unknown>): Promise<KeyhaulError> {
  return run.then(() => assert.fail('it was not refused'), (error: KeyhaulError) => error)
}

test('of keys that another store owns: from which on, who does, and since which epoch', async () => {
  const register = memoryRegister()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => gatedStore(memoryStore({ name }))) as [ReturnType<typeof gatedStore>, ReturnType<typeof gatedStore>, ReturnType<typeof gatedStore>]
  await assignRange({ register, store: a, ranges: [['k', 'm']] })
  await assignRange({ register, store: b, ranges: [['n', 'p']] })
  const move = (ranges: RangesInput) => refusal(migrate({ live: true, from: a, to: c, register, ranges }).done)
  const other = await move([['l', 'o']])
  assert.deepEqual([other.code, other.store, text(other.key), other.owner, other.epoch], ['KEYHAUL_NOT_OWNER', 'a', 'n', 'b', 1])
  assert.equal(other.message, 'store a, key n: it does not own the keys from this key on, b does (epoch 1); move them from b, or leave them out of the ranges')
  const nobody = await move([['l', 'l'], { from: 'q' }])
  assert.deepEqual([nobody.code, text(nobody.key), nobody.owner], ['KEYHAUL_NOT_OWNER', 'q', undefined])
  assert.equal(nobody.message, 'store a, key q: nobody owns the keys from this key on; give them to a store with assignRange(), or leave them out of the ranges')
  assert.match((await move([{ to: 'b' }])).message, /^store a: nobody owns the keys from the first key on; /)
})

test('of keys that another migration has claimed: its claim, its stores, and how far it is', async () => {
  await inMemory(5_000, async ({ a, b, register, load }) => {
    const c = gatedStore(memoryStore({ name: 'c' }))
    const first = migrate({ live: true, from: a, to: b, register, ranges: [['key-00000100', 'key-00004000']], rate: 300_000 })
    await new Promise<void>((wake) => void first.migration.then((migration) => migration.on('state', (state) => void (state === 'copying' && wake()))))
    const [claim] = (await readOwnership(register)).claims
    assert.deepEqual(claim?.ranges.map(({ gte, lt }) => [text(gte), text(lt)]), [['key-00000100', 'key-00004000\0']])
    const error = await refusal(migrate({ live: true, from: a, to: c, register, ranges: [['key-00000001', 'key-00000150']] }).done)
    assert.deepEqual([error.code, error.store, error.migration, text(error.key)], ['KEYHAUL_RANGE_CLAIMED', 'a', claim.id, 'key-00000100'])
    assert.equal(error.message, `store a, key key-00000100, ${claim.id}: this claim of another migration, from a to b (claimed), holds the keys from this key on; wait for its end, or resume or cancel it; where its journal is lost, end it with endClaim() or keyhaul cancel --register`)
    await first.done
    await load.stop()
    assert.deepEqual((await readOwnership(register)).claims, [])
  })
})
