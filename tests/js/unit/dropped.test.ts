// close() frees what an object holds in the module; the garbage collector is the net below it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** What the children do: makes objects, drops them, and says what is left of them in the module. */
const CHILD = `
  const { getModule } = await import('./dist/engine/load.js')
  const { DataChunk, DataMigrator, Engine } = await import('./dist/index.js')
  const { memoryStore } = await import('./dist/stores/memory.js')
  const live = process.argv[1] === 'gate' ? await import('./dist/live/index.js') : undefined
  const module = getModule()
  // Objects and memory of the module that nobody has freed yet.
  const held = { objects: 0, memory: 0 }
  const count = (name, of, by) => {
    const call = module[name]
    module[name] = (...args) => {
      held[of] += by
      return call(...args)
    }
  }
  for (const kind of ['engineCreate', 'migratorCreate', 'gateRestore']) if (kind in module) count(kind, 'objects', 1)
  for (const kind of ['engineDestroy', 'migratorDestroy', 'gateDestroy']) if (kind in module) count(kind, 'objects', -1)
  count('allocate', 'memory', 1)
  count('deallocate', 'memory', -1)

  const store = (name) => memoryStore({ name, entries: [['a', '1'], ['b', '2']] })
  const make = {
    engine: () => new Engine(),
    ended: async () => (await new Engine().migrate({ from: store('a'), to: memoryStore({ name: 'b' }) })).done,
    paused: async () => (await new Engine().migrate({ from: store('a'), to: memoryStore({ name: 'b' }) })).pause(),
    closed: () => new Engine().close(),
    migrator: () => {
      const migrator = new DataMigrator()
      migrator.transferChunk(migrator.startMigration(migrator.createPlan('a', 'b', [['a', 'z']])), new DataChunk('b', 'value'))
    },
    gate: () => live.gatedStore(store('a')).apply([[new Uint8Array([1]), new Uint8Array([2])]], {}).catch(() => {})
  }[process.argv[1]]
  const turns = async () => {
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate)
      if (i % 5 === 0) gc()
    }
  }
  for (let i = 0; i < 300; i++) await make()
  const most = { ...held }
  for (let i = 0; i < 10 && (held.objects > 3 || held.memory > 3); i++) await turns()
  console.log(JSON.stringify({ made: 300, most, left: held, bytes: module.memory.buffer.byteLength }))
`

for (const kind of ['engine', 'ended', 'paused', 'closed', 'migrator', 'gate']) {
  test(`what is dropped without close() leaves nothing in the module: ${kind}`, () => {
    const text = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', CHILD, kind], { encoding: 'utf8' })
    const { left } = JSON.parse(text)
    // The stack may still hold the last.
    assert.ok(left.objects >= 0 && left.objects <= 3, text)
    assert.ok(left.memory >= 0 && left.memory <= 3, text)
  })
}
