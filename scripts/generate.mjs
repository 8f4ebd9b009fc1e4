// Writes the TypeScript twins of the C++ lists.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootstrap } from './bootstrap.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
await bootstrap(['native'])
const run = (command, args) => execFileSync(command, args, { cwd: root })
run('cmake', ['-S', '.', '-B', 'build/generate', '-G', 'Ninja'])
run('ninja', ['-C', 'build/generate', 'gen_layout'])
writeFileSync(join(root, 'js/src/errors.generated.ts'), run('build/generate/gen_layout', ['errors']))
writeFileSync(join(root, 'js/src/engine/layout.generated.ts'), run('build/generate/gen_layout', ['layout']))
