// The element as a page uses it: attributes and properties, events, where it runs, when it plays and when it does not.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { runSimCommand } from '../../../dist/sim/command.js'
import { axeFinds, closePage, foreseen, get, SIM, STILL, type Sim } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

const { TOUR } = (await import(new URL('../../../web/story.js', import.meta.url).href)) as { TOUR: { title: string; link: string; captions: { text: string }[] }[] }
let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())

const hashOf = (...args: string[]): string => (JSON.parse(runSimCommand([...args, '--json']).text) as { hash: string }).hash
// By asking again and again: the page's policy lets nobody evaluate text.
const until = (page: Page, what: (sim: Sim) => boolean): Promise<void> => eventually(() => page.$eval(SIM, what as (sim: Element) => boolean).catch(() => false), String(what))
async function eventually(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const endMs = Date.now() + 20_000; !(await is()); ) {
    assert.ok(Date.now() < endMs, `not within 20 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const close = (page: Page): Promise<void> => closePage(site, page)

test('a seed of hexadecimal digits is that seed in an attribute, a link and the box; what is none is refused in words', async () => {
  const page = await site.page('#v=1&s=add-node&seed=82e0&f=none', STILL)
  await foreseen(page)
  const hash = hashOf('--seed', '82e0', '--scenario', 'add-node', '--faults', 'none')
  assert.equal(hash, hashOf('--seed', '33504', '--scenario', 'add-node', '--faults', 'none'))
  assert.equal(await get(page, (sim) => sim.foresight?.hash), hash)
  assert.match(await get(page, (sim) => sim.command), /--seed 33504 /)
  await page.getByLabel('Seed').fill('1f')
  await page.getByLabel('Seed').press('Enter')
  await until(page, (sim) => / --seed 31 /.test(sim.command))
  await page.getByLabel('Seed').fill('seven')
  await page.getByLabel('Seed').press('Enter')
  await page.getByText('“seven” is no seed').waitFor()
  assert.match(await get(page, (sim) => sim.command), /--seed 31 /)
  await get(page, (sim) => { sim.seed = '0x82e0' })
  await until(page, (sim) => / --seed 33504 /.test(sim.command))
  await get(page, (sim) => { sim.seed = 'x' })
  await page.locator('.wrong', { hasText: '“x” is no seed' }).waitFor()
  await page.evaluate(() => { location.hash = '#v=1&s=story&seed=g00d' })
  await page.locator('.wrong', { hasText: '“g00d” is no seed' }).waitFor()
  await page.evaluate(() => { location.hash = '#v=1&s=story&seed=5&f=none' })
  await until(page, (sim) => / --seed 5 --scenario story/.test(sim.command))
  await page.locator('.wrong').waitFor({ state: 'hidden' })
  await close(page)
})

test('events: each change of owner once, at any speed, each broken promise, and the hash', async () => {
  const page = await site.page('#v=1&s=add-node&seed=1&f=none', STILL)
  await foreseen(page)
  const play = (scenario: string, sabotage: string, speed: number): Promise<{ cutovers: { range: number; state: string; timeUs: number }[]; violations: { oracle: string; event: number }[]; hash: string }> =>
    page.$eval(SIM, (sim, [name, bug, fast]) => new Promise((resolve) => {
      const [element, cutovers, violations] = [sim as Sim, [] as never[], [] as never[]]
      const listening = new AbortController()
      const { signal } = listening
      element.addEventListener('cutover', (event) => cutovers.push((event as CustomEvent).detail as never), { signal })
      element.addEventListener('violation', (event) => {
        violations.push((event as CustomEvent).detail as never)
        queueMicrotask(() => element.play()) // it stops there
      }, { signal })
      element.addEventListener('hash', (event) => {
        listening.abort()
        resolve({ cutovers, violations, hash: (event as CustomEvent<string>).detail })
      }, { signal })
      element.speed = fast as number
      element.open({ seed: 2n, scenario: name as string, faults: bug === 'none' ? 'none' : 'all', sabotage: bug as string })
      element.play()
    }), [scenario, sabotage, speed] as const) as never
  const slow = await play('add-node', 'none', 20)
  const fast = await play('add-node', 'none', 10_000)
  assert.equal(slow.cutovers.length, 3)
  assert.deepEqual(fast.cutovers, slow.cutovers)
  assert.ok(slow.cutovers.every(({ state }) => state === 'activating'))
  assert.equal(fast.hash, hashOf('--seed', '2', '--scenario', 'add-node', '--faults', 'none', '--sabotage', 'none'))
  assert.deepEqual((await play('copy', 'none', 10_000)).cutovers, [])
  const broken = await play('swarm', 'delete-after-copy', 10_000)
  await foreseen(page) // the run may be over before it has been looked through
  const foreseenOnes = await get(page, (sim) => sim.foresight?.violations.map(({ oracle, event }) => ({ oracle, event })))
  assert.ok(broken.violations.length > 0)
  assert.deepEqual(broken.violations.map(({ oracle, event }) => ({ oracle, event })), foreseenOnes)
  await close(page)
})

test('a change of owner that is stepped over is told, one that a seek leaps is not', async () => {
  const page = await site.page('#v=1&s=add-node&seed=1&f=none', STILL)
  await foreseen(page)
  const told = await page.$eval(SIM, async (sim) => {
    const element = sim as Sim
    const counts: number[] = []
    let count = 0
    element.addEventListener('cutover', () => count++)
    const [, event] = element.foresight?.marks.find(([, , , text]) => /: activating$/.test(text)) ?? []
    await element.seek(element.foresight?.endUs ?? 0)
    counts.push(count)
    await element.jump('cutover', -1)
    await element.jump('cutover', -1)
    await element.jump('cutover', -1)
    counts.push(count, element.scene?.event === event ? 1 : 0)
    await element.step(-1)
    counts.push(count)
    await element.step(1)
    counts.push(count)
    return counts
  })
  assert.deepEqual(told, [0, 0, 1, 0, 1])
  await close(page)
})

test('from a run in which a bug does nothing, the page finds the scenario in which it does harm', async () => {
  for (const [scenario, bug] of [['add-node', 'delete-after-copy'], ['story', 'activate-early']] as const) {
    const page = await site.page(`#v=1&s=${scenario}&seed=1&f=none&t=500&b=${bug}`, STILL)
    await foreseen(page)
    await get(page, (sim) => { sim.speed = 1000 })
    await page.getByRole('button', { name: 'look for a seed' }).click()
    await page.locator('.oracle.bad').waitFor()
    assert.match(await get(page, (sim) => sim.command), new RegExp(`--sabotage ${bug}`))
    const bad = await page.locator('.numbers .bad').allInnerTexts()
    assert.ok(bad.some((text) => /lost|stale|resurrected|doubled|owners a key/.test(text)), bad.join(', '))
    await close(page)
  }
})

