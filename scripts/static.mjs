// A folder as a site on this machine: for the demo, for benches and for pictures of it.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

/** Port 0 is any; gives the server and its address. */
export async function serveFolder(folder, port = 0) {
  const server = createServer((request, response) => {
    try {
      const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname))
      const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
      const body = readFileSync(file)
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'cache-control': 'no-cache' }).end(body)
    } catch {
      response.writeHead(404).end('not found\n')
    }
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { server, address: `http://127.0.0.1:${server.address().port}/` }
}
