// kill -9 of a service in the middle of a live move, again and again: what was acknowledged is there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, randomFrom } from '../support/stores.ts'

const SERVICE = new URL('../support/live-service.mjs', import.meta.url).pathname
const KEYS = 4000

/** Runs the service; kills it `killAfterMs` after it was ready. Gives its receipt if it came to its end. */
function serve(folder: string, acks: number[], killAfterMs: number): Promise<{ receipt: Record<string, unknown> | undefined; output: string }> {
  const file = join(folder, 'acks.json')
  writeFileSync(file, JSON.stringify(acks))
  const child = spawn(process.execPath, [SERVICE, folder, String(KEYS), file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let receipt: Record<string, unknown> | undefined
  let rest = ''
  let output = ''
  child.stdout.on('data', (data) => {
    const lines = (rest + data).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [word, key, version] = line.split(' ')
      if (word === 'ack') acks[Number(key)] = Number(version)
      else if (word === 'moved') receipt = JSON.parse(line.slice(6))
      else if (word === 'ready') {
        if (acks.length === 0) for (let i = 0; i < KEYS; i++) acks.push(0)
        setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref()
      } else output += `${line}\n`
    }
  })
  child.stderr.on('data', (data) => {
    output += data
  })
  return new Promise((resolve) => child.on('close', () => resolve({ receipt, output })))
}

for (const seed of [7, 23, 41]) {
  test(`killed at any moment and started again, until the shard has moved (seed ${seed})`, { timeout: 180_000 }, async () => {
    await inFolder(async (folder) => {
      const random = randomFrom(seed)
      const acks: number[] = []
      for (let round = 1; ; round++) {
        const { receipt, output } = await serve(folder, acks, round < 12 ? 60 + random() * 700 : 120_000)
        assert.equal(output, '')
        if (receipt === undefined) continue
        assert.equal(receipt.state, 'done')
        assert.equal(receipt.level, 4)
        assert.equal(receipt.left, 0)
        assert.ok((receipt.incarnations as number) > 1, `it was over in round ${round}`)
        return
      }
    })
  })
}
