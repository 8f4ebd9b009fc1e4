// A mistake of an adapter stops a migration; where a gate makes one, writers may be waiting, so it is asked again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryJournal, migrate, type Store } from '../../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore } from '../../../../dist/live/index.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'

type Change = NonNullable<Store['gate']>['change']

test('a gate that trips over its socket once is asked again', async () => {
  for (const verb of ['prepare', 'fence', 'activate', 'redirect']) {
    const [a, b] = ['a', 'b'].map((name) => gatedStore(memoryStore({ name }))) as [GatedStore, GatedStore]
    const register = memoryRegister()
    await assignRange({ register, store: a })
    for (let i = 0; i < 10; i++) await a.put(`k${i}`, 'v')
    let tripped = 0
    const tripping = (store: GatedStore): GatedStore => {
      const gate = store.mover.gate as NonNullable<Store['gate']>
      const change: Change = async (call) => {
        if (call.verb === verb && tripped++ === 0) throw new TypeError("Cannot read properties of null (reading 'send')")
        return gate.change(call)
      }
      return Object.create(store, { mover: { value: Object.create(store.mover, { gate: { value: { ...gate, change } } }) } })
    }
    const receipt = await migrate({ live: true, from: tripping(a), to: tripping(b), register, journal: memoryJournal() }).done
    assert.deepEqual([receipt.state, receipt.verified, receipt.entries, tripped > 1], ['done', true, 10, true], verb)
  }
})
