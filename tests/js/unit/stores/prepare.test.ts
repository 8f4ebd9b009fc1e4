// Batches that are filled before the engine asks for them: nobody who listens may miss them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ClassicLevel } from 'classic-level'
import { migrate } from '../../../../dist/index.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import type { Entry, Store } from '../../../../dist/stores/store.js'
import { inFolder, keyOf, readLevel, withLevel } from '../../support/stores.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const entry: Entry = [bytes('a'), bytes('1')]

test('not where a hook or a listener would see it too late', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const store = levelStore(db)
      const seen: string[] = []
      const hook = ({ key }: { key: unknown }): void => void seen.push(String(key))
      const listener = (): void => {}
      for (const [come, go] of [
        [() => db.hooks.prewrite.add(hook), () => db.hooks.prewrite.delete(hook)],
        [() => db.on('write', listener), () => db.off('write', listener)]
      ] as const) {
        const prepared = store.prepare?.([entry])
        assert.ok(prepared)
        come()
        assert.equal(store.prepare?.([entry]), undefined)
        assert.equal(await prepared.write({ durable: false }), false, 'it came after the batch was filled')
        assert.equal(await db.get('a'), undefined)
        go()
      }
      const later = store.prepare?.([entry])
      assert.ok(await later?.write({ durable: true }))
      assert.equal(await db.get('a'), '1')
      assert.deepEqual(seen, [])
    })
  ))

test('not by a closed store, nor for keys of its own, nor where batches are not native', () =>
  inFolder(async (folder) => {
    const db = new ClassicLevel(join(folder, 'db'))
    const store = levelStore(db)
    await db.open()
    const reserved: Entry = [bytes('!\0keyhaul!x'), bytes('1')]
    assert.equal(store.prepare?.([reserved]), undefined)
    assert.equal(levelStore(db.sublevel('s')).prepare?.([entry]), undefined)
    await db.close()
    assert.equal(store.prepare?.([entry]), undefined)
  }))

/** Batches and iterators that the database would have to close. */
function openResources(db: object): { readonly count: number } {
  const open = new Set<unknown>()
  const { attachResource, detachResource } = db as Record<string, (resource: unknown) => void>
  Object.assign(db, {
    attachResource: (resource: unknown) => void (open.add(resource), attachResource?.call(db, resource)),
    detachResource: (resource: unknown) => void (open.delete(resource), detachResource?.call(db, resource))
  })
  return { get count() { return open.size } }
}

test('nothing is left open of what is given up: aborted, overtaken, discarded', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'db'), async (db) => {
      const open = openResources(db)
      const store = levelStore(db)
      const prepare = (): NonNullable<ReturnType<NonNullable<Store['prepare']>>> => {
        const prepared = store.prepare?.([entry])
        assert.ok(prepared)
        assert.equal(open.count, 1)
        return prepared
      }
      await assert.rejects(prepare().write({ durable: false, signal: AbortSignal.abort() }), { code: 'KEYHAUL_INTERRUPTED' })
      await setImmediate()
      assert.equal(open.count, 0, 'aborted')
      const overtaken = prepare()
      const listener = (): void => {}
      db.on('write', listener)
      assert.equal(await overtaken.write({ durable: false }), false)
      db.off('write', listener)
      await setImmediate()
      assert.equal(open.count, 0, 'overtaken')
      prepare().discard()
      await setImmediate()
      assert.equal(open.count, 0, 'discarded')
      assert.ok(await prepare().write({ durable: false }))
      assert.equal(open.count, 0, 'written')
    })
  ))

const COUNT = 3000
const source = (): Store => memoryStore({ name: 'source', entries: Array.from({ length: COUNT }, (_, i): [string, string] => [keyOf(i), `value ${i}`]) })

async function copied(folder: string, change: (store: Store) => Store): Promise<Map<string, string>> {
  const path = join(folder, 'target')
  await withLevel(path, async (db) => {
    const receipt = await migrate({ from: source(), to: change(levelStore(db)), pageEntries: 100 }).done
    assert.ok(receipt.verified)
    assert.equal(receipt.entries, COUNT)
  })
  return readLevel(path)
}

function withPrepare(store: Store, prepare: NonNullable<Store['prepare']>): Store {
  return Object.assign(Object.create(store) as Store, { prepare })
}

test('a migration writes what was prepared, and calls apply for none of it', () =>
  inFolder(async (folder) => {
    let [prepared, applied] = [0, 0]
    const target = await copied(folder, (store) =>
      Object.assign(withPrepare(store, (writes) => {
        prepared++
        return store.prepare?.(writes)
      }), { apply: (...args: Parameters<Store['apply']>) => (applied++, store.apply(...args)) })
    )
    assert.equal(target.size, COUNT)
    assert.deepEqual([prepared, applied], [COUNT / 100, 0])
  }))

test('a prepared write that fails or is refused is made again from what the engine holds', () =>
  inFolder(async (folder) => {
    let writes = 0
    const target = await copied(folder, (store) =>
      withPrepare(store, (given) => {
        const prepared = store.prepare?.(given)
        assert.ok(prepared)
        const { discard } = prepared
        const write = async (options: Parameters<typeof prepared.write>[0]): Promise<boolean> => {
          switch (writes++ % 3) {
            case 0:
              discard()
              throw new Error('a cable was pulled')
            case 1:
              discard()
              return false
          }
          return prepared.write(options)
        }
        return { write, discard }
      })
    )
    assert.equal(target.size, COUNT)
    for (let i = 0; i < COUNT; i++) assert.equal(target.get(keyOf(i)), `value ${i}`)
    assert.equal(writes, COUNT / 100)
  }))

test('what is not written is discarded', () =>
  inFolder((folder) =>
    withLevel(join(folder, 'target'), async (db) => {
      const store = levelStore(db)
      const open = new Set<object>()
      let made = 0
      let stop = (): void => {}
      const watched = withPrepare(store, (given) => {
        const prepared = store.prepare?.(given)
        assert.ok(prepared)
        const one = {
          write: (options: Parameters<typeof prepared.write>[0]) => (open.delete(one), prepared.write(options)),
          discard: () => (open.delete(one), prepared.discard())
        }
        open.add(one)
        if (++made === 20) stop()
        return one
      })
      const run = migrate({ from: source(), to: watched, pageEntries: 10 })
      stop = (await run.migration).stop
      await assert.rejects(run.done, { code: 'KEYHAUL_INTERRUPTED' })
      assert.equal(open.size, 0)
    })
  ))
