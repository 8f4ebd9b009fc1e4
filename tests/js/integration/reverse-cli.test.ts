// From a terminal: a move that can be reversed, and is, while clients of the service write.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, keyhaul } from '../support/stores.js'

const SERVICE = new URL('../support/control-service.mjs', import.meta.url).pathname
type Shown = { state: string; progress?: { live?: { reverseLeftMs: number } } }

const lastJson = (stdout: string): Record<string, unknown> => JSON.parse(stdout.trimEnd().split('\n').pop() as string)

for (const [verb, reversed] of [['reverse', true], ['close-window', false]] as const) {
  test(`keyhaul ${verb}, while the window is open`, async () => {
    await inFolder(async (folder) => {
      const child = spawn(process.execPath, [SERVICE, folder, '500'], { stdio: ['pipe', 'pipe', 'inherit'] })
      let output = ''
      const said = (what: RegExp): Promise<void> =>
        new Promise((done) => {
          const look = (): void => {
            if (what.test(output)) done()
          }
          child.stdout.on('data', look)
          look()
        })
      child.stdout.on('data', (data) => (output += data))
      try {
        await said(/ready\n/)
        const service = ['--service', join(folder, 'keyhaul.sock')]
        const early = await keyhaul([verb, ...service])
        assert.equal(early.code, 1)
        assert.match(early.stderr, /KEYHAUL_NOT_FOUND.*with an open reverse window/)
        const move = keyhaul(['move', '--live', ...service, 'shard1', 'shard2', '--prefix', 'key-', '--reverse-window', '10m', '--pause-budget', '10s', '--json'])
        for (let shown: Shown | undefined; shown?.state !== 'reversible'; await new Promise((wake) => setTimeout(wake, 50))) {
          shown = (lastJson((await keyhaul(['status', ...service, '--json'])).stdout).runs as Shown[])[0]
          if (shown?.state === 'reversible') assert.ok((shown.progress?.live?.reverseLeftMs ?? 0) > 0)
        }
        assert.match((await keyhaul(['status', ...service])).stdout, /shard2 serves; for \d+ s more it can be reversed/)
        const done = await keyhaul([verb, ...service, '--json'])
        assert.equal(done.code, 0, done.stderr)
        assert.equal(lastJson(done.stdout).reversed, reversed)
        assert.equal((await move).code, 0)
        assert.equal(lastJson((await move).stdout).reversed, reversed)
        // Whose it is now, also of the journal, which its service has closed.
        const journal = join(folder, 'journals', readdirSync(join(folder, 'journals')).find((file) => file.endsWith('.journal')) as string)
        const texts = [(await keyhaul(['status', ...service])).stdout, (await keyhaul(['status', journal])).stdout]
        for (const text of texts) assert.equal(text.includes('\n  went back: shard1 owns the range again\n'), reversed, text)
        if (reversed) assert.doesNotMatch(texts[1] as string, /decided/)
        child.stdin.write('quit\n')
        await said(/\}\n$/)
        const { left, moved } = JSON.parse(output.trimEnd().split('\n').pop() as string) as { left: number; moved: number }
        assert.deepEqual([left, moved], reversed ? [500, 0] : [0, 500])
      } finally {
        child.kill('SIGKILL')
      }
    })
  })
}
