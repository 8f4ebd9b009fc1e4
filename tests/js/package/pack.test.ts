// The tarball as a stranger gets it: installed in an empty project and used every way there is.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { inPage, PAGE } from '../support/page.ts'
import { fillLevel, readLevel } from '../support/stores.js'

const root = new URL('../../..', import.meta.url).pathname
const project = mkdtempSync(join(tmpdir(), 'keyhaul-pack-'))
const run = (command: string, args: string[], cwd = project): string => execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

before(() => {
  run('npm', ['pack', '--pack-destination', project, '--loglevel=error'], root)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', type: 'module', private: true }))
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--offline', './keyhaul-0.1.0.tgz', '--omit=optional', '--legacy-peer-deps'])
  symlinkSync(join(root, 'node_modules/classic-level'), join(project, 'node_modules/classic-level'))
})
after(() => rmSync(project, { recursive: true, force: true }))

const APP = `
import { crc32, migrate } from 'keyhaul'
import { memoryStore } from 'keyhaul/stores/memory'
export async function use() {
  const from = memoryStore({ name: 'a', entries: [['a', '1'], ['b', '2'], ['c', '3']] })
  const to = memoryStore({ name: 'b' })
  const receipt = await migrate({ from, to, ranges: [['a', 'b']] }).done
  return [crc32('123456789').toString(16), receipt.verified, receipt.entries, to.size].join(' ')
}
`
const EXPECTED = 'cbf43926 true 2 2'

test('import and require, without a warning', () => {
  writeFileSync(join(project, 'app.mjs'), `${APP}console.log(await use())\n`)
  assert.equal(run('node', ['app.mjs']), `${EXPECTED}\n`)
  writeFileSync(join(project, 'app.cjs'), `const { crc32 } = require('keyhaul')\nconst { crc32c } = require('keyhaul/checksum')\nconsole.log(crc32('123456789'), crc32c('123456789'))\n`)
  const ended = spawnSync('node', ['app.cjs'], { cwd: project, encoding: 'utf8' })
  assert.deepEqual([ended.stdout, ended.stderr], ['3421780262 3808858755\n', ''])
})

test('init() takes a compiled module, where nothing may be compiled at run time', () => {
  writeFileSync(
    join(project, 'compiled.mjs'),
    `import { readFileSync } from 'node:fs'
const compiled = new WebAssembly.Module(readFileSync('node_modules/keyhaul/dist/keyhaul.wasm'))
const refuse = () => { throw new Error('nothing may be compiled here') }
WebAssembly.Module = new Proxy(WebAssembly.Module, { construct: refuse })
WebAssembly.compile = WebAssembly.compileStreaming = refuse
const { init } = await import('keyhaul')
await init(compiled)
${APP}console.log(await use())
`
  )
  assert.equal(run('node', ['compiled.mjs']), `${EXPECTED}\n`)
})

test('the command works from the installed package', () => {
  assert.match(run('npx', ['keyhaul', '--version']), /^0\.1\.0/)
})

test('the installed command moves data of its own', async () => {
  const [a, b] = [join(project, 'own-a'), join(project, 'own-b')]
  await fillLevel(a, 5_000)
  const all = await readLevel(a)
  assert.match(run('npx', ['keyhaul', 'move', 'level:./own-a', 'level:./own-b']), /verified: both sides hold 5,000 entries/)
  assert.deepEqual(await readLevel(b), all)
  assert.equal((await readLevel(a)).size, 0)
})

