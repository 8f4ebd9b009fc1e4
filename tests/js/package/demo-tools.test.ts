// What there is beside watching: the key space by time, jumps, bookmarks, forks, parting two nodes,
// traces, the help; with the mouse and by keyboard.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { runSimCommand } from '../../../dist/sim/command.js'
import { axeFinds, closePage, foreseen, openSim, SIM, type Sim } from '../support/sim-page.ts'
import { Site } from '../support/site.ts'

let site: Site
before(async () => { site = await Site.open() })
after(() => site.close())

const open = (hash: string, options: BrowserContextOptions = {}): Promise<Page> => openSim(site, hash, options)
const timeUs = (page: Page): Promise<number> => page.$eval(SIM, (sim) => (sim as Sim).timeUs)
const reached = (page: Page, us: number): Promise<unknown> => page.waitForFunction((at) => Math.abs((document.querySelector('keyhaul-sim') as Sim).timeUs - at) < 1000, us)
const actions = (page: Page): Promise<string> => page.$eval(SIM, (sim) => / --do (\S+)/.exec((sim as Sim).command)?.[1] ?? '')

const close = (page: Page): Promise<void> => closePage(site, page)

test('the key space by time is read out and sought, by mouse and by keyboard', async () => {
  const page = await open('#v=1&s=live-rivals&seed=2&t=1000')
  const map = page.getByRole('application', { name: 'Key space by time' })
  const read = page.locator('.heat .read')
  assert.match(await read.innerText(), /^\d+ rows of keys over/)
  // Not one colour all over: something is drawn.
  const colours = await map.evaluate((canvas) => {
    const { data } = ((canvas as HTMLCanvasElement).getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, (canvas as HTMLCanvasElement).width, 150)
    return new Set(new Uint32Array(data.buffer)).size
  })
  assert.ok(colours > 8, `${colours} colours`)
  await map.hover({ position: { x: 300, y: 60 } })
  assert.match(await read.innerText(), /owned by s\d.* writes/)
  await map.click({ position: { x: 600, y: 60 } })
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).timeUs > 10_000_000)
  await map.focus()
  await page.mouse.move(5, 5)
  await page.keyboard.press('ArrowDown')
  const first = await read.innerText()
  await page.keyboard.press('Shift+ArrowLeft')
  assert.notEqual(await read.innerText(), first)
  const us = await timeUs(page)
  await page.keyboard.press('Enter')
  await page.waitForFunction((at) => (document.querySelector('keyhaul-sim') as Sim).timeUs < at, us)
  // Somewhere writers wait, and the legend says how that looks.
  await page.getByRole('list', { name: 'Legend of the key space by time' }).getByText('writers wait', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  assert.match(await read.innerText(), /^\d+ rows of keys over/)
  await close(page)
})

test('jumps go to changes of owner, faults and broken promises, and back', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&a=6000000:crash:3:1800')
  await page.locator('canvas').first().focus()
  await page.keyboard.press('m')
  await reached(page, 6_000_000)
  await page.keyboard.press('c')
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).scene?.jobs[0]?.state === 'deleting')
  const there = await timeUs(page)
  await page.getByRole('button', { name: 'To the next change of owner' }).click()
  await page.waitForFunction((at) => (document.querySelector('keyhaul-sim') as Sim).timeUs > at, there)
  await page.locator('canvas').first().focus()
  await page.keyboard.press('Shift+C')
  await reached(page, there)
  assert.ok(await page.getByRole('button', { name: 'To the next broken promise' }).isDisabled())
  await close(page)
  const broken = await open('#v=1&s=story&seed=1&f=none&a=500000:sabotage:ack-before-sync')
  await broken.getByRole('button', { name: 'To the next broken promise' }).click()
  await broken.locator('.oracle.bad').waitFor()
  const story = broken.locator('.wild')
  assert.match(await story.innerText(), /PostgreSQL/)
  assert.match(await story.getByRole('link').getAttribute('href') ?? '', /^https:/)
  assert.ok((await broken.locator('.life li').count()) > 2)
  await close(broken)
})

