// A first build takes minutes: it says how far it is, and what a compiler said when it fails.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder } from '../support/stores.js'

const RULES = 'rule run\n  command = $what\n'
const script = new URL('../../../scripts/ninja.mjs', import.meta.url).href

async function built(rules: string, everyMs: number): Promise<{ status: number | null; stdout: string; stderr: string }> {
  let ended: ReturnType<typeof spawnSync> | undefined
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'build.ninja'), RULES + rules)
    const code = `import { ninja } from '${script}'; await ninja('${folder}', [], { env: process.env, what: 'compiling', everyMs: ${everyMs} })`
    ended = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' })
  })
  return ended as unknown as { status: number | null; stdout: string; stderr: string }
}

test('steps are told with how many there are, and not more often than asked for', async () => {
  const rules = ['a', 'b', 'c'].map((name) => `build ${name}: run\n  what = touch ${name}\n`).join('')
  const each = await built(rules, 0)
  assert.deepEqual([each.status, each.stderr], [0, ''])
  assert.match(each.stdout, /compiling: 3 of 3 steps\n$/)
  const seldom = await built(rules, 600_000)
  assert.deepEqual([seldom.status, seldom.stdout, seldom.stderr], [0, '', ''])
})

test('a step that fails ends it, with what it said', async () => {
  const { status, stderr } = await built('build a: run\n  what = echo no such header >&2; false\n', 600_000)
  assert.notEqual(status, 0)
  assert.match(stderr, /no such header/)
  assert.match(stderr, /ninja in .* ended with 1/)
})
