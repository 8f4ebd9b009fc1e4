// What a store in memory holds is its own: slice() of a Buffer, which most bytes in Node are, is the same bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryJournal } from '../../../../dist/index.js'
import { memoryStore } from '../../../../dist/stores/memory.js'

const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString()

test('a caller fills its Buffers anew once a write is done', async () => {
  const [key, value] = [Buffer.from('b'), Buffer.from('one')]
  const store = memoryStore({ name: 'm', entries: [[key, value]] })
  const again = (k: string, v: string): void => {
    key.write(k)
    value.write(v)
  }
  again('c', 'two')
  await store.apply([[key, value]], { durable: false })
  again('a', 'six')
  store.put(key, value)
  again('z', 'bad')
  const { entries } = await store.scan({}, { maxEntries: 9, maxBytes: 999 })
  assert.deepEqual(entries.map((entry) => entry.map(textOf)), [['a', 'six'], ['b', 'one'], ['c', 'two']])
  // In the feed too, which is read later.
  const feed = await store.openFeed?.({}) ?? assert.fail()
  again('d', 'ten')
  await store.apply([[key, value]], { durable: false })
  again('e', 'off')
  await store.apply([[key, undefined]], { durable: false })
  again('z', 'bad')
  const { changes } = await feed.poll(feed.position, { maxEntries: 9, maxBytes: 999 })
  assert.deepEqual(changes.map(([k, v]) => [textOf(k), textOf(v)]), [['d', 'ten'], ['e', undefined]])
})

test('a journal in memory begins with a copy, and writes into nobody else\'s bytes', async () => {
  const file = Buffer.from('whole and torn')
  const journal = memoryJournal(file)
  await journal.truncate(5)
  await journal.append(Buffer.from('!!'))
  assert.equal(file.toString(), 'whole and torn')
  file.fill(0)
  assert.equal(textOf(await journal.read()), 'whole!!')
})
