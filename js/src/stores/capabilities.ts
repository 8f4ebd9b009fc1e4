import { KeyhaulError } from '../errors.js'
import type { Capability, Store } from './store.js'

/** By their bits in plans and journals; what has no name is not offered. */
export const CAPABILITIES: readonly (Capability | '')[] = [
  'scan', 'apply', 'version', '', 'feed', 'feedEarly', '', 'fence', 'readFence', 'activate', 'digest', 'rangeDelete', '', 'stats'
]

/** What a store says of itself and nobody would mind, as that its entries expire, would be lost data later. */
export function assertHonoured(store: Store): void {
  const { name, identity, capabilities, scan } = store ?? {}
  if (!name || identity === undefined || !capabilities?.has || !capabilities[Symbol.iterator] || !scan) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'a store has name, identity, capabilities (a Set), scan and apply; wrap a database with levelStore(db)' })
  }
  for (const one of capabilities) {
    if (CAPABILITIES.includes(one)) continue
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: name, message: `it declares ${one}, which keyhaul does not honour; leave it out` })
  }
}
