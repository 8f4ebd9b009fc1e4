// "Your data": real databases of a real browser, moved by the page, with the tab torn down in the middle.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { axeFinds, closePage } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())

type Rows = [key: string, value: string][]

/** What a database holds, read past keyhaul and BrowserLevel; null where there is none. */
function rowsOf(page: Page, name: string): Promise<Rows | null> {
  // As text: what tsx makes of names of functions is not there in the page.
  return page.evaluate(`(async (location) => {
    const known = await indexedDB.databases()
    if (!known.some((one) => one.name === 'level-js-' + location)) return null
    const settled = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error) })
    const db = await settled(indexedDB.open('level-js-' + location))
    const store = db.transaction(location).objectStore(location)
    const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())])
    db.close()
    const text = (bytes) => new TextDecoder().decode(bytes)
    return keys.map((key, i) => [text(key), text(values[i])])
  })(${JSON.stringify(name)})`)
}

const within = (rows: Rows | null): Rows => (rows ?? []).filter(([key]) => key >= 'A' && key <= 'K')
const TARGET = 'moved'

async function opened(options = {}): Promise<Page> {
  const page = await site.page('#own', options)
  await page.locator('#own-to option').first().waitFor({ state: 'attached' })
  return page
}

async function withCities(options = {}): Promise<Page> {
  const page = await opened(options)
  await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
  await page.getByText('The plan: move').waitFor()
  return page
}

const verdict = (page: Page): Promise<string> => page.locator('#own-run-title').innerText()
async function ended(page: Page): Promise<string> {
  await page.locator('#own-run:is(.good, .bad)').waitFor({ timeout: 60_000 })
  return verdict(page)
}
async function fast(page: Page): Promise<void> {
  await page.getByLabel('slowly enough to watch').uncheck()
}
const closed = (page: Page): Promise<void> => closePage(site, page)
/** Entries that the bar speaks of. */
async function reached(page: Page, entries: number): Promise<void> {
  await page.waitForFunction((least) => {
    const copying = document.querySelector('.steps [aria-current]')?.textContent === 'copy'
    return copying && Number(/^[\d,]+/.exec(document.querySelector('.figures')?.textContent ?? '')?.[0]?.replaceAll(',', '')) >= least
  }, entries)
}

test('one click makes 5,000 cities and says what would happen; one more moves a range of them', async () => {
  const page = await withCities()
  const source = (await rowsOf(page, 'cities')) ?? []
  assert.equal(source.length, 5000)
  assert.equal(await rowsOf(page, TARGET), null)
  const many = within(source).length
  assert.ok(many > 1000 && many < 4000)
  assert.match(await page.locator('#own-plan').innerText(), new RegExp(`Copies ${many.toLocaleString('en-US')} entries`))
  await fast(page)
  await page.getByRole('button', { name: 'Start moving' }).click()
  await page.getByRole('button', { name: 'Move them' }).click()
  assert.equal(await ended(page), `Verified: ${many.toLocaleString('en-US')} entries moved.`)
  assert.deepEqual(await rowsOf(page, TARGET), within(source))
  assert.deepEqual(await rowsOf(page, 'cities'), source.filter(([key]) => key < 'A' || key > 'K'))
  const receipt = await page.locator('#own-run dl').innerText()
  const digests = receipt.match(/[0-9a-f]{32}/g)
  assert.equal(digests?.length, 2)
  assert.equal(digests?.[0], digests?.[1])
  await page.getByText('The journal, record by record').click()
  await page.locator('details pre').filter({ hasText: 'finished' }).waitFor()
  await page.getByRole('button', { name: 'Move it back' }).click()
  await page.getByText('The plan: move keys from “A” to “K”').waitFor()
  await page.getByRole('button', { name: 'Move them' }).click()
  await page.waitForFunction(() => document.querySelector('#own-run dl')?.textContent?.includes('moved → cities'))
  assert.match(await ended(page), /^Verified/)
  assert.deepEqual(await rowsOf(page, 'cities'), source)
  await closed(page)
})

