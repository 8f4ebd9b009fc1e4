import { compileAtOnce, instantiateAtOnce } from '../engine/instantiate.js'
import { provideModule } from '../engine/load.js'
import type { WasmModule } from '../engine/module.js'
import createKeyhaul from './glue.js'
import { apartBytes, packed, unpacker, wasmBytes } from './inline.js'

/** One of its own; getModule() is the one that all share. */
export const instantiateLive = (): WasmModule =>
  instantiateAtOnce<WasmModule>(createKeyhaul, compileAtOnce('live/keyhaul-live.wasm', [unpacker, packed, apartBytes, wasmBytes]), 'gateRestore')

// The module with live migrations and gates takes the place of the smaller one, for all of the package.
provideModule(instantiateLive)
