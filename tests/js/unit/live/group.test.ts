import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadGroups, WriteGroups } from '../../../../js/src/live/group.js'
import { KeyhaulError } from '../../../../js/src/errors.js'
import type { ApplyOptions, Write } from '../../../../js/src/stores/store.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const put = (key: string, value = ''): Write => [bytes(key), bytes(value)]
const textOf = (writes: readonly Write[]): string => writes.map(([key]) => new TextDecoder().decode(key)).join(' ')
const soon = (): Promise<void> => new Promise((wake) => setImmediate(wake))

/** A store whose calls end when the test says so. */
class Slow {
  readonly calls: { text: string; durable: boolean; end: () => void; fail: (error: Error) => void }[] = []
  /** Writes of these keys fail at once. */
  readonly bad = new Set<string>()

  apply(writes: readonly Write[], { durable }: Pick<ApplyOptions, 'durable'>): Promise<void> {
    const text = textOf(writes)
    const isBad = text.split(' ').some((key) => this.bad.has(key))
    return new Promise((resolve, reject) => {
      this.calls.push({ text, durable, end: resolve, fail: reject })
      if (isBad) reject(new Error(`bad: ${text}`))
    })
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const text = textOf(keys.map((key) => [key, undefined]))
    const isBad = text.split(' ').some((key) => this.bad.has(key))
    return new Promise((resolve, reject) => {
      this.calls.push({ text, durable: false, end: () => resolve(keys.map((key) => bytes(`of ${new TextDecoder().decode(key)}`))), fail: reject })
      if (isBad) reject(new Error(`bad: ${text}`))
    })
  }

  get texts(): string[] {
    return this.calls.map(({ text }) => text)
  }

  async endLast(): Promise<void> {
    this.calls[this.calls.length - 1]?.end()
    await soon()
  }
}

test('what is written while a batch is under way goes into the next one, in order', async () => {
  const store = new Slow()
  const groups = new WriteGroups(store)
  const answered: string[] = []
  const all = ['a', 'b', 'c'].map((key) => groups.add([put(key)], false).then(() => answered.push(key)))
  assert.deepEqual(store.texts, ['a'], 'an idle store is not kept waiting')
  await store.endLast()
  assert.deepEqual([store.texts, answered], [['a', 'b c'], ['a']])
  await store.endLast()
  await Promise.all(all)
  assert.deepEqual(answered, ['a', 'b', 'c'])
  const later = groups.add([put('d')], false)
  assert.deepEqual(store.texts, ['a', 'b c', 'd'])
  await store.endLast()
  await later
})

test('a failing write fails its own writer only, and the order of the others stays', async () => {
  const store = new Slow()
  store.bad.add('bad')
  const groups = new WriteGroups(store)
  const first = groups.add([put('a')], false)
  const outcomes = Promise.allSettled([groups.add([put('k', '1')], false), groups.add([put('x'), put('bad')], false), groups.add([put('k', '2')], false)])
  for (let i = 0; i < 6; i++) await store.endLast()
  await first
  assert.deepEqual(store.texts, ['a', 'k x bad k', 'k', 'x bad', 'k'])
  const [one, two, three] = await outcomes
  assert.deepEqual([one.status, two.status, three.status], ['fulfilled', 'rejected', 'fulfilled'])
  assert.match(String((two as PromiseRejectedResult).reason), /bad: x bad/)
})

test('a store that is down is not asked for each of a group', async () => {
  let calls = 0
  const store = {
    apply: async (): Promise<void> => {
      calls++
      if (calls > 1) throw new KeyhaulError('KEYHAUL_DISK_FULL')
    }
  }
  const groups = new WriteGroups(store)
  const all = Array.from({ length: 50 }, (_, i) => groups.add([put(`k${i}`)], false))
  const ended = await Promise.allSettled(all)
  assert.deepEqual(ended.map(({ status }) => status).filter((status) => status === 'rejected').length, 49)
  assert.equal(calls, 1 + 1 + 2)
})

