// The modules of the `.` entry become one file, because Node takes most of a millisecond for each that it loads
// (bench/node/start.mjs). Every module stays importable by its own path, as a stub that names what
// the one file exports: whichever way somebody comes, there is one class of errors and one WASM module.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { build } from 'esbuild'

const OPTIONS = { format: 'esm', platform: 'neutral', write: false, metafile: true, logLevel: 'error', legalComments: 'none', charset: 'utf8' }

/**
 * Bundles dist/index.js and all it needs, but the files `apart` and what the entries `others` need too: bundlers
 * cut between files, and whoever takes one of those on a page is not to get all of this with it.
 */
export async function bundleEntry(dist, { others, apart }) {
  const outside = new Set([...apart, ...(await closureOf(dist, others))])
  const modules = (await closureOf(dist, ['index.js'])).filter((path) => !outside.has(path))
  modules.sort()
  const named = await exportsOf(dist, modules)
  const inBundle = (i, name) => `m${i}$${name}`
  const contents = modules
    .map((path, i) => `export { ${named.get(path).map((name) => `${name} as ${inBundle(i, name)}`).join(', ')} } from './${path}'`)
    .join('\n')
  const bundle = await build({
    ...OPTIONS,
    stdin: { contents, resolveDir: dist, sourcefile: 'core.js' },
    bundle: true,
    external: ['#*', 'node:*'],
    plugins: [
      {
        name: 'what-is-shared-stays-outside',
        setup: (b) =>
          b.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
            const own = pathIn(dist, join(resolveDir, path))
            return outside.has(own) ? { path: `./${own}`, external: true } : undefined
          })
      }
    ]
  })
  writeFileSync(join(dist, 'core.js'), withNumbers(bundle.outputFiles[0].text))
  modules.forEach((path, i) => {
    const core = posix.relative(posix.dirname(path), 'core.js')
    const names = named.get(path).map((name) => `${inBundle(i, name)} as ${name}`).join(', ')
    mkdirSync(dirname(join(dist, path)), { recursive: true })
    writeFileSync(join(dist, path), `export { ${names} } from '${core.startsWith('.') ? core : `./${core}`}'\n`)
  })
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
