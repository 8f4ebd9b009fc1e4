import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLI, inFolder, keyhaul } from '../support/stores.js'

const STALE = ['0 :invoke :write 3', '0 :ok :write 3', '1 :invoke :read nil', '1 :ok :read nil'].map((event) => `INFO  jepsen.util - ${event}\n`).join('')

test('sim --check-history says linearizable, or not and why', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'h.log')
    writeFileSync(file, STALE.replace(':ok :read nil', ':ok :read 3'))
    const good = await keyhaul(['sim', '--check-history', file])
    assert.deepEqual([good.code, good.stdout, good.stderr], [0, 'linearizable\n', ''])
    writeFileSync(file, STALE)
    const bad = await keyhaul(['sim', '--check-history', file])
    assert.deepEqual([bad.code, bad.stderr], [3, ''])
    assert.equal(
      bad.stdout,
      `not linearizable
shortest witness: 2 of the 2 operations up to line 4
read nil (lines 3-4) returned after write 3 (lines 1-2) had been acknowledged

  client 0  write 3   ||     lines 1-2
  client 1  read nil    ||   lines 3-4  <- fits in no order
`
    )
  })
})

// The other kind of file: keys whose values are appended to.
test('sim --check-history takes a history of appends as well', async () => {
  const call = (process: number, type: string, f: string, value: string): string => `{:process ${process}, :type :${type}, :f :${f}, :key "k", :value ${value}}\n`
  const history = (read: string): string => [
    call(0, 'invoke', 'append', '"a"'), call(0, 'ok', 'append', '"a"'), call(1, 'invoke', 'append', '"b"'), call(1, 'ok', 'append', '"b"'),
    call(0, 'invoke', 'get', 'nil'), call(0, 'ok', 'get', read)
  ].join('')
  await inFolder(async (folder) => {
    const file = join(folder, 'h.txt')
    writeFileSync(file, history('"ab"'))
    const good = await keyhaul(['sim', '--check-history', file])
    assert.deepEqual([good.code, good.stdout, good.stderr], [0, 'linearizable\n', ''])
    writeFileSync(file, history('"ba"'))
    const bad = await keyhaul(['sim', '--check-history', file])
    assert.deepEqual([bad.code, bad.stderr], [3, ''])
    assert.match(bad.stdout, /^not linearizable\nkey "k"\nshortest witness: 2 of the 3 operations up to line 6\n/)
  })
})

test('sim --check-sabotage looks in the scenario that was chosen, and says what cannot be there', async () => {
  const ended = await keyhaul(['sim', '--check-sabotage', '--seeds', '3..3', '--until', '3', '--scenario', 'swarm'])
  assert.equal(ended.code, 3, 'what is not found is said')
  assert.match(ended.stdout, /\| ack-before-sync \| [^\n]*\n/)
  assert.doesNotMatch(ended.stdout, /\| register-forgets \|/)
  assert.match(ended.stdout, /\n\d+ are of live migrations, and swarm has none\n$/)
})

test('sim exits 2 for usage, 1 for what cannot be read', async () => {
  await inFolder(async (folder) => {
    for (const args of [['sim'], ['sim', '--bogus'], ['sim', '--check-history']]) {
      const ended = await keyhaul(args)
      assert.equal(ended.code, 2, `${args}: ${ended.stderr}`)
      assert.match(ended.stderr, /KEYHAUL_USAGE/)
    }
    const missing = await keyhaul(['sim', '--check-history', join(folder, 'none')])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /none: there is no such file; give the path/)
    mkdirSync(join(folder, 'd'))
    assert.match((await keyhaul(['sim', '--check-history', join(folder, 'd')])).stderr, /it cannot be read \(EISDIR\)/)
    const file = join(folder, 'h.log')
    writeFileSync(file, `${STALE}{\n`)
    const broken = await keyhaul(['sim', '--check-history', file])
    assert.deepEqual([broken.code, broken.stdout], [1, ''])
    assert.match(broken.stderr, /h\.log: not a history: line 5: expected an event/)
  })
})

