/** Base64 of a module that unpacks; written by the build. */
export const unpacker: string
/** Base64 of the module proper, packed, its bytes when it is taken apart, and when it is whole. */
export const packed: string
export const apartBytes: number
export const wasmBytes: number
