import type { Factory } from '../engine/instantiate.js'

/** Emscripten's factory. */
declare const createKeyhaulSim: Factory
export default createKeyhaulSim
