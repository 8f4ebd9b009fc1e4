// Stores whose values carry versions: a copy converges without a feed, nothing newer is overwritten, and a
// feed that is ahead of its scans can be followed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLevel } from 'memory-level'
import { memoryJournal, type MigrateOptions, type MigrationError, migrate, resume, type Store } from '../../../dist/index.js'
import { levelStore, type VersionOf } from '../../../dist/stores/level.js'
import { memoryStore, type MemoryStore } from '../../../dist/stores/memory.js'
import { early } from '../support/early.ts'

/** Eight bytes of version, then a flag, then text. */
function record(version: number, text: string | undefined): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes.writeBigUInt64BE(BigInt(version))
  bytes[8] = text === undefined ? 1 : 0
  return Buffer.concat([bytes, Buffer.from(text ?? '')])
}
const versionOf = (value: Uint8Array): bigint => Buffer.from(value.subarray(0, 8)).readBigUInt64BE()
const keyOf = (i: number): string => `k${String(i).padStart(5, '0')}`
const COUNT = 1000

function filled(name: string): MemoryStore {
  const store = memoryStore({ name, versionOf, without: ['feed'] })
  for (let i = 0; i < COUNT; i++) store.put(keyOf(i), record(1, `value ${i}`))
  return store
}

const all = (store: MemoryStore): [string, string][] => [...store].map(([key, value]) => [Buffer.from(key).toString(), Buffer.from(value).toString('latin1')])

/** Does something before each scan. */
function scanning(base: MemoryStore, before: (scan: number) => void): Store {
  let scans = 0
  return {
    name: base.name, identity: base, capabilities: base.capabilities,
    scan: (range, options) => { before(scans++); return base.scan(range, options) },
    apply: (writes, options) => base.apply(writes, options),
    ...(base.applyNewer === undefined ? {} : { applyNewer: base.applyNewer.bind(base) })
  }
}

test('what is written to the source during the copy is brought over, tombstones too, without a feed', async () => {
  const [from, to] = [filled('a'), memoryStore({ name: 'b', versionOf })]
  let version = 1
  const moving = scanning(from, (scan) => {
    if (scan > 12) return
    for (let i = 0; i < 30; i++) from.put(keyOf((scan * 37 + i * 91) % 1100), record(++version, i % 7 === 0 ? undefined : `new ${version}`))
  })
  const receipt = await migrate({ from: moving, to, pageEntries: 100, requireLevel: 1 }).done
  assert.deepEqual([receipt.state, receipt.level, receipt.verified, receipt.changed], ['done', 1, true, 0])
  assert.ok(receipt.repairs > 0)
  assert.deepEqual(receipt.digests.source, receipt.digests.target)
  assert.deepEqual(all(to), all(from))
})

test('what is newer on the target stands: before, during the copy and right before the end', async () => {
  const from = filled('a')
  const to = memoryStore({ name: 'b', versionOf })
  to.put(keyOf(5), record(9, 'before'))
  to.put(keyOf(6), record(0, 'older'))
  const written = scanning(to, (scan) => { if (scan < 30) to.put(keyOf(100 + scan), record(50 + scan, 'meanwhile')) })
  const receipt = await migrate({ from, to: written, pageEntries: 100, intoNonempty: true }).done
  assert.deepEqual([receipt.state, receipt.verified, receipt.missing, receipt.extra], ['done', true, 0, 0])
  const held = new Map(all(to))
  assert.match(held.get(keyOf(5)) ?? '', /before$/)
  assert.match(held.get(keyOf(6)) ?? '', /value 6$/)
  const newer = [...held.values()].filter((value) => /(before|meanwhile)$/.test(value)).length
  assert.ok(newer > 5)
  // What came after its key was compared nobody has counted.
  assert.ok(receipt.changed >= 1 && receipt.changed <= newer, `${receipt.changed} of ${newer}`)
  assert.equal(held.size, COUNT)
})

test('a key that only the target has is named and never deleted, repair or not', async () => {
  for (const repair of [false, true]) {
    const [from, to] = [filled('a'), memoryStore({ name: 'b', versionOf })]
    const cut = scanning(from, (scan) => { if (scan === 6) from.delete(keyOf(3)) })
    const error = await migrate({ from: cut, to, pageEntries: 100, repair }).done.catch((reason: unknown) => reason) as MigrationError
    assert.equal(error.code, 'KEYHAUL_VERIFY_MISMATCH')
    assert.deepEqual(error.receipt?.different, [{ key: keyOf(3), kind: 'extra' }])
    assert.notEqual(to.get(keyOf(3)), undefined)
  }
})

