import * as calls from '../engine/live.js'
import { getModule, liveParts } from '../engine/load.js'
import type { WasmModule } from '../engine/module.js'
import { KeyhaulError } from '../errors.js'
import * as begin from './begin.js'
import './module.js'
import { Pace } from './pace.js'
import { refusalOf } from './refusal.js'
import { watchWrites } from './writes.js'

liveParts.calls = calls
liveParts.begin = begin
liveParts.refusal = refusalOf
liveParts.writes = watchWrites
liveParts.pace = () => new Pace()

/** The module with gates. KEYHAUL_UNSUPPORTED where the smaller one was in use before. */
export function getLiveModule(): WasmModule {
  const module = getModule()
  if (module.gateRestore === undefined) {
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
      message: "keyhaul was in use before 'keyhaul/live' was imported; import it with your other imports, at the top"
    })
  }
  return module
}
