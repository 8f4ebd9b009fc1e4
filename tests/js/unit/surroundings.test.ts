// What an element learns of its page: whether it is seen, by the newest of what an observer has gathered, and nothing
// once it is gone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchSurroundings } from '../../../dist/sim/element/surroundings.js'

type Seen = (entries: { isIntersecting: boolean }[]) => void

test('the newest of several entries says whether it is seen; the signal ends all of it', () => {
  let seen: Seen = () => assert.fail('nobody observes')
  const gone: string[] = []
  const page = new EventTarget()
  const media = new Map<string, EventTarget & { matches: boolean }>()
  class Observer {
    constructor(readonly name: string) {}
    observe(): void {}
    disconnect(): void { gone.push(this.name) }
  }
  Object.assign(globalThis, {
    ResizeObserver: class extends Observer { constructor() { super('resize') } },
    IntersectionObserver: class extends Observer { constructor(told: Seen) { super('intersection'); seen = told } },
    document: page,
    matchMedia: (query: string) => {
      const one = Object.assign(new EventTarget(), { matches: query.includes('reduce') })
      media.set(query, one)
      return one
    }
  })
  const told: string[] = []
  const ending = new AbortController()
  const still = watchSurroundings({} as Element, {} as Element, ending.signal, {
    resized: () => told.push('resized'), seen: (visible) => told.push(`seen ${visible}`), shown: () => told.push('shown'), painted: () => told.push('painted'), still: (is) => told.push(`still ${is}`)
  })
  assert.equal(still, true)
  seen([{ isIntersecting: true }, { isIntersecting: false }])
  seen([{ isIntersecting: false }, { isIntersecting: true }])
  const everything = (): void => {
    page.dispatchEvent(new Event('visibilitychange'))
    for (const one of media.values()) one.dispatchEvent(new Event('change'))
  }
  everything()
  assert.deepEqual(told, ['still true', 'seen false', 'seen true', 'shown', 'painted', 'still true'])
  ending.abort()
  everything()
  assert.equal(told.length, 6)
  assert.deepEqual(gone.sort(), ['intersection', 'resize'])
})
