import type { Factory } from '../engine/instantiate.js'

/** Emscripten's factory. */
declare const createKeyhaul: Factory
export default createKeyhaul
