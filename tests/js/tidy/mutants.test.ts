// scripts/mutants.mjs is not part of `npm test`: this is, so that a fault whose code has moved on does not go unnoticed.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
// @ts-expect-error: no types
import { edited, mutants } from '../../../scripts/mutants.list.mjs'

interface Mutant {
  readonly name: string
  readonly edits: Readonly<Record<string, readonly (readonly [find: string, replace: string])[]>>
}

const root = new URL('../../..', import.meta.url).pathname

test('each fault that is put into the engine fits the engine as it is', () => {
  const unfit: string[] = []
  for (const { name, edits } of mutants as readonly Mutant[]) {
    for (const [file, changes] of Object.entries(edits)) {
      const text = readFileSync(join(root, file), 'utf8')
      try {
        assert.notEqual(edited(text, changes, name), text, name)
      } catch (error) {
        unfit.push((error as Error).message)
      }
    }
  }
  assert.deepEqual(unfit, [])
  assert.ok(mutants.length > 30, `${mutants.length} mutants`)
})
