// Slips of whoever types a command: flags that mean nothing there, empty shell variables, folders that are gone.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { formatBytes, formatDuration } from '../../../dist/cli/output.js'
import { CLI, closedToNobody, fillLevel, inFolder, keyhaul, keyOf, NOBODY } from '../support/stores.js'

test('an empty path, of a variable that was not set, is not the current folder', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 10)
    for (const args of [['copy', `level:${a}`, `level:${b}`, '--journal', ''], ['status', '--service', ''], ['move', 'x=level:a', 'y=level:b', '--live', '--register', ''], ['rehearse', '--from-measurement', ''], ['sim', '--check-history', '']]) {
      const ended = await keyhaul(args)
      assert.equal(ended.code, 2, `${args}: ${ended.stderr}`)
      assert.match(ended.stderr, /KEYHAUL_USAGE: the path is empty \(--/)
    }
    assert.equal(existsSync(b), false)
  })
})

test('a journal that cannot be one makes no target', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 10)
    for (const [journal, code, says] of [
      [join(folder, 'none', 'j'), 'KEYHAUL_JOURNAL_WRITE_FAILED', /its folder does not exist; make it first/],
      [join(folder, 'a', 'CURRENT', 'j'), 'KEYHAUL_JOURNAL_WRITE_FAILED', /a part of its path is a file; name another/],
      [join(folder, 'a', 'CURRENT', 'x', 'j'), 'KEYHAUL_JOURNAL_WRITE_FAILED', /a part of its path is a file; name another/],
      [folder, 'KEYHAUL_JOURNAL_NOT_A_JOURNAL', /it is a directory/]
    ] as const) {
      const ended = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal])
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, new RegExp(`${code}: ${journal}: `))
      assert.match(ended.stderr, says)
    }
    assert.deepEqual(readdirSync(folder), ['a'])
  })
})

test('a register of a live move that is misspelt makes no second truth of who owns what, and no folder', async () => {
  await inFolder(async (folder) => {
    const [a, b, c, empty] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c'), join(folder, 'empty')]
    await fillLevel(a, 300)
    await fillLevel(empty, 0)
    const move = (to: string, register: string, range: string) => keyhaul(['move', '--live', `left=level:${a}`, `right=level:${to}`, '--register', `level:${register}`, '--range', range, '--journal', join(folder, `j ${range}`)])
    const first = await move(b, join(folder, 'register'), `..${keyOf(99)}`)
    assert.equal(first.code, 0, first.stderr)
    const range = `${keyOf(100)}..${keyOf(199)}`
    const misspelt = await move(c, join(folder, 'registre'), range)
    assert.equal(misspelt.code, 1, misspelt.stdout)
    assert.match(misspelt.stderr, /KEYHAUL_STORE_NOT_FOUND: store level:.*registre: there is no such directory; check the path/)
    const other = await move(c, empty, range)
    assert.equal(other.code, 1, other.stdout)
    assert.match(other.stderr, /KEYHAUL_NOT_OWNER: store left: what it owns stands in another register than level:.*empty, in which there is nothing; see --register/)
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'b', 'empty', `j ..${keyOf(99)}`, 'register'])
    const second = await move(b, join(folder, 'register'), range)
    assert.equal(second.code, 0, second.stderr)
    assert.match((await keyhaul(['cancel', join(folder, `j ${range}`)])).stderr, /this live move has ended \(done\)/)
  })
})

