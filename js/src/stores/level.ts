import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'
import { LevelFeedLog } from './level-feed.js'
import type { LevelChainedBatch, LevelDatabase } from './level-types.js'
import type { ApplyOptions, Capability, Entry, Estimate, Feed, ScanOptions, ScanPage, ScanRange, Store, Write } from './store.js'

export type { LevelDatabase } from './level-types.js'

export interface LevelStoreOptions {
  /** For people and journals. Default: `level:` and the database's location, if it has one. */
  readonly name?: string
  /**
   * Record writes while a migration runs, so that the copy follows them (level L1). Every
   * process that writes the database during a migration must have made a store with `feed`
   * on the same database object it writes through; `clear()` is not recorded and ends the feed.
   */
  readonly feed?: boolean
}

/** Keys with this prefix are keyhaul's own and are not part of the store's data. */
const OWN_PREFIX = '!keyhaul!'
const OWN = /* @__PURE__ */ new TextEncoder().encode(OWN_PREFIX)
const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const

/** A store over any abstract-level 3 database: classic-level, memory-level, browser-level, a sublevel. */
export function levelStore(db: LevelDatabase, options: LevelStoreOptions = {}): Store {
  return new LevelStore(db, options)
}

class LevelStore implements Store {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  readonly openFeed?: NonNullable<Store['openFeed']>
  private readonly db: LevelDatabase
  private readonly encoding: 'buffer' | 'view'
  private readonly putOptions: object

  constructor(db: LevelDatabase, options: LevelStoreOptions) {
    this.db = db
    const location = (db as { location?: unknown }).location
    this.name = options.name ?? (typeof location === 'string' ? `level:${location}` : 'level')
    // classic-level makes Buffers; asking for views would wrap each of them once more.
    this.encoding = typeof location === 'string' && typeof Buffer !== 'undefined' ? 'buffer' : 'view'
    // abstract-level spreads the options of each put into an operation; inherited ones are
    // read all the same and not spread, which makes a chained put three times as fast
    // (bench/node/put-options.mjs).
    this.putOptions = Object.create({ keyEncoding: this.encoding, valueEncoding: this.encoding }) as object
    const capabilities: Capability[] = ['scan', 'apply', 'rangeDelete']
    if (typeof (db as { approximateSize?: unknown }).approximateSize === 'function') capabilities.push('stats')
    if (options.feed === true) {
      capabilities.push('feed')
      const log = new LevelFeedLog(db, OWN_PREFIX.slice(1, -1), OWN, this.name)
      this.openFeed = (range, given): Promise<Feed> =>
        this.translate(async () => {
          await this.ready()
          return log.open(range, given?.after)
        })
    }
    this.capabilities = new Set(capabilities)
  }

  get identity(): unknown {
    return this.db
  }

  scan(range: ScanRange, options: ScanOptions): Promise<ScanPage> {
    return this.translate(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      // One more than asked for: a short answer is the end, and needs no further call.
      const limit = options.maxEntries + 1
      const bounds: { gte?: Uint8Array; lt?: Uint8Array } = {}
      // An absent bound must be absent: abstract-level takes any value as one.
      if (range.gte !== undefined) bounds.gte = range.gte
      if (range.lt !== undefined) bounds.lt = range.lt
      const iterator = this.db.iterator({
        ...bounds,
        keyEncoding: this.encoding,
        valueEncoding: this.encoding,
        fillCache: false,
        highWaterMarkBytes: Math.min(options.maxBytes, 0x7fffffff)
      })
      try {
        return await readPage(iterator, limit, options)
      } finally {
        await iterator.close()
      }
    })
  }

  apply(writes: readonly Write[], options: ApplyOptions): Promise<void> {
    return this.translate(async () => {
      options.signal?.throwIfAborted()
      await this.ready()
      // The array form of batch() costs three times as much.
      const batch = this.db.batch() as LevelChainedBatch
      const { putOptions } = this
      try {
        for (let i = 0; i < writes.length; i++) {
          const [key, value] = writes[i] as Write
          if (isOwn(key)) throw reserved(key, this.name)
          if (value === undefined) batch.del(key, putOptions)
          else batch.put(key, value, putOptions)
        }
      } catch (error) {
        await batch.close()
        throw error
      }
      await batch.write({ sync: options.durable })
    })
  }

  deleteRange(range: ScanRange): Promise<void> {
    return this.translate(async () => {
      await this.ready()
      await this.db.clear({ ...BYTES, ...present(range) })
    })
  }

  estimate(range: ScanRange): Promise<Estimate> {
    return this.translate(async () => {
      const sized = this.db as { approximateSize?: (start: Uint8Array, end: Uint8Array, options: object) => Promise<number> }
      if (sized.approximateSize === undefined) return {}
      await this.ready()
      const end = range.lt ?? new Uint8Array(64).fill(0xff)
      const bytes = await sized.approximateSize(range.gte ?? new Uint8Array(0), end, BYTES)
      return { bytes }
    })
  }

  private async ready(): Promise<void> {
    if (this.db.status !== 'open') await this.db.open()
  }

  private async translate<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw fromLevel(error, this.name)
    }
  }
}

