// The page as static files: web/dist. `npm run build` calls it; it needs dist/.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'web/dist')

export async function buildWeb() {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const common = { bundle: true, minify: true, platform: 'browser', target: 'es2022', charset: 'utf8', legalComments: 'none' }
  // The simulator goes into the Worker; on the page it is a piece that is loaded where there is none.
  await build({ ...common, format: 'esm', splitting: true, outdir: out, entryPoints: [join(root, 'web/main.js'), join(root, 'web/worker.js')] })
  // One file with everything, for a blog or a file: it runs on the page, without a Worker.
  await build({ ...common, format: 'iife', outfile: join(out, 'keyhaul-sim.js'), entryPoints: [join(root, 'dist/sim/element/index.js')], logOverride: { 'empty-import-meta': 'silent' } })
  for (const file of ['index.html', 'page.css', 'icon.svg', 'embed.html']) cpSync(join(root, 'web', file), join(out, file))
}
