// The model's names are those of the code; the others are in the table of tests/model/README.md.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = new URL('../../..', import.meta.url).pathname
const text = (file: string): string => readFileSync(join(root, file), 'utf8')
const enumerators = new Set(
  ['core/include/keyhaul', 'core/src/migrate', 'core/src/gate']
    .flatMap((folder) => readdirSync(join(root, folder)).map((file) => join(folder, file)))
    .filter((file) => file.endsWith('.h'))
    .flatMap((file) => [...text(file).matchAll(/\bk([A-Z]\w*)\b/g)].map((match) => match[1] as string))
)
const inCode = (name: string): boolean => enumerators.has(name[0]?.toUpperCase() + name.slice(1).toLowerCase()) || enumerators.has(name[0]?.toUpperCase() + name.slice(1))

test('names in the model are names in the code, or its README says what they stand for', () => {
  const names = [...text('tests/model/state.pml').matchAll(/^mtype:\w+ = \{([^}]+)\}/gm)].flatMap(([, list]) => (list as string).split(',').map((name) => name.trim()))
  assert.ok(names.length > 30, `${names.length} names`)
  const table = /\| here \| in the code \|\n\|--\|--\|\n((?:\|.*\n)+)/.exec(text('tests/model/README.md'))?.[1] ?? ''
  const rows = table.trimEnd().split('\n').map((row) => row.split('|').slice(1, 3) as [string, string])
  const quoted = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map((match) => match[1] as string)
  const explained = rows.flatMap(([here]) => quoted(here))
  assert.deepEqual(names.filter((name) => !inCode(name)).sort(), explained.filter((name) => !inCode(name)).sort())
  assert.deepEqual(explained.filter((name) => !names.includes(name)), [])
  // What stands for them is there too.
  for (const [, there] of rows) {
    for (const name of quoted(there)) if (name.startsWith('k')) assert.ok(enumerators.has(name.slice(1)), name)
  }
})
