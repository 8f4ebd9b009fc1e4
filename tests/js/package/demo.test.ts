// The page and the element in headless Chromium, under the page's own policy.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { runSimCommand } from '../../../dist/sim/command.js'
import type { KeyhaulSim } from '../../../dist/sim/element/element.js'
import { simScenarios } from '../../../dist/sim/index.js'
import { axeFinds } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

type Parts = Record<'first' | 'all' | 'sample' | 'main' | 'alone', number> & { files: Record<'first' | 'second' | 'later' | 'sample', Set<string>> }
const { pageParts } = (await import(new URL('../../../scripts/page-size.mjs', import.meta.url).href)) as { pageParts(): Parts }
/** Bytes after gzip. */
const [FIRST_MAX, ALL_MAX] = [200_000, 250_000]

const root = new URL('../../..', import.meta.url).pathname
let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())

/** What the terminal prints for the command that the page copies. */
function inTerminal(command: string): string {
  const { text } = runSimCommand([...command.split(' ').slice(3), '--json'])
  return (JSON.parse(text) as { hash: string }).hash
}

const SIM = 'keyhaul-sim'
type Sim = KeyhaulSim

/** Evaluates with the element, once its run is opened and foreseen. */
async function foreseen(page: Page): Promise<{ hash: string; command: string; violations: number }> {
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
  return page.$eval(SIM, (sim) => {
    const { foresight, command } = sim as Sim
    return { hash: foresight?.hash ?? '', command, violations: foresight?.violations.length ?? 0 }
  })
}

test('the story plays by itself, tells itself, and nothing is said on the console', async () => {
  const page = await site.page()
  // It begins at 0.7 s; how soon there is a first frame, bench/browser/frames.mjs measures.
  await page.waitForFunction(() => {
    const sim = document.querySelector('keyhaul-sim') as Sim | null
    return sim?.playing === true && sim.timeUs > 1_500_000
  })
  await page.locator('.caption').getByText(/^keyhaul moves a range of keys to s3|^Somebody kills keyhaul/).waitFor()
  await page.context().close()
  site.nothingWrong()
})

test('every scenario plays to the hash that the terminal prints', async () => {
  const page = await site.page()
  for (const { name } of simScenarios()) {
    const played = await page.$eval(SIM, (sim, scenario) => {
      const element = sim as Sim
      const ended = new Promise((resolve) => element.addEventListener('hash', (event) => resolve([(event as CustomEvent).detail, element.command]), { once: true }))
      element.speed = 10_000
      element.open({ seed: 5n, scenario, until: 20 })
      element.play()
      return ended
    }, name) as [string, string]
    assert.equal(played[0], inTerminal(played[1]), played[1])
    assert.match(played[1], new RegExp(`--scenario ${name}`))
  }
  await page.context().close()
  site.nothingWrong()
})

test('what is done by hand is in the link, and the link replays to the same hash', async () => {
  const page = await site.page('#v=1&s=story&seed=3&f=none&t=3000')
  await foreseen(page)
  await page.$eval(SIM, (sim) => (sim as Sim).pause())
  await page.getByRole('button', { name: 'crash', exact: true }).click()
  await page.getByRole('button', { name: 's2', exact: true }).click()
  await page.getByRole('button', { name: 'cut', exact: true }).click()
  await page.locator('input[data-fault="drop"]').fill('90000')
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).command.split(',').length === 3)
  await page.$eval(SIM, (sim) => (sim as Sim).seek(5_000_000))
  const [link, hash, made] = await page.$eval(SIM, (sim) => [(sim as Sim).link, (sim as Sim).hash, location.hash])
  assert.equal(made, `#${link}`)
  const { hash: last, command } = await foreseen(page)
  assert.equal(last, inTerminal(command))
  const other = await site.page(`#${link}`)
  await other.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).timeUs >= 5_000_000)
  await other.$eval(SIM, (sim) => (sim as Sim).pause())
  await other.$eval(SIM, (sim) => (sim as Sim).seek(5_000_000))
  assert.equal(await other.$eval(SIM, (sim) => (sim as Sim).hash), hash)
  assert.equal((await foreseen(other)).hash, last)
  await page.context().close()
  await other.context().close()
  site.nothingWrong()
})

