import { staged, textOf } from '../engine/handle.js'
import { getModule } from '../engine/load.js'
import type { WasmModule } from '../engine/module.js'
import { instantiateLive } from '../live/module.js'

let own: WasmModule | undefined

/** Every record as one JSON object a line, and a summary; never throws for damaged bytes. */
export function describeJournal(bytes: Uint8Array): string {
  const shared = getModule()
  // The smaller one, which has no part in this, where it was in use before this was imported.
  if (shared.describeJournal === undefined) own ??= instantiateLive()
  const module = own ?? shared
  return staged(module, bytes, (address) => {
    module.describeJournal?.(address, bytes.length)
    return textOf(module)
  })
}