test('bookmarks are kept in the link', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=3000')
  await page.locator('canvas').first().focus()
  await page.keyboard.press('b')
  await page.$eval(SIM, (sim) => (sim as Sim).seek(8_000_000))
  await page.getByRole('button', { name: '☆ bookmark' }).click()
  assert.match(await page.evaluate(() => location.hash), /&k=3000\.8000/)
  const other = await open(await page.evaluate(() => location.hash))
  await other.getByRole('button', { name: 'Bookmark at 3.00 s', exact: true }).click()
  await reached(other, 3_000_000)
  await other.keyboard.press('.')
  await reached(other, 8_000_000)
  await other.keyboard.press(',')
  await reached(other, 3_000_000)
  await other.getByRole('button', { name: 'Remove the bookmark at 8.00 s' }).click()
  assert.equal(await other.getByRole('button', { name: /^Bookmark at/ }).count(), 1)
  await close(other)
  await close(page)
})

test('a fork shares the past and goes its own way beside the first run', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=5000&a=2000000:slow:0:500,9000000:crash:0:500')
  await page.locator('canvas').first().focus()
  await page.keyboard.press('k')
  const fork = page.locator('keyhaul-sim keyhaul-sim')
  await fork.waitFor()
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
  // Side by side: both pictures begin at one height and are as high.
  const [own, beside] = await Promise.all([page.locator('canvas[part=canvas]').first(), fork.locator('canvas[part=canvas]')].map(async (one) => await one.boundingBox() ?? assert.fail()))
  assert.deepEqual([beside?.y, beside?.height], [own?.y, own?.height])
  assert.ok((beside?.x ?? 0) >= (own?.x ?? 0) + (own?.width ?? 0))
  // What lies ahead of now is not in it.
  assert.match(await fork.evaluate((sim) => (sim as Sim).command), /--do 2000000:slow:0:500$/)
  const hashes = (): Promise<string[]> => page.locator('.difference tbody tr').first().locator('td').allInnerTexts()
  await page.waitForFunction(() => {
    const cells = [...(document.querySelector('keyhaul-sim')?.shadowRoot?.querySelectorAll('.difference tbody tr:first-child td') ?? [])]
    return cells.length === 2 && cells[0]?.textContent === cells[1]?.textContent
  })
  await fork.evaluate((sim) => (sim as Sim).inject('sabotage:drop-tombstones'))
  await page.$eval(SIM, (sim) => (sim as Sim).seek(6_500_000))
  await page.waitForFunction(() => Number((document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('keyhaul-sim') as Sim | null)?.timeUs) >= 6_400_000)
  const [here, there] = await hashes()
  assert.notEqual(here, there)
  assert.match(await page.locator('.forksaid').innerText(), /^They differ in \d+ figures/)
  const command = await fork.evaluate((sim) => (sim as Sim).command)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
  const ends = await fork.evaluate((sim) => (sim as Sim).foresight?.hash)
  assert.equal(ends, (JSON.parse(runSimCommand([...command.split(' ').slice(3), '--json']).text) as { hash: string }).hash)
  await page.getByRole('button', { name: 'close fork' }).click()
  assert.equal(await fork.count(), 0)
  await close(page)
})

test('two nodes are parted by dragging from one to the other, or by keyboard', async () => {
  const page = await open('#v=1&s=story&seed=1&f=none&t=3000')
  const picture = page.getByRole('application', { name: /^Simulation/ })
  const drag = async (shift: boolean): Promise<void> => {
    const box = await picture.boundingBox() ?? assert.fail()
    const [y, x] = [box.y + 100, box.x]
    if (shift) await page.keyboard.down('Shift')
    await page.mouse.move(x + box.width * 0.2, y)
    await page.mouse.down()
    await page.mouse.move(x + box.width * 0.5, y + 30, { steps: 4 })
    await page.mouse.move(x + box.width * 0.8, y, { steps: 4 })
    await page.mouse.up()
    if (shift) await page.keyboard.up('Shift')
  }
  await drag(false)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).command.includes('part:0-2:3000'))
  const cuts = (): Promise<readonly (readonly number[])[]> => page.$eval(SIM, (sim) => ((sim as Sim).scene?.nodes ?? []).slice(0, 3).map(({ cutFrom }) => cutFrom))
  await page.$eval(SIM, (sim) => (sim as Sim).step(1))
  assert.deepEqual(await cuts(), [[2], [], [0]])
  await drag(true)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).command.includes('one-way:0-2:3000'))
  await page.getByLabel('Part this node').selectOption('s1')
  await page.getByLabel('from this node').selectOption('keyhaul')
  await page.getByLabel('In which direction').selectOption('only there')
  await page.getByRole('button', { name: 'part them' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).command.includes('one-way:1-3:3000'))
  const command = await page.$eval(SIM, (sim) => (sim as Sim).command)
  await foreseen(page)
  const hash = await page.$eval(SIM, (sim) => (sim as Sim).foresight?.hash)
  assert.equal(hash, (JSON.parse(runSimCommand([...command.split(' ').slice(3), '--json']).text) as { hash: string }).hash)
  await close(page)
})