test('two that fail one after the other do not fail those behind them', async () => {
  const written: string[] = []
  const store = {
    apply: async (writes: readonly Write[]): Promise<void> => {
      const texts = writes.map(([key]) => Buffer.from(key).toString())
      if (texts.some((text) => text.startsWith('bad'))) throw new KeyhaulError('KEYHAUL_STORE_FAILED')
      written.push(...texts)
    }
  }
  const groups = new WriteGroups(store)
  const ended = await Promise.allSettled(['a', 'bad1', 'bad2', 'b', 'c'].map((key) => groups.add([put(key)], false)))
  assert.deepEqual(ended.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled'])
  assert.deepEqual(written, ['a', 'b', 'c'])
})

test('who gives up hears of it at once, also while a batch of others hangs', async () => {
  const groups = new WriteGroups({ apply: () => new Promise<void>(() => {}) })
  void groups.add([put('a')], false)
  const stop = new AbortController()
  const given = groups.add([put('b')], false, stop.signal)
  stop.abort()
  await assert.rejects(given, { name: 'AbortError' })
  await assert.rejects(groups.add([put('c')], false, stop.signal), { name: 'AbortError' })
  assert.equal(groups.unanswered().calls, 1)
})

test('a write that its caller gave up while it waited is not made', async () => {
  const store = new Slow()
  const groups = new WriteGroups(store)
  const stop = new AbortController()
  const [first, given, last] = [groups.add([put('a')], false), groups.add([put('b')], false, stop.signal), groups.add([put('c')], false)]
  const refused = assert.rejects(given, { name: 'AbortError' })
  stop.abort()
  await store.endLast()
  await refused
  await store.endLast()
  await Promise.all([first, last])
  assert.deepEqual(store.texts, ['a', 'c'])
})

test('a durable write is never in a group that is not', async () => {
  const store = new Slow()
  const groups = new WriteGroups(store)
  const all = [
    groups.add([put('a')], false),
    groups.add([put('b')], false),
    groups.add([put('c')], true),
    groups.add([put('d')], false),
    groups.add([put('e')], true)
  ]
  for (let i = 0; i < 3; i++) await store.endLast()
  await Promise.all(all)
  assert.deepEqual(
    store.calls.map(({ text, durable }) => [text, durable]),
    [
      ['a', false],
      ['b', false],
      ['c d e', true]
    ]
  )
})

test('a group is bounded by writes and by bytes, but takes one of any size', async () => {
  const store = new Slow()
  const groups = new WriteGroups(store)
  const large = 'v'.repeat(600_000)
  const many = Array.from({ length: 700 }, (_, i) => put(`m${i}`))
  const all = [
    groups.add([put('first')], false),
    ...['b1', 'b2', 'b3'].map((key) => groups.add([put(key, large)], false)),
    groups.add([put('huge', 'v'.repeat(3_000_000))], false),
    groups.add(many, false),
    groups.add(many, false)
  ]
  for (let i = 0; i < 8; i++) await store.endLast()
  await Promise.all(all)
  assert.deepEqual(store.texts.slice(0, 5), ['first', 'b1', 'b2', 'b3', 'huge'])
  assert.deepEqual(store.calls.slice(5).map(({ text }) => text.split(' ').length), [700, 700])
})

test('reads are three calls at once at most, and everybody gets his own values', async () => {
  const store = new Slow()
  const groups = new ReadGroups(store)
  const all = [['a'], ['b'], ['c'], ['d', 'e'], ['f']].map((keys) => groups.add(keys.map(bytes)))
  assert.deepEqual(store.texts, ['a', 'b', 'c'])
  store.calls[0]?.end()
  await soon()
  assert.deepEqual(store.texts, ['a', 'b', 'c', 'd e f'])
  await store.endLast()
  const found = (await Promise.all([all[0], all[3], all[4]])).map((values) => values?.map((value) => new TextDecoder().decode(value)))
  assert.deepEqual(found, [['of a'], ['of d', 'of e'], ['of f']])
  for (const { end } of store.calls) end()
  await Promise.all(all)
})

test('a read that fails fails its own reader only', async () => {
  const store = new Slow()
  store.bad.add('bad')
  const groups = new ReadGroups(store)
  const first = ['a', 'b', 'x'].map((key) => groups.add([bytes(key)]))
  const outcomes = Promise.allSettled([groups.add([bytes('c')]), groups.add([bytes('bad')])])
  for (const { end } of [...store.calls]) end()
  await soon()
  for (let i = 0; i < 3; i++) await store.endLast()
  await Promise.all(first)
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'rejected']
  )
})
