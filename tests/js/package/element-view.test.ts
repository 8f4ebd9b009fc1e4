// What the element shows and what its controls do: panels, the mirror for who does not see it, styling from outside,
// and what is broken by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { runSimCommand } from '../../../dist/sim/command.js'
import { NUMBERS } from '../../../dist/sim/element/help.js'
import { axeFinds, closePage, get, openSim, SIM, STILL, type Sim } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())
const open = (hash: string): Promise<Page> => openSim(site, hash)
const close = (page: Page): Promise<void> => closePage(site, page)

test('it is styled from outside: by variables, also in the picture, and by parts', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=2500')
  await get(page, (sim) => {
    sim.style.setProperty('--keyhaul-accent', 'rgb(1, 2, 3)')
    sim.style.setProperty('--keyhaul-range-0', 'rgb(250, 1, 251)')
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('keyhaul-sim::part(caption) { color: rgb(4, 5, 6) } keyhaul-sim::part(transport) { background: rgb(7, 8, 9) }')
    document.adoptedStyleSheets = [sheet]
    sim.theme = 'light' // reads the colours anew
  })
  const style = (selector: string, name: 'color' | 'backgroundColor'): Promise<string> => page.locator(selector).evaluate((element, property) => getComputedStyle(element)[property], name)
  assert.equal(await style('button.play', 'backgroundColor'), 'rgb(1, 2, 3)')
  assert.equal(await style('.caption', 'color'), 'rgb(4, 5, 6)')
  assert.equal(await style('.transport', 'backgroundColor'), 'rgb(7, 8, 9)')
  await page.waitForFunction(() => {
    const canvas = document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('canvas') as HTMLCanvasElement
    const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, canvas.width, canvas.height)
    for (let i = 0; i < data.length; i += 4) if (data[i] === 250 && data[i + 1] === 1 && data[i + 2] === 251) return true
    return false
  })
  const picture = await page.$eval(SIM, async (sim) => {
    const blob = await (sim as Sim).snapshot()
    const bitmap = blob === null ? undefined : await createImageBitmap(blob)
    return [blob?.type, bitmap?.width]
  })
  assert.deepEqual(picture, ['image/png', await page.locator('canvas').first().evaluate((canvas) => (canvas as HTMLCanvasElement).width)])
  await close(page)
})

test('of the chosen range: its life in states, lag, forecast and pause of writers, and its epoch', async () => {
  const page = await open('#v=1&s=add-node&seed=1&f=none&t=6500')
  const chip = (name: string): Promise<void> => page.locator('.range .chips').getByRole('button', { name, exact: true }).click()
  const facts = async (): Promise<Map<string, string>> => new Map(await page.locator('.facts > div').evaluateAll((all) => all.map((one) => [one.querySelector('dt')?.textContent ?? '', one.querySelector('dd')?.textContent ?? ''] as [string, string])))
  await chip('A')
  const known = await facts()
  for (const name of ['lag of the feed', 'pause, forecast', 'pause, allowed', 'to compare again', 'epoch', 'bytes', 'writes a second']) assert.match(known.get(name) ?? '', /\d|not known yet/, name)
  const store = [...known.keys()].find((name) => name.startsWith('gate of ')) ?? assert.fail('no gate')
  assert.match(known.get(store) ?? '', /epoch \d/)
  for (const [name, value] of known) assert.doesNotMatch(value, /[a-z][A-Z]/, name) // people do not write readFenced
  assert.match(await page.locator('.lag canvas').getAttribute('aria-label') ?? '', /\w{4,}/)
  const said = (): Promise<string> => page.locator('.range p.quiet').first().innerText()
  const first = await said()
  const [a, b] = await get(page, (sim) => (sim.scene?.jobs ?? []).map(({ first: key }) => key))
  assert.ok(first.includes(a ?? '?'), first)
  await chip('B')
  await page.waitForFunction((key) => document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('.range p.quiet')?.textContent?.includes(key), b ?? '?')
  await get(page, (sim) => sim.seek(12_000_000))
  await chip('A')
  await page.waitForFunction(() => /activating/.test(document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('.lifeline')?.textContent ?? ''))
  const states = await page.locator('.lifeline li b').allInnerTexts()
  // The last fourteen; what comes in this order came in this order.
  let at = -1
  for (const state of ['catching up', 'verifying', 'fencing', 'draining', 'deciding', 'activating', 'cleaning', 'done']) {
    const next = states.indexOf(state, at + 1)
    assert.ok(next > at, `${state} after ${at}: ${states.join(', ')}`)
    at = next
  }
  assert.match((await facts()).get('pause of writers') ?? '', /^\d+\.\d ms$/)
  // All of its life is seen at once, and nothing of it is cut off.
  for (const width of [1280, 768, 320]) {
    await page.setViewportSize({ width, height: 800 })
    assert.equal(await page.locator('.lifeline').evaluate((line) => line.scrollWidth > line.clientWidth || [...line.children].some((item) => item.scrollWidth > item.clientWidth)), false, `${width}`)
  }
  await close(page)
})

