// First here and in index.ts: gzip looks back 32 KB, and the packed module in the middle of a
// bundle would keep what follows it from all that precedes it.
import { packed, unpacker, wasmBytes } from './inline.js'
import { KeyhaulError } from '../errors.js'
import createKeyhaul from './glue.js'
import type { WasmModule } from './module.js'

let loaded: WasmModule | undefined

/** The module; instantiated from its inline bytes on first use, synchronously. */
export function getModule(): WasmModule {
  loaded ??= instantiate(new WebAssembly.Module(unpack()))
  return loaded
}

export type WasmSource = WebAssembly.Module | ArrayBuffer | Uint8Array | Response | URL | string

/**
 * Loads the module from elsewhere: the packaged `keyhaul/keyhaul.wasm`, or a compiled module
 * where compiling at run time is not allowed (workerd). Not needed otherwise. Once something
 * is loaded it does nothing.
 */
export async function init(source?: WasmSource | Promise<WasmSource>): Promise<void> {
  if (loaded !== undefined) return
  const given = await source
  const module = given === undefined ? await WebAssembly.compile(unpack()) : await compile(given)
  loaded ??= instantiate(module)
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || source instanceof URL) return compile(await fetch(source))
  if (typeof Response !== 'undefined' && source instanceof Response) {
    if (!source.ok) {
      throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', {
        message: `${source.url} answered ${source.status} instead of the module`
      })
    }
    return WebAssembly.compile(await source.arrayBuffer())
  }
  return WebAssembly.compile(source as Uint8Array<ArrayBuffer>)
}

function instantiate(compiled: WebAssembly.Module): WasmModule {
  let memory: WebAssembly.Memory | undefined
  const module = {
    instantiate(imports: WebAssembly.Imports, use: (result: { instance: WebAssembly.Instance }) => void): void {
      const instance = new WebAssembly.Instance(compiled, imports)
      for (const value of Object.values(instance.exports)) {
        if (value instanceof WebAssembly.Memory) memory = value
      }
      use({ instance })
    }
  }
  createKeyhaul(module)
  const ready = module as unknown as WasmModule
  if (memory === undefined || ready.engineCreate === undefined) {
    throw new Error('keyhaul: the WASM module did not become ready at once; glue and module do not match')
  }
  ready.memory = memory
  return ready
}

/** Above what the unpacker needs for itself. */
const PACKED_ADDRESS = 0x10000

function unpack(): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(fromBase64(unpacker)))
  const memory = exports.memory as WebAssembly.Memory
  const input = fromBase64(packed)
  const output = PACKED_ADDRESS + input.length
  new Uint8Array(memory.buffer).set(input, PACKED_ADDRESS)
  ;(exports.unpack as (packed: number, out: number, bytes: number) => void)(PACKED_ADDRESS, output, wasmBytes)
  return new Uint8Array(memory.buffer, output, wasmBytes)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}
