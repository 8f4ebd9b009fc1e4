// A machine that lacks what the build needs, and nobody who may install it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, NOBODY } from '../support/stores.js'

const isRoot = process.getuid?.() === 0

test('who is not root is told what is missing and how to install it', async () => {
  await inFolder(async (folder) => {
    // Whatever the folder of the repository allows: nobody has to read it.
    chmodSync(folder, 0o755)
    const script = join(folder, 'bootstrap.mjs')
    cpSync(new URL('../../../scripts/bootstrap.mjs', import.meta.url), script)
    const code = `import(${JSON.stringify(`file://${script}`)}).then(({ bootstrap }) => bootstrap(['build']))`
    const run = spawnSync(process.execPath, ['-e', isRoot ? `process.setgid(${NOBODY}); process.setuid(${NOBODY}); ${code}` : code], { encoding: 'utf8', env: { PATH: join(folder, 'empty') } })
    assert.equal(run.status, 1, run.stderr)
    assert.match(run.stderr, /^missing: emscripten, cmake, ninja-build\. Install them and run this again, on Debian:\n {2}sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends emscripten cmake ninja-build'\n$/)
  })
})
