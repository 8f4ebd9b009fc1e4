// Builds everything the package holds: core -> WASM (Emscripten), TypeScript -> dist.
// Incremental: what is newer than its inputs is left alone.
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bootstrap } from './bootstrap.mjs'
import { mix } from './mix.mjs'
import { ninja } from './ninja.mjs'
import { pack } from './pack.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args, env = {}, stderr = 'inherit') =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', stderr], env: { ...process.env, ...env } })

/** All modules, or those that nobody ships. */
export async function buildWasm(...targets) {
  // Debian's em++ looks for its acorn there, and for its Binaryen on the PATH, where npm puts the
  // one of node_modules first: that is too new for it, and glue and module would not match.
  const PATH = (process.env.PATH ?? '').split(':').filter((folder) => !folder.includes('node_modules')).join(':')
  const env = { NODE_PATH: '/usr/share/nodejs', PATH }
  if (!existsSync(join(root, 'build/wasm/build.ninja'))) {
    console.log('compiling to WASM, the first time all of it: some minutes')
    run('emcmake', ['cmake', '-S', '.', '-B', 'build/wasm', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DKEYHAUL_PCH=ON'], env, 'pipe')
  }
  await ninja('build/wasm', targets, { cwd: root, env: { ...process.env, ...env }, what: 'compiling to WASM' })
}

/** The glue makes a view of the memory for every type of number, also where nobody reads through it. */
function withoutUnusedViews(glue) {
  return [...new Set(glue.match(/\bHEAP[A-Z]?\d+\b/g))].reduce((text, name) => {
    const [made, declared] = [new RegExp(`\\b${name} *= *new \\w+\\(\\w+\\);?`), new RegExp(`\\b${name},|,${name}\\b(?=;)`)]
    // Declared, made, and that is all.
    const isUnused = text.match(new RegExp(`\\b${name}\\b`, 'g')).length === 2 && made.test(text) && declared.test(text)
    return isUnused ? text.replace(made, '').replace(declared, '') : text
  }, glue)
}

/** One module: `from` as CMake built it, with glue and inline bytes in `folder`. Its bytes. */
async function buildGlue(from, factory, folder, unpackedBy = 'keyhaul_unpack') {
  const { transform } = await import('esbuild')
  const built = join(root, 'build/wasm/wasm')
  const wasm = readFileSync(await smaller(from))
  // The glue would instantiate later; js/src/engine/instantiate.ts does it at once.
  const parts = readFileSync(join(built, `${from}.js`), 'utf8').split(/WebAssembly\.instantiate\(Module\[["']wasm["']\], *imports\)\.then\(/)
  if (parts.length !== 2) throw new Error('the glue of this Emscripten instantiates in another way; see js/src/engine/instantiate.ts')
  const glue = `${parts.join('Module.instantiate(imports,')}\nexport default ${factory}\n`
  const small = await transform(withoutUnusedViews(glue), { minify: true, format: 'esm', legalComments: 'none' })
  mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, folder, 'glue.js'), small.code)
  const unpacker = readFileSync(await smaller(unpackedBy))
  // Mixing has no other form on the way: the module comes out of it front to back.
  const { packed, apartBytes } = unpackedBy === 'keyhaul_unpack' ? pack(wasm) : { packed: mix(wasm), apartBytes: wasm.length }
  writeFileSync(
    join(root, folder, 'inline.js'),
    `export const unpacker='${unpacker.toString('base64')}'\nexport const packed='${packed.toString('base64')}'\nexport const apartBytes=${apartBytes}\nexport const wasmBytes=${wasm.length}\n`
  )
  return wasm
}

/** One that is shipped: beside it are its types, and it also is a file of its own. */
async function buildModule(from, factory, folder, asset) {
  const wasm = await buildGlue(from, factory, join('dist', folder))
  for (const name of ['glue.d.ts', 'inline.d.ts']) cpSync(join(root, 'js/src', folder, name), join(root, 'dist', folder, name))
  writeFileSync(join(root, 'dist', asset), wasm)
}

const MODULES = ['keyhaul-sim', 'keyhaul-page', 'keyhaul-live', 'keyhaul', 'keyhaul_unpack', 'keyhaul_unmix', 'keyhaul_checksum_simd', 'keyhaul_checksum_scalar']
const smallerOnes = new Map()
/** Debian's Binaryen is some years old: today's takes another hundredth off. Where the smaller module is. */
function smaller(name) {
  if (!smallerOnes.has(name)) smallerOnes.set(name, shrink(join(root, `build/wasm/wasm/${name}`)))
  return smallerOnes.get(name)
}

async function shrink(path) {
  const [from, to] = [`${path}.wasm`, `${path}.small.wasm`]
  if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) return to
  const features = ['simd', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals'].map((feature) => `--enable-${feature}`)
  const optimiser = ['node_modules/binaryen/bin/wasm-opt', from, '-o', to]
  await promisify(execFile)('node', [...optimiser, '--generate-global-effects', '-Oz', '--converge', '--generate-global-effects', '-Oz', '--converge', '--reorder-functions', '--low-memory-unused', ...features], { cwd: root })
  return to
}

/**
 * The two modules of `keyhaul/checksum`: too small to be worth packing, though not for the optimiser. Letters of four bits,
 * because gzip finds in them what repeats; of base64, where a byte has three faces, it leaves a quarter more.
 */
async function buildChecksum() {
  const letters = async (variant) => readFileSync(await smaller(`keyhaul_checksum_${variant}`)).toString('hex').replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)))
  writeFileSync(join(root, 'dist/checksum/inline.js'), `export const simd='${await letters('simd')}'\nexport const scalar='${await letters('scalar')}'\n`)
  cpSync(join(root, 'js/src/checksum/inline.d.ts'), join(root, 'dist/checksum/inline.d.ts'))
}

async function buildCli() {
  if (!existsSync(join(root, 'js/src/cli/main.ts'))) return
  const { build } = await import('esbuild')
  await build({
    entryPoints: [join(root, 'js/src/cli/main.ts')],
    outfile: join(root, 'dist/cli/main.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as keyhaulCreateRequire } from 'node:module';const require = keyhaulCreateRequire(import.meta.url);"
    },
    plugins: [
      {
        // The engine and the stores are the package's own files, not a second copy.
        name: 'own-files-stay-outside',
        setup: (b) =>
          b.onResolve({ filter: /^\.\.\// }, ({ path }) => ({ path, external: true }))
      }
    ],
    external: ['classic-level'],
    legalComments: 'none'
  })
  const licences = ['commander', 'cli-progress', 'picocolors', 'string-width', 'strip-ansi', 'ansi-regex', 'emoji-regex', 'is-fullwidth-code-point']
    .map((name) => [name, ['LICENSE', 'LICENSE-MIT.txt', 'license'].map((file) => join(root, 'node_modules', name, file)).find(existsSync)])
    .filter(([, file]) => file)
    .map(([name, file]) => `${name}\n\n${readFileSync(file, 'utf8')}`)
  writeFileSync(join(root, 'dist/cli/THIRD-PARTY-LICENSES.txt'), licences.join('\n---\n\n'))
}

export async function build() {
  await bootstrap(['build', 'npm'])
  await buildWasm()
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  // All at once: the optimiser has one thread, and takes half a minute for the largest.
  const shrunk = Promise.allSettled(MODULES.map(smaller))
  try {
    run('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
  } finally {
    await shrunk
  }
  await buildModule('keyhaul', 'createKeyhaul', 'engine', 'keyhaul.wasm')
  await buildModule('keyhaul-live', 'createKeyhaul', 'live', 'live/keyhaul-live.wasm')
  await buildModule('keyhaul-sim', 'createKeyhaulSim', 'sim', 'sim/keyhaul-sim.wasm')
  writeFileSync(join(root, 'build/page/keyhaul-page.wasm'), await buildGlue('keyhaul-page', 'createKeyhaulPage', 'build/page', 'keyhaul_unmix'))
  await buildChecksum()
  // Needed by then: bootstrap may have installed it a moment ago.
  const { bundleEntry } = await import('./bundle.mjs')
  await bundleEntry(join(root, 'dist'), { others: ['checksum/index.js', 'sim/index.js', 'sim/element/index.js', 'testing/index.js'], apart: ['engine/inline.js', 'engine/glue.js'] })
  await buildCli()
  const { buildWeb } = await import('./web.mjs')
  await buildWeb()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const start = Date.now()
  await build()
  console.log(`built dist/ and web/dist/ in ${((Date.now() - start) / 1000).toFixed(1)} s`)
}
