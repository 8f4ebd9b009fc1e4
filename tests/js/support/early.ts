import type { Store } from '../../../dist/index.js'
import { memoryStore, type MemoryStore } from '../../../dist/stores/memory.js'

/**
 * A store whose feed tells of a write at once, while scans show it so many milliseconds later, though not later than
 * its writer is told: as some databases tell of a commit before readers see it.
 */
export function early(base: MemoryStore, lateMs: number): Store {
  const told = memoryStore({ name: `${base.name} as its feed knows it` })
  const under = new Set<Promise<void>>()
  return {
    name: base.name,
    identity: base,
    capabilities: new Set(['scan', 'apply', 'version', 'feed', 'feedEarly'] as const),
    ...(base.ownRecord === undefined ? {} : { ownRecord: base.ownRecord }),
    ...(base.getMany === undefined ? {} : { getMany: base.getMany.bind(base) }),
    scan: base.scan.bind(base),
    // What is told by now is not in a feed that begins now, so a scan behind it has to show it.
    async openFeed(range, options) {
      const feed = await told.openFeed?.(range, options)
      await Promise.all(under)
      return feed as NonNullable<typeof feed>
    },
    // What a migration brings is told at no time.
    ...(base.applyNewer === undefined ? {} : { applyNewer: base.applyNewer.bind(base) }),
    async apply(writes, options) {
      const write = async (): Promise<void> => {
        await told.apply(writes, options)
        await new Promise((wake) => setTimeout(wake, lateMs))
        await base.apply(writes, options)
      }
      const one = write()
      under.add(one)
      await one.finally(() => under.delete(one))
    }
  }
}
