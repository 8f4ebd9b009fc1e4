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

test('other commands do not load the simulator', () => {
  const imports = [...readFileSync(CLI, 'utf8').matchAll(/(import\(|from ?)"\.\.\/sim\/[^"]*"/g)].map((match) => match[1])
  assert.deepEqual(imports, ['import(', 'import('])
})
