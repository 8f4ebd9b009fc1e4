// What JavaScript lets through is refused with a code, a name and what to do, and nothing is touched.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryLevel } from 'memory-level'
import { OPTION_NAMES } from '../../../dist/given.js'
import { Engine, inspectJournal, type KeyhaulError, memoryJournal, type MigrateOptions, migrate, type RangesInput } from '../../../dist/index.js'
import { assignRange, gatedStore, serveControl } from '../../../dist/live/index.js'
import { memoryRegister } from '../../../dist/register/memory.js'
import { levelStore } from '../../../dist/stores/level.js'
import { memoryStore } from '../../../dist/stores/memory.js'

// Does not compile where an option is not named.
const named = (name: keyof MigrateOptions): (typeof OPTION_NAMES)[number] => name

const refusal = (pattern: RegExp) => (error: KeyhaulError): boolean => {
  assert.equal(error.code, 'KEYHAUL_INVALID_ARGUMENT', String(error))
  assert.match(error.message, pattern)
  return true
}

test('options that are none, or out of their senses', async () => {
  const [from, to] = [memoryStore({ name: 'a' }), memoryStore({ name: 'b' })]
  from.put('apple', '1')
  assert.ok(OPTION_NAMES.includes(named('ranges')))
  for (const [given, pattern] of [
    [{ from, to, range: [['a', 'b']], mode: 'move' }, /no option range/],
    [{ from, to, jurnal: './x' }, /no option jurnal/],
    [{ from, to, rate: -1 }, /rate is -1/],
    [{ from, to, rate: Number.NaN }, /rate is NaN/],
    [{ from, to, rate: '5M' }, /rate is 5M; it must be a finite number of 0 or more/],
    [{ from, to, rate: Number.POSITIVE_INFINITY }, /rate is Infinity; it must be a finite number/],
    [{ from, to, mode: 'move', ranges: [{ prefix: '' }] }, /a prefix is empty/],
    [{ from, to, mode: 'move', ranges: [['a', 'b'], { prefix: new Uint8Array(0) }] }, /a prefix is empty/],
    [{ from, to, lanes: Number.POSITIVE_INFINITY }, /lanes is Infinity/],
    [{ from, to, ranges: ['a', 'm'] }, /"a" is no range; .*\[first, last\], both included, \{ prefix \} or \{ from \}/],
    [{ from, to, pageBytes: 5 }, /pageBytes is 5; it must be 1024 to 67108864$/],
    [{ from, to, entryBytesMax: 2 ** 40 }, /entryBytesMax is 1099511627776; it must be 1024 to 536870912$/],
    [{ from, to, lanes: 65 }, /lanes is 65; it must be 1 to 64$/],
    [{ from, to, requireLevel: 6 }, /requireLevel is 6; it must be a whole number of 0 to 5$/],
    [{ from, to, mode: 'move', verify: 'none' }, /verify cannot be none in a move$/],
    [{ from, to, ranges: 'a..m' }, /"a\.\.m" is no list of ranges; .*'all'/],
    [{ from, to, ranges: { from: 'a' } }, /\{"from":"a"\} is no list of ranges/],
    [{ from, to, ranges: [{ from: undefined }] }, /\{\} is no range/],
    [{ from, to, ranges: [{ from: 'a', to: undefined }] }, /\{"from":"a"\} is no range/],
    [{ from, to, ranges: [] }, /\[\] is no list of ranges/],
    [{ from, to, ranges: [{}] }, /\{\} is no range/],
    [{ from, to, ranges: [['a']] }, /\["a"\] is no range/],
    [{ from, to, ranges: [[1, 2]] }, /\[1,2\] is no range/],
    [{ from, to, ranges: [{ gte: 'a', lt: 'm' }] }, /\{"gte":"a","lt":"m"\} is no range/],
    [{ from, to, ranges: [{ prefx: 'a' }] }, /\{"prefx":"a"\} is no range/],
    [{ from, to, ranges: [undefined] }, /undefined is no range/]
  ] as [unknown, RegExp][]) {
    await assert.rejects(migrate(given as MigrateOptions).done, refusal(pattern))
  }
  assert.notEqual(await from.get('apple'), undefined)
})