test('a link of the first version keeps working', async () => {
  const page = await site.page('#v=1&s=follow&seed=42&u=30&f=drop,clog&b=no-dedupe&w=50&t=1500&a=1000000:pause:0:500,1200000:rate:bit-rot:77')
  const { command, hash } = await foreseen(page)
  assert.equal(command, 'npx keyhaul sim --seed 42 --scenario follow --until 30 --faults drop,clog --sabotage no-dedupe --workload 50 --do 1000000:pause:0:500,1200000:rate:bit-rot:77')
  assert.equal(hash, inTerminal(command))
  await page.context().close()
})

test('a link that cannot be shown is said to be none, and the next run is shown as ever', async () => {
  const page = await site.page('#v=1&s=nosuch&seed=1')
  const alert = page.locator('.wrong')
  await alert.waitFor()
  assert.match(await alert.innerText(), /^This run cannot be shown: .*nosuch/)
  assert.equal(await alert.getAttribute('role'), 'alert')
  const canvas = page.getByRole('application', { name: /^Simulation/ })
  assert.equal(await canvas.isVisible(), false)
  const open = (scenario: string): Promise<unknown> => page.$eval(SIM, (sim, name) => (sim as Sim).open({ seed: 2n, scenario: name, faults: 'none' }, 1_000_000), scenario)
  for (const scenario of ['story', 'nowhere', 'copy']) {
    await open(scenario)
    await page.waitForFunction((name) => name === 'nowhere' || (document.querySelector('keyhaul-sim') as Sim).command.includes(name), scenario)
    await alert.waitFor({ state: scenario === 'nowhere' ? 'visible' : 'hidden' })
    assert.equal(await canvas.isVisible(), scenario !== 'nowhere')
    if (scenario === 'nowhere') continue
    const { hash, command } = await foreseen(page)
    assert.equal(hash, inTerminal(command))
    assert.equal(await canvas.evaluate((one) => (one as HTMLCanvasElement).width > 0), true)
  }
  await page.context().close()
  site.nothingWrong()
})

test('the nodes to break are those of the run that is shown, though the last one had as many', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none')
  await foreseen(page)
  const names = (): Promise<string[]> => page.locator('.break .chips button').allInnerTexts()
  assert.deepEqual(await names(), ['s0', 's1', 's2', 'keyhaul'])
  await page.getByRole('button', { name: 's2', exact: true }).click()
  await page.$eval(SIM, (sim) => (sim as Sim).open({ seed: 1n, scenario: 'live', faults: 'none' }))
  await page.locator('.break .chips').getByText('register').waitFor()
  assert.deepEqual(await names(), ['s0', 's1', 'register', 'keyhaul'])
  assert.equal(await page.locator('.break .chips [aria-pressed=true]').innerText(), 'keyhaul')
  await page.context().close()
  site.nothingWrong()
})

test('bugs that are put in turn the oracle red within seconds, with the life of the key', async () => {
  for (const bug of ['ack-before-sync', 'ack-before-target', 'delete-after-copy', 'drop-tombstones']) {
    const page = await site.page('#v=1&s=story&seed=1&f=none&t=500')
    await foreseen(page)
    await page.$eval(SIM, (sim) => { (sim as Sim).speed = 10 })
    await page.getByLabel('Bug to put in').selectOption(bug)
    await page.locator('.oracle.bad').waitFor({ timeout: 8000 })
    await page.locator('.life').waitFor({ timeout: 8000 })
    assert.match(await page.locator('.verdict').innerText(), /^No\. \d found/, bug)
    assert.ok((await page.locator('.life li').count()) > 2, bug)
    assert.match(await page.locator('keyhaul-sim [role=status][aria-live]').innerText(), /promise is broken/)
    assert.equal(await page.$eval(SIM, (sim) => (sim as Sim).playing), false)
    await page.context().close()
  }
  site.nothingWrong()
})

