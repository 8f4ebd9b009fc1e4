// Rules of the house that a compiler does not check.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = new URL('../../..', import.meta.url).pathname
const files = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => pattern.test(file)).map((file) => join(folder, file))
const text = (file: string): string => readFileSync(join(root, file), 'utf8')
const includes = (file: string): string[] => [...text(file).matchAll(/^#include [<"]([^>"]+)[>"]/gm)].map((match) => match[1] as string)

const core = files('core', /\.(cc|h|def)$/)
const sources = [...core, ...files('wasm', /\.(cc|h|def)$/), ...files('js/src', /\.ts$/), ...files('tests', /\.(ts|cc|h)$/), ...files('scripts', /\.mjs$/), ...files('bench', /\.(mjs|cc)$/)]

test('no file is longer than 400 lines, nothing is left to be done', () => {
  for (const file of sources.filter((name) => !name.includes('.generated.'))) {
    assert.ok(text(file).split('\n').length <= 401, `${file} is too long; split it by role`)
    if (!file.includes('tests/js/tidy')) assert.doesNotMatch(text(file), /\b(TODO|FIXME|XXX)\b/, file)
  }
})

test('the core asks no operating system, no clock and no chance for anything', () => {
  const forbidden = /^(iostream|fstream|sstream|chrono|thread|mutex|random|filesystem|unistd\.h|sys\/.*|time\.h|ctime)$/
  for (const file of core) assert.deepEqual(includes(file).filter((name) => forbidden.test(name)), [], file)
  for (const file of core) assert.doesNotMatch(text(file), /\b(try|throw)\b *[{(]|\bstd::rand\b|\bgetenv\(/, file)
})

// As in core/ARCHITECTURE.md.
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  range: ['base'],
  checksum: ['base'],
  digest: ['base', 'range'],
  wire: ['base', 'checksum'],
  plan: ['base', 'range'],
  ownership: ['base', 'range', 'checksum'],
  gate: ['base', 'range', 'checksum', 'ownership'],
  schedule: ['base'],
  migrator: ['base', 'range', 'checksum'],
  journal: ['base', 'range', 'checksum', 'digest', 'plan', 'migrate/state.h', 'migrate/live_state.h'],
  migrate: ['base', 'range', 'checksum', 'digest', 'wire', 'plan', 'schedule', 'journal', 'engine/buffers.h'],
  engine: ['base', 'range', 'checksum', 'digest', 'wire', 'plan', 'schedule', 'journal', 'migrate']
}

test('modules of the core include only what lies below them', () => {
  for (const file of files('core/src', /\.(cc|h)$/)) {
    const module = file.split('/')[2] as string
    const allowed = LAYERS[module]
    assert.ok(allowed !== undefined, `${module} has no place in the layers`)
    for (const name of includes(file).filter((include) => include.includes('/') && !include.startsWith('keyhaul/') && !include.startsWith('emscripten/'))) {
      const from = name.split('/')[0] as string
      assert.ok(from === module || allowed.includes(from) || allowed.includes(name), `${file} includes ${name}`)
    }
  }
})

test('only the engine and sim folders and the loaders of live and checksum know their glue; stores and the test suite stand alone', () => {
  for (const file of files('js/src', /\.ts$/)) {
    const imports = [...text(file).matchAll(/from '([^']+)'/g)].map((match) => match[1] as string)
    if (!/^js\/src\/(engine\/|sim\/|live\/module\.ts|checksum\/load\.ts)/.test(file)) assert.ok(!imports.some((name) => /glue|inline/.test(name)), `${file} imports the glue`)
    if (file.startsWith('js/src/stores/')) {
      for (const name of imports) assert.match(name, /^\.\/|^\.\.\/errors(\.generated)?\.js$/, file)
    }
    const node = imports.filter((name) => name.startsWith('node:'))
    if (!file.startsWith('js/src/cli/') && !file.endsWith('-node.ts')) assert.deepEqual(node, [], file)
  }
})