test('properties reflect attributes, and t and autoplay work when they are set later', async () => {
  const page = await site.page('#v=1&s=add-node&seed=1&f=none', STILL)
  await foreseen(page)
  const reflected = await page.$eval(SIM, (sim) => {
    const element = sim as Sim
    const values = { scenario: 'story', seed: '9', until: '30', faults: 'drop,clog', sabotage: 'no-dedupe', workload: '50', do: '900000:crash:1:500', theme: 'dark', controls: 'few', speed: 5, t: 1500, autoplay: false }
    Object.assign(element, values)
    return Object.entries(values).filter(([name, value]) => (element as unknown as Record<string, unknown>)[name] !== value || (name === 'autoplay' ? element.hasAttribute(name) : element.getAttribute(name) !== String(value))).map(([name]) => name)
  })
  assert.deepEqual(reflected, [])
  await until(page, (sim) => sim.timeUs === 1_500_000 && sim.command === 'npx keyhaul sim --seed 9 --scenario story --until 30 --faults drop,clog --sabotage no-dedupe --workload 50 --do 900000:crash:1:500')
  await get(page, (sim) => { sim.t = 2500 })
  await until(page, (sim) => sim.timeUs === 2_500_000)
  assert.equal(await get(page, (sim) => sim.playing), false)
  await get(page, (sim) => { sim.autoplay = true })
  await until(page, (sim) => sim.timeUs > 2_600_000)
  await close(page)
})

