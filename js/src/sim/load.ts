import createKeyhaulSim from './glue.js'
import { alphabet, wasmText } from './inline.js'
import type { SimModule } from './module.js'

let loaded: SimModule | undefined

/** The module; instantiated from its inline bytes on first use, synchronously. */
export function getSimModule(): SimModule {
  loaded ??= instantiate()
  return loaded
}

function instantiate(): SimModule {
  let memory: WebAssembly.Memory | undefined
  const module = {
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(inlineBytes()), imports)
      memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory)
      done(instance)
      return instance.exports
    }
  }
  createKeyhaulSim(module)
  const ready = module as unknown as SimModule
  if (memory === undefined || ready.checkHistory === undefined) {
    throw new Error('keyhaul: the WASM module of the simulator did not become ready at once; glue and module do not match')
  }
  ready.memory = memory
  return ready
}

function inlineBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(wasmText, (character) => alphabet[character.charCodeAt(0)] as number)
}
