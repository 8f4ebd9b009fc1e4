import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataChunk, DataMigrator, KeyhaulError, MigrationPlan } from '../../../dist/index.js'

const throws = (run: () => unknown, code: string): void =>
  assert.throws(run, (error: unknown) => error instanceof KeyhaulError && error.code === code, code)

test('the five steps', () => {
  const migrator = new DataMigrator()
  const plan = migrator.createPlan('node-1', 'node-2', [['a', 'z']])
  assert.equal(plan.priority, 128)
  const id = migrator.startMigration(plan)
  assert.equal(id, 'mig-1')
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 0, total: 0 })
  migrator.transferChunk(id, new DataChunk('key1', Uint8Array.of(1, 2, 3)))
  migrator.transferChunk(id, new DataChunk(new TextEncoder().encode('z'), ''))
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 2, total: 0 })
  const { durationMs, ...stats } = migrator.completeMigration(id)
  assert.ok(durationMs >= 0)
  assert.deepEqual(stats, { id, bytesTransferred: 3, chunksTransferred: 2 })
  assert.deepEqual(migrator.getStatus(id), { state: 'completed' })
  throws(() => migrator.cancelMigration(id), 'KEYHAUL_ALREADY_COMPLETE')
  migrator.close()
})

test('errors, in their order, and nothing counted', () => {
  const migrator = new DataMigrator()
  throws(() => migrator.createPlan('a', 'b', [['z', 'a']]), 'KEYHAUL_INVALID_RANGE')
  throws(() => new MigrationPlan('a', 'b', [], 256), 'KEYHAUL_INVALID_ARGUMENT')
  const id = migrator.startMigration(new MigrationPlan('a', 'b', [['b', 'd'], ['x', 'x']], 200), { expectedTotal: 9 })
  const wrong = new DataChunk('q', 'value')
  wrong.checksum ^= 1
  assert.equal(wrong.isValid(), false)
  for (const unknown of ['', 'mig-0', 'mig-01', 'mig-2', 'mig-1 ', 'mig-99999999999999999999']) {
    assert.equal(migrator.getStatus(unknown), undefined)
    throws(() => migrator.transferChunk(unknown, wrong), 'KEYHAUL_NOT_FOUND')
    throws(() => migrator.completeMigration(unknown), 'KEYHAUL_NOT_FOUND')
    throws(() => migrator.cancelMigration(unknown), 'KEYHAUL_NOT_FOUND')
  }
  throws(() => migrator.transferChunk(id, wrong), 'KEYHAUL_CHECKSUM_MISMATCH')
  throws(() => migrator.transferChunk(id, new DataChunk('d\0', '')), 'KEYHAUL_KEY_OUT_OF_RANGE')
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 0, total: 9 })
  migrator.cancelMigration(id)
  assert.deepEqual(migrator.getStatus(id), { state: 'failed', reason: 'Cancelled' })
  throws(() => migrator.transferChunk(id, wrong), 'KEYHAUL_ALREADY_COMPLETE')
  migrator.forget(id)
  throws(() => migrator.forget(id), 'KEYHAUL_NOT_FOUND')
  assert.match(String(new KeyhaulError('KEYHAUL_KEY_OUT_OF_RANGE', { key: 'd', migration: 'mig-1' }).message), /key d, mig-1/)
})

test('slots queue by priority; sequence numbers count once; order is that of bytes', () => {
  const migrator = new DataMigrator({ slots: 1, checksum: 'crc32c' })
  const start = (priority: number): string => migrator.startMigration(new MigrationPlan('a', 'b', [['\uffff', '\u{10000}']], priority))
  const [first, low, high] = [start(1), start(2), start(9)]
  assert.deepEqual([first, low, high].map((id) => migrator.getStatus(id)?.state), ['inProgress', 'pending', 'pending'])
  const chunk = new DataChunk('\u{10000}', 'v', { checksum: 'crc32c', sequence: 7 })
  migrator.transferChunk(first, chunk)
  migrator.transferChunk(first, chunk)
  assert.deepEqual(migrator.getStatus(first), { state: 'inProgress', transferred: 1, total: 0 })
  migrator.completeMigration(first)
  assert.deepEqual([low, high].map((id) => migrator.getStatus(id)?.state), ['pending', 'inProgress'])
})

