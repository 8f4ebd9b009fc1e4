// What somebody meets who knows nothing: wrong paths, odd keys, closed pipes, narrow terminals.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { shownStore } from '../../../dist/cli/output.js'
import { crc32c } from '../../../dist/index.js'
import { CLI, fillLevel, inFolder, keyhaul, readLevel } from '../support/stores.js'

const ESC = '\u001b'

/** The last line of stdout as an object. */
const lastLine = (stdout: string): Record<string, string> => JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as Record<string, string>

test('files and links where directories should be are called that', async () => {
  await inFolder(async (folder) => {
    const [a, file, link] = [join(folder, 'a'), join(folder, 'file'), join(folder, 'link')]
    await fillLevel(a, 10)
    writeFileSync(file, 'text')
    symlinkSync(join(folder, 'nowhere'), link)
    const cases: [string, string, RegExp][] = [
      [file, join(folder, 'b'), /STORE_NOT_FOUND: .*it is a file; a LevelDB is a directory/],
      [a, file, /STORE_NOT_FOUND: .*it is a file/],
      [a, join(file, 'b'), /STORE_NOT_FOUND: .*a file stands where its parent directory should be/],
      [a, link, /STORE_FAILED: .*it cannot be opened: .*link/],
      [folder, join(folder, 'b'), /STORE_NOT_FOUND: .*the directory holds no LevelDB/]
    ]
    for (const [from, to, expected] of cases) {
      const ended = await keyhaul(['copy', `level:${from}`, `level:${to}`])
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, expected)
      assert.doesNotMatch(ended.stderr, / at .*\.js|node:/, 'no stack')
    }
    symlinkSync(a, join(folder, 'same'))
    assert.match((await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'same')}`])).stderr, /KEYHAUL_SAME_STORE/)
  })
})

test('a LevelDB that is damaged beyond opening says so', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 10)
    writeFileSync(join(a, 'CURRENT'), 'garbage\n')
    const ended = await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'b')}`])
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /KEYHAUL_STORE_(FAILED|CORRUPT): .*/)
    assert.doesNotMatch(ended.stderr, /was closed while in use/)
  })
})

test('a reversed range makes no target', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 10)
    const reversed = await keyhaul(['copy', `level:${a}`, `level:${b}`, '--range', 'z..a', '--json'])
    assert.equal(reversed.code, 2)
    assert.equal(lastLine(reversed.stdout).code, 'KEYHAUL_INVALID_RANGE')
    assert.equal(existsSync(b), false)
  })
})

test('with --json every failure is an object on stdout, wrong flags too; help is not', async () => {
  for (const args of [['copy', 'level:a', 'level:b', '--bogus'], ['copy', 'level:a'], ['fly'], ['status'], ['copy', 'a', 'b']]) {
    const ended = await keyhaul([...args, '--json'])
    assert.equal(ended.code, 2)
    const { state, code } = lastLine(ended.stdout)
    assert.deepEqual([state, code], ['failed', 'KEYHAUL_USAGE'])
  }
  assert.equal((await keyhaul([])).stdout, '')
})

test('errors about a journal name the file; an empty one is not called torn', async () => {
  await inFolder(async (folder) => {
    const [empty, random, newer] = [join(folder, 'empty'), join(folder, 'random'), join(folder, 'newer')]
    writeFileSync(empty, '')
    writeFileSync(random, Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 137 + 11) % 256)))
    // The header of a journal of version 2.
    const header = Buffer.from('4b484a4c020010000000000000000000', 'hex')
    header.writeUInt32LE(crc32c(header.subarray(0, 12)), 12)
    writeFileSync(newer, header)
    for (const command of ['status', 'resume', 'cancel']) {
      const ended = await keyhaul([command, empty])
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, /KEYHAUL_JOURNAL_TORN: .*empty: it holds no migration yet/)
      assert.match((await keyhaul([command, random])).stderr, /KEYHAUL_JOURNAL_NOT_A_JOURNAL: .*random: /)
      assert.match((await keyhaul([command, newer])).stderr, /KEYHAUL_JOURNAL_VERSION: .*newer: .*upgrade/)
      assert.match((await keyhaul([command, folder])).stderr, /KEYHAUL_JOURNAL_NOT_A_JOURNAL/)
    }
  })
})