test('everything that can be broken is there, and a second coordinator where ranges move live', async () => {
  const page = await open('#v=1&s=live&seed=4&f=none&t=1500')
  for (const name of ['crash', 'pause', 'slow', 'cut', 'mute', 'disk full', 'clock jump', 'forget changes', 'tear its next write', 'second coordinator']) {
    assert.ok(await page.getByRole('button', { name, exact: true }).isEnabled(), name)
  }
  for (const fault of ['drop', 'duplicate', 'reorder', 'corrupt']) assert.ok(await page.locator(`input[data-fault="${fault}"]`).isEnabled(), fault)
  await page.getByRole('button', { name: 'second coordinator' }).click()
  await page.getByRole('button', { name: 'keyhaul 2', exact: true }).waitFor()
  await page.getByRole('button', { name: 'tear its next write' }).click()
  await page.locator('input[data-fault="reorder"]').fill('500000')
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim') as Sim).command.split(',').length === 3)
  assert.match(await actions(page), /:rival:3:0,\d+:torn:3:1500,\d+:rate:reorder:500000$/)
  await close(page)
  const copies = await open('#v=1&s=story&seed=1&f=none&t=1500')
  assert.ok(await copies.getByRole('button', { name: 'second coordinator' }).isDisabled())
  await close(copies)
})

test('a trace is saved, opened again and dropped; one that is not that is told', async () => {
  const page = await open('#v=1&s=story&seed=3&f=none&t=3000&a=2500000:crash:2:900')
  const saving = page.waitForEvent('download')
  await page.getByRole('button', { name: 'save trace' }).click()
  const saved = await saving
  assert.equal(saved.suggestedFilename(), 'keyhaul-story-3.jsonl')
  const text = readFileSync(await saved.path(), 'utf8')
  const hash = await page.$eval(SIM, (sim) => (sim as Sim).foresight?.hash)
  assert.ok(text.includes(`"hash":"${hash}"`) && text.split('\n').length > 20)
  await close(page)

  const other = await open('#v=1&s=copy&seed=1&u=20')
  const notice = other.locator('.notice')
  const give = (content: string): Promise<void> => other.locator('input[type=file]').setInputFiles({ name: 'x.jsonl', mimeType: 'text/plain', buffer: Buffer.from(content) })
  await give(text)
  await notice.filter({ hasText: `Replayed: this run ends with the hash of the trace, ${hash}.` }).waitFor()
  assert.match(await other.$eval(SIM, (sim) => (sim as Sim).command), /--scenario story --faults none --do 2500000:crash:2:900$/)
  await give(text.replace(String(hash), '0123456789abcdef'))
  await notice.filter({ hasText: 'This is not what was recorded: the trace ends with 0123456789abcdef' }).waitFor()
  for (const hostile of ['<script>alert(1)</script>', '[[[', text.replace('"story"', '"nowhere"'), text.replace('2500000:crash:2:900', '1:boil:0')]) {
    await give(hostile)
    await notice.filter({ hasText: /^(This is no trace|This run cannot be opened)/ }).waitFor()
    await give(text)
    await notice.filter({ hasText: 'Replayed' }).waitFor()
  }
  const dropped = await other.evaluateHandle((content) => {
    const data = new DataTransfer()
    data.items.add(new File([content], 'x.jsonl'))
    return data
  }, 'dropped, and no trace')
  await other.locator('.frame').first().dispatchEvent('drop', { dataTransfer: dropped })
  await notice.filter({ hasText: 'This is no trace' }).waitFor()
  await close(other)
})