test('of one version with two values nobody is told that a repair would mend it: it would not', async () => {
  const [from, to] = [filled('a'), memoryStore({ name: 'b', versionOf })]
  to.put(keyOf(5), record(1, 'another'))
  const error = await migrate({ from, to, intoNonempty: true }).done.then(() => assert.fail('they differ'), (reason: MigrationError) => reason)
  assert.equal(error.code, 'KEYHAUL_VERIFY_MISMATCH')
  assert.match(error.message, /0 missing, 0 extra, 1 changed, first changed key k00005; no version tells which is right: write that one anew, and delete what only the target has$/)
  assert.ok(error.message.endsWith(`; ${error.next}`), error.next)
  const repaired = await migrate({ from, to, mode: 'verify', repair: true }).done
  assert.deepEqual([repaired.state, repaired.changed], ['mismatch', 1])
})

test('writers that never pause stop it resumably, and it goes on once they do', async () => {
  const [from, to] = [filled('a'), memoryStore({ name: 'b', versionOf })]
  let version = 1
  const journal = memoryJournal()
  const busy = scanning(from, () => from.put(keyOf(++version % COUNT), record(version, 'busy')))
  const error = await migrate({ from: busy, to, pageEntries: 100, journal }).done.catch((reason: unknown) => reason) as MigrationError
  assert.equal(error.code, 'KEYHAUL_NOT_CONVERGING')
  assert.match(error.message, /each comparison was overtaken/)
  assert.equal(error.resumable, true)
  const receipt = await resume({ from, to, journal }).done
  assert.deepEqual([receipt.state, receipt.verified], ['done', true])
  assert.deepEqual(all(to), all(from))
})

test('between LevelDBs, sublevels too: what clients of the target write at the same time is not lost', async () => {
  for (const part of [false, true]) {
    const [a, b] = [new MemoryLevel<string, Uint8Array>({ valueEncoding: 'view' }), new MemoryLevel<string, Uint8Array>({ valueEncoding: 'view' })]
    const target = part ? b.sublevel<string, Uint8Array>('part', { valueEncoding: 'view' }) : b
    for (let i = 0; i < COUNT; i++) await a.put(keyOf(i), record(10, `value ${i}`))
    const options = { versionOf, name: 'target' } as const
    const run = migrate({ from: levelStore(a, { versionOf, name: 'source' }), to: levelStore(target, options), pageEntries: 50, intoNonempty: true })
    let isDone = false
    const done = run.done.finally(() => { isDone = true })
    const newest = new Map<string, number>()
    for (let i = 0; !isDone; i = (i + 7) % COUNT) {
      newest.set(keyOf(i), (newest.get(keyOf(i)) ?? 10) + 1)
      await target.put(keyOf(i), record(newest.get(keyOf(i)) as number, 'client'))
      await new Promise((wake) => setImmediate(wake))
    }
    const receipt = await done
    assert.deepEqual([receipt.state, receipt.verified], ['done', true])
    assert.ok(newest.size > 5)
    for (let i = 0; i < COUNT; i++) {
      const value = Buffer.from(await target.get(keyOf(i)) as Uint8Array)
      const wanted = newest.get(keyOf(i))
      assert.deepEqual([versionOf(value), value.subarray(9).toString()], wanted === undefined ? [10n, `value ${i}`] : [BigInt(wanted), 'client'])
    }
    await Promise.all([a.close(), b.close()])
  }
})

test('a feed that is ahead of its scans is followed where both stores have versions', async () => {
  const base = filled('a')
  const from = early(base, 2)
  const to = memoryStore({ name: 'b', versionOf })
  const run = migrate({ from, to, pageEntries: 20, rate: 200_000 })
  let isDone = false
  const done = run.done.finally(() => { isDone = true })
  const writes: Promise<unknown>[] = []
  for (let i = 0; i < 400 && !isDone; i++) {
    writes.push(from.apply([[Buffer.from(keyOf((i * 131) % 1200)), record(2 + i, i % 11 === 0 ? undefined : `new ${i}`)]], { durable: false }))
    await new Promise((wake) => setImmediate(wake))
  }
  await Promise.all(writes)
  const receipt = await done
  assert.deepEqual([receipt.state, receipt.level, receipt.verified], ['done', 1, true])
  assert.ok(receipt.feedChanges > 0)
  assert.deepEqual(all(to), all(base))
})

