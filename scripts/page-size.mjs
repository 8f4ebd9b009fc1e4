// What the page costs: the files that each part of it loads, found by their imports, and their bytes after gzip.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const folder = join(dirname(fileURLToPath(import.meta.url)), '../web/dist')
export const zipped = (bytes) => gzipSync(bytes, { level: 9 }).length

/** These and all that they import at once; what is imported by a call comes later, if ever. */
function closureOf(...entries) {
  const found = new Set()
  const add = (file) => {
    if (found.has(file)) return
    found.add(file)
    const text = file.endsWith('.js') ? readFileSync(join(folder, file), 'utf8') : ''
    for (const [, path] of text.matchAll(/(?:\bimport|\bfrom) ?"(\.[^"]+\.js)"/g)) add(posix.join(posix.dirname(file), path))
  }
  for (const entry of entries) add(entry)
  return found
}

/** Each part without what the ones before it have loaded. `later`: what a click in the second tab asks for; `all`: everything but the sample. */
export function pageParts() {
  const files = readdirSync(folder)
  const named = (pattern) => files.filter((file) => pattern.test(file))
  const first = closureOf('index.html', 'page.css', 'icon.svg', 'early.js', 'main.js', 'worker.js')
  const second = new Set([...closureOf(...named(/^panel-/), 'own/worker.js')].filter((file) => !first.has(file)))
  const before = new Set([...first, ...second])
  const later = new Set([...closureOf(...named(/^(journal|session)-/))].filter((file) => !before.has(file)))
  const sample = new Set(named(/^cities-/))
  const bytes = (list) => [...list].reduce((sum, file) => sum + zipped(readFileSync(join(folder, file))), 0)
  const module = files.filter((file) => file.startsWith('chunk-') && readFileSync(join(folder, file)).length > 200_000)
  return {
    first: bytes(first), second: bytes(second), later: bytes(later), all: bytes([...before, ...later]), sample: bytes(sample),
    module: bytes(module), main: bytes(['main.js']), alone: bytes(['keyhaul-sim.js']), files: { first, second, later, sample }
  }
}
