import { KeyhaulError } from '../errors.js'
import type { Register } from '../register/register.js'
import { compareBytes, inRange, successor } from '../stores/bytes.js'
import type { Entry, ScanRange, Write } from '../stores/store.js'
import { clientBytes, clientKeys, clientWrites, copied } from './client-bytes.js'
import type { GatedStore, WriteOptions } from './gated.js'
import { type OwnedRange, Ownership } from './ownership.js'
import { Waiters } from './waiters.js'

export interface ShardedOptions {
  /** By name. */
  readonly stores: Readonly<Record<string, GatedStore>>
  readonly register: Register
  /** For so long an operation follows a range that is changing its owner; then KEYHAUL_STORE_STALLED. Default 30,000. */
  readonly timeoutMs?: number
  /** A page of an iterator. Default 1000 entries. */
  readonly pageEntries?: number
}

/** Several gated stores as one: finds the owner of each key, and follows ranges that move. */
export interface ShardedStore {
  get(key: string | Uint8Array): Promise<Uint8Array | undefined>
  /** Each value as it was at some moment of the call. */
  getMany(keys: readonly (string | Uint8Array)[]): Promise<(Uint8Array | undefined)[]>
  put(key: string | Uint8Array, value: string | Uint8Array, options?: WriteOptions): Promise<void>
  del(key: string | Uint8Array, options?: WriteOptions): Promise<void>
  /** All or nothing; all keys must belong to one store. */
  batch(writes: readonly (readonly [string | Uint8Array, string | Uint8Array | undefined])[], options?: WriteOptions): Promise<void>
  /** Each store's part of it all or nothing, one after the other: a reader may see some of it, and a failure may leave it so. */
  batchAcross(writes: readonly (readonly [string | Uint8Array, string | Uint8Array | undefined])[], options?: WriteOptions): Promise<void>
  /** The next entries of a range, with its rest, or nothing at the end of it; `reverse`: from its upper end. */
  page(range: ScanRange, options?: { readonly reverse?: boolean; readonly maxEntries?: number }): Promise<{ readonly entries: readonly Entry[]; readonly rest: ScanRange | undefined }>
  /** In key order, over all stores; each key that is there throughout exactly once. */
  iterator(range?: { readonly gte?: string | Uint8Array; readonly lt?: string | Uint8Array }): AsyncIterableIterator<Entry>
  /** Stops watching the register; closes no store. What is asked of it from then on gets KEYHAUL_CLOSED; what was asked before is carried out. */
  close(): void
}

export function shardedStore(options: ShardedOptions): ShardedStore {
  return new Sharded(options)
}

const WAIT_MAX_MS = 20
/** A gate tells when it opens, and a register when it changes; what both keep to themselves is asked for after so long. */
const PAUSE_MAX_MS = 100
const PAGE_BYTES = 256 * 1024

class Sharded implements ShardedStore {
  private readonly stores: ReadonlyMap<string, GatedStore>
  private readonly register: Register
  private readonly timeoutMs: number
  private readonly pageEntries: number
  private readonly watch: { close(): void }
  private map: Ownership | undefined
  private version = -1
  private reading: Promise<Ownership> | undefined
  /** For the end of a cutover's pause. */
  private readonly paused = new Waiters()
  private readonly unwatch: (() => void)[] = []
  private isClosed = false

