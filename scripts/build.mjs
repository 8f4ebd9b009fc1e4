// Builds everything the package holds: core -> WASM (Emscripten), TypeScript -> dist.
// Incremental: what is newer than its inputs is left alone.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args, env = {}) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })

export async function buildWasm() {
  // Debian's em++ looks for its acorn here.
  const env = { NODE_PATH: '/usr/share/nodejs' }
  if (!existsSync(join(root, 'build/wasm/build.ninja'))) {
    run('emcmake', ['cmake', '-S', '.', '-B', 'build/wasm', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release'], env)
  }
  run('ninja', ['-C', 'build/wasm', '--quiet'], env)
}

/** One module: `from` as CMake built it, with glue and inline bytes in `folder` of dist. */
async function buildGlue(from, folder, asset) {
  const { transform } = await import('esbuild')
  const wasm = readFileSync(join(root, `build/wasm/wasm/${from}.wasm`))
  // The only use of import.meta is to find a .wasm file that is inline here; bundlers
  // would stumble over it, and so would a page served from a file.
  const glue = readFileSync(join(root, `build/wasm/wasm/${from}.js`), 'utf8').replaceAll('import.meta.url', '""')
  const small = await transform(glue, { minify: true, format: 'esm', legalComments: 'none' })
  mkdirSync(join(root, 'dist', folder), { recursive: true })
  writeFileSync(join(root, 'dist', folder, 'glue.js'), small.code)
  const { text, alphabet } = asText(wasm)
  writeFileSync(
    join(root, 'dist', folder, 'inline.js'),
    `export const wasmText='${text}'\nexport const alphabet=[${alphabet}]\n`
  )
  for (const name of ['glue.d.ts', 'inline.d.ts']) cpSync(join(root, 'js/src', folder, name), join(root, 'dist', folder, name))
  writeFileSync(join(root, 'dist', asset), wasm)
}

/**
 * One character a byte: gzip still sees the bytes, so it travels a fifth smaller than base64.
 * The most frequent bytes get the characters that UTF-8 writes in one byte; `alphabet` says
 * which byte each character stands for.
 */
function asText(bytes) {
  const count = new Array(256).fill(0)
  for (const byte of bytes) count[byte]++
  const order = [...count.keys()].sort((a, b) => count[b] - count[a])
  // Neither what ends a string nor control characters, which bundlers write as escapes.
  const short = Array.from({ length: 95 }, (_, i) => i + 32).filter((c) => !'\'"`\\$<'.includes(String.fromCharCode(c)))
  const frequent = new Set(order.slice(0, short.length))
  const character = []
  // What may stay as it is stays: text in the module is still text.
  for (const c of short) if (frequent.has(c)) character[c] = c
  const free = short.filter((c) => !frequent.has(c))
  let next = 0xa1
  for (const byte of order) character[byte] ??= frequent.has(byte) ? free.shift() : next++
  const alphabet = []
  character.forEach((c, byte) => {
    alphabet[c] = byte
  })
  return {
    text: Array.from(bytes, (byte) => String.fromCharCode(character[byte])).join(''),
    alphabet: Array.from(alphabet, (byte) => byte ?? 0)
  }
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
  run('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
  await buildGlue('keyhaul', 'engine', 'keyhaul.wasm')
  await buildGlue('keyhaul-sim', 'sim', 'sim/keyhaul-sim.wasm')
  await buildCli()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const start = Date.now()
  await build()
  console.log(`built dist/ in ${((Date.now() - start) / 1000).toFixed(1)} s`)
}
