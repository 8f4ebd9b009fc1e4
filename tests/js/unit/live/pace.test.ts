// A migration takes a share of the thread while clients are served, and all it needs while they wait.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ActionWord, ReadyWord } from '../../../../dist/engine/layout.generated.js'
import type { Driver } from '../../../../dist/engine/driver.js'
import { Engine } from '../../../../dist/index.js'
import { Pace } from '../../../../dist/live/pace.js'
import { keyOf } from '../../support/stores.ts'
import { everything } from './load.ts'
import { inMemory } from './world.ts'

const COPYING = 3
const STAGING = 15
const DRAINING = 18
const spin = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
}
const live = (share: number): never => ({ share }) as never
/** Runs so many turns of 5 ms each, and gives how long that took. */
async function turns(pace: Pace, count: number): Promise<number> {
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    await new Promise<void>((done) => {
      pace.schedule(() => {
        spin(5)
        done()
      })
    })
  }
  return performance.now() - began
}

test('a share of a quarter leaves three quarters to others; without a live migration nothing is put off', async () => {
  const pace = new Pace()
  const free = await turns(pace, 20)
  assert.equal(pace.events, 256)
  pace.set(1, live(0.25))
  pace.see(1, { kind: 1, state: COPYING })
  assert.equal(pace.events, 2)
  const shared = await turns(pace, 20)
  // 19 pauses of 15 ms; turns take longer on a busy machine, and then so do the pauses.
  assert.ok(shared >= 19 * 15 * 0.9, `${shared} ms`)
  assert.ok(shared > 2 * free, `${shared} ms, ${free} ms without`)
  pace.set(1, undefined)
  assert.equal(pace.events, 256)
})

test('behind the fence there is no waiting, and no turn of the event loop in between', async () => {
  const pace = new Pace()
  pace.set(1, live(0.05))
  pace.see(1, { kind: 1, state: COPYING })
  await turns(pace, 1)
  pace.see(1, { kind: 1, state: DRAINING })
  let others = 0
  const other = setInterval(() => others++, 0)
  await turns(pace, 10)
  clearInterval(other)
  assert.equal(others, 0)
})

test('a call that nobody answers puts the share of the others off for a moment only', async () => {
  const pace = new Pace()
  for (const migration of [1, 2]) pace.set(migration, live(0.25))
  pace.see(1, { kind: 1, state: COPYING })
  pace.see(2, { kind: 1, state: STAGING })
  assert.equal(pace.events, 256)
  await new Promise((wake) => setTimeout(wake, 300))
  assert.equal(pace.events, 2)
  pace.see(2, { kind: 1, state: DRAINING })
  await new Promise((wake) => setTimeout(wake, 300))
  assert.equal(pace.events, 256)
})

test('a turn is never run inside a turn, and can be called off', async () => {
  const pace = new Pace()
  pace.set(1, live(1))
  pace.see(1, { kind: 1, state: DRAINING })
  let depth = 0
  await new Promise<void>((done) => {
    pace.schedule(() => {
      depth++
      assert.equal(depth, 1)
      pace.schedule(() => {
        assert.equal(depth, 0)
        done()
      })
      depth--
    })
  })
  let ran = false
  pace.schedule(() => {
    ran = true
  }).cancel()
  await new Promise((wake) => setTimeout(wake, 5))
  assert.equal(ran, false)
})

const action = (migration: number, op: number, priority: number): { migration: number; op: number; priority: number } => ({ migration, op, priority })

test('one that cannot keep up is first in the line, has twice its share and at most all, until it keeps up', async () => {
  const pace = new Pace()
  pace.set(1, live(0.1))
  pace.set(2, live(0.2))
  for (const migration of [1, 2]) pace.starts(action(migration, migration, 128))
  const waiting = (): { op: number }[] => [10, 11, 12, 13, 14].map((op) => ({ op }))
  const ops = (queue: { op: number }[]): number[] => pace.next(queue).map(({ op }) => op)
  assert.deepEqual(ops(waiting()), [10, 11])
  const slow = await turns(pace, 10)
  for (const op of [12, 13, 14, 15, 16, 17, 18]) pace.starts(action(2, op, 160))
  const queue = Array.from({ length: 12 }, (_, i) => ({ op: 10 + i }))
  // Nobody starves: the oldest of the others is in every fourth turn.
  assert.deepEqual(Array.from({ length: 6 }, () => ops(queue)), [[12, 13], [14, 15], [16, 17], [18, 10], [11, 19], [20, 21]])
  const ahead = await turns(pace, 10)
  // 9 pauses of 45 ms against 9 of 7.5.
  assert.ok(slow >= 9 * 45 * 0.9, `${slow} ms`)
  assert.ok(ahead < slow, `${ahead} ms, ${slow} ms before`)
  pace.starts(action(2, 20, 128))
  assert.deepEqual(ops([{ op: 21 }, { op: 20 }, { op: 22 }]), [21, 20])
  const again = await turns(pace, 10)
  assert.ok(again >= 9 * 45 * 0.9, `${again} ms`)
  pace.set(3, live(0.9))
  pace.starts(action(3, 30, 128))
  pace.starts(action(3, 31, 160))
  // All of the thread, and not more: no pause at all, and none below zero.
  await turns(pace, 3)
  pace.set(3, undefined)
  for (const migration of [1, 2]) pace.set(migration, undefined)
  assert.equal(pace.next(waiting()).length, 5)
})

/** As if the core had raised it: it takes half a minute to see that a migration cannot keep up. */
function raise(engine: Engine, migration: number): void {
  const { driver } = engine as unknown as { driver: Driver }
  const step = driver.engine.step.bind(driver.engine)
  Object.assign(driver.engine, {
    step: (now: number, events: number): number => {
      const deadline = step(now, events)
      const words = new Uint32Array(driver.module.memory.buffer)
      const ready = driver.engine.readyAddress() >>> 2
      const rows = (words[ready + ReadyWord.actions] as number) >>> 2
      for (let i = 0; i < (words[ready + ReadyWord.actionCount] as number); i++) {
        const row = rows + i * ActionWord.size
        const flags = words[row + ActionWord.flags] as number
        assert.equal(flags >>> 8, 128, 'the priority of the plan')
        // Not from its beginning: pages and writes are.
        const isData = (words[row + ActionWord.kind] as number) <= 2
        if (isData && words[row + ActionWord.migration] === migration) words[row + ActionWord.flags] = (flags & 0xff) | (160 << 8)
      }
      return deadline
    }
  })
}

test('of two that move beside each other the one that cannot keep up gets ahead, and the other goes on', async () => {
  await inMemory(4_000, async ({ a, b, register, load }) => {
    const engine = new Engine()
    raise(engine, 2 ** 16 + 1) // the second one
    const begin = (from: number, to: number) => engine.migrate({ live: true, from: a, to: b, register, ranges: [[keyOf(from), keyOf(to)]], pageEntries: 20, pauseBudgetMs: 60_000 })
    const [first, second] = await Promise.all([begin(0, 1_999), begin(2_000, 3_999)])
    const copied = new Promise<readonly [string, number]>((done) => {
      second.on('state', (state) => {
        if (state === 'catchingUp') done([first.progress().state, first.progress().entries])
      })
    })
    const [state, entries] = await copied
    assert.equal(state, 'copying')
    assert.ok(entries > 100 && entries < 1_600, `${entries} of 2,000`)
    for (const { done } of [first, second]) assert.equal((await done).verified, true)
    assert.deepEqual(await everything(b), load.expected())
    assert.equal((await everything(a)).size, 0)
    engine.close()
  })
})