  constructor(options: ShardedOptions) {
    this.stores = new Map(Object.entries(options.stores))
    for (const [name, store] of this.stores) {
      if (store.name === name) continue
      throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: store.name, message: `it is given as ${name}; give it under its own name` })
    }
    this.register = options.register
    this.timeoutMs = options.timeoutMs ?? 30_000
    this.pageEntries = options.pageEntries ?? 1000
    this.watch = this.register.watch((state) => this.learn(state))
    for (const store of this.stores.values()) {
      const end = store.onGateChange?.(() => this.paused.wake())
      if (end !== undefined) this.unwatch.push(end)
    }
  }

  async get(key: string | Uint8Array): Promise<Uint8Array | undefined> {
    this.assertOpen()
    return this.read(clientBytes(key))
  }

  async put(key: string | Uint8Array, value: string | Uint8Array, options?: WriteOptions): Promise<void> {
    // An undefined value would delete.
    await this.batch(copied([[clientBytes(key), clientBytes(value)]]), options)
  }

  del(key: string | Uint8Array, options?: WriteOptions): Promise<void> {
    return this.batch([[key, undefined]], options)
  }

  async getMany(keys: readonly (string | Uint8Array)[]): Promise<(Uint8Array | undefined)[]> {
    this.assertOpen()
    const all = clientKeys(keys)
    const map = this.map ?? (await this.refresh())
    const groups = new Map<string | undefined, number[]>()
    all.forEach((key, i) => {
      const owner = map.find(key)?.owner
      const group = groups.get(owner) ?? []
      groups.set(owner, group)
      group.push(i)
    })
    const values: (Uint8Array | undefined)[] = new Array(all.length)
    const read = async (owner: string | undefined, group: readonly number[]): Promise<void> => {
      const store = this.stores.get(owner ?? '')
      try {
        if (store === undefined) throw new KeyhaulError('KEYHAUL_MOVED')
        const found = await store.getMany(copied(group.map((i) => all[i] as Uint8Array)))
        for (const [j, i] of group.entries()) values[i] = found[j]
      } catch (error) {
        if (!isRefusal(error)) throw error
        // One by one, as the border may go through the middle of them.
        for (const i of group) values[i] = await this.read(all[i] as Uint8Array)
      }
    }
    await Promise.all([...groups].map(([owner, group]) => read(owner, group)))
    return values
  }

  async batch(writes: readonly (readonly [string | Uint8Array, string | Uint8Array | undefined])[], options?: WriteOptions): Promise<void> {
    this.assertOpen()
    await this.write(clientWrites(writes), options)
  }

  private read(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.follow(key, 'read', (store) => store.get(key))
  }

  private async write(bytes: readonly Write[], options: WriteOptions | undefined): Promise<void> {
    const first = bytes[0]
    if (first === undefined) return
    await this.follow(first[0], 'write', async (store, part, isFresh) => {
      const other = bytes.length === 1 ? undefined : bytes.find(([key]) => !inRange(key, part) && this.map?.find(key)?.owner !== part.owner)
      if (other === undefined) return store.batch(bytes, options)
      if (!isFresh) throw new KeyhaulError('KEYHAUL_MOVED')
      throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', {
        key: other[0],
        message: `it does not belong to ${part.owner} as the batch's first key does; a batch is atomic on one store only, so split it`
      })
    })
  }

  async *iterator(range: { readonly gte?: string | Uint8Array; readonly lt?: string | Uint8Array } = {}): AsyncIterableIterator<Entry> {
    let rest: ScanRange | undefined = { gte: clientBytes(range.gte ?? ''), lt: range.lt === undefined ? undefined : clientBytes(range.lt) }
    while (rest !== undefined) {
      const page: { entries: readonly Entry[]; rest: ScanRange | undefined } = await this.page(rest)
      yield* page.entries
      rest = page.rest
    }
  }

  async batchAcross(writes: readonly (readonly [string | Uint8Array, string | Uint8Array | undefined])[], options?: WriteOptions): Promise<void> {
    this.assertOpen()
    let left = clientWrites(writes)
    while (left.length > 0) {
      const map = this.map ?? (await this.refresh())
      const [first] = left as [Write]
      const owner = map.find(first[0])?.owner
      const isOf = ([key]: Write): boolean => key === first[0] || map.find(key)?.owner === owner
      const part = copied(left.filter(isOf))
      try {
        await this.write(part, options)
      } catch (error) {
        // The border has moved into it meanwhile: divided anew.
        const isDivided = error instanceof KeyhaulError && error.code === 'KEYHAUL_INVALID_ARGUMENT' && part.length > 1
        if (isDivided && this.map !== map) continue
        throw error
      }
      left = left.filter((write) => !isOf(write))
    }
  }

  async page(range: ScanRange, { reverse = false, maxEntries = this.pageEntries } = {}): Promise<{ entries: readonly Entry[]; rest: ScanRange | undefined }> {
    this.assertOpen()
    const at = clientBytes(range.gte ?? '')
    const lt = range.lt === undefined ? undefined : clientBytes(range.lt)
    if (lt !== undefined && compareBytes(at, lt) >= 0) return { entries: [], rest: undefined }
    return reverse ? this.pageBack(at, lt, maxEntries) : this.pageOn(at, lt, maxEntries)
  }

  close(): void {
    this.isClosed = true
    this.watch.close()
    for (const end of this.unwatch.splice(0)) end()
  }

  /** It learns of no move any more, and would ask whom a range has left. */
  private assertOpen(): void {
    if (this.isClosed) throw new KeyhaulError('KEYHAUL_CLOSED', { message: 'this shardedStore was closed; make a new one' })
  }

  /** From the owner of its first key, up to where that one's part ends. */
  private async pageOn(at: Uint8Array, lt: Uint8Array | undefined, maxEntries: number): Promise<{ entries: readonly Entry[]; rest: ScanRange | undefined }> {
    const map = this.map ?? (await this.refresh())
    if (map.find(at) === undefined) {
      const next = (await this.refresh()).from(at)
      if (next === undefined) return { entries: [], rest: undefined }
      if (compareBytes(next.gte, at) > 0) return { entries: [], rest: { gte: next.gte, lt } }
    }
    return this.follow(at, 'read', async (store, part) => {
      const isLast = part.lt === undefined || (lt !== undefined && compareBytes(lt, part.lt) <= 0)
      const range: ScanRange = { gte: at, lt: isLast ? lt : part.lt }
      const { entries, end } = await store.scan(range, { maxEntries, maxBytes: PAGE_BYTES })
      const last = entries[entries.length - 1]
      if (!end && last !== undefined) return { entries, rest: { gte: successor(last[0]), lt } }
      return { entries, rest: isLast ? undefined : { gte: part.lt, lt } }
    })
  }

  /** From the owner of the keys right below `lt`, down to where that one's part begins. */
  private async pageBack(gte: Uint8Array, lt: Uint8Array | undefined, maxEntries: number): Promise<{ entries: readonly Entry[]; rest: ScanRange | undefined }> {
    const known = (this.map ?? (await this.refresh())).before(lt)
    const top = known === undefined || isAbove(lt, known.lt) ? (await this.refresh()).before(lt) : known
    // Nobody owns what is left.
    if (top === undefined || (top.lt !== undefined && compareBytes(top.lt, gte) <= 0)) return { entries: [], rest: undefined }
    const from = compareBytes(top.gte, gte) <= 0 ? gte : top.gte
    const page = await this.follow(from, 'read', async (store, part) => {
      // The part was divided meanwhile: what is read first is now somebody else's.
      const now = this.map?.before(lt)
      if (now !== undefined && compareBytes(now.gte, part.gte) > 0) return undefined
      const isLast = compareBytes(part.gte, gte) <= 0
      const range: ScanRange = { gte: isLast ? gte : part.gte, lt: isAbove(lt, part.lt) ? part.lt : lt }
      const { entries, end } = await (store.scanBack as NonNullable<typeof store.scanBack>)(range, { maxEntries, maxBytes: PAGE_BYTES })
      const last = entries[entries.length - 1]
      if (!end && last !== undefined) return { entries, rest: { gte, lt: last[0] } }
      return { entries, rest: isLast ? undefined : { gte, lt: part.gte } }
    })
    return page ?? this.pageBack(gte, lt, maxEntries)
  }

  /** Asks the owner of the key until one answers. `isFresh`: the register was asked in this call. */
  private async follow<T>(key: Uint8Array, kind: 'read' | 'write', work: (store: GatedStore, part: OwnedRange, isFresh: boolean) => Promise<T>): Promise<T> {
    let map = this.map ?? (await this.refresh())
    let deadline = 0
    let cause: unknown
    // Of a write that a fence refuses, and when it was tried last.
    let waited: ((until: number) => void) | undefined
    let triedAt = 0
    try {
      for (let tries = 0, isFresh = false; ; tries++) {
        const part = map.find(key)
        const store = part === undefined ? undefined : this.stores.get(part.owner)
        if (part !== undefined && store !== undefined) {
          // Where others wait already, one is not refused first: hundreds that are make the pause longer.
          if ((tries === 0 && this.paused.isEmpty) || !this.isFenced(key, kind)) {
            if (waited !== undefined) triedAt = performance.now()
            try {
              return await work(store, part, isFresh)
            } catch (error) {
              if (!isRefusal(error)) throw error
              cause = error
            }
          }
        } else if (isFresh) {
          throw new KeyhaulError('KEYHAUL_NOT_OWNER', {
            key,
            message: part === undefined ? 'nobody owns it; see assignRange()' : `it belongs to ${part.owner}, which is not among the stores of this shardedStore`
          })
        }
        const now = performance.now()
        triedAt = now
        if (kind === 'write' && waited === undefined && (isRetry(cause) || this.isFenced(key, kind))) waited = store?.waits?.(key)
        if (deadline === 0) deadline = now + this.timeoutMs
        if (now >= deadline) {
          throw new KeyhaulError('KEYHAUL_STORE_STALLED', { key, store: part?.owner, message: `its range did not get an owner that answers within ${this.timeoutMs} ms`, cause: cause ?? new KeyhaulError('KEYHAUL_RETRY', { key, store: part?.owner }) })
        }
        if (this.isFenced(key, kind)) {
          const isOver = await this.paused.until(() => !this.isFenced(key, kind), PAUSE_MAX_MS)
          map = this.map ?? map
          if (isOver) continue
        } else if (tries > 0) await new Promise((wake) => setTimeout(wake, Math.min(2 ** (tries - 1), WAIT_MAX_MS)))
        try {
          map = await this.refresh()
          isFresh = true
        } catch (error) {
          // What is known is as good as before.
          cause = error
          map = this.map ?? map
          if (tries === 0) await new Promise((wake) => setTimeout(wake, 1))
        }
      }
    } finally {
      waited?.(triedAt)
    }
  }

  /** Whether whom the key belongs to, as far as is known, lets nobody at it for the moment of a cutover. */
  private isFenced(key: Uint8Array, kind: 'read' | 'write'): boolean {
    const owner = this.map?.find(key)?.owner
    return owner !== undefined && this.stores.get(owner)?.isRefusing?.(key, kind) === true
  }

  private refresh(): Promise<Ownership> {
    this.reading ??= this.register
      .read()
      .then((state) => this.learn(state))
      .finally(() => {
        this.reading = undefined
      })
    return this.reading
  }

  private learn(state: { version: number; document: Uint8Array }): Ownership {
    if (this.map === undefined || state.version > this.version) {
      this.map = new Ownership(state.document)
      this.version = state.version
      this.paused.wake()
    }
    return this.map
  }
}

/** Whether an upper end lies above another; none is above all. */
function isAbove(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return b !== undefined && (a === undefined || compareBytes(a, b) > 0)
}

const isRetry = (error: unknown): boolean => error instanceof KeyhaulError && error.code === 'KEYHAUL_RETRY'

function isRefusal(error: unknown): boolean {
  return error instanceof KeyhaulError && (error.code === 'KEYHAUL_MOVED' || error.code === 'KEYHAUL_RETRY')
}