test('keys that a terminal would obey, empty and huge ones are copied, and printed harmlessly', async () => {
  await inFolder(async (folder) => {
    const [a, b, c] = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')]
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
    const odd = [new Uint8Array(0), Uint8Array.of(0, 255, 10), bytes('line\nbreak \x1b[31mred'), bytes('x'.repeat(100_000)), bytes('hex:00'), bytes('\u{1f600}')]
    for (const [path, keys] of [[a, odd], [c, []]] as const) {
      const db = new ClassicLevel<Uint8Array, string>(path, { keyEncoding: 'view' })
      await db.open()
      for (const key of keys) await db.put(key, 'v')
      await db.close()
    }
    assert.equal((await keyhaul(['copy', `level:${a}`, `level:${b}`])).code, 0)
    assert.deepEqual(await readLevel(b), await readLevel(a))
    const found = await keyhaul(['verify', `level:${a}`, `level:${c}`])
    assert.equal(found.code, 3)
    const named = found.stdout.split('\n').filter((line) => line.startsWith('missing '))
    assert.equal(named.length, odd.length)
    for (const line of named) assert.ok(line.length < 300 && !/\p{Cc}/u.test(line), JSON.stringify(line))
    assert.ok(named.includes('missing hex:'), 'the empty key')
    assert.ok(named.includes(`missing hex:${Buffer.from('line\nbreak \x1b[31mred').toString('hex')}`))
    // As printed, it can be given back.
    const one = await keyhaul(['copy', `level:${a}`, `level:${c}`, '--range', 'hex:..hex:'])
    assert.match(one.stdout, /copied 1 entry, 1 B[\s\S]*both sides hold 1 entry,/)
  })
})

test('a reader that goes away stops nothing; a full one is an error without a stack', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 20_000)
    const piped = await new Promise<number | null>((resolve) => {
      const child = spawn(process.execPath, [CLI, 'copy', `level:${a}`, `level:${join(folder, 'b')}`])
      child.stdout.destroy()
      child.stderr.destroy()
      child.on('close', resolve)
    })
    assert.equal(piped, 0)
    assert.deepEqual(await readLevel(join(folder, 'b')), await readLevel(a))
    if (!existsSync('/dev/full')) return
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [CLI, 'copy', `level:${a}`, `level:${join(folder, 'c')}`], { stdio: ['ignore', full, 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', (data) => {
      stderr += data
    })
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 1)
    assert.match(stderr, /the result could not be written: ENOSPC/)
    assert.doesNotMatch(stderr, /node:/)
    assert.deepEqual(await readLevel(join(folder, 'c')), await readLevel(a))
  })
})

test('the help of each command has an example', async () => {
  for (const command of ['copy', 'move', 'verify', 'resume', 'status', 'cancel', 'inspect', 'drop-feed']) {
    const { stdout, code } = await keyhaul([command, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`Examples?:\n {2}\\$ keyhaul ${command} `))
    assert.doesNotMatch(stdout, /default: \[\]/)
  }
})

const hasScript = ((): boolean => {
  try {
    execFileSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
})()

/** Runs a command on a terminal of so many columns; gives what it drew there. */
function onTerminal(columns: number, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const command = `stty cols ${columns} rows 20; exec '${process.execPath}' '${CLI}' ${args.map((arg) => `'${arg}'`).join(' ')}`
  return execFileSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TERM: 'xterm', ...env } })
}

