/** Base64 of a module that unpacks; written by the build. */
export const unpacker: string
/** Base64 of the module proper, packed, and its bytes when it is not. */
export const packed: string
export const wasmBytes: number
