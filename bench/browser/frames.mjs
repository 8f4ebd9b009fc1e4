// How long a frame of the page takes to draw, how soon there is a first one, and how long a seek takes:
// node bench/browser/frames.mjs, after npm run build.
// 30 nodes, 1,000 ranges and 500 messages on their way. No scenario of the simulator is that large,
// so the picture gets a made-up view; drawing and layout are the page's own code, in headless
// Chromium at 1280 x 900, where there is no GPU.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { serveFolder } from '../../scripts/static.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const FRAMES = process.argv.includes('--quick') ? 60 : 600

const { outputFiles } = await build({
  stdin: { contents: `import { Stage } from './dist/sim/element/stage.js'\nglobalThis.Stage = Stage`, resolveDir: root },
  bundle: true, minify: true, write: false, format: 'iife', platform: 'browser'
})
const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>frames</title><canvas></canvas>'))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
await page.goto(`http://127.0.0.1:${server.address().port}/`)
await page.addScriptTag({ content: outputFiles[0].text })

const measured = await page.evaluate(async (frames) => {
  const [nodes, ranges, flights] = [30, 1000, 500]
  const kind = (i) => (i < 12 ? 'store' : i < 14 ? 'mover' : i < 15 ? 'register' : 'client')
  const digits = () => Array.from({ length: 48 }, () => Math.floor(Math.random() * 10)).join('')
  const job = (i) => ({ source: i % 12, target: (i * 7 + 1) % 12, mover: 12, mode: 'move', follow: 1, phase: 'running', state: 'copying', verified: 0, epoch: 1, startUs: 0, writers: 1, keys: 480, first: `j${i}/00000`, last: `j${i}/00479`, atSource: 480, atTarget: 200, differ: 3, bytes: [48_000, 20_000], load: i % 40, cells: [digits(), digits(), digits()], gates: ['', ''], pages: 1, followed: 1, retries: 0, begun: 1, journalBytes: 1, pauseUs: 0, engine: null, phases: [] })
  const scene = (at) => ({
    timeUs: at, reachedUs: at, event: at, hash: '', healed: 0, ended: 0, checks: 0, clientOps: 0, clientAcks: 0, crashes: 0, resumes: 0, messages: 0, damaged: 0, sabotage: 'none', oracles: [], violations: [], rates: [], log: [],
    nodes: Array.from({ length: nodes }, (_, i) => ({ kind: kind(i), name: `n${i}`, up: 1, paused: 0, slow: 0, boot: 1, entries: 1, cutFrom: [] })),
    jobs: Array.from({ length: ranges }, (_, i) => job(i)),
    flights: []
  })
  const palette = { ink: '#111', quiet: '#555', line: '#ccc', surface: '#fff', empty: '#eee', bad: '#b00', changed: '#750', accent: '#065', ranges: ['#16a', '#b50', '#472', '#83a'], stores: ['#468', '#a71', '#275', '#957'] }
  const canvas = document.querySelector('canvas')
  const stage = new Stage(canvas)
  stage.setPalette(palette)
  stage.resize(1240, 420, 1)
  const now = scene(1)
  const flight = (i) => [i % nodes, (i * 11 + 3) % nodes, 1, i % 5, 0, 60_000_000_000, 4000, i % ranges]
  // New ones for those that have arrived, so that all of them are on their way in every frame.
  let sent = 0
  const send = (at) => {
    while (stage.dots < flights) stage.show({ ...now, flights: Array.from({ length: Math.min(24, flights - stage.dots) }, () => flight(sent++)) }, at, 1)
  }
  const [drawn, between] = [[], []]
  let last = performance.now()
  for (let i = 0; i < frames; i++) {
    const at = await new Promise((resolve) => requestAnimationFrame(resolve))
    between.push(at - last)
    last = at
    // Cells change in every frame, as in a run.
    now.jobs[i % ranges] = job(i % ranges)
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
console.log(`30 nodes, 1,000 ranges, ${measured.dots} messages on their way, ${FRAMES} frames`)
console.log(`drawing a frame: median ${at(measured.drawn, 0.5)} ms, 95 of 100 within ${at(measured.drawn, 0.95)} ms, longest ${at(measured.drawn, 1)} ms`)
console.log(`between frames: median ${at(measured.between, 0.5)} ms, 95 of 100 within ${at(measured.between, 0.95)} ms`)
const { server: site, address } = await serveFolder(join(root, 'web/dist'))
await firstFrames()
await seeks()
await browser.close()
server.close()
site.close()

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