test('between two transfers the memory may grow, and the migration be another one', () => {
  const migrator = new DataMigrator()
  const plan = migrator.createPlan('a', 'b', [['a', 'z']])
  const [first, second] = [migrator.startMigration(plan), migrator.startMigration(plan)]
  migrator.transferChunk(first, new DataChunk('a', 'one'))
  const other = new DataMigrator()
  const large = other.startMigration(plan)
  for (let megabytes = 8; megabytes <= 64; megabytes *= 2) {
    other.transferChunk(large, new DataChunk('big', new Uint8Array(megabytes << 20)))
    migrator.transferChunk(second, new DataChunk('b', 'four'))
    migrator.transferChunk(first, new DataChunk('c', 'three'))
  }
  throws(() => migrator.transferChunk('mig-3', new DataChunk('a', 'one')), 'KEYHAUL_NOT_FOUND')
  assert.equal(migrator.completeMigration(first).bytesTransferred, 3 + 4 * 5)
  assert.equal(migrator.completeMigration(second).bytesTransferred, 4 * 4)
  throws(() => migrator.transferChunk(second, new DataChunk('a', 'one')), 'KEYHAUL_ALREADY_COMPLETE')
  other.close()
  migrator.close()
})

test('a large value, and use after close', () => {
  const migrator = new DataMigrator()
  const id = migrator.startMigration(migrator.createPlan('a', 'b', [['a', 'z']]))
  migrator.transferChunk(id, new DataChunk('big', new Uint8Array(20_000_000).fill(3)))
  assert.equal(migrator.completeMigration(id).bytesTransferred, 20_000_000)
  migrator.close()
  migrator.close()
  throws(() => migrator.getStatus(id), 'KEYHAUL_CLOSED')
})

test('many chunks at once: counted as one by one, up to the first that is refused', () => {
  const migrator = new DataMigrator()
  const id = migrator.startMigration(migrator.createPlan('a', 'b', [['a', 'z']]))
  const chunks = Array.from({ length: 5_000 }, (_, i) => new DataChunk(`k${i}`, Buffer.alloc(i % 300, i), i % 2 === 0 ? { sequence: i } : {}))
  migrator.transferChunks(id, [])
  migrator.transferChunks(id, chunks)
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 5_000, total: 0 })
  // Those with a number are known, the others are counted again.
  migrator.transferChunks(id, chunks)
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 7_500, total: 0 })
  const huge = new DataChunk('m', 'é'.repeat(200_000))
  const wrong = new DataChunk('bad', 'value', { sequence: 2 ** 40 + 1 })
  wrong.checksum ^= 1
  assert.throws(
    () => migrator.transferChunks(id, [huge, new DataChunk('n', ''), wrong, huge]),
    (error) => error instanceof KeyhaulError && error.code === 'KEYHAUL_CHECKSUM_MISMATCH' && error.key === 'bad'
  )
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 7_502, total: 0 })
  const bytes = chunks.reduce((sum, { value }) => sum + value.length, 0)
  const again = chunks.filter((_, i) => i % 2 === 1).reduce((sum, { value }) => sum + value.length, 0)
  assert.equal(migrator.completeMigration(id).bytesTransferred, bytes + again + 400_000)
})

test('keys and values of every length and alignment arrive as they are', () => {
  const migrator = new DataMigrator()
  const byte = (i: number): number => (i * 167 + 13) % 256
  const pool = Uint8Array.from({ length: 1_400 }, (_, i) => byte(i))
  const kinds = [(bytes: Uint8Array) => bytes, (bytes: Uint8Array) => Buffer.from(bytes), (bytes: Uint8Array) => new Uint8Array(new SharedArrayBuffer(bytes.length)).map((_, i) => bytes[i] as number)]
  for (let length = 0; length <= 70; length++) {
    const key = pool.subarray(length % 7, (length % 7) + length)
    const id = migrator.startMigration(migrator.createPlan('a', 'b', [[key, key]]))
    // Each places the next one at another alignment.
    const chunks = Array.from({ length: 20 }, (_, i) => {
      const bytes = (length * 20 + i) % 1_301
      return new DataChunk((kinds[i % 3] as (typeof kinds)[0])(key), (kinds[(i + length) % 3] as (typeof kinds)[0])(pool.subarray(i, i + bytes)))
    })
    migrator.transferChunks(id, chunks)
    for (let at = 0; at < length; at++) {
      const other = key.slice()
      other[at] = (other[at] as number) ^ 1
      throws(() => migrator.transferChunks(id, [...chunks.slice(0, at % 3), new DataChunk(other, 'value')]), 'KEYHAUL_KEY_OUT_OF_RANGE')
    }
    throws(() => migrator.transferChunk(id, new DataChunk(pool.subarray(length % 7, (length % 7) + length + 1), '')), 'KEYHAUL_KEY_OUT_OF_RANGE')
    const repeats = Array.from({ length }, (_, at) => at % 3).reduce((sum, count) => sum + count, 0)
    const { chunksTransferred, bytesTransferred } = migrator.completeMigration(id)
    assert.equal(chunksTransferred, 20 + repeats)
    const sizes = chunks.map(({ value }) => value.length)
    const again = Array.from({ length }, (_, at) => sizes.slice(0, at % 3)).flat()
    assert.equal(bytesTransferred, [...sizes, ...again].reduce((sum, bytes) => sum + bytes, 0))
  }
  migrator.close()
})