test('the tab is torn down in the middle, twice, and goes on where it was', async () => {
  const page = await withCities()
  const source = within(await rowsOf(page, 'cities'))
  await page.getByRole('button', { name: 'Move them' }).click()
  for (const at of [400, 900]) {
    await reached(page, at)
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Tear the tab down now' }).click()])
    await page.getByText('Torn down in the middle').waitFor()
    const arrived = Number(/its journal ([\d,]+) of/.exec(await page.locator('.unfinished').innerText())?.[1]?.replaceAll(',', ''))
    assert.ok(arrived >= at - 300 && arrived < source.length, `${arrived} of ${source.length}`)
    // Nothing is deleted before all is verified.
    assert.deepEqual(within(await rowsOf(page, 'cities')), source)
    await page.getByRole('button', { name: 'Go on where it was' }).click()
  }
  assert.deepEqual(await page.$eval('#own-form', (form) => ['from', 'to', 'kind', 'low', 'high', 'mode'].map((name) => ((form as HTMLFormElement).elements.namedItem(name) as HTMLInputElement).value)), ['cities', TARGET, 'between', 'A', 'K', 'move'])
  assert.equal(await ended(page), `Verified: ${source.length.toLocaleString('en-US')} entries moved.`)
  assert.match(await page.locator('#own-run dl').innerText(), /Torn down and resumed\s+2 times/)
  assert.deepEqual(await rowsOf(page, TARGET), source)
  assert.deepEqual(within(await rowsOf(page, 'cities')), [])
  assert.equal(await page.getByText('Torn down in the middle').count(), 0)
  await closed(page)
})

test('stopped in good order, and undone: the target is as empty as it was', async () => {
  const page = await withCities()
  await page.getByRole('button', { name: 'Move them' }).click()
  await reached(page, 300)
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await page.getByText('Stopped in the middle').waitFor()
  assert.ok(((await rowsOf(page, TARGET)) ?? []).length >= 300)
  await page.getByRole('button', { name: 'Undo it' }).click()
  assert.equal(await ended(page), 'Undone. The target is as it was before.')
  assert.deepEqual(await rowsOf(page, TARGET), [])
  assert.equal((await rowsOf(page, 'cities'))?.length, 5000)
  await closed(page)
})

test('one bit that changes behind its back is found by name, and mended', async () => {
  const page = await withCities()
  const source = within(await rowsOf(page, 'cities'))
  await page.getByLabel('copy and verify').check()
  await fast(page)
  await page.getByRole('button', { name: 'Start copying' }).click()
  assert.match(await ended(page), /^Verified/)
  await page.getByRole('button', { name: 'Damage one entry of the target' }).click()
  const damaged = /One bit of “(.+?)”/.exec(await page.locator('#own-after').filter({ hasText: 'One bit' }).innerText())?.[1] ?? ''
  const differing = ((await rowsOf(page, TARGET)) ?? []).filter(([, value], i) => value !== source[i]?.[1])
  assert.deepEqual(differing.map(([key]) => key), [damaged])
  await page.getByRole('button', { name: 'Verify once more' }).click()
  await page.locator('#own-run.bad').waitFor()
  assert.equal(await verdict(page), 'They differ: 1 key.')
  assert.match(await page.locator('#own-run dl').innerText(), new RegExp(`Different\\s+${damaged.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')} \\(changed\\)`))
  await page.getByRole('button', { name: 'Mend it' }).click()
  await page.locator('#own-run.good').waitFor()
  assert.match(await verdict(page), /^Verified: .* 1 mended\.$/)
  assert.deepEqual(await rowsOf(page, TARGET), source)
  await closed(page)
})

