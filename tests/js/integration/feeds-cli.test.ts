// What a database keeps for feeds that nobody follows: seen and dropped from a terminal.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../../dist/index.js'
import { levelStore } from '../../../dist/stores/level.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import { inFolder, keyhaul, withLevel } from '../support/stores.ts'

/** A follower that stopped, and what was written since. */
async function leaveFeed(path: string, journal: string): Promise<void> {
  await withLevel(path, async (db) => {
    for (let i = 0; i < 300; i++) await db.put(`k${i}`, 'v')
    const run = migrate({ from: levelStore(db, { name: 'left', feed: true }), to: memoryStore({ name: 'right' }), journal, follow: true })
    for await (const { state } of run) if (state === 'catchingUp') break
    run.stop()
    await assert.rejects(run.done, { code: 'KEYHAUL_INTERRUPTED' })
    for (let i = 0; i < 20; i++) await db.put(`later${i}`, 'v')
  })
}

test('inspect of a store shows its feeds; drop-feed ends one, not one that can go on', () =>
  inFolder(async (folder) => {
    const [path, journal] = [join(folder, 'db'), join(folder, 'a journal')]
    const url = `level:${path}`
    await leaveFeed(path, journal)
    const shown = await keyhaul(['inspect', url])
    assert.equal(shown.code, 0, shown.stderr)
    assert.match(shown.stdout, /1 open feed\n {2}\d{16} {2}opened .+ ago by journal .*a journal: 20 changes, 130 B of keys\n {4}goes on with: keyhaul resume '.*a journal'\n/)
    const { store, feeds } = JSON.parse((await keyhaul(['inspect', url, '--json'])).stdout)
    assert.equal(store, url)
    assert.equal(feeds.length, 1)
    const [feed] = feeds
    assert.equal(feed.owner, `journal ${journal}`)
    assert.equal(feed.journal, journal)
    assert.equal(feed.changes, 20)
    assert.equal(Date.parse(feed.openedAt) <= Date.now() && feed.ageMs >= 0, true)

    const refused = await keyhaul(['drop-feed', url, feed.id])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /keyhaul resume '.*a journal'; with --force/)
    const unknown = await keyhaul(['drop-feed', url, '12'])
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /KEYHAUL_NOT_FOUND.*no open feed 12; keyhaul inspect/s)

    // One that a newer keyhaul wrote, or that is damaged, is somebody's too.
    const bytes = readFileSync(journal)
    for (const [at, value] of [[4, 9], [20, 0xff]] as const) {
      writeFileSync(journal, bytes.map((byte, i) => (i === at ? value : byte)))
      assert.equal((await keyhaul(['drop-feed', url, feed.id])).code, 2)
    }

    rmSync(journal)
    assert.match((await keyhaul(['inspect', url])).stdout, /grows for ever; drop it with: keyhaul drop-feed/)
    const dropped = await keyhaul(['drop-feed', url, feed.id])
    assert.equal(dropped.code, 0, dropped.stderr)
    assert.equal(dropped.stdout, `dropped feed ${feed.id} with 20 changes, 130 B of keys\n`)
    assert.match((await keyhaul(['inspect', url])).stdout, /has no open feed\n$/)
    await withLevel(path, async (db) => assert.equal((await db.keys({ gte: '!\0keyhaul!', lt: '!\0keyhaul"' }).all()).length, 0))
  }))

test('--force drops the feed of a journal that is there, whose migration then has lost its place', () =>
  inFolder(async (folder) => {
    const [path, journal] = [join(folder, 'db'), join(folder, 'journal')]
    await leaveFeed(path, journal)
    const [{ id }] = JSON.parse((await keyhaul(['inspect', `level:${path}`, '--json'])).stdout).feeds
    const { stdout } = await keyhaul(['drop-feed', `level:${path}`, id, '--force', '--json'])
    assert.deepEqual(JSON.parse(stdout), { store: `level:${path}`, dropped: id, changes: 20 })
    await withLevel(path, async (db) => {
      const from = levelStore(db, { name: 'left', feed: true })
      await assert.rejects(migrate({ from, to: memoryStore({ name: 'right' }), journal, follow: true }).done, { code: 'KEYHAUL_FEED_POSITION_LOST' })
    })
  }))

test('the feed of a live migration needs --force as well; that of a journal that has ended does not', () =>
  inFolder(async (folder) => {
    const [path, journal] = [join(folder, 'db'), join(folder, 'journal')]
    const url = `level:${path}`
    const claim = `claim ${'3f'.repeat(16)}`
    await withLevel(path, async (db) => {
      for (const owner of [claim, `${claim}, the way back`]) await (await levelStore(db, { feed: true }).openFeed?.({}, { owner }))?.close({ discard: false })
    })
    const { feeds } = JSON.parse((await keyhaul(['inspect', url, '--json'])).stdout) as { feeds: { id: string }[] }
    assert.match((await keyhaul(['inspect', url])).stdout, /by claim (3f){16}: 0 changes, .*\n {4}of a live migration, which may go on with it: keyhaul status/)
    for (const { id } of feeds) {
      const refused = await keyhaul(['drop-feed', url, id])
      assert.equal(refused.code, 2)
      assert.match(refused.stderr, /KEYHAUL_USAGE.*of a live migration \(claim (3f){16}.*\), which its journal or its service may go on with: see keyhaul status; with --force it is dropped, and that one has to copy again, or has no way back any more/)
      assert.equal((await keyhaul(['drop-feed', url, id, '--force'])).code, 0)
    }
    assert.equal(feeds.length, 2)
    // At its path there is the journal of another one, which is over.
    await leaveFeed(path, journal)
    rmSync(journal)
    await migrate({ from: memoryStore({ name: 'left' }), to: memoryStore({ name: 'right' }), journal }).done
    const [{ id }] = JSON.parse((await keyhaul(['inspect', url, '--json'])).stdout).feeds
    const dropped = await keyhaul(['drop-feed', url, id])
    assert.equal(dropped.code, 0, dropped.stderr)
  }))

test('what is no store is an error; nothing is made of it', () =>
  inFolder(async (folder) => {
    const gone = await keyhaul(['inspect', `level:${folder}/none`])
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /KEYHAUL_STORE_NOT_FOUND/)
    assert.equal((await keyhaul(['drop-feed', 'nonsense', '1'])).code, 2)
  }))