test('types reach a strict project', () => {
  writeFileSync(join(project, 'typed.ts'), `import { migrate, type Receipt } from 'keyhaul'\nimport { memoryStore } from 'keyhaul/stores/memory'\nexport const receipt: Promise<Receipt> = migrate({ from: memoryStore({ name: 'a' }), to: memoryStore({ name: 'b' }) }).done\n// @ts-expect-error there is no such mode\nmigrate({ from: memoryStore(), to: memoryStore(), mode: 'steal' })\n`)
  run(join(root, 'node_modules/.bin/tsc'), ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--module', 'nodenext', '--moduleResolution', 'nodenext', 'typed.ts'])
})

test('publint and are-the-types-wrong have nothing to say', () => {
  run(join(root, 'node_modules/.bin/publint'), ['--strict', root], root)
  run(join(root, 'node_modules/.bin/attw'), [join(project, 'keyhaul-0.1.0.tgz'), '--profile', 'esm-only', '--exclude-entrypoints', './keyhaul.wasm', './keyhaul-sim.wasm'])
})

// The budget: 60 KiB. Only ever lower it; wasm/README.md says where the bytes are.
const ENTRY_BYTES_MAX = 61_440
const CHECKSUM_BYTES_MAX = 5_200

test('the whole entry keeps to its size, and the browser build holds no Node module', async () => {
  const result = await build({ stdin: { contents: `export * from 'keyhaul'`, resolveDir: project }, bundle: true, minify: true, format: 'esm', platform: 'browser', charset: 'utf8', write: false })
  const size = gzipSync(result.outputFiles[0]?.contents as Uint8Array, { level: 9 }).length
  assert.ok(size <= ENTRY_BYTES_MAX, `${size} bytes`)
  assert.ok(!/from ?["']node:/.test(result.outputFiles[0]?.text ?? ''))
})

test('keyhaul/checksum alone is small, and runs in a bundle', async () => {
  const contents = `import { crc32 } from 'keyhaul/checksum'\nglobalThis.sum = crc32('123456789')`
  const result = await build({ stdin: { contents, resolveDir: project }, bundle: true, minify: true, format: 'iife', platform: 'browser', charset: 'utf8', write: false })
  const size = gzipSync(result.outputFiles[0]?.contents as Uint8Array, { level: 9 }).length
  assert.ok(size <= CHECKSUM_BYTES_MAX, `${size} bytes`)
  const page: { sum?: number } = {}
  new Function('globalThis', result.outputFiles[0]?.text ?? '')(page)
  assert.equal(page.sum, 0xcbf43926)
})

test('keyhaul/live, keyhaul/live/level and both of keyhaul/journal come to a browser without a Node module', async () => {
  for (const entry of ['keyhaul/live', 'keyhaul/live/level', 'keyhaul/journal', 'keyhaul/journal/indexeddb']) {
    const result = await build({ stdin: { contents: `export * from '${entry}'`, resolveDir: project }, bundle: true, format: 'esm', platform: 'browser', external: ['abstract-level'], write: false })
    assert.ok(!/from ?["']node:/.test(result.outputFiles[0]?.text ?? ''), entry)
  }
})

const MAIN = `${APP}use().then((text) => { document.title = text }, (error) => { document.title = 'failed: ' + error })\n`

test('esbuild bundle on a page under a strict policy', async () => {
  const folder = join(project, 'esbuild-page')
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.html'), PAGE)
  await build({ stdin: { contents: MAIN, resolveDir: project }, bundle: true, format: 'esm', outfile: join(folder, 'main.js') })
  assert.equal(await inPage(folder), EXPECTED)
})

test('Vite build on a page under a strict policy', async () => {
  const source = join(project, 'vite-page')
  mkdirSync(source)
  writeFileSync(join(source, 'index.html'), PAGE)
  writeFileSync(join(source, 'main.js'), MAIN)
  const { build: viteBuild } = await import('vite')
  await viteBuild({ root: source, logLevel: 'error', base: './', build: { outDir: join(project, 'vite-out'), emptyOutDir: true } })
  assert.equal(await inPage(join(project, 'vite-out')), EXPECTED)
})

test('the .wasm asset loads with init() on a page', async () => {
  const folder = join(project, 'asset-page')
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.html'), PAGE)
  cpSync(join(project, 'node_modules/keyhaul/dist/keyhaul.wasm'), join(folder, 'keyhaul.wasm'))
  assert.ok(statSync(join(folder, 'keyhaul.wasm')).size > 1000)
  await build({ stdin: { contents: `import { init } from 'keyhaul'\n${APP}init('/keyhaul.wasm').then(use).then((text) => { document.title = text })\n`, resolveDir: project }, bundle: true, format: 'esm', outfile: join(folder, 'main.js') })
  assert.equal(await inPage(folder), EXPECTED)
})

test('Vite build of the element: its Worker comes along, and the run has the hash of the command', async () => {
  const source = join(project, 'vite-element')
  mkdirSync(source)
  writeFileSync(join(source, 'index.html'), PAGE)
  writeFileSync(join(source, 'main.js'), `import 'keyhaul/sim/element'
    const sim = Object.assign(document.createElement('keyhaul-sim'), { scenario: 'follow', seed: '7' })
    sim.addEventListener('foresight', ({ detail }) => { document.title = detail.hash })
    document.body.append(sim)
  `)
  const { build: viteBuild } = await import('vite')
  const out = join(project, 'vite-element-out')
  await viteBuild({ root: source, logLevel: 'error', base: './', build: { outDir: out, emptyOutDir: true } })
  assert.ok(readdirSync(join(out, 'assets')).some((file) => file.startsWith('worker')))
  const hash = await inPage(out)
  assert.match(run('npx', ['keyhaul', 'sim', '--seed', '7', '--scenario', 'follow']), new RegExp(`hash ${hash}\n`))
})
