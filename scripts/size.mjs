// Where the bytes of the `.` entry and of the page are: node scripts/size.mjs, after a build. Bundled and
// minified as in tests/js/package/pack.test.ts; a part is what the bundle loses without it.
import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { pageParts, zipped } from './page-size.mjs'

const root = new URL('..', import.meta.url).pathname

/** `without` is a pattern of file names, whose exports become `stub`. */
async function bundled(without, stub) {
  const leave = { name: 'leave-out', setup: (b) => b.onLoad({ filter: without }, () => ({ contents: stub })) }
  const result = await build({
    stdin: { contents: "export * from './dist/index.js'", resolveDir: root },
    bundle: true, minify: true, format: 'esm', platform: 'browser', charset: 'utf8', write: false,
    plugins: without === undefined ? [] : [leave]
  })
  return zipped(result.outputFiles[0].contents)
}

const all = await bundled()
const inline = all - (await bundled(/engine\/inline\.js$/, "export const packed='',unpacker='',apartBytes=0,wasmBytes=0"))
const glue = all - (await bundled(/engine\/glue\.js$/, 'export default function(){}'))
const page = pageParts()
const wasm = readFileSync(`${root}dist/keyhaul.wasm`)
for (const [name, bytes] of [
  ['whole entry, gzip', all],
  ['packed module and its unpacker', inline],
  ["Emscripten's and Embind's glue", glue],
  ['TypeScript', all - inline - glue],
  ['keyhaul.wasm as it is', wasm.length],
  ['keyhaul.wasm, gzip', zipped(wasm)],
  ['page as it opens, gzip', page.first],
  ['of it the module of both tabs', page.module],
  ['of it main.js', page.main],
  ['its second tab, when it is opened', page.second],
  ['a journal as text, when it is asked for', page.later],
  ['all of them', page.all],
  ['the cities, when they are asked for', page.sample],
  ['keyhaul-sim.js, all of the element in one file', page.alone]
]) {
  console.log(`${String(bytes).padStart(7)}  ${name}`)
}