test('the tables in place of the picture have what it shows, and the panel counts what was judged', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=3000&a=2500000:crash:2:2000')
  const table = (name: string): Promise<string[][]> => page.locator('keyhaul-sim table', { has: page.locator('caption', { hasText: name }) }).locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')))
  const scene = await get(page, (sim) => sim.scene)
  const [nodes, ranges] = [await table('Nodes'), await table('Ranges')]
  assert.deepEqual(nodes.find(([name]) => name === 's2')?.slice(0, 3), ['s2', 'store', 'down'])
  assert.deepEqual(nodes.find(([name]) => name === 's0')?.slice(0, 3), ['s0', 'store', 'well'])
  assert.equal(ranges.length, scene?.jobs.length)
  const [job] = scene?.jobs ?? []
  assert.equal(ranges[0]?.[3]?.replaceAll(' ', ''), job?.state.toLowerCase())
  assert.deepEqual(ranges[0]?.slice(4, 6), [job?.atSource, job?.atTarget].map((one) => one?.toLocaleString('en-US')))
  const checks = async (): Promise<number> => Number((await page.locator('.numbers > div', { hasText: 'operations checked' }).locator('dd').innerText()).replaceAll(',', ''))
  assert.equal(await checks(), scene?.checks)
  await get(page, (sim) => sim.seek(9_000_000))
  await page.waitForFunction((least) => Number(document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('.numbers dd')?.textContent?.replaceAll(',', '')) > least, scene?.checks ?? 0)
  assert.equal(await checks(), await get(page, (sim) => sim.scene?.checks))
  // Rows that say what they said are left as they are, in another run too only those.
  const agree = async (): Promise<void> => {
    const { nodes: all = [], jobs = [] } = (await get(page, (sim) => sim.scene)) ?? {}
    assert.ok(jobs.length > 0)
    const wanted = jobs.map(({ source, target, atSource, atTarget }) => [all[source]?.name, all[target]?.name, ...[atSource, atTarget].map((some) => some.toLocaleString('en-US'))])
    assert.deepEqual((await table('Ranges')).map(([, from, to, , ...rest]) => [from, to, ...rest.slice(0, 2)]), wanted)
  }
  await agree()
  for (const link of ['v=1&s=drain&seed=1&f=none&t=4000', 'v=1&s=story&seed=1&f=none&t=3000']) {
    await get(page, (sim) => { sim.pause() })
    await page.$eval(SIM, (sim, wanted) => { (sim as Sim).openLink(wanted) }, link)
    await page.waitForFunction((wanted) => {
      const sim = document.querySelector('keyhaul-sim') as Sim
      return sim.link === wanted && sim.foresight !== undefined
    }, link)
    await agree()
  }
  await close(page)
})

test('the log says what the engine asks for and why, the panel has the hash of now, and who listens is not flooded', async () => {
  const page = await open('#v=1&s=add-node&seed=1&f=none&t=1000')
  const heard = await page.evaluateHandle(() => {
    const times: number[] = []
    const live = document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('[aria-live]') as Element
    new MutationObserver(() => times.push(performance.now())).observe(live, { childList: true, characterData: true, subtree: true })
    return times
  })
  await get(page, (sim) => { sim.speed = 5; sim.play() })
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).scene?.ended === 1)
  await get(page, (sim) => sim.seek(1_000_000).then(() => { sim.speed = 2; sim.play() }))
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).timeUs > 3_000_000)
  await get(page, (sim) => sim.pause())
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100))) // what is under way comes back
  const log = await page.locator('.log li').allInnerTexts()
  assert.ok(log.some((text) => /copying: read the next page, at most 8 entries/.test(text)), log.join('; '))
  assert.ok(log.some((text) => /write \d+ entries to s3, durably|note in the journal, and wait until it is on disk/.test(text)), log.join('; '))
  assert.equal(await page.locator('.trace .hash').innerText(), await get(page, (sim) => sim.hash))
  const times = await heard.jsonValue()
  assert.ok(times.length >= 2, `${times.length}`)
  for (const [i, at] of times.entries()) assert.ok(i === 0 || at - (times[i - 1] ?? 0) >= 1900, `${at - (times[i - 1] ?? 0)} ms after the one before`)
  await close(page)
})