test('sim runs simulations: same flags, same hash; 3 when a promise is broken', async () => {
  const [first, again] = [await keyhaul(['sim', '--seed', '7', '--scenario', 'follow']), await keyhaul(['sim', '--seed=7', '--scenario=follow'])]
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.match(first.stdout, /^seed 7 {2}scenario follow {2}hash [0-9a-f]{16}\n[\s\S]*no violation\n$/)
  assert.deepEqual(again, first)
  const json = await keyhaul(['sim', '--seed', '7', '--scenario', 'follow', '--json'])
  assert.ok(first.stdout.includes(`hash ${(JSON.parse(json.stdout) as { hash: string }).hash}\n`))
  const broken = await keyhaul(['sim', '--seeds', '1..3', '--sabotage', 'ack-before-target'])
  assert.equal(broken.code, 3)
  assert.match(broken.stdout, /VIOLATION of checkpoint/)
  assert.equal((await keyhaul(['sim', '--faults', '-drop', '--seed', '1', '--until', '3'])).code, 0)
  for (const args of [['--scenario', 'nowhere'], ['--seed', 'x'], ['--seed', '1', '--check-history', 'f']]) {
    const ended = await keyhaul(['sim', ...args])
    assert.deepEqual([ended.code, ended.stdout], [2, ''])
    assert.match(ended.stderr, /KEYHAUL_USAGE/)
  }
})

test('what the simulator does not understand is said in one sentence, with what was perhaps meant', async () => {
  for (const [args, sentence] of [
    [['--scenario', 'folow'], 'there is no scenario folow; did you mean follow? --list-scenarios has them all'],
    [['--scenario', 'pingpong'], 'there is no scenario pingpong; did you mean live-pingpong? --list-scenarios has them all'],
    [['--scenario', 'nowhere'], 'there is no scenario nowhere; --list-scenarios has them all'],
    [['--faults', 'drop,clgo'], 'there is no fault clgo; did you mean clog? --list-faults has them all'],
    [['--faults', '-mover-crsh'], 'there is no fault mover-crsh; did you mean mover-crash? --list-faults has them all'],
    [['--sabotage', 'no-dedup'], 'there is no sabotage no-dedup; did you mean no-dedupe? --list-sabotage has them all'],
    [['--do', '1500000:crush:3:800'], 'there is no intervention crush; did you mean crash? --list-interventions has them all'],
    [['--do', '1:rate:drpo:50000'], 'there is no fault drpo; did you mean drop? --list-faults has them all'],
    [['--do', 'crash'], 'crash is not done at any time; write microseconds, what, and to which, as in 1500000:crash:3:800'],
    [['--do', '1:crash:all'], '1:crash:all is not understood; write microseconds, what, to which, and milliseconds, as in 1500000:crash:3:800'],
    [['--seed', 'x'], 'x is not a seed; write a whole number'],
    [['--seeds', '3'], '3 is not a list of seeds; write it as first..last, as in 1..200'],
    [['--seeds', '9..1'], '9..1 ends before it begins; swap the seeds'],
    [['--seed', '1', '--seeds', '1..2'], '--seed is one run and --seeds are many; leave one of them out'],
    [['--until', '0'], '--until is 0; it must be a whole number of 1 to 3600'],
    [['--workload', 'much'], '--workload is much; it must be a whole number of 1 to 1000']
  ] as const) {
    const ended = await keyhaul(['sim', ...args])
    assert.deepEqual([ended.code, ended.stdout, ended.stderr], [2, '', `error KEYHAUL_USAGE: ${sentence}\n`])
  }
})

test('other commands do not load the simulator', () => {
  const imports = [...readFileSync(CLI, 'utf8').matchAll(/(import\(|from ?)"\.\.\/sim\/[^"]*"/g)].map((match) => match[1])
  assert.deepEqual(imports, ['import(', 'import('])
})
