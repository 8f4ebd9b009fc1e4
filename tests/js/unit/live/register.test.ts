import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { gatedStore, assignRange } from '../../../../dist/live/index.js'
import { levelRegister } from '../../../../dist/register/level.js'
import { memoryRegister, type Register } from '../../../../dist/register/memory.js'
import { levelStore } from '../../../../dist/stores/level.js'
import { inFolder } from '../../support/stores.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function suite(register: Register): Promise<void> {
  assert.deepEqual(await register.read(), { version: 0, document: new Uint8Array(0) })
  const seen: number[] = []
  const watch = register.watch(({ version }) => void seen.push(version))
  // Many at once: exactly one of those that saw the same version wins.
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => register.compareAndSet(0, bytes(`${i}`))))
  assert.equal(answers.filter(({ swapped }) => swapped).length, 1)
  const winner = answers.findIndex(({ swapped }) => swapped)
  for (const { version, document } of answers) assert.deepEqual([version, Buffer.from(document).toString()], [1, `${winner}`])
  const next = await register.compareAndSet(1, bytes('next'))
  assert.deepEqual({ ...next, document: Buffer.from(next.document).toString() }, { swapped: true, version: 2, document: 'next' })
  await new Promise((wake) => setTimeout(wake, 5))
  assert.deepEqual(seen, [1, 2])
  watch.close()
  await register.compareAndSet(2, bytes('unseen'))
  await new Promise((wake) => setTimeout(wake, 5))
  assert.deepEqual(seen, [1, 2])
}

test('memory register', () => suite(memoryRegister()))

test('LevelDB register: atomic over several objects, and there after a restart', async () => {
  await inFolder(async (folder) => {
    const db = new ClassicLevel(join(folder, 'db'))
    const [one, other] = [levelRegister(db), levelRegister(db)]
    await suite(one)
    const both = await Promise.all([one, other].map((register, i) => register.compareAndSet(3, bytes(`${i}`))))
    assert.equal(both.filter(({ swapped }) => swapped).length, 1)
    // It is nobody's data.
    const page = await levelStore(db).scan({}, { maxEntries: 10, maxBytes: 1000 })
    assert.deepEqual(page, { entries: [], end: true })
    await db.close()
    await assert.rejects(one.read(), { code: 'KEYHAUL_REGISTER_FAILED' }).catch(() => db.close())
    const again = new ClassicLevel(join(folder, 'db'))
    assert.equal((await levelRegister(again).read()).version, 4)
    await again.close()
  })
})

test('LevelDB register: read from the database once, and again after it was closed or cleared', async () => {
  await inFolder(async (folder) => {
    const db = new ClassicLevel(join(folder, 'db'))
    let reads = 0
    const getMany = db.getMany.bind(db)
    Object.assign(db, { getMany: (...args: Parameters<typeof getMany>) => (reads++, getMany(...args)) })
    const register = levelRegister(db)
    assert.equal((await register.compareAndSet(0, bytes('one'))).swapped, true)
    const state = await register.read()
    assert.equal(Buffer.from(state.document).toString(), 'one')
    state.document.fill(0)
    assert.equal(Buffer.from((await levelRegister(db).read()).document).toString(), 'one')
    assert.deepEqual(await register.compareAndSet(0, bytes('late')).then(({ swapped, version }) => [swapped, version]), [false, 1])
    assert.equal(reads, 1)
    await db.close()
    assert.equal((await register.read()).version, 1)
    assert.equal(reads, 2)
    await db.clear()
    assert.equal((await register.read()).version, 0)
    await db.close()
  })
})

test('a gate is as it was after a restart, and two objects of one store share it', async () => {
  await inFolder(async (folder) => {
    const claim = new Uint8Array(16).fill(3)
    const db = new ClassicLevel(join(folder, 'db'))
    const register = levelRegister(db)
    const store = gatedStore(levelStore(db, { name: 'a' }))
    await assignRange({ register, store })
    await store.put('k', 'v')
    await store.mover.gate?.change({ verb: 'fence', claim, coordEpoch: 1, epoch: 2, target: 'b', ranges: [{ gte: bytes('a'), lt: bytes('m') }] })
    await assert.rejects(gatedStore(levelStore(db, { name: 'a' })).put('k', 'w'), { code: 'KEYHAUL_RETRY' })
    await db.close()
    const again = new ClassicLevel(join(folder, 'db'))
    const restarted = gatedStore(levelStore(again, { name: 'a' }))
    await assert.rejects(restarted.put('k', 'w'), { code: 'KEYHAUL_RETRY' })
    assert.equal(Buffer.from((await restarted.get('k')) as Uint8Array).toString(), 'v')
    await restarted.put('z', 'w')
    // A call of the past.
    await assert.rejects(restarted.mover.gate?.change({ verb: 'unfence', claim, coordEpoch: 1, epoch: 1, target: '', ranges: [{ gte: bytes('a'), lt: bytes('m') }] }) as Promise<void>, { code: 'KEYHAUL_SUPERSEDED' })
    await again.close()
  })
})

test('a fence waits for the write that was admitted before it, and can be taken back meanwhile', async () => {
  const { memoryStore } = await import('../../../../dist/stores/memory.js')
  const inner = memoryStore({ name: 'a' })
  let finish = (): void => {}
  const slow = Object.create(inner, {
    apply: {
      value: async (...call: Parameters<typeof inner.apply>) => {
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return inner.apply(...call)
      }
    },
    identity: { value: inner }
  }) as typeof inner
  const store = gatedStore(slow)
  await assignRange({ register: memoryRegister(), store })
  const claim = new Uint8Array(16).fill(1)
  const change = (verb: 'fence' | 'unfence', epoch: number): Promise<void> => store.mover.gate?.change({ verb, claim, coordEpoch: 1, epoch, target: 'b', ranges: [{}] }) as Promise<void>
  const write = store.put('k', 'v')
  await new Promise((wake) => setTimeout(wake, 5))
  let fenced = false
  const first = change('fence', 2).then(() => {
    fenced = true
  })
  await new Promise((wake) => setTimeout(wake, 20))
  assert.equal(fenced, false)
  finish()
  await Promise.all([write, first])
  // And one that is overtaken by what takes it back is told so.
  await change('unfence', 3)
  const second = store.put('k', 'w')
  await new Promise((wake) => setTimeout(wake, 5))
  const overtaken = assert.rejects(change('fence', 4), { code: 'KEYHAUL_SUPERSEDED' })
  await new Promise((wake) => setTimeout(wake, 5))
  await change('unfence', 5)
  finish()
  await Promise.all([second, overtaken])
})
