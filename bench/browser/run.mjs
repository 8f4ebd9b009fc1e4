// The page in headless Chromium: node bench/browser/run.mjs [--quick], after npm run bench built
// dist/ and the core's parts.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { machine } from '../shared/machine.mjs'

const here = new URL('.', import.meta.url)
const bundled = await build({ entryPoints: [new URL('page.mjs', here).pathname], bundle: true, format: 'esm', platform: 'browser', write: false })
const files = {
  '/': ['text/html', '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>'],
  '/page.js': ['text/javascript', bundled.outputFiles[0].contents],
  '/record.wasm': ['application/wasm', readFileSync(new URL('../../build/wasm/wasm/keyhaul_bench_record.wasm', here))]
}
// Isolated, a page has a clock of 5 microseconds instead of 100.
const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
const server = createServer(({ url }, response) => {
  const [type, body] = files[url] ?? []
  if (type === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': type, ...isolated }).end(body)
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const page = await browser.newPage()
  page.on('pageerror', (error) => console.error(error))
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  await page.waitForFunction(() => globalThis.bench !== undefined)
  const rounds = process.argv.includes('--quick') ? 5 : 21
  console.log(`${machine('crc-32', 'hash-wasm')}, Chromium ${browser.version()}\n\n${await page.evaluate((count) => globalThis.bench(count), rounds)}`)
} finally {
  await browser.close()
  server.close()
}
