// The tarball in workerd, which compiles nothing at run time: what its modules bring is all there is.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { build } from 'esbuild'

const WORKERD = 'workerd@1.20261117.1'
const root = new URL('../../..', import.meta.url).pathname
const project = mkdtempSync(join(tmpdir(), 'keyhaul-workerd-'))
const npm = (...args: string[]): string => execFileSync('npm', [...args, '--loglevel=error'], { cwd: project, encoding: 'utf8' })

before(() => {
  execFileSync('npm', ['pack', '--pack-destination', project, '--loglevel=error'], { cwd: root, stdio: 'ignore' })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'worker', type: 'module', private: true }))
  // Of 120 MB, and nobody but this test needs it: so it is no dependency of a checkout.
  npm('install', '--no-audit', '--no-fund', '--omit=optional', '--legacy-peer-deps', './keyhaul-0.1.0.tgz')
  npm('install', '--no-audit', '--no-fund', '--legacy-peer-deps', WORKERD)
})
after(() => rmSync(project, { recursive: true, force: true }))

/** What the worker `source` throws in `test()`; empty if nothing. */
async function inWorkerd(source: string): Promise<string> {
  writeFileSync(join(project, 'worker.js'), source)
  await build({
    absWorkingDir: project, entryPoints: ['worker.js'], bundle: true, format: 'esm', outfile: 'out.js', conditions: ['workerd', 'worker', 'browser'],
    plugins: [{ name: 'wasm', setup: (hooks) => hooks.onResolve({ filter: /^keyhaul\/keyhaul\.wasm$/ }, () => ({ path: 'keyhaul.wasm', external: true })) }]
  })
  copyFileSync(join(project, 'node_modules/keyhaul/dist/keyhaul.wasm'), join(project, 'keyhaul.wasm'))
  writeFileSync(
    join(project, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [(name = "worker", esModule = embed "out.js"), (name = "keyhaul.wasm", wasm = embed "keyhaul.wasm")],
  compatibilityDate = "2026-01-01"
))]);
`
  )
  const { status, stderr } = spawnSync(join(project, 'node_modules/.bin/workerd'), ['test', 'config.capnp'], { cwd: project, encoding: 'utf8' })
  if (status !== 0) assert.match(stderr, /Error/)
  return status === 0 ? '' : stderr
}

test('a migration, after init() with the packaged module', async () => {
  const worker = (entries: number): string => `
import wasm from 'keyhaul/keyhaul.wasm'
import { crc32, init, migrate } from 'keyhaul'
import { memoryStore } from 'keyhaul/stores/memory'
await init(wasm)
export default {
  async test() {
    const [from, to] = [memoryStore({ name: 'a' }), memoryStore({ name: 'b' })]
    for (let i = 0; i < 5000; i++) from.put(\`key\${i}\`, \`value \${i}\`)
    const receipt = await migrate({ from, to, mode: 'move', ranges: 'all' }).done
    const told = [crc32('123456789').toString(16), receipt.verified, receipt.entries, from.size, to.size].join(' ')
    if (told !== 'cbf43926 true ${entries} 0 5000') throw new Error(told)
  }
}`
  assert.equal(await inWorkerd(worker(5000)), '')
  assert.match(await inWorkerd(worker(4999)), /Error: cbf43926 true 5000 0 5000/, 'this test can fail')
})

test('without init() it says what to do', async () => {
  const told = await inWorkerd(`
import { crc32 } from 'keyhaul'
export default { test() { crc32('123456789') } }`)
  assert.match(told, /KeyhaulError: no WebAssembly with SIMD compiles here; .* give init\(\) keyhaul\/keyhaul\.wasm first/)
})
