/** The module in a file of this package, by its place in dist; undefined where it is not there or damaged. */
export function compileOwn(path: string): WebAssembly.Module | undefined {
  try {
    // Not imported: for that Node would take all of `fs` apart and load its streams, which takes longer than what is wanted (bench/node/start.mjs).
    const { readFileSync } = process.getBuiltinModule('node:fs')
    return new WebAssembly.Module(readFileSync(new URL(`../${path}`, import.meta.url)))
  } catch {
    return undefined
  }
}
