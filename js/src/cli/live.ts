import { KeyhaulError } from '../errors.js'
import type { JournalInfo } from '../inspect.js'
import { Engine } from '../migrate.js'
import type { Migration } from '../migration.js'
import type { RangeInput } from '../ranges.js'
import { compareBytes } from '../stores/bytes.js'
import { levelStore } from '../stores/level.js'
import type { Store } from '../stores/store.js'
import type { ChainNode } from '../live/chain.js'
import { type CopyFlags, type HostInfo, hostInfoOf, type LiveFlags, type Places } from './arguments.js'
import { assertDifferent, type OpenStore, openStore, storeName } from './stores.js'

interface Live {
  readonly from: Store
  readonly to: Store
  readonly register: import('../live/index.js').Register
}

/** Has to be the first thing that is loaded: with its module the other one is not used. */
const loadLive = (): Promise<typeof import('../live/index.js')> => import('../live/index.js')

/** `level:./a`, or `shard1=level:./a` where the register and the service know it as shard1. */
export function namedStore(url: string): { name: string; place: string } {
  const named = /^([^=:/]+)=(.+)$/.exec(url)
  const place = storeName(named?.[2] ?? url)
  return { name: named?.[1] ?? place, place }
}

/** A database that a service has open is reached through the service. */
async function openOrSay(place: string, role: 'source' | 'target'): Promise<OpenStore> {
  return openStore(place, role).catch((error: unknown) => {
    if (!(error instanceof KeyhaulError) || error.code !== 'KEYHAUL_STORE_LOCKED') throw error
    throw new KeyhaulError('KEYHAUL_STORE_LOCKED', { store: place, message: 'another process has it open; if that is a service with serveControl(), ask it with --service SOCKET', cause: error })
  })
}

/** Opens both databases and the register's, which may be one of them, and gates them; the source where it is to be given up and cannot be opened is not. */
export async function withLive(names: readonly [string, string], places: Places, kind: 'new' | 'known' | 'sourceGone', work: (live: Live) => Promise<number>): Promise<number> {
  const { gatedStore, goneStore, readOwnership } = await loadLive()
  const isNew = kind === 'new'
  const { levelRegister } = await import('../register/level.js')
  const open = new Map<string, OpenStore>()
  const openOnce = async (place: string, mayBeNew: boolean): Promise<OpenStore> => {
    const store = open.get(place) ?? (await openOrSay(place, mayBeNew ? 'target' : 'source'))
    open.set(place, store)
    return store
  }
  const named = async (name: string, place: string, mayBeNew: boolean): Promise<Store> => levelStore((await openOnce(place, mayBeNew)).db, { name, feed: true })
  try {
    const source = await named(names[0], places.from, false).catch((error: unknown) => {
      // One that another process has open is not gone.
      const isThere = error instanceof KeyhaulError && error.code === 'KEYHAUL_STORE_LOCKED'
      if (kind !== 'sourceGone' || isThere) throw error
      return undefined
    })
    // Its gate has a record: what it owns stands in a register already, and a new one would be a second truth.
    const isKnown = isNew && (await source?.ownRecord?.read()) !== undefined
    const register = levelRegister((await openOnce(places.register, isNew && !isKnown)).db)
    if (isKnown && (await readOwnership(register)).parts.length === 0) {
      throw new KeyhaulError('KEYHAUL_NOT_OWNER', { store: names[0], message: `what it owns stands in another register than ${places.register}, in which there is nothing; see --register` })
    }
    const to = gatedStore(await named(names[1], places.to, isNew))
    return await work({ from: source === undefined ? goneStore(names[0]) : gatedStore(source), to, register })
  } finally {
    for (const { close } of [...open.values()].reverse()) await close()
  }
}

