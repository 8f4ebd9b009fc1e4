// What the command line says to somebody who has not read anything: what was wrong, where, and what to do next.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fillLevel, inFolder, keyhaul, keyOf, readLevel, withLevel } from '../support/stores.js'

test('a dry run makes no target, looks into the ranges only, and says what would be refused', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 100)
    const dry = (...more: string[]) => keyhaul(['copy', `level:${a}`, `level:${b}`, '--dry-run', ...more])
    assert.match((await dry()).stdout, /target: empty\n/)
    assert.equal(existsSync(b), false)
    await withLevel(b, (db) => db.put('other', 'x'))
    assert.match((await dry('--prefix', 'key-')).stdout, /target: empty\n/)
    assert.match((await dry()).stdout, /target: holds keys in the range, so it would be refused without --into-nonempty\n/)
    assert.deepEqual(JSON.parse((await dry('--json', '--into-nonempty')).stdout).refused, false)
    assert.match((await keyhaul(['verify', `level:${a}`, `level:${join(folder, 'c')}`, '--dry-run'])).stderr, /KEYHAUL_STORE_NOT_FOUND/)
  })
})

test('a value that is refused says of which flag it is; an empty prefix is not every key', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 10)
    for (const [flag, value] of [['--concurrency', '0'], ['--rate', '0'], ['--range', ''], ['--range', 'a'], ['--prefix', ''], ['--prefix', 'hex:'], ['--range', '..'], ['--rate', '1e9GB'], ['--rate', '99999999999GB']] as const) {
      const ended = await keyhaul(['move', `level:${a}`, `level:${b}`, flag, value])
      assert.equal(ended.code, 2, ended.stderr)
      assert.ok(ended.stderr.trimEnd().endsWith(`(${flag})`), ended.stderr)
    }
    assert.equal(existsSync(b), false)
    assert.equal((await readLevel(a)).size, 10)
  })
})

test('what cannot be, whatever the stores hold, is usage: exit 2, and no target is made', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 10)
    for (const [args, expected] of [
      [['copy', `level:${a}`, `level:${b}`, '--range', 'z..a'], /KEYHAUL_INVALID_RANGE: key z: the range starts after it ends; swap its ends/],
      [['copy', `level:${a}`, `level:${b}`, '--range', 'a..m', '--prefix', 'm'], /KEYHAUL_OVERLAPPING_RANGES: key m: two ranges share a key \(both ends are inclusive\)/],
      [['copy', `level:${a}`, `level:${b}`, '--range', 'k..', '--range', 'z..'], /KEYHAUL_OVERLAPPING_RANGES: key z: /],
      [['copy', `level:${a}`, `level:${a}/.`], /KEYHAUL_SAME_STORE: store level:.*: source and target are the same directory; name two/],
      [['copy', `level:${a}`, `level:${b}`, '--all', '--prefix', 'k'], /KEYHAUL_USAGE: --all is every key; leave out --range and --prefix/],
      [['move', `level:${a}`, `level:${b}`, '--verify', 'none'], /KEYHAUL_USAGE: a move deletes from the source only what was verified/],
      [['move', '--live', `level:${a}`, `level:${b}`, '--register', `level:${a}`, '--range', 'z..a'], /KEYHAUL_INVALID_RANGE/],
      [['rehearse', `level:${a}`, `level:${a}`], /KEYHAUL_SAME_STORE/]
    ] as const) {
      const ended = await keyhaul(args)
      assert.equal(ended.code, 2, `${args}: ${ended.stderr}`)
      assert.match(ended.stderr, expected)
    }
    assert.equal(existsSync(b), false)
  })
})

