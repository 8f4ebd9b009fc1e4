// Pictures of the page in each of its states, to be looked at: node scripts/shots.mjs [--only=fork,help], after
// npm run build. Three widths, both schemes, into build/shots; of some states also with forced colours and at 400 % of
// 1280 x 1024.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { TOUR } from '../web/story.js'
import { serveFolder } from './static.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'build/shots')
const LOOKS = [[1440, 900], [768, 1024], [320, 640]].flatMap(([width, height]) => ['light', 'dark'].map((colorScheme) => ({ name: `${width}-${colorScheme}`, viewport: { width, height }, colorScheme })))
const MORE_LOOKS = [
  ...['light', 'dark'].map((colorScheme) => ({ name: `forced-${colorScheme}`, viewport: { width: 1280, height: 900 }, colorScheme, forcedColors: 'active' })),
  { name: 'zoomed', viewport: { width: 320, height: 256 }, colorScheme: 'light' }
]
/** The states that are looked at in these ways too. */
const MORE = ['story-copy', 'red', 'help', 'own-plan', 'own-running']
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice(7).split(',')

const foreseen = (page) => page.waitForFunction(() => document.querySelector('keyhaul-sim')?.foresight !== undefined)
const at = (us) => async (page) => {
  await foreseen(page)
  await page.$eval('keyhaul-sim', (sim, time) => sim.seek(time), us)
  await page.waitForTimeout(700) // what glows has done so
}
const cities = async (page) => {
  await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
  await page.getByText('The plan: move').waitFor()
}
const moving = async (page) => {
  await cities(page)
  await page.getByRole('button', { name: 'Move them' }).click()
  await page.waitForFunction(() => Number(/^[\d,]+/.exec(document.querySelector('.figures')?.textContent ?? '')?.[0]?.replaceAll(',', '')) > 400)
}

/** What is opened, and what is done there; `part`: only that of the page, where the rest is as elsewhere. */
const STATES = {
  'story-copy': ['', at(1_900_000)],
  'story-killed': ['', at(2_300_000)],
  'story-pause': ['', at(6_450_000)],
  ...Object.fromEntries(TOUR.slice(1).map(({ link, captions }, i) => [`tour-${i + 2}`, [`#${link}`, at((captions[1]?.atUs || 4_000_000) + 300_000)]])),
  ended: ['#v=1&s=add-node&seed=1&f=none', at(60_000_000)],
  red: ['#v=1&s=story&seed=1&f=none&t=9000&a=500000:sabotage:ack-before-sync', foreseen],
  'red-live': ['#v=1&s=live-swarm&seed=3&f=all&b=stale-owner', async (page) => {
    await foreseen(page)
    const us = await page.$eval('keyhaul-sim', (sim) => sim.foresight.violations[0]?.timeUs ?? 20_000_000)
    await at(us + 100_000)(page)
  }],
  fork: ['#v=1&s=live-rivals&seed=4&t=7500&k=3000', async (page) => {
    await foreseen(page)
    await page.$eval('keyhaul-sim', (sim) => void sim.fork())
    await page.waitForFunction(() => document.querySelector('keyhaul-sim').shadowRoot.querySelector('keyhaul-sim')?.foresight !== undefined)
    await page.waitForTimeout(500)
  }],
  help: ['#v=1&s=live&seed=4&f=none&t=3000', async (page) => {
    await foreseen(page)
    await page.getByRole('button', { name: 'lost', exact: true }).first().click()
  }],
  'zone-lost': ['#v=1&s=zone-loss&seed=1&f=none', at(3_200_000)],
  'disk-full': ['#v=1&s=disk-full&seed=1&f=none', at(2_600_000)],
  hover: ['#v=1&s=hot-range&seed=1&f=none', async (page) => {
    await at(8_000_000)(page)
    const map = page.getByRole('application', { name: 'Key space by time' })
    await map.scrollIntoViewIfNeeded()
    const { width, height } = await map.boundingBox()
    await map.hover({ position: { x: width * 0.4, y: height * 0.4 } })
  }],
  many: ['#v=1&s=many&seed=2&t=9000', foreseen],
  wrong: ['#v=1&s=nosuch&seed=1', (page) => page.locator('.wrong').waitFor()],
  'own-empty': ['#own', (page) => page.locator('#own-to option').first().waitFor({ state: 'attached' })],
  'own-plan': ['#own', cities],
  'own-running': ['#own', moving],
  'own-torn': ['#own', async (page) => {
    await moving(page)
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Tear the tab down now' }).click()])
    await page.getByText('Torn down in the middle').waitFor()
  }],
  'own-resumed': ['#own', async (page) => {
    await moving(page)
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Tear the tab down now' }).click()])
    await page.getByRole('button', { name: 'Go on where it was' }).click()
    await page.locator('#own-run:is(.good, .bad)').waitFor({ timeout: 60_000 })
  }],
  'own-differ': ['#own', async (page) => {
    await cities(page)
    await page.getByLabel('slowly enough to watch').uncheck()
    await page.getByLabel('copy and verify').check()
    await page.getByRole('button', { name: 'Start copying' }).click()
    await page.locator('#own-run.good').waitFor()
    await page.getByRole('button', { name: 'Damage one entry of the target' }).click()
    await page.getByRole('button', { name: 'Verify once more' }).click()
    await page.locator('#own-run.bad').waitFor()
  }],
  'own-receipt': ['#own', async (page) => {
    await cities(page)
    await page.getByLabel('slowly enough to watch').uncheck()
    await page.getByRole('button', { name: 'Look at the plan' }).click()
    await page.getByRole('button', { name: 'Move them' }).click()
    await page.locator('#own-run:is(.good, .bad)').waitFor()
  }],
  embed: ['embed.html', foreseen],
  docs: ['docs/simulator.html#oracles', (page) => page.locator('#oracles').waitFor()]
}

const { server, address } = await serveFolder(join(root, 'web/dist'))
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
mkdirSync(out, { recursive: true })
for (const [name, [path, act]] of Object.entries(STATES)) {
  if (only !== undefined && !only.includes(name)) continue
  for (const { name: look, ...options } of [...LOOKS, ...(MORE.includes(name) ? MORE_LOOKS : [])]) {
    const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
    const page = await context.newPage()
    await page.goto(address + path)
    await act(page)
    // A dialog belongs to the window, and pages of words are long.
    await page.screenshot({ path: join(out, `${name}-${look}.png`), fullPage: name !== 'help' && name !== 'docs' })
    await context.close()
  }
  console.log(name)
}
await browser.close()
server.close()
