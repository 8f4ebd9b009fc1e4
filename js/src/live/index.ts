export { type GatedStore, gatedStore, type WriteOptions } from './gated.js'
export { assignRange, type ClaimInfo, type OwnedRange, Ownership, readOwnership } from './ownership.js'
export { type ShardedOptions, type ShardedStore, shardedStore } from './sharded.js'
export type { Register, RegisterState } from '../register/register.js'
