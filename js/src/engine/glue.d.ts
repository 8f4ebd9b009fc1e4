import type { Factory } from './instantiate.js'

/** Emscripten's factory. */
declare const createKeyhaul: Factory
export default createKeyhaul
