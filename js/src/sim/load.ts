import { compileAtOnce, instantiateAtOnce } from '../engine/instantiate.js'
import { KeyhaulError } from '../errors.js'
import createKeyhaulSim from './glue.js'
import { apartBytes, packed, unpacker, wasmBytes } from './inline.js'
import type { SimModule } from './module.js'

let compiled: WebAssembly.Module | undefined
let loaded: SimModule | undefined

/** A module of its own, with a memory of its own; compiled once. */
export function makeSimModule(): SimModule {
  compiled ??= compileAtOnce('sim/keyhaul-sim.wasm', [unpacker, packed, apartBytes, wasmBytes])
  return instantiateAtOnce<SimModule>(createKeyhaulSim, compiled, 'playerOpen')
}

/** The module that all calls without a state share; instantiated on first use, synchronously. */
export function getSimModule(): SimModule {
  loaded ??= makeSimModule()
  return loaded
}

/** Puts the bytes where the module can read them for the time of `use`. */
export function withBytes<T>(module: SimModule, bytes: Uint8Array, use: (address: number, bytes: number) => T): T {
  const address = module.allocate(Math.max(1, bytes.length))
  if (address === 0) {
    throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `there is no memory for an input of ${bytes.length} bytes` })
  }
  try {
    new Uint8Array(module.memory.buffer, address, bytes.length).set(bytes)
    return use(address, bytes.length)
  } finally {
    module.deallocate(address)
  }
}

/** What the last call left. */
export function leftText(module: SimModule): string {
  return new TextDecoder().decode(new Uint8Array(module.memory.buffer, module.textAddress(), module.textBytes()))
}
