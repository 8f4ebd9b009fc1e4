/// <reference lib="esnext.disposable" preserve="true" />
import { crc32, crc32c } from './checksum/shared.js'
import { staged } from './engine/handle.js'
import { getModule } from './engine/load.js'
import { free, own, type Owned, restage } from './engine/owned.js'
import { errorCodeOf, KeyhaulError } from './errors.js'
import { refused } from './given.js'
import { compareBytes, concatBytes, LOOP_BYTES, putBytes, toBytes } from './stores/bytes.js'

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
  /** Of the stage; memory that has grown empties them, and then there is another stage. */
  #bytes: Uint8Array | undefined
  #words: Uint32Array | undefined
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
    const number = staged(this.#module, concatBytes(parts), (address) =>
      this.#module.migratorStart(handle, address, plan.keyRanges.length, plan.priority, options.expectedTotal ?? 0, nowUs())
    )
    if (number < 0) throw new KeyhaulError(errorCodeOf(-number))
    return `mig-${number}`
  }

  /** Nothing for an unknown id. */
  getStatus(id: string): MigrationStatus | undefined {
    switch (this.#module.migratorState(this.#open(), numberOf(id))) {
      case 1:
        return { state: 'pending' }
      case 2:
        return { state: 'inProgress', transferred: this.#figure(3), total: this.#figure(4) }
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
    for (let taken = 0; taken < chunks.length; ) {
      const to = this.#stageChunks(chunks, taken)
      taken += this.#module.migratorTransfer(handle, this.#number, this.#stage, to - taken)
      if (taken < to) throw new KeyhaulError(errorCodeOf(this.#figure(5)), { key: chunks[taken]?.key, migration: id })
    }
  }

  /**
   * Puts chunks from that one on into linear memory, as wasm/bindings/migrator.cc reads them; where it stopped. They share
   * 128 KiB: with less each takes longer where it comes from memory (bench/node/migrator.mjs).
   */
  #stageChunks(chunks: readonly DataChunk[], from: number, needed = 131_072): number {
    if (needed > (this.#bytes?.length ?? 0)) {
      this.#bytes = undefined
      this.#stage = restage(this.#owned as Owned, needed)
      if (this.#stage === 0) throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `${needed} bytes do not fit into the module's memory` })
      const { buffer } = this.#module.memory
      this.#bytes = new Uint8Array(buffer, this.#stage, needed)
      this.#words = new Uint32Array(buffer, this.#stage, needed >>> 2)
    }
    const bytes = this.#bytes as Uint8Array
    const words = this.#words as Uint32Array
    const { set } = bytes // V8 looks for it by name at each call
    let at = 0
    let i = from
    for (; i < chunks.length; i++) {
      const { key, value, checksum, sequence } = chunks[i] as DataChunk
      // Once V8 has read the length it knows what they are, and need not search their prototypes.
      const keyBytes = key.length >= 0 && key instanceof Uint8Array ? key : toBytes(key)
      const valueBytes = value.length >= 0 && value instanceof Uint8Array ? value : toBytes(value)
      const keyLength = keyBytes.length
      const valueLength = valueBytes.length
      let word = at >>> 2
      at += 20 // five words
      const end = at + keyLength + valueLength
      // One that does not fit by itself gets more room.
      if (end > bytes.length) return i > from ? i : this.#stageChunks(chunks, from, end)
      words[word++] = keyLength
      words[word++] = valueLength
      words[word++] = checksum
      words[word++] = sequence ?? -1
      words[word++] = sequence == null ? -1 : sequence / 0x100000000
      let j = 0
      if (keyLength > LOOP_BYTES) j = putBytes(bytes, keyBytes, at) - at
      // A word at a time, because V8 looks up anew where the bytes are after each write.
      while (j < keyLength - 3) {
        words[word++] = (keyBytes[j++] as number) | ((keyBytes[j++] as number) << 8) | ((keyBytes[j++] as number) << 16) | ((keyBytes[j++] as number) << 24)
      }
      while (j < keyLength) bytes[at + j] = keyBytes[j++] as number
      if (valueLength > LOOP_BYTES) set.call(bytes, valueBytes, at + keyLength)
      else putBytes(bytes, valueBytes, at + keyLength)
      at = (end + 3) & ~3
    }
    return i
  }

  /** Throws KEYHAUL_NOT_FOUND, KEYHAUL_ALREADY_COMPLETE. */
  completeMigration(id: string): MigrationStats {
    assertOk(this.#module.migratorComplete(this.#open(), numberOf(id), nowUs()), id)
    return { id, bytesTransferred: this.#figure(0), chunksTransferred: this.#figure(1), durationMs: this.#figure(2) }
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

  /** Of wasm/bindings/migrator.cc. */
  #figure(which: number): number {
    return this.#module.migratorFigure(this.#open(), which)
  }
}

const nowUs = (): number => Math.floor(performance.now() * 1000)

/** 0, which no migration has, for what is no id. */
function numberOf(id: string): number {
  return /^mig-[1-9]\d{0,14}$/.test(id) ? Number(id.slice(4)) : 0
}

function assertOk(code: number, id: string): void {
  if (code !== 0) throw new KeyhaulError(errorCodeOf(code), { migration: id })
}