test('what is filled in wrongly is said in a sentence, and nothing begins', async () => {
  const page = await opened()
  await page.getByRole('button', { name: 'Look at the plan' }).click()
  assert.match(await errorOf(page), /^There is nothing to move from yet\./)
  await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
  await page.getByText('The plan: move').waitFor()
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => page.getByLabel('Its name').fill(' '), /^The new database needs a name\.$/],
    [() => page.getByLabel('Its name').fill('cities'), /^There is a database named “cities” already\./],
    [() => page.getByLabel('To', { exact: true }).selectOption('cities'), /^Source and target are the same database\./],
    [async () => { await page.getByLabel('To', { exact: true }).selectOption({ label: 'a new one …' }); await page.getByLabel('Its name').fill('other'); await page.getByLabel('first key').fill('Z') }, /^Key Z: the range starts after it ends; swap its ends\.$/],
    [() => page.getByLabel('last key').fill(''), /^A range needs its first and its last key/],
    [() => page.getByLabel('what keys begin with').fill('hex:0'), /^hex:0 is not hexadecimal/],
    [() => page.getByLabel('what keys begin with').fill('nowhere'), /^cities holds no keys that begin with “nowhere”\. It has 5,000 entries, from “AE\//]
  ]
  for (const [spoil, sentence] of cases) {
    await spoil()
    await page.getByRole('button', { name: 'Start moving' }).click()
    assert.match(await errorOf(page), sentence)
    assert.equal(await page.locator('#own-run').isVisible(), false)
  }
  // A target that holds something is refused, and nothing of it is touched.
  await page.getByLabel('what keys begin with').fill('DE/')
  await page.getByLabel('copy and verify').check()
  await fast(page)
  await page.getByRole('button', { name: 'Start copying' }).click()
  assert.match(await ended(page), /^Verified/)
  await page.getByLabel('To', { exact: true }).selectOption('other')
  await page.getByRole('button', { name: 'Start copying' }).click()
  assert.match(await errorOf(page), /^other holds \d+ entries in this range already\. keyhaul would refuse/)
  assert.equal((await rowsOf(page, 'nowhere')), null)
  await closed(page)
})

/** Entries of one `key` in a database that the page knows nothing of. */
function put(page: Page, name: string, keys: string[]): Promise<void> {
  return page.evaluate(`(async (name, keys) => {
    const request = indexedDB.open('level-js-' + name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(name)
    const db = await new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error) })
    const bytes = (text) => new TextEncoder().encode(text)
    const transaction = db.transaction(name, 'readwrite')
    for (const key of keys) transaction.objectStore(name).put(bytes('mine'), bytes(key))
    await new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = () => reject(transaction.error) })
    db.close()
  })(${JSON.stringify(name)}, ${JSON.stringify(keys)})`)
}

const errorOf = async (page: Page): Promise<string> => {
  await page.locator('#own-error p').waitFor()
  return page.locator('#own-error').innerText()
}

test('a visitor’s own database named cities is left as it was, and so is the one of before', async () => {
  const page = await opened()
  await put(page, 'cities', ['a', 'b'])
  for (const [name, before] of [['cities-2', null], ['cities-3', 5000]] as const) {
    assert.equal(await rowsOf(page, name), null)
    await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
    await page.locator('#own-live').filter({ hasText: `are in the database “${name}”` }).or(page.locator(`#own-plan`).filter({ hasText: `from ${name} to` })).first().waitFor()
    assert.equal((await rowsOf(page, name))?.length, 5000)
    if (before !== null) assert.equal((await rowsOf(page, 'cities-2'))?.length, before)
    assert.deepEqual(await rowsOf(page, 'cities'), [['a', 'mine'], ['b', 'mine']])
  }
  await closed(page)
})

test('copying is what is chosen; a move begins with a second press, which any change of the form takes back', async () => {
  const page = await opened()
  assert.equal(await page.getByLabel('copy and verify').isChecked(), true)
  await put(page, 'mine', ['a', 'b'])
  await page.reload()
  await page.locator('#own-from option', { hasText: 'mine' }).waitFor({ state: 'attached' })
  await page.getByLabel('Its name').fill('other')
  await page.getByLabel('move: copy').check()
  const [start, move] = [page.getByRole('button', { name: 'Start moving' }), page.getByRole('button', { name: 'Move them' })]
  const changes = [() => page.getByLabel('slowly enough to watch').check(), () => page.getByLabel('what keys begin with').fill('a'), () => page.getByLabel('Its name').fill('another')]
  for (const change of changes) {
    // Two clicks in a row are no confirmation.
    await start.dblclick()
    await move.waitFor()
    assert.match(await page.locator('#own-plan').innerText(), /Only then deletes them from mine/)
    assert.equal(await rowsOf(page, 'other'), null)
    assert.equal((await rowsOf(page, 'mine'))?.length, 2)
    await change()
    await start.waitFor()
    assert.equal(await page.locator('#own-plan').innerText(), '')
  }
  await start.click()
  await move.click()
  assert.equal(await ended(page), 'Verified: 1 entry moved.')
  assert.deepEqual(await rowsOf(page, 'mine'), [['b', 'mine']])
  await closed(page)
})

