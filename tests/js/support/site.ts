// The built page in headless Chromium, served under the policy that it asks for itself.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launch } from './page.ts'

const FOLDER = new URL('../../../web/dist', import.meta.url).pathname
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'"

export class Site {
  /** Everything that the page asked for beyond itself, and everything that it said. */
  readonly problems: string[] = []
  /** Files of the site that were asked for. */
  readonly asked: Set<string>
  readonly #server: Server
  readonly #browser: Browser

  private constructor(server: Server, browser: Browser, asked: Set<string>) {
    this.asked = asked
    this.#server = server
    this.#browser = browser
  }

  static async open(): Promise<Site> {
    const asked = new Set<string>()
    const server = createServer((request, response) => {
      // Once more in a folder, as other hosts may serve it.
      const name = (request.url ?? '').replace(/^\/some\/where\//, '/').split('?')[0] as string
      const path = name === '/' ? '/index.html' : name
      asked.add(path.slice(1))
      try {
        const body = readFileSync(join(FOLDER, path))
        response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain', 'content-security-policy': POLICY }).end(body)
      } catch {
        response.writeHead(404).end()
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Site(server, await launch(), asked)
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/`
  }

  async page(path = '', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('console', (message) => this.problems.push(`console: ${message.text()}`))
    page.on('pageerror', (error) => this.problems.push(`error: ${error.stack}`))
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(this.address) && !url.startsWith('data:')) this.problems.push(`request: ${url}`)
    })
    await page.goto(this.address + path)
    return page
  }

  nothingWrong(): void {
    assert.deepEqual(this.problems, [])
  }

  /** Whatever the last tests of a file did not look at themselves. */
  async close(): Promise<void> {
    await this.#browser.close()
    this.#server.close()
    this.nothingWrong()
  }
}
