import { readFileSync } from 'node:fs'

/** The module in a file of this package, by its place in dist; undefined where it is not there or damaged. */
export function compileOwn(path: string): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(readFileSync(new URL(`../${path}`, import.meta.url)))
  } catch {
    return undefined
  }
}