test('a range to the last key, from the first one, and all keys', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 100)
    const all = await readLevel(a)
    const copied = async (name: string, ...flags: string[]): Promise<string[]> => {
      const [ended, b] = [await keyhaul(['copy', `level:${a}`, `level:${join(folder, name)}`, ...flags]), join(folder, name)]
      assert.equal(ended.code, 0, ended.stderr)
      assert.equal((await keyhaul(['verify', `level:${a}`, `level:${b}`, ...flags])).code, 0)
      return [...(await readLevel(b)).keys()]
    }
    assert.deepEqual(await copied('from', '--range', `${keyOf(97)}..`), [97, 98, 99].map(keyOf))
    assert.deepEqual(await copied('to', '--range', `..${keyOf(1)}`), [0, 1].map(keyOf))
    assert.deepEqual(await copied('both', '--range', `..${keyOf(0)}`, '--range', `${keyOf(99)}..`), [0, 99].map(keyOf))
    assert.deepEqual(await copied('all', '--all'), [...all.keys()])
    const [b, c] = [join(folder, 'from'), join(folder, 'moved')]
    assert.match((await keyhaul(['rehearse', `level:${a}`, `level:${c}`, '--range', `${keyOf(90)}..`, '--seeds', '1'])).stdout, /^10 entries, /)
    const moved = await keyhaul(['move', '--live', `one=level:${b}`, `two=level:${c}`, '--register', `level:${b}`, '--range', `${keyOf(98)}..`])
    assert.equal(moved.code, 0, moved.stderr)
    assert.match(moved.stdout, /moved live 2 entries/)
  })
})

test('a mismatch counts what it does not name, and says what mends it', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 12_345)
    await fillLevel(b, 1)
    const ended = await keyhaul(['verify', `level:${a}`, `level:${b}`])
    assert.equal(ended.code, 3)
    const lines = ended.stdout.split('\n')
    assert.equal(lines.filter((line) => line.startsWith('missing ')).length, 10_000)
    assert.equal(lines[10_000], 'and 2,344 more; --range and --prefix take a part')
    assert.match(ended.stdout, /differences found: 12,344 missing, 0 extra, 0 changed\n {2}keyhaul verify --repair /)
  })
})

test('a cancel says what became of the copy, then and later', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 30_000)
    for (const [name, before, told] of [
      ['empty', 0, /cancelled: [\d,]+ entries taken off the target again\n/],
      ['held', 1, /cancelled: [\d,]+ entries of the copy left on the target, which was not empty before\n/]
    ] as const) {
      const [b, journal] = [join(folder, name), join(folder, `a journal of ${name}`)]
      await withLevel(b, (db) => (before === 0 ? Promise.resolve() : db.put('key-', 'x')))
      const stopped = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--durable', 'page', '--into-nonempty', '--rate', '500kB'], (child) =>
        child.stderr?.on('data', (text) => /copying: /.test(String(text)) && child.kill('SIGINT'))
      )
      assert.equal(stopped.code, 4, stopped.stderr)
      assert.ok((await keyhaul(['status', journal])).stdout.includes(`resume with: keyhaul resume '${journal}'\n`))
      const cancelled = await keyhaul(['cancel', journal])
      assert.equal(cancelled.code, 0, cancelled.stderr)
      assert.match(cancelled.stdout, /^copy cancelled after /)
      assert.match(cancelled.stdout, told)
      assert.doesNotMatch(cancelled.stdout, /^ *times *$/m)
      const status = (await keyhaul(['status', journal])).stdout
      assert.match(status, told)
      assert.doesNotMatch(status, /copied and durable/)
    }
  })
})

test('no key in the range is said, and a folder is no journal', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 10)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'b')}`, '--prefix', 'q'])).stdout, /no key of the source lies in the range\n/)
    mkdirSync(join(folder, 'j'))
    assert.match((await keyhaul(['status', join(folder, 'j')])).stderr, /KEYHAUL_JOURNAL_NOT_A_JOURNAL: .*it is a directory/)
    const none = await keyhaul(['inspect', join(a, 'CURRENT')])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /KEYHAUL_JOURNAL_NOT_A_JOURNAL: .*CURRENT/)
  })
})

test('an entry that is too large is named; the way on is to give up and begin again', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'journal')]
    await fillLevel(a, 10)
    await withLevel(a, (db) => db.put('large', 'x'.repeat(5000)))
    const copy = (...more: string[]) => keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, ...more])
    const stopped = await copy('--entry-max', '4KiB')
    assert.equal(stopped.code, 1)
    assert.match(stopped.stderr, /KEYHAUL_ENTRY_TOO_LARGE: .*key large: /)
    assert.ok(stopped.stderr.includes(`give it up with: keyhaul cancel ${journal}; then begin again with a larger --entry-max, or with ranges that leave the key out, and a journal of its own\n`), stopped.stderr)
    assert.equal((await keyhaul(['cancel', journal])).code, 0)
    rmSync(journal)
    const ended = await copy('--entry-max', '8kB')
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(await readLevel(b), await readLevel(a))
    assert.equal((await copy('--entry-max', '1GB')).code, 2)
  })
})
