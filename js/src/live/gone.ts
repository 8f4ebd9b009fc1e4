import { KeyhaulError } from '../errors.js'
import type { Store } from '../stores/store.js'

/**
 * Stands for a gated store that is gone for good, under the name that its migration has for it:
 * `resume({ from: goneStore('a'), … })`, and then `closeWindow({ giveUpSource: true })`. Each call
 * rejects with KEYHAUL_STORE_CLOSED.
 */
export function goneStore(name: string): Store {
  const gone = (): Promise<never> => Promise.reject(new KeyhaulError('KEYHAUL_STORE_CLOSED', { store: name, message: 'it is gone; give it up with closeWindow({ giveUpSource: true }), or open it again and resume' }))
  const store: Store = {
    name,
    identity: Symbol(name),
    capabilities: new Set(['scan', 'apply', 'feed', 'fence', 'readFence', 'activate']),
    scan: gone,
    apply: gone,
    getMany: gone,
    openFeed: gone,
    gate: { change: gone }
  }
  return Object.assign(store, { mover: store })
}