test('the story plays by itself in a Worker, and its first frame leaves a mark', async () => {
  const page = await site.page()
  await until(page, (sim) => sim?.timeUs > 1_000_000 && sim.playing)
  // The second tab has one of its own, in a folder.
  const runs = (is: boolean): Promise<void> => eventually(() => page.workers().some((worker) => worker.url() === `${site.address}worker.js`) === is, `the Worker is ${is ? '' : 'not '}there`)
  await runs(true)
  const marks = await page.evaluate(() => performance.getEntriesByName('keyhaul-first-frame').map(({ startTime }) => startTime))
  assert.ok(marks.length === 1 && (marks[0] as number) > 0)
  await page.getByRole('tab', { name: 'Your data' }).click()
  await until(page, (sim) => !sim.playing)
  // Taken off the page it leaves no Worker behind, and put back it runs anew.
  await page.evaluate(() => {
    const sim = document.querySelector('keyhaul-sim') as Sim
    ;(globalThis as unknown as { sim: Sim }).sim = sim
    sim.remove()
  })
  await runs(false)
  await page.evaluate(() => document.body.append((globalThis as unknown as { sim: Sim }).sim))
  await runs(true)
  await foreseen(page)
  await close(page)
})

test('what is not on the screen does not play; scrolled to it does, and scrolled away it stands', async () => {
  const page = await site.page('embed.html')
  await page.waitForFunction(() => [...document.querySelectorAll('keyhaul-sim')].every((sim) => (sim as Sim).foresight !== undefined))
  await page.evaluate(() => {
    const [first, second] = document.querySelectorAll('keyhaul-sim') as unknown as [Sim, Sim]
    first.style.marginBottom = '4000px'
    first.pause()
    second.speed = 0.5
    scrollTo(0, 0)
  })
  /** Whether the second one plays, and how far it comes meanwhile. */
  const over = (frames: number): Promise<[boolean, number]> => page.evaluate(async (many) => {
    const second = document.querySelectorAll('keyhaul-sim')[1] as Sim
    const before = second.timeUs
    for (let i = 0; i < many; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
    return [second.playing, second.timeUs - before]
  }, frames)
  const plays = (is: boolean): Promise<unknown> => page.waitForFunction((wanted) => (document.querySelectorAll('keyhaul-sim')[1] as Sim).playing === wanted, is)
  await over(5) // the observer tells
  await page.evaluate(() => (document.querySelectorAll('keyhaul-sim')[1] as Sim).play())
  assert.deepEqual(await over(30), [false, 0])
  await page.evaluate(() => document.querySelectorAll('keyhaul-sim')[1]?.scrollIntoView())
  await plays(true)
  const [, passedUs] = await over(30)
  assert.ok(passedUs > 0)
  await page.evaluate(() => scrollTo(0, 0))
  await plays(false)
  await over(5) // what was under way comes back
  assert.deepEqual(await over(30), [false, 0])
  assert.equal(await page.evaluate(() => document.styleSheets.length + document.adoptedStyleSheets.length), 0)
  await close(page)
})

test('a speed that this machine does not reach is said not to be reached, and how far it comes instead', async () => {
  const page = await site.page('#v=1&s=many&seed=2&u=3600&w=600', STILL)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim | null)?.scene !== undefined)
  const said = page.locator('.reached')
  await get(page, (sim) => { sim.speed = 0.5; sim.play() })
  await until(page, (sim) => sim.timeUs > 700_000)
  assert.equal(await said.isVisible(), false)
  await get(page, (sim) => { sim.speed = 10_000 })
  await said.getByText(/^this machine reaches [\d,.]+x$/).waitFor()
  /** Until it says something else: that is of the time in between. */
  const news = (): Promise<[timeUs: number, ms: number, said: number]> => page.evaluate(async () => {
    const sim = document.querySelector('keyhaul-sim') as Sim
    const span = sim.shadowRoot?.querySelector('.reached') as HTMLElement
    for (const before = span.textContent; span.textContent === before; ) await new Promise((resolve) => requestAnimationFrame(resolve))
    return [sim.timeUs, performance.now(), Number(span.textContent?.replaceAll(/[^\d.]/g, ''))]
  })
  const [first, second] = [await news(), await news()]
  const went = (second[0] - first[0]) / 1000 / (second[1] - first[1])
  assert.ok(second[2] > went / 2 && second[2] < went * 2, `it says ${second[2]}, and does ${went}`)
  await get(page, (sim) => { sim.speed = 0.5 })
  await said.waitFor({ state: 'hidden' })
  await close(page)
})

