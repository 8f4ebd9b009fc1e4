// Where each sabotage was found first, as the table of core/sim/README.md has it.
import { readFileSync } from 'node:fs'

const README = readFileSync(new URL('../../../core/sim/README.md', import.meta.url), 'utf8')
/** name, the scenario where it is not the usual one, first seed */
export const FIRST = new Map([...README.matchAll(/^\| ([a-z-]+)(?: \(([a-z-]+)\))? \| (\d+) \|/gm)].map(([, name, scenario, seed]) => [name as string, { scenario, seed: BigInt(seed as string) }]))
// What only keys with several writers show has a table of its own, with one column more.
for (const [, name, seed] of README.matchAll(/^\| ([a-z-]+) \| [a-z' ]+ \| (\d+) \| \d+ of \d+ \|/gm)) if (!FIRST.has(name as string)) FIRST.set(name as string, { scenario: 'live-shared', seed: BigInt(seed as string) })