test('where a bug does no harm in this run, a seed is found in which it does', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none&t=500')
  await foreseen(page)
  await page.$eval(SIM, (sim) => (sim as Sim).pause())
  await page.getByLabel('Bug to put in').selectOption('no-dedupe')
  await page.$eval(SIM, (sim) => { (sim as Sim).speed = 1000 })
  await page.getByRole('button', { name: 'look for a seed' }).click()
  await page.locator('.oracle.bad').waitFor()
  const { hash, command } = await foreseen(page)
  assert.equal(hash, inTerminal(command))
  await page.context().close()
  site.nothingWrong()
})

test('two hundred seeds in the tab break no promise', async () => {
  const page = await site.page('#v=1&s=copy&seed=1&u=20')
  await foreseen(page)
  await page.$eval(SIM, (sim) => (sim as Sim).pause())
  const workers = new Set(page.workers())
  page.on('worker', (worker) => workers.add(worker))
  await page.getByRole('button', { name: 'try 200 seeds' }).click()
  await page.getByText(/^200 seeds, .* 0 promises broken$/).waitFor({ timeout: 60_000 })
  // With the help of others, where there are processors for them; they are gone when it is done.
  const helpers = await page.evaluate(() => Math.min(3, navigator.hardwareConcurrency - 1))
  assert.equal(workers.size, 1 + helpers)
  while (page.workers().length > 1) await page.waitForTimeout(20)
  await page.context().close()
  site.nothingWrong()
})

test('a bug that is put in after the end is there from the start', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none&t=60000')
  await foreseen(page)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).scene?.ended === 1)
  await page.$eval(SIM, (sim) => { (sim as Sim).speed = 100 })
  await page.getByLabel('Bug to put in').selectOption('delete-after-copy')
  await page.locator('.oracle.bad').waitFor()
  const { hash, command } = await foreseen(page)
  assert.match(command, /--do 0:sabotage:delete-after-copy$/)
  assert.equal(hash, inTerminal(command))
  await page.context().close()
  site.nothingWrong()
})

test('every key does what it says, and everything is reached by keyboard', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none&t=2000', { reducedMotion: 'reduce' })
  await foreseen(page)
  await page.locator('canvas').first().focus()
  const state = (): Promise<[number, boolean, number]> => page.$eval(SIM, (sim) => [(sim as Sim).scene?.event ?? -1, (sim as Sim).playing, (sim as Sim).speed])
  const [event, playing, speed] = await state()
  assert.equal(playing, false) // reduced motion: nothing plays by itself
  await page.keyboard.press('ArrowRight')
  await page.waitForFunction((at) => (document.querySelector('keyhaul-sim') as Sim).scene?.event === at, event + 1)
  await page.keyboard.press('ArrowLeft')
  await page.waitForFunction((at) => (document.querySelector('keyhaul-sim') as Sim).scene?.event === at, event)
  await page.keyboard.press(']')
  assert.ok((await state())[2] > speed)
  await page.keyboard.press(' ')
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).playing)
  await page.keyboard.press(' ')
  await page.waitForFunction(() => !(document.querySelector('keyhaul-sim') as Sim).playing)
  await page.keyboard.press('f')
  const name = (): Promise<string> => page.evaluate(() => {
    const inner = document.querySelector('keyhaul-sim')?.shadowRoot?.activeElement ?? document.activeElement
    return `${inner?.tagName} ${inner?.getAttribute('aria-label') ?? (inner?.textContent || inner?.closest('label')?.textContent?.trim()) ?? ''}`
  })
  assert.match(await name(), /^BUTTON crash/)
  await page.locator('body').press('Home')
  const seen: string[] = []
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  for (let i = 0; i < 110; i++) {
    await page.keyboard.press('Tab')
    seen.push(await name())
  }
  for (const wanted of ['Play', 'Time', 'Speed', 'crash', 'chaos', 'Bug to put in', 'copy link', 'copy command', 'Scenario', 'Seed', 'keyhaul', 'B', 'Key space by time', '☆ bookmark', 'fork here', 'Help: keys and numbers', 'part them', 'save trace', 'open trace', 'trace hash', 'faults by chance']) {
    assert.ok(seen.some((one) => one.endsWith(wanted)), `${wanted} is not reached: ${seen.join(', ')}`)
  }
  await page.context().close()
  site.nothingWrong()
})

