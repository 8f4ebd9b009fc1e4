// How long a frame of the page takes, how soon there is a first one, and how long a seek takes:
// node bench/browser/frames.mjs, after npm run build.
// 30 nodes, 1,000 ranges and 500 messages on their way (large-world.mjs), because no scenario of the simulator is that
// large: first the picture alone, then the whole element, playing, with all its panels, whose Worker is one that makes
// such views. Headless Chromium at 1280 x 900, where there is no GPU.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { serveFolder } from '../../scripts/static.mjs'
import { machine } from '../shared/machine.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const FRAMES = process.argv.includes('--quick') ? 60 : 600

const bundled = async (contents, entry) => {
  const { outputFiles } = await build({
    ...(entry === undefined ? { stdin: { contents, resolveDir: root } } : { entryPoints: [join(root, entry)] }), bundle: true, minify: true, write: false, format: 'iife', platform: 'browser', logOverride: { 'empty-import-meta': 'silent' }
  })
  return outputFiles[0].text
}
const LARGE = './bench/browser/large-world.mjs'
const files = {
  '/': '<!doctype html><title>frames</title><canvas></canvas><script src="stage.js"></script>',
  '/stage.js': await bundled(`import { Stage } from './dist/sim/element/stage.js'\nimport * as large from '${LARGE}'\nObject.assign(globalThis, { Stage, large })`),
  '/whole': '<!doctype html><title>frames</title><script src="whole.js"></script><keyhaul-sim speed="1"></keyhaul-sim>',
  // How many messages it draws is asked of what draws them: the load is what the bench says it is.
  '/whole.js': await bundled(`import { KeyhaulSim } from './dist/sim/element/index.js'\nimport { Dots } from './dist/sim/element/dots.js'\nconst { draw } = Dots.prototype\nDots.prototype.draw = function (...given) { globalThis.dots = this.count\nreturn draw.apply(this, given) }\nKeyhaulSim.makeWorker = () => new Worker('/worker.js')`),
  '/worker.js': await bundled('', 'bench/browser/large-worker.mjs')
}
const server = createServer(({ url }, response) => response.writeHead(200, { 'content-type': url.endsWith('.js') ? 'text/javascript' : 'text/html' }).end(files[url] ?? ''))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const own = `http://127.0.0.1:${server.address().port}`
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
await page.goto(own)

const measured = await page.evaluate(async (frames) => {
  const { largeWorld, goOn, flightOf } = globalThis.large
  const palette = { ink: '#111', quiet: '#555', line: '#ccc', surface: '#fff', empty: '#eee', bad: '#b00', changed: '#750', accent: '#065', ranges: ['#16a', '#b50', '#472', '#83a'], stores: ['#468', '#a71', '#275', '#957'] }
  const canvas = document.querySelector('canvas')
  const stage = new globalThis.Stage(canvas)
  stage.setPalette(palette)
  stage.resize(1240, 420, 1)
  const now = largeWorld()
  // New ones for those that have arrived, so that all of them are on their way in every frame.
  let sent = 0
  const send = (at) => {
    while (stage.dots < 500) stage.show({ ...now, flights: Array.from({ length: Math.min(24, 500 - stage.dots) }, () => flightOf(sent++, 0)) }, at, 1)
  }
  const [drawn, between] = [[], []]
  let last = performance.now()
  for (let i = 0; i < frames; i++) {
    const at = await new Promise((resolve) => requestAnimationFrame(resolve))
    between.push(at - last)
    last = at
    goOn(now, i)
    send(at)
    const start = performance.now()
    stage.show(now, at, 1)
    stage.draw(at)
    // The drawing is carried out when somebody looks at a pixel of it.
    canvas.getContext('2d').getImageData(0, 0, 1, 1)
    drawn.push(performance.now() - start)
  }
  return { dots: stage.dots, drawn, between: between.slice(1) }
}, FRAMES)