test('keys: slower, nodes onward and back, jumps back', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none&t=3000&a=500000:sabotage:ack-before-sync,2900000:crash:1:300', STILL)
  await foreseen(page)
  await page.locator('canvas').first().focus()
  const speed = await get(page, (sim) => sim.speed)
  await page.keyboard.press('[')
  assert.ok((await get(page, (sim) => sim.speed)) < speed)
  const chosen = (): Promise<string> => page.locator('.break .chips [aria-pressed=true]').innerText()
  const first = await chosen()
  await page.keyboard.press('n')
  assert.notEqual(await chosen(), first)
  await page.keyboard.press('p')
  assert.equal(await chosen(), first)
  await page.keyboard.press('Shift+M')
  await until(page, (sim) => sim.timeUs < 3_000_000)
  await get(page, (sim) => sim.seek(0))
  await page.keyboard.press('v')
  await until(page, (sim) => (sim.scene?.violations.length ?? 0) > 0)
  const event = await get(page, (sim) => sim.scene?.event)
  await get(page, (sim) => sim.seek(sim.foresight?.endUs ?? 0))
  await page.keyboard.press('Shift+V')
  await page.waitForFunction((at) => (document.querySelector('keyhaul-sim') as Sim).scene?.violations.length !== 0 && ((document.querySelector('keyhaul-sim') as Sim).scene?.event ?? 0) >= at, event ?? 0)
  await close(page)
})

test('the buttons copy the link and the command', async () => {
  const page = await site.page('#v=1&s=story&seed=3&f=none&t=2000', { ...STILL, permissions: ['clipboard-read', 'clipboard-write'] })
  await foreseen(page)
  const copied = async (name: string, wanted: string): Promise<void> => {
    await page.getByRole('button', { name }).click()
    await page.waitForFunction(async (text) => (await navigator.clipboard.readText()) === text, wanted)
    await page.getByRole('status').getByText(`The ${name.slice(5)} is copied.`).waitFor()
  }
  await copied('copy command', await get(page, (sim) => sim.command))
  await copied('copy link', `${site.address}#${await get(page, (sim) => sim.link)}`)
  // Where the page may not, it says so.
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) })
  await page.getByRole('button', { name: 'copy command' }).click()
  await page.locator('.notice').getByText(/may not copy.*npx keyhaul sim/).waitFor()
  await close(page)
})

test('a theme overrides what the reader has', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none&t=2000', { ...STILL, colorScheme: 'dark' })
  await foreseen(page)
  const paper = (): Promise<string> => get(page, (sim) => getComputedStyle(sim).getPropertyValue('--keyhaul-paper').trim())
  const dark = await paper()
  await get(page, (sim) => { sim.theme = 'light' })
  assert.notEqual(await paper(), dark)
  await get(page, (sim) => { sim.theme = '' })
  assert.equal(await paper(), dark)
  await get(page, (sim) => { sim.style.setProperty('--keyhaul-accent', 'rgb(1, 2, 3)') })
  assert.equal(await page.locator('button.play').evaluate((button) => getComputedStyle(button).backgroundColor), 'rgb(1, 2, 3)')
  await close(page)
})

/** Unlike pictures among those of so many frames. */
const pictures = (page: Page, frames = 12): Promise<number> => page.$eval('keyhaul-sim', async (sim, count) => {
  const canvas = sim.shadowRoot?.querySelector('canvas') as HTMLCanvasElement
  const seen = new Set<string>()
  for (let i = 0; i < count; i++) {
    await new Promise(requestAnimationFrame)
    seen.add(canvas.toDataURL())
  }
  return seen.size
}, frames)

