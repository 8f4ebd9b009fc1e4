import { KeyhaulError } from '../errors.js'
import { concatBytes, decodePosition, encodePosition } from '../stores/bytes.js'
import { fromLevel } from '../stores/level.js'
import { BYTES, ownKey, REGISTER_KIND } from '../stores/level-feed-rows.js'
import type { LevelChainedBatch, LevelDatabase } from '../stores/level-types.js'
import { type Register, type RegisterState, Watchers } from './register.js'

export type { Register, RegisterState } from './register.js'

/** One a database: replacements wait for each other, whoever made the register object. */
interface Shared {
  tail: Promise<unknown>
  /** What stands in the database while it is open: its one process is this one, and writes it here only. */
  known?: RegisterState | undefined
  readonly watchers: Watchers
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
    this.shared = shared.get(root) ?? { tail: Promise.resolve(), watchers: new Watchers() }
    if (!shared.has(root)) for (const event of ['closing', 'clear'] as const) root.on(event, () => (this.shared.known = undefined))
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
      this.shared.known = undefined
      await batch.write({ sync: true })
      this.shared.known = next
      this.shared.watchers.tell(next)
      return { swapped: true, ...next }
    })
  }

  watch(listener: (state: RegisterState) => void): { close(): void } {
    return this.shared.watchers.add(listener)
  }

  private async look(): Promise<RegisterState> {
    if (this.root.status !== 'open') await this.root.open()
    // A decision is waited for behind a fence: it is not to read first what is known.
    this.shared.known ??= await this.stored()
    const { document, version } = this.shared.known
    return { version, document: document.slice() }
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
