/// <reference lib="esnext.disposable" preserve="true" />
import { crc32, crc32c } from './checksum/shared.js'
import { getModule } from './engine/load.js'
import { free, own, type Owned, restage } from './engine/owned.js'
import { errorCodeOf, KeyhaulError } from './errors.js'
import { refused } from './given.js'
import { compareBytes, concatBytes, putBytes, toBytes } from './stores/bytes.js'

export type Bytes = string | Uint8Array

/** Which inclusive key ranges move, from which node to which. Throws KEYHAUL_INVALID_RANGE. */
export class MigrationPlan {
  readonly keyRanges: readonly (readonly [start: Bytes, end: Bytes])[]

  constructor(
    readonly source: string,
    readonly target: string,
    keyRanges: readonly (readonly [start: Bytes, end: Bytes])[],
    /** 0 to 255; higher goes first. */
    readonly priority = 128
  ) {
    if (!Number.isInteger(priority) || priority < 0 || priority > 255) {
      throw refused(`priority is ${priority}; it must be 0 to 255`)
    }
    for (const [start, end] of keyRanges) {
      if (compareBytes(toBytes(start), toBytes(end)) > 0) throw new KeyhaulError('KEYHAUL_INVALID_RANGE', { key: start })
    }
    this.keyRanges = keyRanges.map(([start, end]) => [start, end])
  }
}

export type ChunkChecksum = 'crc32' | 'crc32c'

/** One key and its value on the way, with the checksum of the value. */
export class DataChunk {
  checksum: number
  /** Chunks with a number may be sent again: a repeat is acknowledged, not counted. */
  readonly sequence: number | undefined
  readonly #kind: ChunkChecksum

  constructor(
    readonly key: Bytes,
    readonly value: Bytes,
    options: { readonly sequence?: number; readonly checksum?: ChunkChecksum } = {}
  ) {
    this.#kind = options.checksum ?? 'crc32'
    this.sequence = options.sequence
    this.checksum = this.#compute()
  }

  isValid(): boolean {
    return this.#compute() === this.checksum
  }

  #compute(): number {
    return this.#kind === 'crc32' ? crc32(this.value) : crc32c(this.value)
  }
}

export type MigrationStatus =
  | { readonly state: 'pending' }
  | { readonly state: 'inProgress'; readonly transferred: number; readonly total: number }
  | { readonly state: 'completed' }
  | { readonly state: 'failed'; readonly reason: string }

export interface MigrationStats {
  readonly id: string
  /** Value bytes. */
  readonly bytesTransferred: number
  readonly chunksTransferred: number
  readonly durationMs: number
}

export interface DataMigratorOptions {
  /** Migrations in progress at once; 0 (default) is no limit. The others wait by priority. */
  readonly slots?: number
  /** Ended migrations kept before the oldest is forgotten. Default 10,000. */
  readonly retained?: number
  /** What the chunks carry. Default `crc32`. */
  readonly checksum?: ChunkChecksum
}

/** Checks and counts the chunks of migrations whose data the caller carries himself. */
export class DataMigrator {
  #owned: Owned | undefined
  readonly #module = getModule()
  #stage = 0
  #stageBytes = 0
  /** Of the stage; memory that has grown empties them. */
  #bytes = new Uint8Array(0)
  #words = new Uint32Array(0)
  /** Of the last transfer: mostly of the next one too. */
  #id = ''
  #number = 0

  constructor(options: DataMigratorOptions = {}) {
    const kind = options.checksum === 'crc32c' ? 2 : 1
    const module = this.#module
    this.#owned = own(this, module, module.migratorDestroy, module.migratorCreate(options.slots ?? 0, options.retained ?? 10_000, kind))
  }

  /** A plan of priority 128. Throws KEYHAUL_INVALID_RANGE where a range starts after it ends. */
  createPlan(source: string, target: string, ranges: readonly (readonly [start: Bytes, end: Bytes])[]): MigrationPlan {
    return new MigrationPlan(source, target, ranges)
  }

