// The journals of the package keep what their interface says. That of browsers is tested in one:
// tests/js/package/indexeddb-journal.test.ts.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { memoryJournal, migrate } from '../../../dist/index.js'
import { openJournalFile } from '../../../dist/journal/file-node.js'
import { indexedDbJournal } from '../../../dist/journal/indexeddb.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import { journalConformance } from '../../../dist/testing/index.js'

const folder = mkdtempSync(join(tmpdir(), 'keyhaul-journals-'))
after(() => rmSync(folder, { recursive: true }))

journalConformance({ test, open: () => memoryJournal() })
journalConformance({ test, exclusive: true, open: (name) => openJournalFile(join(folder, name), { create: true, lock: true }) })

test('a file that is closed takes no more, and whoever in this process wants it next waits for the end', async () => {
  const path = join(folder, 'closed')
  const options = { create: true, lock: true }
  const journal = await openJournalFile(path, options)
  const appended = journal.append(new Uint8Array(100_000))
  const closed = journal.close()
  const next = await openJournalFile(path, options)
  assert.equal((await next.read()).length, 100_000)
  await assert.rejects(journal.append(Uint8Array.of(1)), { code: 'KEYHAUL_CLOSED' })
  await assert.rejects(openJournalFile(path, options), { code: 'KEYHAUL_JOURNAL_IN_USE' })
  // Closed twice, it does not give back what is another's now.
  await Promise.all([appended, closed, journal.close()])
  await assert.rejects(openJournalFile(path, options), { code: 'KEYHAUL_JOURNAL_IN_USE' })
  await next.close()
})

test('appends that nobody waits for stand in their order, and a closed file is closed', { skip: !existsSync('/proc/self/fd') && 'what is open cannot be seen here' }, async () => {
  const path = join(folder, 'hasty')
  const journal = await openJournalFile(path, { create: true, lock: true })
  const parts = Array.from({ length: 20 }, (_, i) => new Uint8Array(50_000).fill(i))
  await Promise.all(parts.map((part) => journal.append(part)))
  await journal.close()
  assert.ok(readFileSync(path).equals(Buffer.concat(parts)))
  const opened = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path)
    } catch {
      return false
    }
  })
  assert.deepEqual(opened, [])
})

test('a journal stays where it is when its process goes to another folder', async () => {
  const [here, there] = [join(folder, 'here'), join(folder, 'there')]
  for (const path of [here, there]) mkdirSync(path)
  const before = process.cwd()
  process.chdir(here)
  try {
    const journal = await openJournalFile('j', { create: true, lock: true })
    process.chdir(there)
    await journal.append(Uint8Array.of(1, 2))
    assert.deepEqual([...(await journal.read())], [1, 2])
    await journal.close()
  } finally {
    process.chdir(before)
  }
  assert.deepEqual([readdirSync(here), readdirSync(there)], [['j'], []])
})

test('the suite finds journals that keep too little', async () => {
  const failing = async (spoil: (journal: ReturnType<typeof memoryJournal>) => object): Promise<string[]> => {
    const cases: [string, () => Promise<void>][] = []
    const open = () => {
      const journal = memoryJournal()
      return { ...journal, read: journal.read, name: 'spoiled', ...spoil(journal) } as typeof journal
    }
    journalConformance({ test: (name, run) => cases.push([name, run]), open })
    const failed: string[] = []
    for (const [name, run] of cases) await run().catch(() => failed.push(name))
    return failed
  }
  assert.deepEqual(await failing(() => ({})), [])
  assert.match((await failing(() => ({ truncate: async () => {} }))).join(), /torn tail/)
  assert.match((await failing(({ append }) => ({ append: (bytes: Uint8Array) => append(bytes.subarray(0, 200_000)) }))).join(), /large record/)
  const bytes: Uint8Array[] = []
  const keeper = { append: async (part: Uint8Array) => void bytes.push(part), read: async () => new Uint8Array(Buffer.concat(bytes)) }
  assert.match((await failing(() => keeper)).join(), /keeps a copy/)
})

test('outside a browser the one of browsers says what to use instead', async () => {
  const journal = indexedDbJournal('move')
  assert.equal(journal.durable, true)
  const error = await journal.read().then(() => undefined, (reason: unknown) => reason as { code: string; message: string })
  assert.equal(error?.code, 'KEYHAUL_UNSUPPORTED')
  for (const name of ['', undefined as unknown as string]) assert.throws(() => indexedDbJournal(name), { code: 'KEYHAUL_INVALID_ARGUMENT' })
})

test('a journal whose close() never ends keeps nobody waiting for ever, and stays in use', async () => {
  const real = globalThis.setTimeout
  // The half minute that it is given.
  const shortened = Object.assign((work: () => void, ms?: number) => real(work, ms === 30_000 ? 20 : ms), { __promisify__: real.__promisify__ }) as typeof setTimeout
  globalThis.setTimeout = shortened
  try {
    const journal = { ...memoryJournal(), durable: true, close: () => new Promise<void>(() => {}) }
    const stores = () => ({ from: memoryStore({ name: 'a', entries: [['k', 'v']] }), to: memoryStore({ name: 'b' }) })
    assert.equal((await migrate({ ...stores(), journal }).done).entries, 1)
    await assert.rejects(migrate({ ...stores(), journal }).done, { code: 'KEYHAUL_JOURNAL_IN_USE' })
    // Nor one that is refused before it begins.
    const other = { ...memoryJournal(), read: async () => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), close: journal.close }
    await assert.rejects(migrate({ ...stores(), journal: other }).done, { code: 'KEYHAUL_JOURNAL_NOT_A_JOURNAL' })
  } finally {
    globalThis.setTimeout = real
  }
})