test('a journal that cannot be read is not called one that is not there', async () => {
  await inFolder(async (folder) => {
    const [a, loop, file] = [join(folder, 'a'), join(folder, 'loop'), join(folder, 'file')]
    await fillLevel(a, 10)
    // As one without permission, which root has.
    symlinkSync('loop', loop)
    writeFileSync(file, '')
    for (const command of ['status', 'resume', 'inspect', 'cancel']) {
      const ended = await keyhaul([command, loop])
      assert.equal(ended.code, 1, command)
      assert.match(ended.stderr, /^error KEYHAUL_JOURNAL_READ_FAILED: .*loop: it is there and cannot be read: ELOOP/, command)
    }
    assert.match((await keyhaul(['status', join(file, 'j')])).stderr, /KEYHAUL_JOURNAL_NOT_FOUND/)
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'b')}`, '--journal', loop])).stderr, /KEYHAUL_JOURNAL_READ_FAILED/)
    assert.equal(existsSync(join(folder, 'b')), false)
  })
})

test('a journal that this user may not read or write is that, and makes no target', { skip: closedToNobody() }, async () => {
  await inFolder(async (folder) => {
    const [a, own, other] = [join(folder, 'a'), join(folder, 'own'), join(folder, 'other')]
    await fillLevel(a, 10)
    for (const made of [own, other]) mkdirSync(made)
    writeFileSync(join(own, 'j'), '', { mode: 0o200 })
    // Root may do all of it: somebody else asks then.
    const uid = process.getuid?.() === 0 ? NOBODY : undefined
    if (uid !== undefined) for (const path of [folder, a, own, join(own, 'j'), ...readdirSync(a).map((name) => join(a, name))]) chownSync(path, uid, uid)
    chmodSync(other, 0o555)
    const asked = (...args: string[]): string => spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', uid, gid: uid }).stderr
    assert.match(asked('status', join(own, 'j')), /KEYHAUL_JOURNAL_READ_FAILED: .*EACCES.*; mend that, then try again\n/)
    assert.match(asked('copy', `level:${a}`, `level:${join(folder, 'b')}`, '--journal', join(own, 'j')), /KEYHAUL_JOURNAL_READ_FAILED: .*EACCES/)
    assert.match(asked('copy', `level:${a}`, `level:${join(folder, 'b')}`, '--journal', join(other, 'j')), /KEYHAUL_JOURNAL_WRITE_FAILED: .*its folder may not be written/)
    assert.equal(existsSync(join(folder, 'b')), false)
    assert.equal(asked('copy', `level:${a}`, `level:${join(folder, 'b')}`, '--quiet'), '')
  })
})

test('a store that this user may not write says what to do, the source too: LevelDB writes where it reads', { skip: closedToNobody() }, async () => {
  await inFolder(async (folder) => {
    const [a, own, other] = [join(folder, 'a'), join(folder, 'own'), join(folder, 'other')]
    for (const path of [a, own]) await fillLevel(path, 10)
    mkdirSync(other, { mode: 0o555 })
    const uid = process.getuid?.() === 0 ? NOBODY : undefined
    chmodSync(folder, 0o755)
    if (uid === undefined) chmodSync(a, 0o555)
    else for (const path of [own, ...readdirSync(own).map((name) => join(own, name))]) chownSync(path, uid, uid)
    if (uid === undefined) chmodSync(join(a, 'LOCK'), 0o444)
    const asked = (from: string, to: string): string => spawnSync(process.execPath, [CLI, 'copy', `level:${from}`, `level:${to}`], { encoding: 'utf8', uid, gid: uid }).stderr
    assert.match(asked(a, join(own, 'b')), /STORE_FAILED: store level:\S+\/a: it cannot be opened: .*[Pp]ermission denied.*; LevelDB writes where it opens, also to read: let this user write there, or copy the directory elsewhere first\n/)
    assert.match(asked(own, join(other, 'b')), /STORE_FAILED: store level:\S+\/b: it cannot be opened: .*permission denied.*; let this user write there, or name another place\n/)
  })
})

test('flags of a copy are refused with a live move, not passed over', async () => {
  for (const flags of [['--verify', 'both'], ['--durable', 'page'], ['--checksum', 'none'], ['--concurrency', '3'], ['--verify', 'target']]) {
    const ended = await keyhaul(['move', 'a=level:a', 'b=level:b', '--live', '--register', 'level:r', ...flags])
    assert.equal(ended.code, 2, ended.stderr)
    assert.match(ended.stderr, new RegExp(`KEYHAUL_USAGE: a live move has no ${flags[0]}`))
  }
})

test('a minute is m in each flag of a time', async () => {
  const ended = await keyhaul(['move', 'a=level:none', 'b=level:b', '--live', '--register', 'level:r', '--pause-budget', '1m', '--reverse-window', '1m'])
  assert.match(ended.stderr, /KEYHAUL_STORE_NOT_FOUND/)
})

test('a folder that is gone is told without a stack', async () => {
  await inFolder(async (folder) => {
    const gone = join(folder, 'gone')
    mkdirSync(gone)
    const script = `process.chdir(${JSON.stringify(gone)}); require('fs').rmdirSync(${JSON.stringify(gone)}); import(${JSON.stringify(`file://${CLI}`)})`
    const ended = spawnSync(process.execPath, ['-e', script, 'copy', 'level:a', 'level:b', '--json'], { encoding: 'utf8' })
    assert.equal(ended.status, 1, ended.stderr)
    assert.match(ended.stderr, /^error KEYHAUL_INVALID_ARGUMENT: the current folder does not exist any more/)
    assert.equal(JSON.parse(ended.stdout).code, 'KEYHAUL_INVALID_ARGUMENT')
    if (existsSync(gone)) rmdirSync(gone)
  })
})

test('a range of a receipt can be given back: a prefix as one, keys with dots in them as bytes', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    const db = new ClassicLevel(a)
    for (const key of ['a', 'a..b', 'user:1', 'user:2']) await db.put(key, 'v')
    await db.close()
    const lineOf = async (target: string, ...flags: string[]): Promise<string | undefined> => {
      const ended = await keyhaul(['copy', `level:${a}`, `level:${join(folder, target)}`, ...flags])
      return / {2}range {5}(.*)\n/.exec(ended.stdout)?.[1]
    }
    assert.equal(await lineOf('b', '--prefix', 'user:'), 'user:*')
    assert.equal(await lineOf('c', '--range', 'hex:612e2e62..hex:612e2e62'), 'hex:612e2e62..hex:612e2e62')
    assert.equal(await lineOf('d', '--range', 'a..b'), 'a..b')
    assert.equal(await lineOf('f', '--range', 'hex:612e..b'), 'hex:612e..b')
    assert.equal(await lineOf('e', '--prefix', 'hex:ff'), 'hex:ff..')
  })
})

test('no duration has 60 seconds, and no size 1000.0', () => {
  assert.deepEqual([999.4, 999.6, 59_949, 59_950, 119_700, 3_599_600, 7_170_000].map(formatDuration), ['999 ms', '1.0 s', '59.9 s', '1 min 0 s', '2 min 0 s', '1 h 0 min', '2 h 0 min'])
  assert.deepEqual([999, 1000, 999_949, 999_960, 999_999_999_999].map(formatBytes), ['999 B', '1.0 kB', '999.9 kB', '1.0 MB', '1.0 TB'])
})

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

test('on a terminal that can draw nothing, progress is lines', { skip: !hasScript && 'there is no script(1)' }, async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 5_000)
    const command = `'${process.execPath}' '${CLI}' copy 'level:${a}' 'level:${join(folder, 'b')}' --rate 1MB`
    const shown = execFileSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TERM: 'dumb', NO_COLOR: '', FORCE_COLOR: '' } })
    assert.ok(!shown.includes('\u001b'), JSON.stringify(shown.slice(0, 300)))
    assert.match(shown, /^preparing\r?\ncopying/)
  })
})

test('the simulator: an oracle that there is not, and flags of many runs with one, are usage', async () => {
  for (const [args, says] of [
    [['--seed', '1', '--oracle', 'foo'], /there is no oracle foo in the scenario swarm/],
    [['--seeds', '1..3', '--json', '--oracle', 'linearizable', '--scenario', 'follow'], /there is no oracle linearizable in the scenario follow/],
    [['--check-sabotage'], /--check-sabotage is of many runs; add --seeds/],
    [['--seed', '1', '--each'], /--each is of many runs; add --seeds/],
    [['--seed', ''], /'' is not a seed/]
  ] as [string[], RegExp][]) {
    const ended = await keyhaul(['sim', ...args])
    assert.equal(ended.code, 2, `${args}: ${ended.stdout}`)
    assert.match(ended.stderr, says)
  }
  assert.equal((await keyhaul(['sim', '--seed', '1', '--until', '5', '--oracle', 'lost-write'])).code, 0)
})
