// Seeds are dealt out to several at once; what comes of it does not depend on who is quicker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../../dist/sim/channel.js'
import { surveySeeds } from '../../../dist/sim/element/survey.js'

/** A host that runs a few seeds an answer; these break a promise. */
function host(broken: readonly number[], ran: number[], each: number, waitMs: () => number): Connection & { closed: boolean } {
  const call = async (_: string, options: { seed: bigint }, __: number, most: number) => {
    await new Promise((resolve) => setTimeout(resolve, waitMs()))
    let seeds = 0
    for (let seed = Number(options.seed); seeds < Math.min(each, most); seed++) {
      ran.push(seed)
      seeds++
      if (broken.includes(seed)) return { seeds, events: seeds * 10, simulatedUs: seeds * 1e6, broken: BigInt(seed) }
    }
    return { seeds, events: seeds * 10, simulatedUs: seeds * 1e6, broken: undefined }
  }
  return { call: call as unknown as Connection['call'], isWorker: true, closed: false, close() { this.closed = true } }
}

const with4 = (): unknown => Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: 4 }, configurable: true })

test('each seed runs once, on all of them, and the helpers go', async () => {
  with4()
  const ran: number[] = []
  const helpers: (Connection & { closed: boolean })[] = []
  const said: string[] = []
  const another = async (): Promise<Connection> => {
    helpers.push(host([], ran, 3, () => 1))
    return helpers.at(-1) as Connection
  }
  const sum = await surveySeeds({ own: host([], ran, 5, () => 2), another, goesOn: () => true }, { seed: 7n }, 101, (text) => said.push(text))
  assert.deepEqual([sum.seeds, sum.events, sum.broken], [101, 1010, undefined])
  assert.deepEqual(ran.sort((a, b) => a - b), Array.from({ length: 101 }, (_, i) => i + 7))
  assert.equal(helpers.length, 3)
  assert.ok(helpers.every(({ closed }) => closed))
  assert.match(said.at(-1) ?? '', /^101 seeds, .*0 promises broken$/)
})

test('it is the first seed that breaks a promise, though a later one is found sooner', async () => {
  with4()
  const ran: number[] = []
  // The one that plays gets the first part and is slow.
  const own = host([6, 20, 21], ran, 1, () => 10)
  const sum = await surveySeeds({ own, another: async () => host([6, 20, 21], ran, 8, () => 0), goesOn: () => true }, { seed: 1n }, 1000, () => {})
  assert.equal(sum.broken, 6n)
  assert.ok(ran.includes(20) && ran.length < 60, `${ran.length} ran`)
})

test('without a Worker it runs where it is, and it ends when another run is opened', async () => {
  with4()
  const ran: number[] = []
  let asked = 0
  const here = { ...host([], ran, 4, () => 0), isWorker: false }
  const sum = await surveySeeds({ own: here, another: () => assert.fail('no Worker is to be had'), goesOn: () => asked++ < 9 }, { seed: 1n }, 1000, () => {})
  assert.ok(sum.seeds > 0 && sum.seeds < 40, `${sum.seeds}`)
})