test('one run at a time: nothing can begin a second one, and the worker refuses it', async () => {
  const page = await withCities()
  await page.getByRole('button', { name: 'Move them' }).click()
  await reached(page, 200)
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Tear the tab down now' }).click()])
  await page.getByText('Torn down in the middle').waitFor()
  await page.getByLabel('Its name').fill('second')
  await page.getByLabel('slowly enough to watch').check()
  await page.getByRole('button', { name: 'Start copying' }).click()
  await reached(page, 100)
  const buttons = ['Start copying', 'Look at the plan', 'Try with 5,000 cities', 'Go on where it was', 'Undo it']
  const usable = (): Promise<boolean[]> => Promise.all(buttons.map((name) => page.getByRole('button', { name }).isEnabled()))
  assert.deepEqual(await usable(), buttons.map(() => false))
  // Past the page's own buttons.
  await page.getByRole('button', { name: 'Go on where it was' }).evaluate((button: HTMLButtonElement) => { button.disabled = false; button.click() })
  assert.match(await errorOf(page), /^A run is under way already\. Wait until it ends, or stop it\.$/)
  // Past the page altogether: the worker refuses, and still stops the first one.
  const plan = { from: 'cities', to: 'third', mode: 'copy', range: { kind: 'all' } }
  const worker = page.workers().findLast((one) => one.url().includes('own/worker'))
  const refused = await worker?.evaluate(`new Promise((resolve) => {
    const reply = self.postMessage
    self.postMessage = (said) => said.id === 'second' ? resolve(said.failed?.message) : reply.call(self, said)
    dispatchEvent(new MessageEvent('message', { data: { id: 'second', what: 'start', with: { plan: ${JSON.stringify(plan)} } } }))
  })`)
  assert.match(String(refused), /^a run is under way on this page already/)
  assert.equal(await rowsOf(page, 'third'), null)
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await page.getByText('Stopped in the middle').waitFor()
  await page.waitForFunction(() => [...document.querySelectorAll<HTMLButtonElement>('#own-form button, #own-sample, #own-unfinished button')].every(({ disabled }) => !disabled))
  await closed(page)
})

test('damage is offered for what the page made or copied, never for a visitor’s own; one that is gone is not made anew', async () => {
  const page = await opened()
  await put(page, 'mine', ['a', 'b'])
  await put(page, 'theirs', ['a', 'b'])
  await page.reload()
  await page.locator('#own-from option', { hasText: 'mine' }).waitFor({ state: 'attached' })
  const damage = page.getByRole('button', { name: 'Damage one entry of the target' })
  await page.getByLabel('From', { exact: true }).selectOption('mine')
  await page.getByLabel('To', { exact: true }).selectOption('theirs')
  await page.getByLabel('verify only').check()
  await page.getByRole('button', { name: 'Compare' }).click()
  assert.equal(await ended(page), 'Verified: 2 entries compared.')
  assert.equal(await damage.count(), 0)
  // A copy beside what was there already is a visitor's own, too.
  await put(page, 'mine', ['c'])
  await page.getByLabel('what keys begin with').fill('c')
  await page.getByLabel('copy and verify').check()
  await page.getByRole('button', { name: 'Start copying' }).click()
  await page.locator('#own-run-title').filter({ hasText: '1 entry copied' }).waitFor()
  assert.equal(await damage.count(), 0)
  await page.getByLabel('To', { exact: true }).selectOption({ label: 'a new one …' })
  await page.getByLabel('Its name').fill('fresh')
  await page.getByRole('button', { name: 'Start copying' }).click()
  await damage.waitFor()
  await page.getByRole('button', { name: 'Verify once more' }).click()
  await page.locator('#own-run-title').filter({ hasText: '1 entry compared' }).waitFor()
  await page.evaluate(`new Promise((resolve, reject) => { const request = indexedDB.deleteDatabase('level-js-fresh'); request.onsuccess = resolve; request.onerror = request.onblocked = reject })`)
  await damage.click()
  assert.match(await errorOf(page), /^There is no database named “fresh” any more; reload the page, and choose another\.$/)
  assert.equal(await rowsOf(page, 'fresh'), null)
  await closed(page)
})

