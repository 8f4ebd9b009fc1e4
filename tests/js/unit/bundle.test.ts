// What the build makes of the modules of the `.` entry: one file, and its WASM module by file or from text.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as entry from '../../../dist/index.js'
import { KeyhaulError } from '../../../dist/errors.js'
import { crc32 } from '../../../dist/checksum/shared.js'
import { Migration } from '../../../dist/migration.js'
import { levelStore } from '../../../dist/stores/level.js'

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url))

test('a module is one, by whatever path it is imported', () => {
  assert.equal(entry.KeyhaulError, KeyhaulError)
  assert.equal(entry.Migration, Migration)
  assert.equal(entry.crc32, crc32)
  assert.equal(entry.KeyhaulError, thrownByAStore())
})

/** By a module that is a file of its own. */
function thrownByAStore(): unknown {
  try {
    levelStore(undefined as never)
  } catch (error) {
    return (error as Error).constructor
  }
  return undefined
}

/** What Node loads, as paths in dist. */
function loadedBy(entryPoint: string, ...flags: string[]): string[] {
  const loaded = execFileSync(process.execPath, [...flags, '--input-type=module', '-e', `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent('export async function load(url, context, next) { if (url.startsWith("file:")) console.log(url); return next(url, context) }'))
    await import(${JSON.stringify(join(dist, entryPoint))})`], { encoding: 'utf8' })
  return loaded.trim().split('\n').map((url) => url.slice(url.indexOf('/dist/') + '/dist/'.length)).sort()
}

test('the entry is three files in Node', () => {
  assert.deepEqual(loadedBy('index.js'), ['engine/inline.js', 'engine/node.js', 'index.js'])
})

test('what shares modules with the entry brings no second copy of them along', () => {
  for (const entryPoint of ['index.js', 'stores/level.js', 'live/index.js', 'sim/index.js', 'testing/index.js', 'rehearse/index.js', 'journal/index.js']) {
    const isInNode = (file: string): boolean => ['core.js', 'shared.js', 'engine/node.js'].includes(file)
    assert.deepEqual(loadedBy(entryPoint).filter(isInNode), ['engine/node.js'], entryPoint)
    assert.ok(!loadedBy(entryPoint, '--no-addons').some((file) => file === 'engine/node.js'), entryPoint)
  }
  assert.ok(!loadedBy('checksum/index.js').some((file) => ['core.js', 'shared.js', 'engine/node.js'].includes(file)))
})

test('in Node the module is its file; without it, and where it is damaged, what the text holds', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhaul-bundle-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(dist, '../package.json'), join(folder, 'package.json'))
  cpSync(dist, join(folder, 'dist'), { recursive: true })
  const file = join(folder, 'dist/keyhaul.wasm')
  // Bytes given to WebAssembly.Module: the file is not copied, the text is unpacked by a module of its own first.
  const modules = (): number =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', `
      let made = 0
      const { Module } = WebAssembly
      WebAssembly.Module = class extends Module { constructor(bytes) { super(bytes); made++ } }
      const { crc32 } = await import(${JSON.stringify(join(folder, 'dist/index.js'))})
      if (crc32('123456789') !== 0xcbf43926) throw new Error('wrong')
      console.log(made)`], { encoding: 'utf8' }))
  assert.equal(modules(), 1)
  truncateSync(file, 50_000)
  assert.equal(modules(), 2)
  writeFileSync(file, 'no module')
  assert.equal(modules(), 2)
  rmSync(file)
  assert.equal(modules(), 2)
})
