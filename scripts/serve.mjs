// npm run demo: builds what is missing and serves web/dist on this machine.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'web/dist')
if (!existsSync(join(folder, 'index.html'))) await (await import('./build.mjs')).build()

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
  try {
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    const body = readFileSync(file)
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' }).end(body)
  } catch {
    response.writeHead(404).end('not found\n')
  }
})
const port = Number(process.argv.find((arg) => arg.startsWith('--port='))?.slice(7) ?? 4173)
server.listen(port, '127.0.0.1', () => console.log(`the simulator is at http://127.0.0.1:${server.address().port}/`))
