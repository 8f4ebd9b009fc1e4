/** On a page and in a bundle there are no files of this package. */
export const compileOwn = undefined as ((path: string) => WebAssembly.Module | undefined) | undefined
