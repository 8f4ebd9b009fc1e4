import { KeyhaulError } from '../errors.js'
import createKeyhaul from './glue.js'
import { alphabet, wasmText } from './inline.js'
import type { WasmModule } from './module.js'

let loaded: WasmModule | undefined

/** The module; instantiated from its inline bytes on first use, synchronously. */
export function getModule(): WasmModule {
  loaded ??= instantiate(new WebAssembly.Module(readText(wasmText)))
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
  const module = given === undefined ? await WebAssembly.compile(readText(wasmText)) : await compile(given)
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
  let table: WebAssembly.Table | undefined
  let memory: WebAssembly.Memory | undefined
  const module = {
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object {
      const instance = new WebAssembly.Instance(compiled, imports)
      for (const value of Object.values(instance.exports)) {
        if (value instanceof WebAssembly.Memory) memory = value
        if (value instanceof WebAssembly.Table) table = value
      }
      done(instance)
      return instance.exports
    }
  }
  createKeyhaul(module)
  const ready = module as unknown as WasmModule
  if (memory === undefined || table === undefined || ready.engineCreate === undefined) {
    throw new Error('keyhaul: the WASM module did not become ready at once; glue and module do not match')
  }
  ready.memory = memory
  ready.table = table
  return ready
}

function readText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = alphabet[text.charCodeAt(i)] as number
  return bytes
}
