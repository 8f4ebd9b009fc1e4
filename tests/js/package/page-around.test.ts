// The page around the element: its address, its second tab before it is loaded, and a tab of the browser that nobody sees.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closePage, foreseen, openSim, SIM, STILL, type Sim } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())

test('a link is followed though the run writes itself into the address at that moment', async () => {
  const page = await openSim(site, '#v=1&s=story&seed=1&f=none&t=2000')
  await page.evaluate(() => {
    const sim = document.querySelector('keyhaul-sim') as Sim
    sim.dispatchEvent(new KeyboardEvent('keydown')) // somebody has touched it: from now on the address says what is seen
    location.hash = '#v=1&s=copy&seed=7&f=none'
    sim.dispatchEvent(new CustomEvent('change', { detail: { link: sim.link } }))
  })
  await page.waitForFunction(() => / --seed 7 --scenario copy /.test((document.querySelector('keyhaul-sim') as Sim).command))
  await closePage(site, page)
})

test('what is not loaded yet cannot be pressed in vain, and what cannot be loaded is said', async () => {
  const page = await site.page('', STILL)
  let deliver = (): void => {}
  const wanted = new Promise<void>((resolve) => { deliver = resolve })
  await page.route(/panel-\w+\.js$/, async (route) => {
    await wanted
    await route.continue()
  })
  await page.getByRole('tab', { name: 'Your data' }).click()
  await page.locator('#own-sample').waitFor()
  const reaches = async (): Promise<boolean> => {
    await page.getByRole('tab', { name: 'Your data' }).focus()
    await page.keyboard.press('Tab')
    return page.evaluate(() => document.activeElement?.id === 'own-sample')
  }
  assert.equal(await reaches(), false)
  deliver()
  await page.locator('#own:not([inert])').waitFor()
  assert.equal(await reaches(), true)
  await page.keyboard.press('Enter')
  await page.getByText('The plan: move').waitFor()
  await closePage(site, page)

  const other = await site.page('', STILL)
  await other.route(/panel-\w+\.js$/, (route) => route.abort())
  await other.getByRole('tab', { name: 'Your data' }).click()
  await other.getByText(/^This tab could not be loaded \(.+\): reload the page\.$/).waitFor()
  await other.context().close()
  // That it was refused is what the browser says of it.
  site.problems.splice(0, site.problems.length, ...site.problems.filter((problem) => !problem.includes('ERR_FAILED')))
  site.nothingWrong()
})

test('in a tab that is hidden nothing plays, and shown again it goes on', async () => {
  const page = await site.page('#v=1&s=many&seed=2&u=600', STILL)
  await foreseen(page)
  await page.$eval(SIM, (sim) => { Object.assign(sim, { speed: 0.5 }); (sim as Sim).play() })
  /** Headless browsers hide no tab: what the page would be told is said to it here. */
  const hide = (is: boolean): Promise<void> => page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden })
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: hidden ? 'hidden' : 'visible' })
    document.dispatchEvent(new Event('visibilitychange'))
  }, is)
  const plays = (is: boolean): Promise<unknown> => page.waitForFunction((wanted) => (document.querySelector('keyhaul-sim') as Sim).playing === wanted, is)
  const passed = (): Promise<number> => page.evaluate(async () => {
    const sim = document.querySelector('keyhaul-sim') as Sim
    const before = sim.timeUs
    for (let i = 0; i < 30; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
    return sim.timeUs - before
  })
  await plays(true)
  assert.ok((await passed()) > 0)
  await hide(true)
  await plays(false)
  await page.waitForTimeout(100) // what was under way comes back
  assert.equal(await passed(), 0)
  await hide(false)
  await plays(true)
  assert.ok((await passed()) > 0)
  await closePage(site, page)
})
