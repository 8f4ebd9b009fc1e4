/** The modules of wasm/checksum, in letters, `a` to `p`, of four bits each. */
export const simd: string
export const scalar: string