test('? opens the help, every number says what it is, and Escape closes it', async () => {
  const page = await open('#v=1&s=live&seed=4&f=none&t=3000')
  await page.locator('canvas').first().focus()
  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Help' })
  await help.waitFor()
  for (const key of ['space', 'm', 'c', 'v', 'b', 'n', 'p', 'f', 'k', '?']) assert.ok((await help.locator('kbd', { hasText: new RegExp(`^\\${key}$`) }).count()) > 0 || (await help.locator('kbd').allInnerTexts()).includes(key), key)
  await page.keyboard.press('Escape')
  await help.waitFor({ state: 'hidden' })
  const names = await page.locator('button.what').all()
  assert.ok(names.length > 15, `${names.length} numbers`)
  for (const name of names) {
    const text = await name.innerText()
    await name.click()
    const asked = help.locator('.asked')
    assert.equal(await asked.count(), 1, `nothing says what “${text}” is`)
    assert.ok((await asked.locator('dd').innerText()).length > 20)
    await page.keyboard.press('Escape')
  }
  await close(page)
})

test('axe has nothing to say of the fork, the help and what was opened', async () => {
  for (const colorScheme of ['light', 'dark'] as const) for (const width of [1280, 768, 320]) {
    const page = await open('#v=1&s=live-rivals&seed=2&t=7500&k=3000', { colorScheme, viewport: { width, height: 800 }, bypassCSP: true })
    const look = async (): Promise<void> => {
      assert.deepEqual(await axeFinds(page), [], `${colorScheme} ${width}`)
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} px is enough`)
    }
    await page.$eval(SIM, (sim) => { (sim as Sim).fork() })
    await page.waitForFunction(() => (document.querySelector('keyhaul-sim')?.shadowRoot?.querySelector('keyhaul-sim') as Sim | null)?.foresight !== undefined)
    await look()
    await page.locator('canvas').first().focus()
    await page.keyboard.press('?')
    await look()
    await page.context().close()
  }
})

test('while the simulator looks ahead anew, nothing of the run before can be gone to', async () => {
  const page = await open('#v=1&s=live-rivals&seed=2&t=1000')
  const map = page.getByRole('application', { name: 'Key space by time' })
  await map.focus()
  await page.keyboard.press('ArrowDown')
  const seen = await page.$eval(SIM, async (sim) => {
    const inside = (sim as Sim).shadowRoot as ShadowRoot
    const heat = inside.querySelector('canvas[part=heat]') as HTMLCanvasElement
    const blank = Object.assign(document.createElement('canvas'), { width: heat.width, height: heat.height })
    const looks = []
    for (const what of ['', 'crash:1:500']) {
      if (what !== '') await (sim as Sim).inject(what)
      looks.push({
        foreseen: (sim as Sim).foresight !== undefined,
        marks: inside.querySelectorAll('.marks i').length > 0,
        jumps: !inside.querySelector<HTMLButtonElement>('.jumps [data-goal=cutover]')?.disabled,
        drawn: heat.toDataURL() !== blank.toDataURL()
      })
    }
    const event = (sim as Sim).scene?.event
    heat.click()
    await (sim as Sim).jump('cutover')
    return { looks, moved: (sim as Sim).scene?.event !== event, said: inside.querySelector('.heat .read')?.textContent }
  })
  assert.deepEqual(seen, {
    looks: [{ foreseen: true, marks: true, jumps: true, drawn: true }, { foreseen: false, marks: false, jumps: false, drawn: false }],
    moved: false, said: 'looking ahead …'
  })
  await foreseen(page)
  await page.waitForFunction(() => (document.querySelector('keyhaul-sim')?.shadowRoot?.querySelectorAll('.marks i').length ?? 0) > 0)
  await close(page)
})
