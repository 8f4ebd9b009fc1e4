// The table of promises in core/sim/README.md has them all, and what is said to hold each of them is there.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = new URL('../../..', import.meta.url).pathname
const text = (file: string): string => readFileSync(join(root, file), 'utf8')
const readme = text('core/sim/README.md')

/** The rows of the table with this head, as cells. */
function rowsOf(head: string): string[][] {
  const from = readme.indexOf(`\n${head}\n`)
  assert.ok(from > 0, head)
  return readme.slice(from).split('\n\n')[0]?.trim().split('\n').slice(2).map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim())) ?? []
}

const files = (folder: string, end: string): string[] => readdirSync(join(root, folder), { recursive: true }).map(String).filter((file) => file.endsWith(end)).map((file) => text(join(folder, file)))
const tests = new Set(files('tests/native', '.cc').flatMap((code) => [...code.matchAll(/^TEST(?:_F|_P)?\((\w+), (\w+)\)/gm)].map(([, suite, name]) => `${suite}.${name}`)))
const oracles = new Set(files('core/sim/oracles', '.cc').flatMap((code) => [...code.matchAll(/name\(\) const override \{ return "([\w-]+)"/g)].map(([, name]) => name as string)))
const faults = new Set([...text('core/sim/faults.def').matchAll(/"([a-z-]+)"/g)].map(([, name]) => name as string))

const promises = rowsOf('| promise | held by |')
const deaths = rowsOf('| death | in the swarm | by hand, at each effect |')

test('each promise of the protocol and of the simulator has a row', () => {
  const said = promises.flatMap(([promise = '']) => [...(/^\d+ /.exec(promise)?.map((n) => n.trim()) ?? []), ...(promise.match(/\b[SLD]\d+\b/g) ?? [])])
  const wanted = [...Array.from({ length: 18 }, (_, i) => `${i + 1}`), ...Array.from({ length: 14 }, (_, i) => `S${i + 1}`), 'L1', 'L2', 'L3', 'D1', 'D2', 'D3', 'D4', 'D5']
  assert.deepEqual([...said].sort(), wanted.sort())
})

test('what holds a promise is there', () => {
  assert.ok(tests.size > 300 && oracles.size > 20, `${tests.size} tests, ${oracles.size} oracles`)
  for (const [promise, by = ''] of promises) {
    const quoted = [...by.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string)
    const named = by.match(/\b[A-Z]\w+\.[A-Z]\w+/g) ?? []
    for (const name of quoted) assert.ok(name.endsWith('.ts') ? existsSync(join(root, name)) : oracles.has(name), `${promise}: ${name}`)
    for (const name of named) assert.ok(tests.has(name), `${promise}: ${name}`)
    assert.ok(quoted.length + named.length > 0 || by.startsWith('none: '), promise)
  }
})

test('who dies when: by faults and tests that are there', () => {
  assert.equal(deaths.length, 4)
  for (const [death, swarm = '', byHand = ''] of deaths) {
    for (const name of swarm.split(', ')) assert.ok(faults.has(name), `${death}: ${name}`)
    const named = byHand.match(/\b[A-Z]\w+\.[A-Z]\w+/g) ?? []
    assert.ok(named.length > 0, death)
    for (const name of named) assert.ok(tests.has(name), `${death}: ${name}`)
  }
})

test('how many sabotages there are is said as it is', () => {
  const there = [...text('core/sim/sabotage.def').matchAll(/^KEYHAUL_SABOTAGE\(\w+, "(?!none")/gm)].length
  const rows = rowsOf('| sabotage | first seed | found in | by, first | and by |')
  assert.equal(rows.length, there)
  assert.ok(readme.includes(`--seeds 1..200\`: ${there} of them`), `${there}`)
})
