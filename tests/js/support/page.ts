// A page in headless Chromium, served under a strict policy.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** A process for each origin, even of an empty page, took a seventh of the time of the tests of the page. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-site-isolation-trials'] })
}

/** Opens index.html of a folder and gives its title once that is no longer `waiting`. */
export async function inPage(folder: string, timeout = 20_000): Promise<string> {
  const server = createServer((request, response) => {
    const path = join(folder, request.url === '/' ? 'index.html' : (request.url ?? '').split('?')[0] as string)
    try {
      const body = readFileSync(path)
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain', 'content-security-policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await launch()
  try {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && !message.location().url.endsWith('favicon.ico') && problems.push(message.text()))
    await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
    await page.waitForFunction(() => document.title !== 'waiting' , undefined, { timeout }).catch(() => {})
    assert.deepEqual(problems, [])
    return await page.title()
  } finally {
    await browser.close()
    server.close()
  }
}

/** Runs main.js, which sets the title. */
export const PAGE = `<!doctype html><html><head><title>waiting</title></head><body><script type="module" src="./main.js"></script></body></html>`
