/** The module's bytes, base64; written by the build. */
export const wasmBase64: string
