import { KeyhaulError } from '../errors.js'
import { concatBytes, decodePosition, encodePosition } from '../stores/bytes.js'
import { fromLevel } from '../stores/level-errors.js'
import { BYTES, ownKey, REGISTER_KIND } from '../stores/level-feed-rows.js'
import type { LevelChainedBatch, LevelDatabase } from '../stores/level-types.js'
import { takeLease } from './lease.js'
import { LevelLeases } from './level-leases.js'
import { type Lease, type LeaseRequest, type Register, type RegisterState, Watchers } from './register.js'

export type { Lease, LeaseHolder, LeaseRequest, Register, RegisterState } from './register.js'

/** One a database: replacements wait for each other, whoever made the register object. */
interface Shared {
  tail: Promise<unknown>
  /** What stands in the database while it is open: its one process is this one, and writes it here only. */
  known?: RegisterState | undefined
  /** Grows when that ends to be so: what was asked for before is not known. */
  generation: number
  /** What its owner closed stays closed. */
  wasOpen: boolean
  readonly watchers: Watchers<RegisterState>
  /** From the first one on. */
  leases?: LevelLeases
}
const shared = new WeakMap<LevelDatabase, Shared>()

/**
 * A register in a LevelDB database, beside its data and in no scan of it. Each replacement is
 * synced. The database belongs to one process, and so does the register.
 */
export function levelRegister(db: LevelDatabase, options: { readonly name?: string } = {}): Register {
  const { prefix, db: parent } = db as { prefix?: unknown; db?: LevelDatabase }
  const root = typeof prefix === 'string' && prefix !== '' && parent !== undefined ? parent : db
  const location = (db as { location?: unknown }).location
  return new LevelRegister(root, options.name ?? (typeof location === 'string' ? `register:${location}` : 'register'))
}

class LevelRegister implements Register {
  readonly durable = true
  private readonly shared: Shared

  constructor(
    private readonly root: LevelDatabase,
    readonly name: string
  ) {
    this.shared = shared.get(root) ?? sharedOf(root)
    shared.set(root, this.shared)
  }

  read(): Promise<RegisterState> {
    return this.inTurn(() => this.look())
  }

  compareAndSet(version: number, document: Uint8Array): Promise<RegisterState & { swapped: boolean }> {
    return this.inTurn(async () => {
      const now = await this.look()
      if (now.version !== version) return { swapped: false, ...now }
      const next = { version: version + 1, document: document.slice() }
      const batch = this.root.batch() as LevelChainedBatch
      batch.put(ownKey(REGISTER_KIND), concatBytes([encodePosition(next.version), document]), BYTES)
      const { generation } = this.shared
      // Where the write fails, nobody knows what stands there.
      this.shared.known = undefined
      await batch.write({ sync: true })
      this.know(next, generation)
      this.shared.watchers.tell(copyOf(next))
      return { swapped: true, ...copyOf(next) }
    })
  }

  watch(listener: (state: RegisterState) => void): { close(): void } {
    return this.shared.watchers.add(listener)
  }

  lease(name: string, request: LeaseRequest): Promise<Lease> {
    this.shared.leases ??= new LevelLeases(this.root, (work) => this.inTurn(async () => {
      if (this.root.status !== 'open') await this.open()
      return work()
    }))
    return takeLease(this.shared.leases, name, request)
  }

  private async open(): Promise<void> {
    if (this.shared.wasOpen) throw new KeyhaulError('KEYHAUL_REGISTER_FAILED', { message: `the database of ${this.name} is closed` })
    await this.root.open()
  }

  private async look(): Promise<RegisterState> {
    const { shared } = this
    if (this.root.status !== 'open') await this.open()
    shared.wasOpen = true
    // A decision is waited for behind a fence: it is not to read first what is known.
    if (shared.known !== undefined) return copyOf(shared.known)
    const { generation } = shared
    const state = await this.stored()
    this.know(state, generation)
    return copyOf(state)
  }

  private know(state: RegisterState, generation: number): void {
    if (this.shared.generation === generation && this.root.status === 'open') this.shared.known = state
  }

  private async stored(): Promise<RegisterState> {
    const [bytes] = (await this.root.getMany([ownKey(REGISTER_KIND)], BYTES)) as (Uint8Array | undefined)[]
    if (bytes === undefined) return { version: 0, document: new Uint8Array(0) }
    const version = decodePosition(bytes.subarray(0, 8))
    if (version === undefined) throw new KeyhaulError('KEYHAUL_REGISTER_CORRUPT', { store: this.name })
    return { version, document: bytes.slice(8) }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.shared.tail.then(work, work).catch((error: unknown) => {
      if (error instanceof KeyhaulError) throw error
      throw new KeyhaulError('KEYHAUL_REGISTER_FAILED', { message: fromLevel(error, this.name).message, cause: error })
    })
    this.shared.tail = turn.catch(() => {})
    return turn
  }
}

function sharedOf(root: LevelDatabase): Shared {
  const made: Shared = { tail: Promise.resolve(), watchers: new Watchers(), generation: 0, wasOpen: false }
  for (const event of ['opening', 'closing', 'clear'] as const) {
    root.on(event, () => {
      made.generation++
      made.known = undefined
    })
  }
  root.on('open', () => {
    made.wasOpen = true
  })
  return made
}

const copyOf = ({ version, document }: RegisterState): RegisterState => ({ version, document: document.slice() })