const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) * share)].toFixed(1)
console.log(`${machine()}, Chromium ${browser.version()}\n`)
console.log(`30 nodes, 1,000 ranges, ${measured.dots} messages on their way, ${FRAMES} frames`)
console.log(`drawing a frame: median ${at(measured.drawn, 0.5)} ms, 95 of 100 within ${at(measured.drawn, 0.95)} ms, longest ${at(measured.drawn, 1)} ms`)
console.log(`between frames: median ${at(measured.between, 0.5)} ms, 95 of 100 within ${at(measured.between, 0.95)} ms`)
await wholeElement()
const { server: site, address } = await serveFolder(join(root, 'web/dist'))
await firstFrames()
await seeks()
await browser.close()
server.close()
site.close()

/** Playing, with panels, map and tables, and every view by way of a Worker; the first second, in which all is made, is not counted. */
async function wholeElement() {
  const one = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const session = await one.context().newCDPSession(one)
  // Its own processor time, whatever else the machine does.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const busy = async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000
  await one.goto(`${own}/whole`)
  await one.waitForFunction(() => document.querySelector('keyhaul-sim')?.foresight !== undefined)
  await one.$eval('keyhaul-sim', async (sim) => {
    sim.play()
    await new Promise((resolve) => setTimeout(resolve, 1000))
  })
  const before = await busy()
  const { between, views, dots, nodes, ranges } = await one.$eval('keyhaul-sim', async (sim, frames) => {
    const passed = []
    let least = Infinity
    const first = sim.scene.event
    let last = await new Promise(requestAnimationFrame)
    for (let i = 0; i < frames; i++) {
      const now = await new Promise(requestAnimationFrame)
      passed.push(now - last)
      last = now
      least = Math.min(least, globalThis.dots)
    }
    return { between: passed, views: sim.scene.event - first, dots: least, nodes: sim.scene.nodes.length, ranges: sim.scene.jobs.length }
  }, FRAMES)
  const spent = (await busy()) - before
  console.log(`the whole element, ${nodes} nodes, ${ranges.toLocaleString('en-US')} ranges, never fewer than ${dots} messages on their way: between frames median ${at(between, 0.5)} ms, 95 of 100 within ${at(between, 0.95)} ms, longest ${at(between, 1)} ms; ${views} views in ${FRAMES} frames; ${(spent / views).toFixed(1)} ms of processor time of the page's thread a view`)
  await one.close()
}

/** From the navigation to the first drawn frame of the built page, each time in a context of its own: nothing is cached. */
async function firstFrames() {
  for (const slower of [1, 4]) {
    const times = []
    for (let i = 0; i < (FRAMES < 600 ? 3 : 9); i++) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
      const one = await context.newPage()
      const session = await context.newCDPSession(one)
      await session.send('Emulation.setCPUThrottlingRate', { rate: slower })
      await one.goto(address)
      times.push(await one.waitForFunction(() => performance.getEntriesByName('keyhaul-first-frame')[0]?.startTime).then((handle) => handle.jsonValue()))
      await context.close()
    }
    console.log(`first frame of the page${slower === 1 ? '' : `, its processor ${slower} times slower`}: median ${at(times, 0.5)} ms, from ${at(times, 0)} to ${at(times, 1)} ms, ${times.length} times`)
  }
}

/** In a run of ten minutes, onward and back, by way of the Worker and until the scene is there. */
async function seeks() {
  const one = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  await one.goto(`${address}#v=1&s=many&seed=11&u=600&w=300`)
  await one.waitForFunction(() => document.querySelector('keyhaul-sim')?.foresight !== undefined, undefined, { timeout: 120_000 })
  const { times, events } = await one.$eval('keyhaul-sim', async (sim) => {
    const { endUs, events: all } = sim.foresight
    const took = []
    for (const share of [0.5, 0.03, 0.93, 0.91, 0.4, 0.99, 0.7, 0.2, 0.85, 0.6]) {
      const start = performance.now()
      await sim.seek(Math.round(endUs * share))
      took.push(performance.now() - start)
    }
    return { times: took, events: all }
  })
  console.log(`seek in a run of ${events.toLocaleString('en-US')} events: median ${at(times, 0.5)} ms, from ${at(times, 0)} to ${at(times, 1)} ms, ${times.length} times`)
  await one.close()
}
