// Where the bytes of the `.` entry and of the page are: node scripts/size.mjs, after a build. Bundled and
// minified as in tests/js/package/pack.test.ts; a part is what the bundle loses without it.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url).pathname
const zipped = (bytes) => gzipSync(bytes, { level: 9 }).length

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
const page = readdirSync(`${root}web/dist`, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
const ofPage = (wanted) => page.map(({ parentPath, name }) => `${parentPath}/${name}`.slice(`${root}web/dist/`.length)).filter((path) => wanted(path)).reduce((sum, path) => sum + zipped(readFileSync(`${root}web/dist/${path}`)), 0)
const [tab, sample, docs, alone] = [/^(own\/|panel-)/, /^cities-/, /^docs\//, /^(keyhaul-sim\.js|embed\.html)$/]
const wasm = readFileSync(`${root}dist/keyhaul.wasm`)
for (const [name, bytes] of [
  ['whole entry, gzip', all],
  ['packed module and its unpacker', inline],
  ["Emscripten's and Embind's glue", glue],
  ['TypeScript', all - inline - glue],
  ['keyhaul.wasm as it is', wasm.length],
  ['keyhaul.wasm, gzip', zipped(wasm)],
  ['page as it opens, gzip', ofPage((path) => ![tab, sample, docs, alone].some((one) => one.test(path)))],
  ['its second tab, when it is opened', ofPage((path) => tab.test(path))],
  ['the cities, when they are asked for', ofPage((path) => sample.test(path))],
  ['keyhaul-sim.js, all of the element in one file', ofPage((path) => path === 'keyhaul-sim.js')]
]) {
  console.log(`${String(bytes).padStart(7)}  ${name}`)
}
