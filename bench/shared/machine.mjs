// What a table was measured on: one line above it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg } from 'node:os'

/** Where there is none, say so: a column is missing then. */
function versionOf(name) {
  for (const folder of createRequire(import.meta.url).resolve.paths(name)) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
    } catch {} // it is in another folder
  }
  return 'absent'
}

/** Processor, cores, load, Node, and the version of each package named; `zlib` is Node's own. */
export function machine(...packages) {
  const [first] = cpus()
  const versions = packages.map((name) => `${name} ${name === 'zlib' ? process.versions.zlib : versionOf(name)}`)
  return [`${first?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`, `Node ${process.versions.node}`, ...versions].join(', ')
}
