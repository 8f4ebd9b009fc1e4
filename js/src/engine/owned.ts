import type { WasmModule } from './module.js'

/** What an object holds in the module. Nothing in it may lead back to that object. */
export interface Owned {
  readonly module: Pick<WasmModule, 'allocate' | 'deallocate'>
  readonly destroy: (handle: number) => void
  readonly handle: number
  /** Memory of `allocate()`; 0 is none. */
  stage: number
}

const finalizer = /* @__PURE__ */ new FinalizationRegistry(release)

/** Held until `free()`; or, as the net, until its owner is dropped. */
export function own(owner: object, module: Owned['module'], destroy: Owned['destroy'], handle: number): Owned {
  const owned = { module, destroy, handle, stage: 0 }
  finalizer.register(owner, owned, owned)
  return owned
}

/** Other memory in place of the stage, whose bytes are gone. 0 where there is no room. */
export function restage(owned: Owned, bytes: number): number {
  if (owned.stage !== 0) owned.module.deallocate(owned.stage)
  // Of more than the module can have, it would see the low 32 bits.
  owned.stage = owned.module.allocate(Math.min(bytes, 0xffffffff))
  return owned.stage
}

export function free(owned: Owned): void {
  finalizer.unregister(owned)
  release(owned)
}

function release({ module, destroy, handle, stage }: Owned): void {
  destroy(handle)
  if (stage !== 0) module.deallocate(stage)
}
