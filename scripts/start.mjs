// npm start: installs what is missing, builds, and moves real data.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'

try {
  await build()
} catch (error) {
  console.error(`the build failed: ${error.message}`)
  process.exit(1)
}
try {
  execFileSync(process.execPath, [join(dirname(fileURLToPath(import.meta.url)), 'demo.mjs')], { stdio: 'inherit' })
} catch (error) {
  process.exit(error.status ?? 1)
}
