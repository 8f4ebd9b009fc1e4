import { instantiateAtOnce, unpackModule } from '../engine/instantiate.js'
import createKeyhaulSim from './glue.js'
import { packed, unpacker, wasmBytes } from './inline.js'
import type { SimModule } from './module.js'

let loaded: SimModule | undefined

/** The module; instantiated from its inline bytes on first use, synchronously. */
export function getSimModule(): SimModule {
  loaded ??= instantiateAtOnce<SimModule>(createKeyhaulSim, new WebAssembly.Module(unpackModule(unpacker, packed, wasmBytes)), 'checkHistory')
  return loaded
}
