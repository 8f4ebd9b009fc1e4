// kill -9 of a service in the middle of a live move, again and again: what was acknowledged is there.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, randomFrom } from '../support/stores.ts'

const SERVICE = new URL('../support/live-service.mjs', import.meta.url).pathname
const KEYS = 4000

type Kill = { afterMs: number } | { in: string } | 'never'

/** Runs the service; kills it so long after it was ready, or in a state. Gives its receipt if it came to its end. */
function serve(folder: string, acks: number[], kill: Kill): Promise<{ receipt: Record<string, unknown> | undefined; output: string }> {
  const file = join(folder, 'acks.json')
  writeFileSync(file, JSON.stringify(acks))
  const child = spawn(process.execPath, [SERVICE, folder, String(KEYS), file, ...(typeof kill === 'object' && 'in' in kill ? [kill.in] : [])], { stdio: ['ignore', 'pipe', 'pipe'] })
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
        if (typeof kill === 'object' && 'afterMs' in kill) setTimeout(() => child.kill('SIGKILL'), kill.afterMs).unref()
      } else output += `${line}\n`
    }
  })
  child.stderr.on('data', (data) => {
    output += data
  })
  return new Promise((resolve) => child.on('close', () => resolve({ receipt, output })))
}

function assertMoved(receipt: Record<string, unknown>): void {
  assert.equal(receipt.state, 'done')
  assert.equal(receipt.level, 4)
  assert.equal(receipt.left, 0)
  assert.equal(receipt.feedRows, 0, 'a feed was left open')
}

for (const seed of [7, 23, 41]) {
  test(`killed at any moment and started again, until the shard has moved (seed ${seed})`, { timeout: 180_000 }, async () => {
    await inFolder(async (folder) => {
      const random = randomFrom(seed)
      const acks: number[] = []
      for (let round = 1; ; round++) {
        const { receipt, output } = await serve(folder, acks, round < 12 ? { afterMs: 60 + random() * 700 } : 'never')
        assert.equal(output, '')
        if (receipt === undefined) continue
        assertMoved(receipt)
        assert.ok((receipt.incarnations as number) > 1, `it was over in round ${round}`)
        return
      }
    })
  })
}

const STATES = [
  'claiming', 'preparing', 'openFeed', 'staging', 'copying', 'catchingUp', 'verifying', 'approaching', 'fencing', 'draining', 'readFencing', 'deciding', 'activating',
  'redirecting', 'cleaning', 'closing'
]

/** Killed in one state after the other; gives how many kills there were. */
async function throughStates(folder: string, acks: number[]): Promise<number> {
  for (const state of STATES) {
    const { receipt, output } = await serve(folder, acks, { in: state })
    assert.equal(output, '')
    assert.equal(receipt, undefined, `it never came to ${state}`)
  }
  const { receipt, output } = await serve(folder, acks, 'never')
  assert.equal(output, '')
  assertMoved(receipt as Record<string, unknown>)
  return STATES.length
}

test('killed in each state, one after the other, and started again', { timeout: 180_000 }, async () => {
  await inFolder(async (folder) => void (await throughStates(folder, [])))
})

// KEYHAUL_KILLS=200 node --import tsx --test tests/js/integration/live-kill.test.ts
const wanted = Number(process.env.KEYHAUL_KILLS ?? 0)
test(`${wanted} kills, in each state and at random`, { skip: wanted === 0 && 'KEYHAUL_KILLS says how many', timeout: 3_600_000 }, async (t) => {
  const random = randomFrom(wanted)
  let kills = 0
  let moves = 0
  for (; kills < wanted; moves++) {
    await inFolder(async (folder) => {
      const acks: number[] = []
      if (moves % 2 === 0) {
        kills += await throughStates(folder, acks)
        return
      }
      for (let round = 1; ; round++) {
        const { receipt, output } = await serve(folder, acks, round < 12 ? { afterMs: 60 + random() * 700 } : 'never')
        assert.equal(output, '')
        if (receipt !== undefined) return assertMoved(receipt)
        kills++
      }
    })
  }
  t.diagnostic(`${kills} kills, ${moves} moves, nothing lost`)
})