test('what is broken by hand is so: slow, a full disk, damage, doubles, chaos', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=1500')
  const choose = (name: string): Promise<void> => page.locator('.break .chips').getByRole('button', { name, exact: true }).click()
  const press = (name: string): Promise<void> => page.locator('.break .buttons').getByRole('button', { name, exact: true }).click()
  const done = (count: number): Promise<unknown> => page.waitForFunction((wanted) => (/ --do (\S+)/.exec((document.querySelector('keyhaul-sim') as Sim).command)?.[1]?.split(',').length ?? 0) === wanted, count)
  await choose('s1')
  await press('slow')
  await choose('s0')
  await press('disk full')
  await done(2)
  await get(page, (sim) => sim.step(1))
  assert.deepEqual(await get(page, (sim) => (sim.scene?.nodes ?? []).slice(0, 2).map(({ slow, full }) => [slow, full])), [[0, 1], [1, 0]])
  const before = await get(page, (sim) => sim.scene?.damaged ?? 0)
  await page.locator('input[data-fault="corrupt"]').fill('50000')
  await page.locator('input[data-fault="duplicate"]').fill('300000')
  await done(4)
  await get(page, (sim) => sim.seek(8_000_000))
  const now = await get(page, (sim) => ({ damaged: sim.scene?.damaged ?? 0, rates: sim.scene?.rates ?? [] }))
  assert.ok(now.damaged > before, `${now.damaged} damaged`)
  assert.ok(now.rates.includes(50_000) && now.rates.includes(300_000), now.rates.join(' '))
  await press('chaos')
  await done(10)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).foresight !== undefined)
  assert.deepEqual(await get(page, (sim) => sim.foresight?.violations), [])
  await close(page)
})

test('a zone is lost by one click, with all its stores, and the terminal prints the same hash', async () => {
  const page = await open('#v=1&s=add-node&seed=1&f=none&t=1500')
  const lose = page.locator('.break .buttons').getByRole('button', { name: 'lose its zone' })
  const choose = (name: string): Promise<void> => page.locator('.break .chips').getByRole('button', { name, exact: true }).click()
  await choose('keyhaul')
  assert.equal(await lose.isDisabled(), true) // it is in none
  await choose('s2')
  await lose.click()
  await page.waitForFunction(() => / --do 1500000:zone-loss:2:2000$/.test((document.querySelector('keyhaul-sim') as Sim).command))
  assert.deepEqual(await get(page, (sim) => sim.scene?.nodes.slice(0, 4).map(({ zone, up }) => `${zone}${up}`)), ['a1', 'a1', 'b0', 'b0'])
  await page.locator('.caption').getByText('Zone b is lost: s2 and s3 are down.').waitFor()
  const rows = await page.locator('keyhaul-sim table').first().locator('tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent ?? '')))
  assert.deepEqual(rows.find(([name]) => name === 's3')?.filter((_, i) => [2, 6].includes(i)), ['down', 'b'])
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).foresight !== undefined)
  const [hash, command, violations] = await get(page, (sim) => [sim.foresight?.hash, sim.command, sim.foresight?.violations.length] as const)
  assert.equal(violations, 0)
  assert.equal((JSON.parse(runSimCommand([...command.split(' ').slice(3), '--json']).text) as { hash: string }).hash, hash)
  await page.evaluate(() => { location.hash = '#v=1&s=drain&seed=1&f=none&t=1500' })
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).command.includes(' drain '))
  await choose('s2')
  assert.equal(await lose.isDisabled(), true) // here each store fails alone
  await close(page)
})

