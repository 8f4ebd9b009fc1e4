// The modules of the `.` entry become one file, because Node takes most of a millisecond for each that it loads
// (bench/node/start.mjs). Every module stays importable by its own path, as a stub that names what
// the one file exports: whichever way somebody comes, there is one class of errors and one WASM module.
// A page gets it in a few files, so that who needs one of them need not take all; Node, where nobody downloads
// anything, in one more that holds them all (`#core` and `#shared` in package.json, with a condition that Node has and bundlers have not).
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { build } from 'esbuild'

const OPTIONS = { format: 'esm', platform: 'neutral', write: false, metafile: true, logLevel: 'error', legalComments: 'none', charset: 'utf8' }

/**
 * What `.` shares with those: bytes with `keyhaul/checksum` alone, so that it takes nothing else along, and the rest. Their
 * names are their own, as they come from more than one place.
 */
const SHARED = {
  'bytes.js': ['stores/bytes.js', 'checksum/chain.js'],
  'shared.js': ['errors.js', 'errors.generated.js', 'stores/packed.js', 'engine/base64.js', 'engine/instantiate.js'],
  // And one that only Node loads.
  'journal/file-node.js': ['journal/file-node.js', 'journal/lock-node.js']
}
/** How those are named that Node has elsewhere. */
const NAME_OF = new Map([['core.js', '#core'], ['shared.js', '#shared']])
/** In the folder of own-file-node.js, which looks for files from there. */
const NODE = 'engine/node.js'
const FILE_OF = new Map(Object.entries(SHARED).flatMap(([file, modules]) => modules.map((path) => [path, file])))

/**
 * Bundles dist/index.js and all it needs, but the files `apart` and what the entries `others` need too: bundlers
 * cut between files, and whoever takes one of those on a page is not to get all of this with it.
 */
export async function bundleEntry(dist, { others, apart }) {
  await bundleShared(dist)
  const outside = new Set([...apart, ...(await closureOf(dist, others))])
  const modules = (await closureOf(dist, ['index.js'])).filter((path) => !outside.has(path))
  modules.sort()
  const named = await exportsOf(dist, modules)
  const inBundle = (i, name) => `m${i}$${name}`
  const contents = modules
    .map((path, i) => `export { ${named.get(path).map((name) => `${name} as ${inBundle(i, name)}`).join(', ')} } from './${path}'`)
    .join('\n')
  const code = await bundled(dist, contents, '.', (own) => outside.has(own))
  writeFileSync(join(dist, 'core.js'), withNumbers(code))
  for (const [i, path] of modules.entries()) writeStub(dist, path, 'core.js', named.get(path).map((name) => `${inBundle(i, name)} as ${name}`))
  await bundleNode(dist)
}

/** All of it but the text of the module. What it shares with `keyhaul/checksum` are functions, of which that may have others. */
async function bundleNode(dist) {
  const inNode = { '#shared': 'shared.js', '#own-file': 'engine/own-file-node.js', '#journal-file': 'journal/file-node.js' }
  const resolve = (own) => (own === 'engine/inline.js' ? { path: './inline.js', external: true } : { path: join(dist, own) })
  const code = await esbuilt(dist, "export * from './core.js'\nexport * from './shared.js'", ['node:*'], (path, resolveDir) => {
    return resolve(path.startsWith('#') ? inNode[path] : pathIn(dist, join(resolveDir, path)))
  })
  writeFileSync(join(dist, NODE), code)
}

async function bundleShared(dist) {
  const named = await exportsOf(dist, [...FILE_OF.keys()])
  const codes = await Promise.all(Object.entries(SHARED).map(async ([file, modules]) => {
    const names = modules.flatMap((path) => named.get(path))
    if (new Set(names).size < names.length) throw new Error(`two modules of ${file} export one name`)
    const contents = modules.map((path) => `export { ${named.get(path).join(', ')} } from './${path}'`).join('\n')
    return [file, await bundled(dist, contents, posix.dirname(file), (own) => FILE_OF.get(own) !== file)]
  }))
  for (const [path, file] of FILE_OF) if (path !== file) writeStub(dist, path, file, named.get(path))
  for (const [file, code] of codes) writeFileSync(join(dist, file), code)
}

/** `contents` and what it imports in one file of `folder`, but what is outside. */
function bundled(dist, contents, folder, isOutside) {
  return esbuilt(dist, contents, ['#*', 'node:*'], (path, resolveDir) => {
    const own = pathIn(dist, join(resolveDir, path))
    return isOutside(own) ? { path: specifier(folder, FILE_OF.get(own) ?? own), external: true } : undefined
  })
}

/** `onResolve` is asked for each import that is relative or begins with #, unless those are external. */
async function esbuilt(dist, contents, external, onResolve) {
  const bundle = await build({
    ...OPTIONS,
    stdin: { contents, resolveDir: dist, sourcefile: 'all.js' },
    bundle: true,
    external,
    plugins: [{ name: 'own-files', setup: (b) => b.onResolve({ filter: external.includes('#*') ? /^\./ : /^[.#]/ }, ({ path, resolveDir }) => onResolve(path, resolveDir)) }]
  })
  return bundle.outputFiles[0].text
}

function writeStub(dist, path, file, names) {
  mkdirSync(dirname(join(dist, path)), { recursive: true })
  writeFileSync(join(dist, path), `export { ${names.join(', ')} } from '${specifier(posix.dirname(path), file)}'\n`)
}

function specifier(folder, file) {
  const path = NAME_OF.get(file) ?? posix.relative(folder, file)
  return /^[.#]/.test(path) ? path : `./${path}`
}

/** Of tables such as ActionWord only numbers are left where a member is named: their names are for us, and 400 bytes gzip. */
function withNumbers(code) {
  const tables = new Map()
  for (const [, name, members] of code.matchAll(/^var (\w+(?:Word|Kind)\d*) = \{((?:\s*\w+: \d+,?)+)\s*\};$/gm)) {
    tables.set(name, new Map([...members.matchAll(/(\w+): (\d+)/g)].map(([, member, number]) => [member, number])))
  }
  return code.replace(/(?<![\w.$])(\w+)\.(\w+)\b(?! *=[^=])/g, (all, table, member) => tables.get(table)?.get(member) ?? all)
}

const pathIn = (dist, path) => relative(dist, path).split(sep).join('/')

async function closureOf(dist, entries) {
  const { metafile } = await build({ ...OPTIONS, absWorkingDir: dist, entryPoints: entries, outdir: 'nowhere', bundle: true, external: ['#*', 'node:*'] })
  return Object.keys(metafile.inputs)
}

/** Also what a module takes from others and gives on. */
async function exportsOf(dist, modules) {
  const { metafile } = await build({ ...OPTIONS, absWorkingDir: dist, entryPoints: modules, outdir: 'nowhere', outbase: '.' })
  return new Map(Object.entries(metafile.outputs).map(([path, { exports }]) => [path.slice('nowhere/'.length), exports]))
}