/** Moves in this process, which opens the databases: nobody else can have them open meanwhile. */
export async function moveLive(
  from: string,
  to: string,
  ranges: readonly RangeInput[],
  flags: Partial<CopyFlags> & LiveFlags,
  journal: string,
  watch: (migration: Migration) => Promise<number>
): Promise<number> {
  const { assignRange } = await loadLive()
  if (flags.register === undefined) {
    throw new KeyhaulError('KEYHAUL_USAGE', { message: '--live needs --service SOCKET, where a service has the databases open, or --register level:PATH, where it stands who owns which keys' })
  }
  const [source, target] = [namedStore(from), namedStore(to)]
  assertDifferent(source.place, target.place)
  const places = { from: source.place, to: target.place, register: storeName(flags.register) }
  return withLive([source.name, target.name], places, 'new', async (live) => {
    const given = ranges.length === 0 ? undefined : ranges
    // What nobody owns belongs to the database that it lies in.
    await assignRange({ register: live.register, store: live.from, ...(given === undefined ? {} : { ranges: given }) })
    const engine = new Engine()
    const { pauseBudget: pauseBudgetMs, require: requireLevel, rate, reverseWindow: reverseWindowMs, split: splitMax } = flags
    const migration = await engine.migrate({ ...live, live: true, ranges: given, journal, rate, pauseBudgetMs, requireLevel, reverseWindowMs, splitMax, hostInfo: { places, rate } satisfies HostInfo })
    const exit = await watch(migration)
    engine.close()
    return exit
  })
}

/** Goes on with one of this command line's own. */
export async function resumeLive(info: JournalInfo, journal: string, { rate, giveUpSource }: { rate?: number | undefined; giveUpSource?: boolean | undefined }, watch: (migration: Migration) => Promise<number>): Promise<number> {
  const { places } = hostInfoOf(info)
  if (places === undefined) {
    throw new KeyhaulError('KEYHAUL_USAGE', {
      message: 'this is a live migration of a service, which has the databases open: keyhaul resume --service SOCKET, keyhaul cancel --service SOCKET'
    })
  }
  return withLive([info.from, info.to], places, giveUpSource === true ? 'sourceGone' : 'known', async (live) => {
    const engine = new Engine()
    const migration = await engine.resume({ ...live, journal, rate })
    const exit = await watch(migration)
    engine.close()
    return exit
  })
}

/** What the register says of the migration of a journal. */
export interface RegisterTruth {
  readonly register: string
  readonly claim: 'claimed' | 'decided' | 'aborted' | undefined
  readonly owners: readonly { readonly owner: string; readonly epoch: number }[]
}

export async function readRegister(url: string): Promise<{ register: string; ownership: import('../live/index.js').Ownership }> {
  const { readOwnership } = await loadLive()
  const { levelRegister } = await import('../register/level.js')
  const register = storeName(url)
  const { db, close } = await openOrSay(register, 'source')
  try {
    return { register, ownership: await readOwnership(levelRegister(db)) }
  } finally {
    await close()
  }
}

export async function readTruth(url: string, info: JournalInfo): Promise<RegisterTruth> {
  const { register, ownership } = await readRegister(url)
  const claim = ownership.claims.find(({ id }) => id === info.live?.claim)?.state
  const touched = ownership.parts.filter((part) =>
    info.ranges.some(([low, high]) => isBelow(Buffer.from(low, 'hex'), part.lt) && isBelow(part.gte, high === null ? undefined : Buffer.from(high, 'hex')))
  )
  const owners = new Map(touched.map(({ owner, epoch }) => [`${owner} ${epoch}`, { owner, epoch }]))
  return { register, claim, owners: [...owners.values()] }
}

const isBelow = (key: Uint8Array, end: Uint8Array | undefined): boolean => end === undefined || compareBytes(key, end) < 0

export const defaultJournal = (target: string): string => `${namedStore(target).place.slice('level:'.length)}.keyhaul-journal`

/** Of a live migration that was split: with its parts. Nothing where there is no such journal. */
export async function chainOf(journal: string): Promise<ChainNode | undefined> {
  await loadLive()
  return (await import('../live/chain.js')).readChain(journal)
}
export const filesOfChain = async (node: ChainNode): Promise<string[]> => (await import('../live/chain.js')).filesOf(node)

export const prepareLive = async (): Promise<void> => void (await loadLive())
