/** The modules of wasm/checksum, in base64. */
export const simd: string
export const scalar: string