test('the line of time scrubs; where writers wait and where a range changes its owner the map says so', async () => {
  const page = await open('#v=1&s=add-node&seed=1&f=none&t=1000')
  await page.getByRole('slider', { name: 'Time' }).fill('500')
  await page.waitForFunction(() => {
    const { timeUs, foresight } = document.querySelector('keyhaul-sim') as Sim
    return Math.abs(timeUs - (foresight?.endUs ?? 0) / 2) < 1000
  })
  /** Where the map has this state of a range first. */
  const placeOf = (state: string): Promise<[number, number]> => page.$eval(SIM, (sim, wanted) => {
    const { heat, marks } = (sim as Sim).foresight ?? {}
    const [us = 0, , , text = ''] = marks?.find(([, , , said]) => said.endsWith(`: ${wanted}`)) ?? []
    const row = heat?.rows.findIndex(({ jobs }) => jobs.includes(Number(/\d+/.exec(text)?.[0]))) ?? -1
    return [us / (heat?.columns.at(-1)?.timeUs ?? 1), (row + 0.5) / (heat?.rows.length ?? 1)]
  }, state)
  const map = page.getByRole('application', { name: 'Key space by time' })
  const box = await map.boundingBox() ?? assert.fail()
  const at = ([x, y]: [number, number]): { x: number; y: number } => ({ x: 64 + (box.width - 65) * x, y: (box.height - 18) * y })
  const [waits, changes, away] = [at(await placeOf('fencing')), at(await placeOf('activating')), at([0.9, 0.1])]
  const asked = [['bad', waits], ['ink', changes], ['bad', away], ['ink', away]] as const
  // Read once: Chromium warns of more.
  const seen = await map.evaluate((canvas, list) => {
    const { width, height } = canvas as HTMLCanvasElement
    const { data } = ((canvas as HTMLCanvasElement).getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, width, height)
    const style = getComputedStyle((canvas.getRootNode() as ShadowRoot).host)
    return list.map(([name, { x, y }]) => {
      const colour = style.getPropertyValue(`--keyhaul-${name}`).trim()
      const [r, g, b] = [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16))
      for (let top = Math.max(0, Math.floor(y) - 4); top < y + 4; top++) for (let left = Math.floor(x) - 4; left < x + 4; left++) {
        const i = (top * width + left) * 4
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b) return true
      }
      return false
    })
  }, asked)
  assert.deepEqual(seen, [true, true, false, false])
  await map.hover({ position: waits })
  assert.match(await page.locator('.heat .read').innerText(), /writers wait/)
  await close(page)
})

test('what each number is links to a page that says more, and there is what it links to', async () => {
  const page = await open('#v=1&s=live&seed=4&f=none&t=3000')
  await page.locator('button.what', { hasText: 'lost' }).first().click()
  const links = await page.locator('.glossary a').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href))
  assert.equal(links.length, Object.keys(NUMBERS).length)
  const reader = await site.page('docs/simulator.html')
  for (const link of new Set(links)) {
    assert.ok(link.startsWith(`${site.address}docs/`), link)
    await reader.goto(link)
    assert.equal(await reader.locator(`[id="${new URL(link).hash.slice(1)}"]`).count(), 1, link)
  }
  const [opened] = await Promise.all([page.context().waitForEvent('page'), page.locator('.glossary .asked a').click()])
  await opened.waitForURL(/docs\/simulator\.html#oracles$/)
  await close(reader)
  await close(page)
})

test('any host can serve it: in a folder of its own it runs in its Worker as well', async () => {
  const page = await open('some/where/')
  assert.ok(page.workers().some((worker) => worker.url() === `${site.address}some/where/worker.js`), page.workers().map((worker) => worker.url()).join())
  await close(page)
})

test('whatever has the focus shows it', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=2000')
  const seen = new Set<string>()
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    const [name, style, width] = await page.evaluate(() => {
      let active = document.activeElement
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement
      const { outlineStyle, outlineWidth } = getComputedStyle(active as Element)
      return [`${active?.tagName} ${active?.textContent}`, outlineStyle, Number.parseFloat(outlineWidth)] as const
    })
    if (name.startsWith('BODY')) continue
    seen.add(name)
    assert.ok(style !== 'none' && width >= 2, `${name}: ${style} ${width}`)
  }
  assert.ok(seen.size > 30, `${seen.size}`)
  await close(page)
})

test('at 400 % of 1280 by 1024 all of it can be read, the help too, and axe has nothing to say', async () => {
  for (const hash of ['#v=1&s=live&seed=4&f=none&t=3000', '#own', 'docs/simulator.html']) {
    const page = await site.page(hash, { ...STILL, viewport: { width: 320, height: 256 }, bypassCSP: true })
    const look = async (): Promise<void> => {
      assert.deepEqual(await axeFinds(page), [], hash)
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, `${hash} is wider`)
    }
    if (hash.startsWith('#v')) await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
    if (hash === '#own') await page.locator('#own-to option').first().waitFor({ state: 'attached' })
    await look()
    if (hash.startsWith('#v')) {
      await page.locator('canvas').first().focus()
      await page.keyboard.press('?')
      const help = page.getByRole('dialog', { name: 'Help' })
      const box = await help.boundingBox() ?? assert.fail()
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= 320 && box.y + box.height <= 256, JSON.stringify(box))
      assert.ok(await help.locator('.helpbody').evaluate((body) => body.scrollHeight > body.clientHeight), 'it scrolls')
      // What closes it stands on nothing that is to be read, however far that is scrolled.
      const [above, below] = await Promise.all(['.close', '.helpbody'].map(async (part) => await help.locator(part).boundingBox() ?? assert.fail(part)))
      assert.ok((above?.y ?? 0) + (above?.height ?? 0) <= (below?.y ?? 0), JSON.stringify([above, below]))
      await look()
    }
    await close(page)
  }
})

