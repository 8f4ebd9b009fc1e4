/** The module's bytes, one character each; written by the build. */
export const wasmText: string
export const alphabet: readonly number[]
