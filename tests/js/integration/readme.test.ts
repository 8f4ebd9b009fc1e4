// Runs what the README shows, against the built package.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ERRORS } from '../../../dist/errors.generated.js'
import { inFolder } from '../support/stores.js'

const root = new URL('../../..', import.meta.url).pathname
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({ language, code: code as string }))

const scripts = blocks.filter(({ language }) => language === 'js' || language === 'ts')

/** A folder in which the package and what the README installs beside it are found. */
function link(folder: string, packages: readonly string[]): void {
  for (const name of packages) {
    const to = join(folder, 'node_modules', name)
    mkdirSync(dirname(to), { recursive: true })
    symlinkSync(name === 'keyhaul' ? root : join(root, 'node_modules', name), to)
  }
}

test('what the README shows compiles under the strict rules of TypeScript', async () => {
  await inFolder(async (folder) => {
    link(folder, ['keyhaul', 'classic-level', '@types/node'])
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const [i, { code }] of scripts.entries()) writeFileSync(join(folder, `block${i}.ts`), code)
    const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', types: ['node'], noUncheckedIndexedAccess: true }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const compiled = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' })
    assert.equal(compiled.stdout, '')
    assert.equal(compiled.status, 0)
  })
})

test('every block of code in the README runs and prints what it says', async () => {
  await inFolder(async (folder) => {
    link(folder, ['keyhaul', 'classic-level'])
    const outputs: string[] = []
    for (const [i, { code }] of scripts.entries()) {
      const file = join(folder, `block${i}.mjs`)
      writeFileSync(file, code)
      // A test runner in a block must not report to this one.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      outputs.push(execFileSync(process.execPath, [file], { cwd: folder, env, encoding: 'utf8', timeout: 60_000 }))
    }
    assert.match(outputs[0] as string, /done 2\ntrue 2 true\n$/)
    assert.match(outputs[1] as string, /^true new\n$/)
    assert.match(outputs[2] as string, /^4 true true\nnew true\n$/)
    assert.match(outputs[3] as string, /^0\n$/)
    assert.match(outputs[4] as string, /# fail 0/)
    assert.equal(outputs[5], '1 true 1 5\n')
    assert.equal(outputs[6], 'true e3069283\n')
    assert.equal(outputs[7], '0 true\ncheckpoint the journal claims a change that the target does not durably hold\n')
    const shell = blocks.filter(({ language, code }) => language === 'sh' && code.includes('npx keyhaul'))
    assert.equal(shell.length, 3)
    for (const line of shell.flatMap(({ code }) => code.trim().split('\n'))) {
      const words = line.split(/\s+/).slice(2)
      execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...words], { cwd: folder, stdio: 'pipe', timeout: 60_000 })
    }
  })
})

test('npm start prints the lines that the README shows', { timeout: 120_000 }, () => {
  const output = execFileSync(process.execPath, [join(root, 'scripts/demo.mjs')], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
  const shape = (text: string): string[] =>
    text.split('\n').map((line) => line.trim().replace(/\d[\d,.]*/g, '#').replace(/[0-9a-f#]{20,}/g, 'digest').replace(/\S*\/build/g, './build')).filter((line) => /^(loaded|\$ keyhaul|killed|moved|verified|deleted|resumed|compared)/.test(line))
  const shown = blocks.find(({ code }) => code.startsWith('$ npm start'))?.code ?? ''
  const same = (lines: string[]): string[] => lines.map((line) => line.replace(/digest .*/, 'digest').replace(/in # (ms|s)/, 'in #'))
  assert.deepEqual(same(shape(output)), same(shape(shown)))
})

test('each error says what it means, and after a semicolon what to do next', () => {
  for (const [code, [, text]] of Object.entries(ERRORS)) {
    if (code !== 'KEYHAUL_OK' && code !== 'KEYHAUL_CANCELLED') assert.match(text, /^[^;]+; \S/, code)
  }
})

test('the table of errors is complete', () => {
  for (const [code, [, text]] of Object.entries(ERRORS)) {
    if (code !== 'KEYHAUL_OK') assert.ok(readme.includes(`| \`${code}\` | ${text} |`), `README lacks ${code}`)
  }
})