test('with reduced motion nothing flies, nor goes on flying once it is asked for', async () => {
  // Half of what is sent takes long, and it is watched as slowly as can be chosen: it flies for seconds.
  const page = await site.page('#v=1&s=add-node&seed=1&f=none&t=1300&a=1200000:rate:reorder:500000', STILL)
  await foreseen(page)
  await get(page, (sim) => { sim.speed = 0.1 })
  const playUntil = async (is: (timeUs: number) => boolean | Promise<boolean>, what: string): Promise<void> => {
    await get(page, (sim) => { sim.play() })
    await eventually(async () => is(await get(page, (sim) => sim.timeUs)), what)
    await get(page, (sim) => { sim.pause() })
    await pictures(page, 2)
  }
  await playUntil((timeUs) => timeUs > 1_400_000, 'it plays with little motion too')
  assert.equal(await pictures(page), 1, 'what was sent meanwhile flies')
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  await playUntil((timeUs) => timeUs > 1_500_000, 'it plays on')
  assert.ok((await pictures(page)) > 6, 'nothing flies where it may')
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await pictures(page, 2)
  assert.equal(await pictures(page), 1, 'what was on its way flies on')
  await close(page)
})

test('a full disk and a clock that jumped are said on the node', async () => {
  const page = await site.page('#v=1&s=story&seed=1&f=none&t=1500&a=1400000:disk-full:0:2000,1400000:clock-jump:3:30000', STILL)
  await foreseen(page)
  const rows = (await page.locator('keyhaul-sim table').first().locator('tbody tr').allTextContents()).join(' ')
  assert.match(rows, /s0storedisk full/)
  assert.match(rows, /keyhaulmover.*clock \+30 s/)
  assert.deepEqual(await get(page, (sim) => sim.scene?.nodes.map(({ full }) => full ?? 0).slice(0, 4)), [1, 0, 0, 0])
  const marks = await get(page, (sim) => sim.foresight?.marks.map(([, , , text]) => text).join('; '))
  assert.match(marks ?? '', /s0 has a full disk;.*clock jumps ahead/)
  await close(page)
})

test('each step of the tour opens its run and says what is seen', async () => {
  const page = await site.page('', STILL)
  for (const { title, captions, link } of TOUR) {
    await page.getByRole('link', { name: title }).click()
    await page.waitForFunction((text) => document.querySelector('nav [aria-current=step]')?.textContent === text, title)
    const seed = /seed=(\d+)/.exec(link)?.[1] ?? ''
    await page.waitForFunction((wanted) => location.hash === `#${wanted}`, link)
    await page.waitForFunction(([text, scenario]) => {
      const sim = document.querySelector('keyhaul-sim') as Sim
      return sim.scene !== undefined && sim.command.includes(` --scenario ${scenario}`) && sim.shadowRoot?.querySelector('.caption')?.textContent === text
    }, [captions[0]?.text ?? '', `${/s=([a-z-]+)/.exec(link)?.[1]}`] as const)
    assert.match(await get(page, (sim) => sim.command), new RegExp(`--seed ${seed}\\b`))
  }
  await foreseen(page)
  const command = await get(page, (sim) => sim.command)
  assert.equal(await get(page, (sim) => sim.foresight?.hash), hashOf(...command.split(' ').slice(3)))
  await close(page)
  // And it plays, for who did not ask for little motion.
  const playing = await site.page('')
  await playing.getByRole('link', { name: TOUR[1]?.title ?? assert.fail() }).click()
  await until(playing, (sim) => sim.playing && sim.command.includes('--scenario drain') && sim.timeUs > 1_200_000)
  await close(playing)
})

test('axe has nothing to say of the embedded ones, of an error and of a step of the tour', async () => {
  for (const path of ['embed.html', '#v=1&s=nosuch&seed=1', `#${TOUR[4]?.link}`]) for (const colorScheme of ['light', 'dark'] as const) {
    const page = await site.page(path, { ...STILL, colorScheme, bypassCSP: true })
    if (path.includes('nosuch')) await page.locator('.wrong').waitFor()
    else await foreseen(page)
    assert.deepEqual(await axeFinds(page), [], `${path} ${colorScheme}`)
    await close(page)
  }
})
