// What JavaScript lets through is refused with a code, a name and what to do, and nothing is touched.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryLevel } from 'memory-level'
import { OPTION_NAMES } from '../../../dist/given.js'
import { Engine, inspectJournal, type KeyhaulError, memoryJournal, type MigrateOptions, migrate } from '../../../dist/index.js'
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
    [{ from, to, ranges: ['a', 'm'] }, /"a" is no range; .*\[first, last\], both included, or \{ prefix \}/],
    [{ from, to, ranges: 'a..m' }, /"a" is no range/],
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

test('two sublevels of one database have names of their own, and a migration goes between them', async () => {
  const db = new MemoryLevel<string, string>()
  const [a, b] = [db.sublevel('a'), db.sublevel('b')]
  await a.put('apple', '1')
  const receipt = await migrate({ from: levelStore(a), to: levelStore(b) }).done
  assert.deepEqual([receipt.verified, receipt.from, receipt.to, await b.get('apple')], [true, 'level!a!', 'level!b!', '1'])
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
