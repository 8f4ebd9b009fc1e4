// First here and in index.ts: gzip looks back 32 KB, and the packed module in the middle of a
// bundle would keep what follows it from all that precedes it.
import { apartBytes, packed, unpacker, wasmBytes } from './inline.js'
import { KeyhaulError } from '../errors.js'
import createKeyhaul from './glue.js'
import { compileAtOnce, instantiateAtOnce, unpackModule } from './instantiate.js'
import type { WasmModule } from './module.js'

let loaded: WasmModule | undefined

const inline = [unpacker, packed, apartBytes, wasmBytes] as const
let provider = (): WasmModule => instantiate(compileAtOnce('keyhaul.wasm', inline))

/** The module; instantiated from its inline bytes on first use, synchronously. */
export function getModule(): WasmModule {
  loaded ??= provider()
  return loaded
}

/** Where it comes from on first use, other than from here; too late after that. */
export function provideModule(other: () => WasmModule): void {
  provider = other
}

/** What `keyhaul/live` brings along besides its module. */
export const liveParts: { calls?: typeof import('./live.js'); begin?: typeof import('../live/begin.js'); refusal?: typeof import('../live/refusal.js').refusalOf; writes?: typeof import('../live/writes.js').watchWrites; pace?: () => import('../live/pace.js').Pace } = {}

export type WasmSource = WebAssembly.Module | ArrayBuffer | Uint8Array | Response | URL | string

/**
 * Loads the module from elsewhere: the packaged `keyhaul/keyhaul.wasm`, or a compiled module
 * where compiling at run time is not allowed (workerd). Not needed otherwise. Once something
 * is loaded it does nothing.
 */
export async function init(source?: WasmSource | Promise<WasmSource>): Promise<void> {
  if (loaded !== undefined) return
  const given = await source
  const module = given === undefined ? await WebAssembly.compile(unpackModule(inline)) : await compile(given)
  loaded ??= instantiate(module)
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (typeof source === 'string' || source instanceof URL) return compile(await fetch(source))
  if (typeof Response !== 'undefined' && source instanceof Response) {
    if (!source.ok) {
      throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', {
        message: `${source.url} answered ${source.status}, not the module`
      })
    }
    return WebAssembly.compile(await source.arrayBuffer())
  }
  return WebAssembly.compile(source as Uint8Array<ArrayBuffer>)
}

function instantiate(compiled: WebAssembly.Module): WasmModule {
  return instantiateAtOnce<WasmModule>(createKeyhaul, compiled, 'engineCreate')
}