test('what a version may be, and what is said where it is none', async () => {
  const kinds: [string, VersionOf][] = [
    ['numbers', (value) => Number(versionOf(value))], ['bigints', versionOf], ['bytes', (value) => value.subarray(0, 8)]
  ]
  for (const [what, of] of kinds) {
    const to = memoryStore({ name: 'b', versionOf: of })
    to.put('x', record(300, 'there'))
    to.put('y', record(2, 'there'))
    assert.equal(await to.applyNewer?.([[Buffer.from('x'), record(299, 'new')], [Buffer.from('y'), record(300, 'new')]], { durable: false, deletes: false }), 1, what)
    assert.deepEqual(all(to).map(([, value]) => value.slice(9)), ['there', 'new'], what)
  }
  // One without a version is older than any, and two of them are one.
  const some = memoryStore({ versionOf: (value) => (value.length === 0 ? undefined : value) })
  some.put('x', '')
  assert.equal(await some.applyNewer?.([[Buffer.from('x'), Buffer.from('a')]], { durable: false, deletes: false }), 0)
  assert.equal(await some.applyNewer?.([[Buffer.from('x'), Buffer.from('')]], { durable: false, deletes: false }), 1)
  assert.deepEqual(all(some), [['x', 'a']])
  const wrong: [VersionOf, RegExp][] = [
    [() => { throw new Error('too short') }, /versionOf threw: too short/],
    [() => Number.NaN, /versionOf gave NaN/],
    [() => 'text' as never, /versionOf gave text/],
    [(value) => (value.length > 9 ? value : 7), /versionOf gave bytes for one value and a number for another/]
  ]
  for (const [of, message] of wrong) {
    const to = memoryStore({ name: 'b', versionOf: of })
    to.put(keyOf(7), record(1, ''))
    const options: MigrateOptions = { from: filled('a'), to, intoNonempty: true, ranges: [[keyOf(7), keyOf(7)]] }
    await assert.rejects(migrate(options).done, { code: 'KEYHAUL_INVALID_ARGUMENT', message })
  }
  // A wrapper that forgets the method does not overwrite anything.
  const { applyNewer: _, ...forgetful } = scanning(memoryStore({ name: 'b', versionOf }), () => {})
  await assert.rejects(migrate({ from: filled('a'), to: forgetful }).done, { code: 'KEYHAUL_UNSUPPORTED', message: /it has no applyNewer/ })
})

test('versions on one side alone change nothing, and a feed without them is as it was', async () => {
  const plain = memoryStore({ name: 'plain', without: ['feed'], entries: [['x', record(1, 'a')]] })
  const to = memoryStore({ name: 'b', versionOf })
  to.put('x', record(9, 'b'))
  const receipt = await migrate({ from: plain, to, intoNonempty: true }).done
  assert.deepEqual([receipt.level, receipt.verified], [0, true])
  assert.deepEqual(all(to), all(plain))
})

test('random writes to both sides end as the newest of each key', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    let state = seed
    const below = (n: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 0x100000000) * n)
    }
    const [from, to] = [filled('a'), memoryStore({ name: 'b', versionOf })]
    const newest = new Map<string, number>(Array.from({ length: COUNT }, (_, i) => [keyOf(i), 1]))
    let version = 1
    // A writer writes what is newer than all before it, to one of the two.
    const write = (store: MemoryStore): void => {
      const key = keyOf(below(COUNT))
      newest.set(key, ++version)
      store.put(key, record(version, below(4) === 0 ? undefined : 'x'))
    }
    const busy = (store: MemoryStore, most: number): Store => scanning(store, (scan) => { if (scan < most) for (let i = below(12); i > 0; i--) write(store) })
    const receipt = await migrate({ from: busy(from, 14), to: busy(to, 20), pageEntries: 100, intoNonempty: true, lanes: 1 + below(3) }).done
    assert.equal(receipt.state, 'done', `seed ${seed}`)
    const held = [...to].map(([key, value]): [string, number] => [Buffer.from(key).toString(), Number(versionOf(value))])
    assert.deepEqual(held, [...newest].sort(([a], [b]) => (a < b ? -1 : 1)), `seed ${seed}`)
  }
})