test('live: what a plan refuses says what it may be', async () => {
  const register = memoryRegister()
  const [from, to] = [gatedStore(memoryStore({ name: 'a' })), gatedStore(memoryStore({ name: 'b' }))]
  for (const [given, pattern] of [
    [{ pauseBudgetMs: 3 }, /pauseBudgetMs is 3; it must be 10 to 3600000$/],
    [{ reverseWindowMs: 1e9 }, /reverseWindowMs is 1000000000; it must be a whole number of 0 to 604800000$/],
    [{ intoNonempty: true }, /intoNonempty cannot be true in a live migration$/]
  ] as [object, RegExp][]) {
    await assert.rejects(migrate({ live: true, from, to, register, ...given }).done, refusal(pattern))
  }
})

test('a range to the last key, from the first one, and all of them', async () => {
  const entries = ['a', 'k', 'k\0', 'z'].map((key): [string, string] => [key, '1'])
  const from = memoryStore({ name: 'a', entries })
  for (const [ranges, keys] of [
    ['all', ['a', 'k', 'k\0', 'z']],
    [[{ from: 'k' }], ['k', 'k\0', 'z']],
    [[{ to: 'k' }], ['a', 'k']],
    [[{ from: 'b', to: 'k' }], ['k']],
    [[{ to: 'a' }, { from: 'l' }], ['a', 'z']]
  ] as [RangesInput, string[]][]) {
    const to = memoryStore({ name: 'b' })
    assert.equal((await migrate({ from, to, ranges }).done).verified, true)
    assert.deepEqual([...to].map(([key]) => Buffer.from(key).toString()), keys)
  }
})

test('a rate that is none is no limit nowhere', async () => {
  const [from, to, journal] = [memoryStore({ name: 'a', entries: [['apple', '1']] }), memoryStore({ name: 'b' }), memoryJournal()]
  const engine = new Engine()
  const run = await engine.migrate({ from, to, journal })
  run.pause()
  for (const rate of ['5M', -1, Number.NaN, Number.POSITIVE_INFINITY, null] as never[]) {
    assert.throws(() => engine.setRate(rate), refusal(/rate is .*finite number/))
    assert.throws(() => run.setRate(rate), refusal(/rate is .*finite number/))
    assert.throws(() => new Engine({ rate }), refusal(/rate is .*finite number/))
    await assert.rejects(engine.resume({ from, to, journal, rate }), refusal(/rate is .*finite number/))
  }
  engine.close()
})

test('a path where a database or bytes should be', () => {
  for (const db of [undefined, './a', {}]) assert.throws(() => levelStore(db as unknown as MemoryLevel), refusal(/levelStore takes .*new ClassicLevel/))
  assert.throws(() => inspectJournal('./x.journal' as unknown as Uint8Array), refusal(/bytes of the journal/))
})

test('two memory stores, or databases in memory, have names of their own, and a migration goes between them', async () => {
  for (const make of [() => memoryStore(), () => levelStore(new MemoryLevel())]) {
    const [a, b] = [make(), make()]
    await a.apply([[Buffer.from('apple'), Buffer.from('1')]], { durable: false })
    const journal = memoryJournal()
    const { verified, from, to } = await migrate({ from: a, to: b, journal }).done
    assert.deepEqual([verified, from, to, from === to], [true, a.name, b.name, false])
    // Its journal is not that of another pair.
    await assert.rejects(migrate({ from: a, to: make(), journal }).done, { code: 'KEYHAUL_JOURNAL_MISMATCH' })
  }
  const db = new MemoryLevel()
  assert.equal(levelStore(db).name, levelStore(db).name)
})

test('two sublevels of one database have names of their own, and a migration goes between them', async () => {
  const db = new MemoryLevel<string, string>()
  const [a, b] = [db.sublevel('a'), db.sublevel('b')]
  const { name } = levelStore(db)
  await a.put('apple', '1')
  const receipt = await migrate({ from: levelStore(a), to: levelStore(b) }).done
  assert.deepEqual([receipt.verified, receipt.from, receipt.to, await b.get('apple')], [true, `${name}!a!`, `${name}!b!`, '1'])
})

test('a service without a register, or with a file where its journals should be, leaves no socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-given-'))
  try {
    const register = memoryRegister()
    const store = gatedStore(memoryStore({ name: 'a' }))
    await assignRange({ register, store })
    const [path, journals] = [join(folder, 'socket'), join(folder, 'file')]
    writeFileSync(journals, 'x')
    await assert.rejects(serveControl({ path, journals, stores: { a: store }, register: undefined as never }), refusal(/`register`/))
    await assert.rejects(serveControl({ path, journals, stores: { a: store }, register }), { code: 'KEYHAUL_JOURNAL_WRITE_FAILED', message: /folder of the journals cannot be made/ })
    assert.equal(existsSync(path), false)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