test('each byte of a value is checked, of every length', () => {
  for (const checksum of ['crc32', 'crc32c'] as const) {
    const migrator = new DataMigrator({ checksum })
    const id = migrator.startMigration(migrator.createPlan('a', 'b', [['', 'z']]))
    for (let length = 0; length <= 1_300; length++) {
      const value = new Uint8Array(length).map((_, i) => (i * 31 + length) % 256)
      const chunk = new DataChunk('key'.slice(length % 3), value, { checksum })
      migrator.transferChunks(id, [chunk, chunk])
      if (length === 0) continue
      const at = (length * 37) % length
      value[at] = (value[at] as number) ^ (1 << (length % 8))
      throws(() => migrator.transferChunks(id, [chunk]), 'KEYHAUL_CHECKSUM_MISMATCH')
    }
    assert.equal(migrator.completeMigration(id).chunksTransferred, 2 * 1_301)
    migrator.close()
  }
})

test('what is neither text nor bytes, lies about its length or changes meanwhile harms nothing', () => {
  const migrator = new DataMigrator()
  const id = migrator.startMigration(migrator.createPlan('a', 'b', [['', 'z']]))
  const good = new DataChunk('key', Buffer.alloc(100, 7))
  const chunk = (fields: object): DataChunk => ({ key: 'key', value: good.value, checksum: good.checksum, sequence: undefined, ...fields }) as unknown as DataChunk
  for (const wrong of [undefined, null, 1, {}, [1, 2, 3], { length: 3 }, new ArrayBuffer(3), new Uint16Array(3), new DataView(new ArrayBuffer(3))]) {
    assert.throws(() => migrator.transferChunks(id, [good, chunk({ key: wrong })]), TypeError)
    assert.throws(() => migrator.transferChunks(id, [good, chunk({ value: wrong })]), TypeError)
  }
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 0, total: 0 })
  const detached = new Uint8Array(100)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  throws(() => migrator.transferChunks(id, [chunk({ value: detached })]), 'KEYHAUL_CHECKSUM_MISMATCH')
  // Its length is read before, and its bytes after, the checksum takes them away.
  const taken = new Uint8Array(100).fill(7)
  const takes = chunk({ value: taken, checksum: { valueOf: () => structuredClone(taken.buffer, { transfer: [taken.buffer] }) && 1 } })
  assert.throws(() => migrator.transferChunks(id, [takes]), TypeError)
  assert.deepEqual(migrator.getStatus(id), { state: 'inProgress', transferred: 0, total: 0 })
  // No sequence number is none, however it is written.
  migrator.transferChunks(id, [chunk({ sequence: null }), chunk({ sequence: null })])
  let counted = 2
  for (const length of [99, 101, 60_000, 2 ** 33, -1, Number.NaN]) {
    for (const field of ['key', 'value']) {
      const lies = Object.defineProperty(new Uint8Array(30), 'length', { value: length })
      const transfer = (): void => migrator.transferChunks(id, [good, chunk({ [field]: lies }), good])
      // Of a key nothing but its begin is looked at, so one that says it is longer, or of less than nothing, passes. Of a value all is, and does not.
      const passes = field === 'key' && (length === -1 || length < 2 ** 32)
      if (passes) transfer()
      else throws(transfer, length === 2 ** 33 ? 'KEYHAUL_LIMIT_EXCEEDED' : 'KEYHAUL_CHECKSUM_MISMATCH')
      counted += passes ? 3 : 1
    }
  }
  assert.equal(migrator.completeMigration(id).chunksTransferred, counted)
  const next = migrator.startMigration(migrator.createPlan('a', 'b', [['', 'z']]))
  migrator.transferChunks(next, Array.from({ length: 1_000 }, () => good))
  assert.equal(migrator.completeMigration(next).bytesTransferred, 100_000)
  migrator.close()
})
