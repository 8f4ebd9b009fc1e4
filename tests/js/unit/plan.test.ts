import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, inspectJournal, KeyhaulError, migrate } from '../../../dist/index.js'
import { memoryStore } from '../../../dist/stores/memory.js'

const stores = () => ({ from: memoryStore({ name: 'a' }), to: memoryStore({ name: 'b' }) })

for (const [name, value] of [
  ['lanes', 1.5],
  ['pageBytes', -1],
  ['windowPages', Number.NaN],
  ['entryBytesMax', Number.POSITIVE_INFINITY],
  ['priority', 256],
  ['durablePages', '20'],
  ['pageEntries', 2 ** 32]
] as const) {
  test(`${name} = ${String(value)} is refused by name, before anything is touched`, async () => {
    using engine = new Engine()
    await assert.rejects(engine.migrate({ ...stores(), [name]: value as number }), (error: unknown) => {
      assert.ok(error instanceof KeyhaulError)
      assert.equal(error.code, 'KEYHAUL_INVALID_ARGUMENT')
      assert.match(error.message, new RegExp(name))
      return true
    })
  })
}

test('names and host information of any text come back from the journal as they were', async () => {
  const chunks: Uint8Array[] = []
  const journal = {
    name: 'kept in memory',
    read: async () => new Uint8Array(Buffer.concat(chunks)),
    append: async (bytes: Uint8Array) => {
      chunks.push(bytes.slice())
    },
    truncate: async () => {},
    close: async () => {}
  }
  const from = memoryStore({ name: 'hex:00 "quoted" \u{1F600}' })
  await migrate({ from, to: memoryStore({ name: 'Ünïcode\\' }), journal, hostInfo: { kept: '\u0000\u2028' } }).done
  const info = inspectJournal(new Uint8Array(Buffer.concat(chunks)))
  assert.equal(info.from, from.name)
  assert.equal(info.to, 'Ünïcode\\')
  assert.deepEqual(info.hostInfo, { kept: '\u0000\u2028' })
  assert.equal(info.state, 'done')
})
