// How many changes a feed has still to give: a number of changes, whatever its positions are.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { type LevelDatabase, levelStore } from '../../../../dist/stores/level.js'
import { PositionCounts } from '../../../../dist/stores/level-feed-counts.js'
import { inFolder } from '../../support/stores.ts'

test('a LevelDB feed tells about how many changes wait', async () => {
  await inFolder(async (folder) => {
    const db = new ClassicLevel(join(folder, 'a'))
    const store = levelStore(db as unknown as LevelDatabase, { feed: true })
    const feed = await (store.openFeed as NonNullable<typeof store.openFeed>)({})
    assert.equal(feed.behind?.(feed.position), 0)
    for (let i = 0; i < 300; i++) {
      await db.put(`k${i}`, 'v')
      if (i % 50 === 0) await new Promise((wake) => setTimeout(wake, 3))
    }
    assert.ok(Math.abs((feed.behind?.(feed.position) ?? 0) - 300) <= 16, String(feed.behind?.(feed.position)))
    const page = await feed.poll(feed.position, { maxEntries: 100, maxBytes: 1e6 })
    assert.ok(Math.abs((page.behind ?? 0) - 200) <= 16, String(page.behind))
    assert.ok(Math.abs((feed.behind?.(page.position) ?? 0) - 200) <= 16)
    const rest = await feed.poll(page.position, { maxEntries: 1000, maxBytes: 1e6 })
    assert.equal(rest.behind, 0)
    await feed.close({ discard: true })
    await db.close()
  })
})

test('counts stay right when what lies before is dropped', () => {
  const counts = new PositionCounts()
  for (let i = 1; i <= 100_000; i++) counts.add(i * 1000)
  const expected = (at: number): number => 100_000 - at
  for (const at of [0, 1, 17, 50_000, 99_999, 100_000]) assert.ok(Math.abs(counts.above(at * 1000) - expected(at)) <= 16, String(at))
  counts.drop(50_000_000)
  for (const at of [50_000, 75_000, 100_000]) assert.ok(Math.abs(counts.above(at * 1000) - expected(at)) <= 16, String(at))
})
