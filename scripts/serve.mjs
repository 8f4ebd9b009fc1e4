// npm run demo: builds what is missing and serves web/dist on this machine.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveFolder } from './static.mjs'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../web/dist')
if (!existsSync(join(folder, 'index.html'))) await (await import('./build.mjs')).build()
const port = Number(process.argv.find((arg) => arg.startsWith('--port='))?.slice(7) ?? 4173)
const { address } = await serveFolder(folder, port)
console.log(`the simulator is at ${address}`)