async function readPage(
  iterator: { nextv(size: number): Promise<[unknown, unknown][]> },
  limit: number,
  options: ScanOptions
): Promise<ScanPage> {
  const entries: Entry[] = []
  let bytes = 0
  for (;;) {
    const rows = (await iterator.nextv(limit - entries.length)) as [Uint8Array, Uint8Array][]
    options.signal?.throwIfAborted()
    if (rows.length === 0) return { entries, end: true }
    for (const row of rows) {
      if (row[0][0] === 0x21 && isOwn(row[0])) continue
      const size = row[0].length + row[1].length
      const full = entries.length === options.maxEntries || bytes + size > options.maxBytes
      if (full && entries.length > 0) {
        // classic-level's iterator keeps the rows it gave last until it is collected, long
        // after close(); asking for one more makes it let go of a page (bench/node/memory.mjs).
        await iterator.nextv(1)
        return { entries, end: false }
      }
      bytes += size
      entries.push(row)
    }
  }
}

function isOwn(key: Uint8Array): boolean {
  for (let i = 0; i < OWN.length; i++) {
    if (key[i] !== OWN[i]) return false
  }
  return true
}

function reserved(key: Uint8Array, store: string): KeyhaulError {
  return new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', {
    key,
    store,
    message: `keys that begin with ${OWN_PREFIX} are reserved for keyhaul's own records; leave them out of the range`
  })
}

function present(range: ScanRange): { gte?: Uint8Array; lt?: Uint8Array } {
  return {
    ...(range.gte === undefined ? {} : { gte: range.gte }),
    ...(range.lt === undefined ? {} : { lt: range.lt })
  }
}

const CODES: Readonly<Record<string, KeyhaulErrorCode>> = {
  LEVEL_LOCKED: 'KEYHAUL_STORE_LOCKED',
  LEVEL_CORRUPTION: 'KEYHAUL_STORE_CORRUPT',
  LEVEL_DATABASE_NOT_OPEN: 'KEYHAUL_STORE_CLOSED',
  LEVEL_BATCH_NOT_OPEN: 'KEYHAUL_STORE_CLOSED',
  LEVEL_ITERATOR_NOT_OPEN: 'KEYHAUL_STORE_CLOSED'
}

/** LevelDB's errors as keyhaul's; the cause of an open error is one level down. */
export function fromLevel(error: unknown, store: string): KeyhaulError {
  if (error instanceof KeyhaulError) return error
  const chain: { code?: unknown; message?: unknown; cause?: unknown; name?: unknown }[] = []
  for (let at = error; typeof at === 'object' && at !== null && chain.length < 5; at = (at as { cause?: unknown }).cause) {
    chain.push(at)
  }
  if (chain[0]?.name === 'AbortError') return new KeyhaulError('KEYHAUL_INTERRUPTED', { store, cause: error })
  const text = chain.map((part) => String(part.message ?? '')).join('; ')
  if (/No space left on device|ENOSPC|Disc quota exceeded/i.test(text)) {
    return new KeyhaulError('KEYHAUL_DISK_FULL', { store, cause: error })
  }
  for (const { code } of [...chain].reverse()) {
    const known = typeof code === 'string' ? CODES[code] : undefined
    if (known !== undefined) return new KeyhaulError(known, { store, cause: error })
  }
  return new KeyhaulError('KEYHAUL_STORE_FAILED', { store, message: text === '' ? String(error) : text, cause: error })
}