test('axe has nothing to say, in both schemes, whole and broken, wide and at 320 px', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [hash, width] of [['#v=1&s=story&seed=1&f=none&t=4000', 1280], ['#v=1&s=many&seed=2&t=9000', 320], ['#v=1&s=story&seed=1&f=none&t=9000&a=500000:sabotage:ack-before-sync', 1280]] as const) {
      const page = await site.page(hash, { colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 }, bypassCSP: true })
      await foreseen(page)
      assert.deepEqual(await axeFinds(page), [], `${colorScheme} ${hash} ${width}`)
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} px is enough`)
      await page.context().close()
    }
  }
})

test('one file with everything: two on one page, from a file, and gone without a trace', async () => {
  const page = await site.page('embed.html')
  await page.waitForFunction(() => [...document.querySelectorAll('keyhaul-sim')].every((sim) => (sim as Sim).foresight !== undefined))
  const hashes = await page.$$eval(SIM, (all) => all.map((sim) => (sim as Sim).foresight?.hash))
  assert.equal(new Set(hashes).size, 2)
  const playing = await page.$eval(SIM, async (sim) => {
    const element = sim as Sim
    element.play()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const before = element.timeUs
    element.remove()
    await new Promise((resolve) => setTimeout(resolve, 300))
    return [before > 0, element.playing, element.timeUs - before < 100_000]
  })
  assert.deepEqual(playing, [true, false, true])
  await page.context().close()
  site.nothingWrong()
  const file = await site.page()
  await file.goto(`file://${join(root, 'web/dist/embed.html')}`).catch(() => {})
  await file.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
  await file.context().close()
  const own = site.problems.filter((problem) => problem.startsWith('request: file:'))
  // The page, its icon and its one script; nothing else is asked for, and nothing is said.
  assert.ok(own.length >= 1 && own.length <= 3, own.join(', '))
  site.problems.splice(0, site.problems.length, ...site.problems.filter((problem) => !own.includes(problem)))
  site.nothingWrong()
})

test('npm run demo serves it', async () => {
  const child = spawn(process.execPath, [join(root, 'scripts/serve.mjs'), '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let said = ''
    for await (const part of child.stdout) {
      said += part
      if (said.includes('\n')) break
    }
    const address = /http:\S+/.exec(said)?.[0] ?? assert.fail(said)
    const [page, worker, none] = await Promise.all(['', 'worker.js', '../package.json'].map((path) => fetch(address + path)))
    assert.match(await page?.text() ?? '', /<keyhaul-sim/)
    assert.equal(worker?.headers.get('content-type'), 'text/javascript')
    assert.equal(none?.status, 404)
  } finally {
    child.kill()
  }
})

test('the page keeps to its size, and loads no more than is counted', async () => {
  const { first, all, sample, main, alone, files } = pageParts()
  assert.ok(first <= FIRST_MAX, `${first} bytes of the first view`)
  assert.ok(all <= ALL_MAX, `${all} bytes of both tabs`)
  assert.ok(sample <= 60_000, `${sample} bytes of cities`)
  assert.ok(main <= 40_000, `${main} bytes of main.js`)
  assert.ok(alone <= 230_000, `${alone} bytes of the element in one file`)
  site.asked.clear()
  const beyond = (...parts: readonly ReadonlySet<string>[]): string[] => [...site.asked].filter((file) => !parts.some((part) => part.has(file)))
  const page = await site.page()
  await foreseen(page)
  assert.deepEqual(beyond(files.first), [])
  await page.getByRole('tab', { name: 'Your data' }).click()
  await page.locator('#own-to option').first().waitFor({ state: 'attached' })
  assert.deepEqual(beyond(files.first, files.second), [])
  await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
  await page.getByText('The plan: move').waitFor()
  assert.deepEqual(beyond(files.first, files.second, files.sample), [])
  assert.ok([...files.second, ...files.sample].every((file) => site.asked.has(file)))
  await page.context().close()
  site.nothingWrong()
})
