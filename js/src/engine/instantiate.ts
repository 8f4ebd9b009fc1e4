import { compileOwn } from '#own-file'
import { KeyhaulError } from '../errors.js'
import { fromBase64 } from './base64.js'

/** Emscripten's factory; it fills the object that it is given, and instantiates by `instantiate`. */
export type Factory = (module: {
  instantiate(imports: WebAssembly.Imports, use: (result: { instance: WebAssembly.Instance }) => void): void
}) => unknown

/** The module with what Embind put on it, at once; `probe` is a function that it must have. */
export function instantiateAtOnce<Module extends { memory: WebAssembly.Memory; table?: WebAssembly.Table }>(
  create: Factory,
  compiled: WebAssembly.Module,
  probe: keyof Module
): Module {
  let memory: WebAssembly.Memory | undefined
  let table: WebAssembly.Table | undefined
  const module = {
    instantiate(imports: WebAssembly.Imports, use: (result: { instance: WebAssembly.Instance }) => void): void {
      const instance = new WebAssembly.Instance(compiled, imports)
      for (const value of Object.values(instance.exports)) {
        if (value instanceof WebAssembly.Memory) memory = value
        if (value instanceof WebAssembly.Table) table = value
      }
      use({ instance })
    }
  }
  create(module)
  const ready = module as unknown as Module
  if (memory === undefined || ready[probe] === undefined) {
    throw new Error('keyhaul: the WASM module is not the one of its glue')
  }
  ready.memory = memory
  if (table !== undefined) ready.table = table
  return ready
}

/** What build.mjs puts into inline.js beside each module; the numbers are sizes on the way. */
export type Inline = readonly [unpacker: string, packed: string, apartBytes: number, wasmBytes: number]

/**
 * A module of this package. Node reads its file (package.json: a condition that Node has and bundlers have
 * not), which takes a fifth of the time of unpacking; without it, or if it is damaged, its inline bytes are unpacked.
 */
export const compileAtOnce = (file: string, inline: Inline): WebAssembly.Module => compileOwn?.(file) ?? compile(unpackModule(inline))

/** Workerd compiles nothing at run time, and a page only what its policy allows. */
function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes)
  } catch (cause) {
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
      message: "no WebAssembly with SIMD compiles here; allow 'wasm-unsafe-eval', or give init() keyhaul/keyhaul.wasm first",
      cause
    })
  }
}

/** Above what the unpacker needs for itself. */
const PACKED_ADDRESS = 0x10000

/** The bytes of a module that travels packed. */
export function unpackModule([unpacker, packed, apartBytes, wasmBytes]: Inline): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(compile(fromBase64(unpacker)))
  const { buffer } = exports.memory as WebAssembly.Memory
  new TextEncoder().encodeInto(packed, new Uint8Array(buffer, PACKED_ADDRESS))
  const unpack = exports.unpack as (text: number, characters: number, apartBytes: number) => number
  return new Uint8Array(buffer, unpack(PACKED_ADDRESS, packed.length, apartBytes), wasmBytes)
}
