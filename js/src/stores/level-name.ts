import type { LevelDatabase } from './level-types.js'

const names = /* @__PURE__ */ new WeakMap<LevelDatabase, string>()
let count = 0

/** Of databases that are in no place, each has a name of its own while the process runs: `level`, `level-2` and so on. */
export function unplacedName(root: LevelDatabase): string {
  const name = names.get(root) ?? (++count === 1 ? 'level' : `level-${count}`)
  names.set(root, name)
  return name
}
