// A migration takes a share of the thread while clients are served, and all it needs while they wait.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from '../../../../dist/live/pace.js'

const COPYING = 3
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