  /** Gives `mig-1`, `mig-2`, …. `expectedTotal` is in chunks. */
  startMigration(plan: MigrationPlan, options: { readonly expectedTotal?: number } = {}): string {
    const handle = this.#open()
    const parts = plan.keyRanges.flatMap(([start, end]) => {
      const [a, b] = [toBytes(start), toBytes(end)]
      return [new Uint8Array(Uint32Array.of(a.length, b.length).buffer), a, b]
    })
    const packed = concatBytes(parts)
    this.#reserve(packed.length)
    new Uint8Array(this.#module.memory.buffer).set(packed, this.#stage)
    const number = this.#module.migratorStart(handle, this.#stage, plan.keyRanges.length, plan.priority, options.expectedTotal ?? 0, nowUs())
    if (number < 0) throw new KeyhaulError(errorCodeOf(-number))
    return `mig-${number}`
  }

  /** Nothing for an unknown id. */
  getStatus(id: string): MigrationStatus | undefined {
    const handle = this.#open()
    switch (this.#module.migratorState(handle, numberOf(id))) {
      case 1:
        return { state: 'pending' }
      case 2:
        return { state: 'inProgress', transferred: this.#module.migratorFigure(handle, 3), total: this.#module.migratorFigure(handle, 4) }
      case 3:
        return { state: 'completed' }
      case 4:
        return { state: 'failed', reason: 'Cancelled' }
    }
    return undefined
  }

  /**
   * Counts a chunk. Throws, in this order: KEYHAUL_NOT_FOUND, KEYHAUL_ALREADY_COMPLETE,
   * KEYHAUL_LIMIT_EXCEEDED (it waits for a slot), KEYHAUL_CHECKSUM_MISMATCH,
   * KEYHAUL_KEY_OUT_OF_RANGE. A refused chunk changes nothing.
   */
  transferChunk(id: string, chunk: DataChunk): void {
    this.transferChunks(id, [chunk])
  }

  /**
   * Counts chunks in their order, many in one call of the module. Throws as `transferChunk` for
   * the first that is refused, whose `key` it names; those before it have been counted.
   */
  transferChunks(id: string, chunks: readonly DataChunk[]): void {
    const handle = this.#open()
    if (id !== this.#id) {
      this.#number = numberOf(id)
      this.#id = id
    }
    for (let from = 0; from < chunks.length; ) {
      const to = this.#stageChunks(chunks, from)
      const taken = from + this.#module.migratorTransfer(handle, this.#number, this.#stage, to - from)
      if (taken < to) throw new KeyhaulError(errorCodeOf(this.#module.migratorFigure(handle, 5)), { key: chunks[taken]?.key, migration: id })
      from = to
    }
  }

  /** Puts chunks from that one on into linear memory, as wasm/bindings/migrator.cc reads them; where it stopped. */
  #stageChunks(chunks: readonly DataChunk[], from: number): number {
    const first = chunks[from] as DataChunk
    this.#reserve(Math.max(BATCH_BYTES, HEADER_BYTES + 3 * (first.key.length + first.value.length)))
    if (this.#bytes.length !== this.#stageBytes) {
      const { buffer } = this.#module.memory
      this.#bytes = new Uint8Array(buffer, this.#stage, this.#stageBytes)
      this.#words = new Uint32Array(buffer, this.#stage, this.#stageBytes >>> 2)
    }
    const [bytes, words] = [this.#bytes, this.#words]
    let at = 0
    let i = from
    for (; i < chunks.length; i++) {
      const { key, value, checksum, sequence } = chunks[i] as DataChunk
      const keyBytes = toBytes(key)
      const valueBytes = toBytes(value)
      const end = at + HEADER_BYTES + keyBytes.length + valueBytes.length
      if (end > bytes.length) break
      const word = at >>> 2
      words[word] = keyBytes.length
      words[word + 1] = valueBytes.length
      words[word + 2] = checksum
      words[word + 3] = sequence ?? -1
      words[word + 4] = (sequence ?? -0x100000000) / 0x100000000
      putBytes(bytes, valueBytes, putBytes(bytes, keyBytes, at + HEADER_BYTES))
      at = (end + 3) & ~3
    }
    return i
  }

  /** Throws KEYHAUL_NOT_FOUND, KEYHAUL_ALREADY_COMPLETE. */
  completeMigration(id: string): MigrationStats {
    const handle = this.#open()
    assertOk(this.#module.migratorComplete(handle, numberOf(id), nowUs()), id)
    return { id, bytesTransferred: this.#module.migratorFigure(handle, 0), chunksTransferred: this.#module.migratorFigure(handle, 1), durationMs: this.#module.migratorFigure(handle, 2) }
  }

  /** Throws KEYHAUL_NOT_FOUND, KEYHAUL_ALREADY_COMPLETE. */
  cancelMigration(id: string): void {
    assertOk(this.#module.migratorCancel(this.#open(), numberOf(id), nowUs()), id)
  }

  /** Frees an ended migration. Throws KEYHAUL_NOT_FOUND, KEYHAUL_UNSUPPORTED while it runs. */
  forget(id: string): void {
    assertOk(this.#module.migratorForget(this.#open(), numberOf(id)), id)
  }

  /** Frees its memory; idempotent. Every other call throws KEYHAUL_CLOSED afterwards. */
  close(): void {
    if (this.#owned === undefined) return
    free(this.#owned)
    this.#owned = undefined
  }
  [Symbol.dispose](): void {
    this.close()
  }

  #open(): number {
    if (this.#owned === undefined) throw new KeyhaulError('KEYHAUL_CLOSED')
    return this.#owned.handle
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#stageBytes) return
    this.#bytes = new Uint8Array(0)
    this.#stageBytes = Math.max(4096, bytes)
    this.#stage = restage(this.#owned as Owned, this.#stageBytes)
    if (this.#stage !== 0) return
    this.#stageBytes = 0
    throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `${bytes} bytes do not fit into the module's memory` })
  }
}

/** Of a chunk in linear memory, and of the memory that chunks share. */
const HEADER_BYTES = 20
const BATCH_BYTES = 65_536

const nowUs = (): number => Math.floor(performance.now() * 1000)

/** 0, which no migration has, for what is no id. */
function numberOf(id: string): number {
  return /^mig-[1-9]\d{0,14}$/.test(id) ? Number(id.slice(4)) : 0
}

function assertOk(code: number, id: string): void {
  if (code !== 0) throw new KeyhaulError(errorCodeOf(code), { migration: id })
}