test('every colour of the map and of the lag is in a legend, in words that hold in both schemes', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await openSim(site, '#v=1&s=live-swarm&seed=3&f=all&b=stale-owner', { colorScheme })
    const legend = (name: string): Promise<[string, boolean][]> => page.getByRole('list', { name }).locator('li').evaluateAll((all) => all.map((item) => {
      const { backgroundColor, backgroundImage, width } = getComputedStyle(item.querySelector('i') as Element)
      return [item.textContent ?? '', Number.parseFloat(width) > 0 && (backgroundImage !== 'none' || backgroundColor !== 'rgba(0, 0, 0, 0)')] as [string, boolean]
    }))
    const names = ['s0 owns it', 's1 owns it', 'stronger: more writes', 'stands there as well', 'writers wait', 'changes its owner', 'a promise is broken']
    assert.deepEqual(await legend('Legend of the key space by time'), names.map((name) => [name, true]))
    assert.deepEqual(await legend('Legend of keys behind'), ['not there yet', 'different', 'writers wait', 'a call failed'].map((name) => [name, true]))
    await close(page)
  }
})

test('another scenario is chosen with the faults of this one, and says what it is about; the box brings faults in', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=2000')
  const command = (pattern: RegExp): Promise<unknown> => page.waitForFunction((text) => new RegExp(text).test((document.querySelector('keyhaul-sim') as Sim).command), pattern.source)
  const chance = page.getByLabel('faults by chance')
  assert.equal(await chance.isChecked(), false)
  await page.getByLabel('Scenario').selectOption('hot-range')
  await command(/--scenario hot-range --faults none$/)
  await page.locator('.share > span').getByText(/one range has most of the load/).waitFor()
  await chance.check()
  await command(/--scenario hot-range --faults all$/)
  await page.getByLabel('Scenario').selectOption('story')
  await command(/--scenario story --faults all$/)
  assert.equal(await chance.isChecked(), true)
  await page.evaluate(() => { location.hash = '#v=1&s=copy&seed=1&f=drop,clog' })
  await command(/--scenario copy --faults drop,clog$/)
  await page.locator('.share > span').getByText(/copies of ranges that nobody writes/).waitFor() // from here on the boxes are those of this run
  await page.getByLabel('Seed').fill('2')
  await page.getByLabel('Seed').press('Enter')
  await command(/--seed 2 --scenario copy --faults drop,clog$/)
  await close(page)
})

test('a broken promise brings the life of its key and the case in the wild into view beside the picture', async () => {
  const page = await open('#v=1&s=live-swarm&seed=3&f=all&b=stale-owner')
  await page.getByRole('button', { name: 'To the next broken promise' }).click()
  await page.locator('.oracle.bad .life li').first().waitFor()
  const life = await page.locator('.life li').allInnerTexts()
  assert.ok(life.some((line) => /Promise broken \(single-writer\)/.test(line)) && life.length > 5, life.join('; '))
  const seen = await page.locator('.oracle').evaluate((panel) => {
    const [box, items] = [panel.getBoundingClientRect(), [...panel.querySelectorAll('.life li, .wild')].map((one) => one.getBoundingClientRect())]
    return [items.slice(0, -1).every(({ bottom }) => bottom <= box.bottom), (items.at(-1)?.top ?? 1e9) < box.bottom]
  })
  assert.deepEqual(seen, [true, true])
  await close(page)
})

test('who points at a range is told whose it is, at which epoch, and what is done with it', async () => {
  const page = await open('#v=1&s=add-node&seed=1&f=none&t=3000')
  const picture = page.locator('canvas[part=canvas]').first()
  const told = new Set<string>()
  const { width, height } = await picture.boundingBox() ?? assert.fail()
  for (const share of [0.12, 0.37, 0.88]) for (let y = 80; y < height - 60; y += 12) {
    await picture.hover({ position: { x: width * share, y } })
    told.add(await picture.getAttribute('title') ?? '')
  }
  assert.ok(told.has('') && told.size >= 4, [...told].join(' | '))
  for (const [range, owner] of [['A', 's0'], ['B', 's1']]) assert.ok([...told].some((text) => new RegExp(`^Range ${range}: ${owner} owns it \\(serving, epoch \\d\\); [a-z ]+$`).test(text)), [...told].join(' | '))
  await close(page)
})
