// How much clients write, as a rehearsal sees it through a feed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change, Store } from '../../../dist/index.js'
import { watchWriters } from '../../../dist/rehearse/clients.js'
import { memoryStore } from '../../../dist/stores/memory.js'

const text = (key: string): Uint8Array => Buffer.from(key)
const RANGES = [{ gte: text('k'), lt: text('l') }]

/** A store whose feed has ten more changes at each look, half of them in the range, and is never read to its end. */
function endless(behind: number): { store: Store; polls: () => number; closed: () => boolean } {
  let polls = 0
  let closed = false
  const changes = Array.from({ length: 10 }, (_, i): Change => [text(i % 2 === 0 ? `k${i}` : `x${i}`), undefined])
  const feed = {
    position: new Uint8Array(1),
    poll: async () => {
      polls++
      await new Promise((wake) => setImmediate(wake))
      return { changes, position: new Uint8Array(1), caughtUp: false }
    },
    behind: () => behind,
    close: async () => {
      closed = true
    }
  }
  return { store: { ...memoryStore({ name: 'a' }), name: 'a', openFeed: async () => feed } as unknown as Store, polls: () => polls, closed: () => closed }
}

/** Somebody writes right before each look at its feed, however busy the machine is. */
function writtenAtEachLook(): ReturnType<typeof memoryStore> {
  const store = memoryStore({ name: 'a' })
  const openFeed = store.openFeed?.bind(store) as NonNullable<typeof store.openFeed>
  let writes = 0
  const opened: typeof openFeed = async (...given) => {
    const feed = await openFeed(...given)
    const poll = feed.poll.bind(feed)
    return Object.assign(feed, {
      poll: (...limits: Parameters<typeof poll>) => {
        store.put(`k${writes++}`, 'v')
        return poll(...limits)
      }
    })
  }
  return Object.assign(store, { openFeed: opened })
}

test('writers that are faster than they are followed are watched for no longer, and what was not looked at counts', async () => {
  const [none, many] = [endless(0), endless(1_000_000_000)]
  const slow = await watchWriters(none.store, RANGES, 100, undefined)
  const fast = await watchWriters(many.store, RANGES, 100, undefined)
  // Five of ten lie in the range, in a tenth of a second or a little more.
  assert.ok(slow > 0 && slow <= none.polls() * 5 * 10, `${slow} of ${none.polls()} looks`)
  assert.ok(fast > 100 * slow && fast <= (many.polls() * 5 + 500_000_000) * 10, `${fast}`)
  assert.deepEqual([none.closed(), many.closed()], [true, true])
})

test('only keys of the ranges count', async () => {
  const store = memoryStore({ name: 'a' })
  const watched = watchWriters(store, RANGES, 60, undefined)
  await new Promise((wake) => setImmediate(wake))
  for (let i = 0; i < 50; i++) store.put(`k${i}`, 'v')
  for (let i = 0; i < 500; i++) store.put(`x${i}`, 'v')
  const perSecond = await watched
  assert.ok(perSecond > 0 && perSecond <= (50 * 1000) / 60, `${perSecond}`)
})

test('a thread that was busy for all of the time is no sign that nobody writes', async () => {
  const store = memoryStore({ name: 'a' })
  const watched = watchWriters(store, RANGES, 30, undefined)
  await new Promise((wake) => setImmediate(wake))
  for (let i = 0; i < 50; i++) store.put(`k${i}`, 'v')
  const until = performance.now() + 60
  while (performance.now() < until);
  assert.ok((await watched) > 0)
})

test('two rehearsals of one source watch it one after the other, and one that is given up waits no longer', async () => {
  const store = writtenAtEachLook()
  const giveUp = new AbortController()
  const watched = [0, 1, 2].map((i) => watchWriters(store, RANGES, 80, i === 1 ? giveUp.signal : undefined))
  giveUp.abort(new Error('no longer wanted'))
  await assert.rejects(watched[1] as Promise<number>, /no longer wanted/)
  const [first, last] = await Promise.all([watched[0], watched[2]])
  assert.ok((first as number) > 0 && (last as number) > 0, `${first}, ${last}`)
  // And of another store nobody has to wait; nor is a failure in anybody's way.
  const broken = { ...memoryStore({ name: 'b' }), identity: store.identity, openFeed: undefined } as unknown as Store
  await assert.rejects(watchWriters(broken, RANGES, 10, undefined), { code: 'KEYHAUL_UNSUPPORTED' })
  assert.ok((await watchWriters(store, RANGES, 40, undefined)) > 0)
})