test('two tabs: what one goes on with is said to the other, with what to do', async () => {
  const page = await withCities()
  await page.getByRole('button', { name: 'Move them' }).click()
  await reached(page, 200)
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Tear the tab down now' }).click()])
  await page.getByText('Torn down in the middle').waitFor()
  const other = await page.context().newPage()
  await other.goto(`${site.address}#own`)
  const goOn = other.getByRole('button', { name: 'Go on where it was' })
  await goOn.waitFor()
  await page.getByRole('button', { name: 'Go on where it was' }).click()
  await reached(page, 250)
  await goOn.click()
  assert.match(await errorOf(other), /^This run is under way in another tab; watch it there, or close that tab/)
  await other.getByText('runs in another tab').waitFor()
  assert.match(await ended(page), /^Verified/)
  await closed(page)
})

test('the whole of it by keyboard', async () => {
  const page = await site.page('', { reducedMotion: 'reduce' })
  await page.getByRole('tab', { name: 'Watch it move' }).focus()
  await page.keyboard.press('ArrowRight')
  await page.locator('#own:not([inert])').waitFor() // before, nothing of it can be pressed
  assert.equal(new URL(page.url()).hash, '#own')
  const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'Try with 5,000 cities')
  await page.keyboard.press('Enter')
  await page.getByText('The plan: move').waitFor()
  await page.waitForFunction(() => document.activeElement?.id === 'own-start')
  await page.keyboard.press('Enter')
  const tabTo = async (name: string): Promise<void> => {
    for (let i = 0; i < 40 && (await focused()) !== name; i++) await page.keyboard.press('Tab')
    assert.equal(await focused(), name)
  }
  await page.waitForFunction(() => document.activeElement?.id === 'own-run-title')
  // There first, then far enough: the copy goes on for four seconds only, however slow the machine is.
  await tabTo('Tear the tab down now')
  await reached(page, 200)
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
  await page.getByText('Torn down in the middle').waitFor()
  await tabTo('Go on where it was')
  await page.keyboard.press('Enter')
  assert.match(await ended(page), /^Verified/)
  // What has ended is what is focused, and said.
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'own-run-title')
  assert.match(await page.locator('#own-live').innerText(), /^Verified/)
  await page.getByRole('tab', { name: 'Your data' }).focus()
  await page.keyboard.press('Home')
  await page.locator('keyhaul-sim').waitFor()
  assert.equal(await page.locator('#own').isVisible(), false)
  await closed(page)
})

test('axe has nothing to say of it, in both schemes and at 320 px; nothing is loaded before it is asked for', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 320]) {
      const page = await opened({ colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 }, bypassCSP: true })
      const looked = async (state: string): Promise<void> => {
        assert.deepEqual(await axeFinds(page), [], `${colorScheme} ${width} ${state}`)
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} px is enough: ${state}`)
      }
      await looked('empty')
      await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
      await page.getByText('The plan: move').waitFor()
      await looked('plan')
      await page.getByRole('button', { name: 'Move them' }).click()
      await reached(page, 200)
      await looked('running')
      await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Tear the tab down now' }).click()])
      await page.getByText('Torn down in the middle').waitFor()
      await looked('torn down')
      await page.getByRole('button', { name: 'Go on where it was' }).click()
      await ended(page)
      await looked('receipt')
      await page.context().close()
    }
  }
  const page = await site.page()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.getByRole('tab', { name: 'Your data' }).click()
  await page.locator('#own-to option').first().waitFor({ state: 'attached' })
  assert.equal(asked.some((url) => url.includes('cities')), false)
  await page.getByRole('button', { name: 'Try with 5,000 cities' }).click()
  await page.getByText('The plan: move').waitFor()
  assert.equal(asked.filter((url) => url.includes('cities')).length, 1)
  await page.context().close()
})
