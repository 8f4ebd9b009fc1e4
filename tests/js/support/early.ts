import type { Store } from '../../../dist/index.js'
import { memoryStore, type MemoryStore } from '../../../dist/stores/memory.js'

/**
 * A store whose feed tells of a write at once, while scans show it so many milliseconds later, though not later than
 * its writer is told: as some databases tell of a commit before readers see it.
 */
export function early(base: MemoryStore, lateMs: number): Store {
  const told = memoryStore({ name: `${base.name} as its feed knows it` })
  return {
    name: base.name,
    identity: base,
    capabilities: new Set(['scan', 'apply', 'version', 'feed', 'feedEarly'] as const),
    ...(base.ownRecord === undefined ? {} : { ownRecord: base.ownRecord }),
    ...(base.getMany === undefined ? {} : { getMany: base.getMany.bind(base) }),
    scan: base.scan.bind(base),
    openFeed: (told.openFeed as NonNullable<Store['openFeed']>).bind(told),
    // What a migration brings is told at no time.
    ...(base.applyNewer === undefined ? {} : { applyNewer: base.applyNewer.bind(base) }),
    async apply(writes, options) {
      await told.apply(writes, options)
      await new Promise((wake) => setTimeout(wake, lateMs))
      await base.apply(writes, options)
    }
  }
}
