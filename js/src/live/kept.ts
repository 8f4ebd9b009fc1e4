import type { Capability, Store } from '../stores/store.js'

/** Bits that would be of another level are not among them: a view of a store keeps readers out, and changes its owner, in its own way. */
const KEPT: readonly Capability[] = ['scan', 'apply', 'version', 'feed', 'feedEarly', 'stats']

/** What a view of a store, which a migration works on in its place, can do as the store does. */
export const keptOf = (store: Store): Capability[] => KEPT.filter((capability) => store.capabilities.has(capability))
