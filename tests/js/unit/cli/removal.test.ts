// What a live migration does when it was stopped is told of the store that it is done to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standOf } from '../../../../dist/cli/removal.js'
import { statusText } from '../../../../dist/cli/status-text.js'
import { Engine, inspectJournal, memoryJournal } from '../../../../dist/index.js'
import { reaches } from '../live/reaches.ts'
import { inMemory } from '../live/world.ts'

for (const [name, how, state, from, words] of [
  ['of a move', 'move', 'cleaning', 'source', 'deleting from the source'],
  ['of one that went back', 'reverse', 'cleaning', 'target', 'deleting from the target'],
  ['of a window that has ended', 'closeWindow', 'discarding', 'source', 'deleting from the source'],
  ['of a cancel', 'cancel', 'discarding', 'target', 'taking the copy back'],
  ['of one whose window is about to open', 'window', 'staging', undefined, 'staging on the source']
] as const) {
  test(`${name}: ${words}`, async () => {
    await inMemory(3000, async ({ a, b, register }) => {
      const journal = memoryJournal()
      const engine = new Engine()
      const reverseWindowMs = how === 'reverse' || how === 'closeWindow' || how === 'window' ? 600_000 : 0
      const migration = await engine.migrate({ live: true, from: a, to: b, register, journal, reverseWindowMs, pauseBudgetMs: 5000, pageEntries: 100, durablePages: 1 })
      await reaches(migration, how === 'cancel' ? 'catchingUp' : how === 'move' || how === 'window' ? 'activating' : 'reversible')
      migration.on('state', (now) => {
        if (now === state) migration.stop()
      })
      if (how === 'reverse') migration.reverse().catch(() => {})
      else if (how !== 'move' && how !== 'window') migration[how]()
        await assert.rejects(migration.done)
      const info = inspectJournal(journal.bytes)
      const { removal, isTurned } = standOf(info, journal.bytes)
      assert.deepEqual([info.step, removal?.removedFrom], [state, from])
      const text = statusText(info, 'x', undefined, removal, undefined, isTurned)
      assert.ok(text.includes(`: stopped while ${words}\n`), text)
      if (from !== undefined) assert.match(text, from === 'target' && state === 'discarding' ? /entries taken off the target again/ : new RegExp(`entries deleted from the ${from}`))
      engine.close()
    })
  })
}
