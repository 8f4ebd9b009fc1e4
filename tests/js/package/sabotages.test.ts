// Each bug that can be put in, on the page in a browser: an oracle turns red, with the case in the wild and, where it is a
// key's, the history of the key.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { huntFor } from '../../../dist/sim/element/ahead.js'
import { wildStory } from '../../../dist/sim/element/wild.js'
import { simSabotages } from '../../../dist/sim/index.js'
import { FIRST } from '../support/sabotages.ts'
import { closePage, foreseen, SIM, STILL, type Sim } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())

test('every sabotage turns an oracle of the page red, with its case in the wild', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none', STILL)
  await foreseen(page)
  const sabotages = simSabotages()
  for (const { name } of sabotages) {
    const { scenario, faults } = huntFor(name, sabotages) ?? assert.fail(name)
    const seed = String(FIRST.get(name)?.seed ?? assert.fail(name))
    const broken = await page.$eval(SIM, (sim, [bug, where, chance, from]) => new Promise<{ oracle: string; key: string; bug: string }>((resolve) => {
      const element = sim as Sim
      element.addEventListener('violation', (event) => resolve({ ...(event as CustomEvent<{ oracle: string; key: string }>).detail, bug: element.sabotage }), { once: true })
      element.speed = 10_000
      element.open({ seed: BigInt(from as string), scenario: where as string, faults: chance as 'all', sabotage: bug as string })
      element.play()
    }), [name, scenario, faults, seed] as const)
    assert.equal(broken.bug, name)
    await page.locator('.oracle.bad').first().waitFor()
    await page.locator('.wild', { hasText: wildStory(name)?.text ?? assert.fail(name) }).waitFor()
  }
  await closePage(site, page)
})
