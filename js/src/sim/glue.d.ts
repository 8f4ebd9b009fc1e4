import type { SimModule } from './module.js'

/** The Emscripten factory; with `instantiateWasm` it fills the object it is given at once. */
export default function createKeyhaulSim(module: {
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object
}): unknown
export type { SimModule }