test('on a terminal there is a bar, and on one of 40 columns no number is cut off', { skip: !hasScript && 'there is no script(1)' }, async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 20_000)
    const drawn = (columns: number, target: string, env: NodeJS.ProcessEnv = {}): string[] =>
      onTerminal(columns, ['copy', `level:${a}`, `level:${join(folder, target)}`, '--rate', '2MB'], env).split(new RegExp(`${ESC}\\[\\d*[GK]|\\r|\\n`))
    const plain = (line: string): string => line.replace(new RegExp(`${ESC}\\[[?\\d;]*[a-zA-Z]`, 'g'), '')
    const wide = drawn(100, 'b').map(plain)
    assert.ok(wide.some((line) => /^copying +[█░]{24} .*[\d,]+ entries · .*\/s/.test(line)), wide.join('\n'))
    const narrow = drawn(40, 'c').map(plain).filter((line) => /^(copying|verifying) /.test(line))
    assert.ok(narrow.some((line) => /^copying (\d+% · )?[\d,]+ entries( · [\d.]+ [kM]?B\/s)?$/.test(line)), narrow.join('\n'))
    for (const line of narrow) assert.ok(line.length < 40 && !/[█░]/.test(line), line)
    const colour = new RegExp(`${ESC}\\[3\\dm`)
    assert.match(drawn(100, 'd', { NO_COLOR: '', FORCE_COLOR: '' }).join(''), colour)
    assert.doesNotMatch(drawn(100, 'e', { NO_COLOR: '1' }).join(''), colour)
  })
})

test('the bar says how long it will take', { skip: !hasScript && 'there is no script(1)' }, async () => {
  await inFolder(async (folder) => {
    // So many that most are in tables: LevelDB counts no others when it is asked how much there is.
    await fillLevel(join(folder, 'a'), 100_000)
    const drawn = onTerminal(100, ['copy', `level:${join(folder, 'a')}`, `level:${join(folder, 'b')}`, '--rate', '4MB'])
    assert.match(drawn, /copying .* \d+% · [\d,]+ entries · .*\/s · [\d.]+ m?s left/)
  })
})

test('piped, progress is lines without escapes, and stdout is the result alone', async () => {
  await inFolder(async (folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 1000)
    // A set CI is no terminal.
    const env = { NO_COLOR: undefined as unknown as string, CI: 'true' }
    const ended = await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'b')}`, '--json'], undefined, env)
    assert.equal(ended.stdout.trimEnd().split('\n').length, 1)
    const lines = await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'c')}`], undefined, env)
    assert.equal((lines.stderr + lines.stdout).includes(ESC), false)
    assert.match(lines.stderr, /^preparing\ncopying/)
    const quiet = await keyhaul(['copy', `level:${a}`, `level:${join(folder, 'd')}`, '--quiet'])
    assert.equal(quiet.stderr, '')
    assert.equal(readFileSync(join(folder, 'd', 'CURRENT'), 'utf8').startsWith('MANIFEST'), true)
  })
})

test('stores below the current folder are shown as they were typed; JSON has all of the path', async () => {
  assert.equal(shownStore('level:/x/y/a', '/x/y'), 'level:./a')
  assert.equal(shownStore('level:/x/yy/a', '/x/y'), 'level:/x/yy/a')
  assert.equal(shownStore('level:/x/y', '/'), 'level:./x/y')
  assert.equal(shownStore('memory', '/x'), 'memory')
  await inFolder(async (folder) => {
    await fillLevel(join(folder, 'a'), 10)
    const run = (...args: string[]): string => execFileSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    assert.match(run('copy', 'level:a', 'level:./b', '--journal', 'j'), /from +level:\.\/a\n +to +level:\.\/b\n/)
    assert.match(run('status', 'j'), /^copy level:\.\/a -> level:\.\/b: done/)
    assert.equal(JSON.parse(run('status', 'j', '--json')).from, `level:${realpathSync(folder)}/a`)
  })
})
