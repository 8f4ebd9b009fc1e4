// A run is the same natively and in WASM: D2 of the design. The native command is
// build/simulation/keyhaul_sim, which the `parity` step builds first.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { runSimCommand } from '../../../dist/sim/command.js'
import { simScenarios } from '../../../dist/sim/index.js'

const SIM = new URL('../../../build/simulation/keyhaul_sim', import.meta.url).pathname

/** The same arguments on both sides; line by line, so that a difference names its seed. */
function both(args: readonly string[]): string[] {
  const native = spawnSync(SIM, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.equal(native.error, undefined)
  const wasm = runSimCommand(args)
  const lines = (text: string): string[] => text.split('\n')
  const [expected, actual] = [lines(native.stdout || native.stderr.replace(/^error: /, '')), lines(wasm.text)]
  for (const [i, line] of expected.entries()) assert.equal(actual[i], line, args.join(' '))
  assert.equal(actual.length, expected.length)
  assert.equal(wasm.exitCode, native.status)
  return actual
}

test('1,200 seeds of all scenarios have the same hash and the same number of events', () => {
  const names = simScenarios().map(({ name }) => name)
  assert.ok(names.length >= 8)
  const hashes = new Set<string>()
  for (const [i, name] of names.entries()) {
    const first = 1 + i * 1000
    const each = Math.ceil(1200 / names.length)
    for (const line of both(['--seeds', `${first}..${first + each - 1}`, '--scenario', name, '--each'])) {
      const hash = /^\d+ ([0-9a-f]{16}) \d+ events/.exec(line)?.[1]
      if (hash !== undefined) hashes.add(hash)
    }
  }
  assert.ok(hashes.size >= 1200, `${hashes.size} different hashes`)
})

/** What the command says to a thread of its own. */
const apart = (args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const command = new URL('../../../dist/sim/command.js', import.meta.url).href
    const code = `const { parentPort, workerData } = require('node:worker_threads'); import(${JSON.stringify(command)}).then(({ runSimCommand }) => parentPort.postMessage(runSimCommand(workerData).text))`
    new Worker(code, { eval: true, workerData: args, execArgv: [] }).once('message', resolve).once('error', reject)
  })

test('four threads say of their seeds what one says of all of them (D4)', async () => {
  for (const scenario of ['swarm', 'live-swarm']) {
    const of = (seeds: string): string[] => ['--seeds', seeds, '--scenario', scenario, '--each']
    const lines = (text: string): string[] => text.split('\n').filter((line) => / events/.test(line) && !/ seeds, /.test(line))
    const parts = await Promise.all(['1..10', '11..20', '21..30', '31..40'].map((seeds) => apart(of(seeds))))
    const whole = lines(runSimCommand(of('1..40')).text)
    assert.equal(whole.length, 40)
    assert.deepEqual(parts.flatMap(lines), whole)
  }
})

test('and the same text, whatever is asked for', () => {
  for (const args of [
    '--seed 7 --scenario follow',
    '--seed 0xffffffffffffffff --json',
    '--seed 7 --explain j0/00001',
    '--seed 9 --log --until 3 --workload 20',
    '--seed 5 --sabotage no-dedupe --minimise',
    '--seeds 1..12 --sabotage ignore-checksum',
    '--seeds 1..12 --faults -drop,clog --json',
    '--seed 2 --faults none --each',
    '--seed 7 --check-determinism', '--seeds 3..6 --scenario live-swarm --check-determinism',
    '--seed 5 --scenario rebalance --pauses', '--seeds 1..6 --scenario add-node --faults none --pauses',
    '--seed 3 --scenario story --faults none --do 1500000:crash:3:800,2000000:rate:drop:90000,4000000:sabotage:drop-tombstones',
    '--seed 4 --scenario live --faults none --do 500000:part:0-3:900,900000:one-way:3-1:400,1500000:rival:3:0,2000000:torn:3:700,2500000:rate:reorder:800000',
    '--list-scenarios', '--list-faults', '--list-sabotage', '--list-interventions', '--do 1:boil:0',
    '--seed x', '--scenario nowhere', '--until 0'
  ]) both(args.split(' '))
  assert.equal(runSimCommand(['--seeds', '1..12', '--sabotage', 'ignore-checksum']).exitCode, 3)
})
