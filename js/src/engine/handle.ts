import type { LiveProgress } from '../migration.js'
import { errorCodeOf, type ErrorDetails, KeyhaulError } from '../errors.js'
import { refused } from '../given.js'
import { ConfigWord, ControlWord } from './layout.generated.js'
import type { WasmModule } from './module.js'
import { free, own, type Owned } from './owned.js'

/** How an engine is set up; names and units as in wasm/layout.def. */
export interface EngineConfig {
  slots: number
  sourceSlots: number
  targetSlots: number
  bytesPerSecond: number
  progressEveryMs: number
  checkpointEveryMs: number
  stallMs: number
  retriesMax: number
  verifyRoundsMax: number
  differencesMax: number
}

/** A migration as it stands. */
export interface View {
  state: string
  paused: boolean
  entries: number
  bytes: number
  totalEntries: number
  totalBytes: number
  bytesPerSecond: number
  /** Missing where unknown. */
  etaUs?: number
  caughtUp: boolean
  live?: LiveProgress
}

/** Why a plan was refused. */
export interface PlanProblem {
  first: number
  second: number
  missing: number
  field: string
  /** Bounds of the field, where it has some. */
  least: number
  most: number
}

export type Verb = Exclude<keyof typeof ControlWord, 'size'>

/** An engine of the module. */
export class EngineHandle {
  readonly #handle: number
  readonly #owned: Owned

  constructor(
    readonly module: WasmModule,
    config: EngineConfig
  ) {
    const words = new Uint32Array(ConfigWord.size)
    for (const [name, at] of Object.entries(ConfigWord)) {
      words[at] = Math.min(config[name as keyof EngineConfig] ?? 0, 0xffffffff)
    }
    words[ConfigWord.bytesPerSecondLow] = config.bytesPerSecond % 0x100000000
    words[ConfigWord.bytesPerSecondHigh] = config.bytesPerSecond / 0x100000000
    this.#handle = staged(module, new Uint8Array(words.buffer), (address) => module.engineCreate(address))
    if (this.#handle === 0) {
      throw refused('the engine refuses its options')
    }
    this.#owned = own(this, module, module.engineDestroy, this.#handle)
  }

  eventsAddress(): number {
    return this.module.eventsAddress(this.#handle)
  }
  readyAddress(): number {
    return this.module.readyAddress(this.#handle)
  }
  step(nowUs: number, eventCount: number): number {
    return this.module.step(this.#handle, nowUs, eventCount)
  }
  addNode(name: string): number {
    return staged(this.module, new TextEncoder().encode(name), (address, bytes) => this.module.addNode(this.#handle, address, bytes))
  }
  /** An id; or below zero an error, whose details are in `problem()`. */
  start(nowUs: number, plan: Uint8Array, source: number, target: number, journal: boolean): number {
    return staged(this.module, plan, (address, bytes) =>
      this.module.start(this.#handle, nowUs, address, bytes, source, target, journal ? 1 : 0)
    )
  }
  /** Of a plan that was refused; missing where it was refused for another reason. */
  problem(): Partial<PlanProblem> {
    const text = textOf(this.module)
    return text === '' ? {} : (JSON.parse(text) as PlanProblem)
  }
  resume(nowUs: number, journal: Uint8Array, source: number, target: number): number {
    return staged(this.module, journal, (address, bytes) =>
      this.module.resume(this.#handle, nowUs, address, bytes, source, target)
    )
  }
  control(verb: Verb, migration: number): number {
    return this.module.control(this.#handle, ControlWord[verb], migration)
  }
  setWallClock(nowUs: number, unixMs: number): void {
    this.module.setWallClock(this.#handle, nowUs, unixMs)
  }
  setRate(nowUs: number, migration: number, bytesPerSecond: number): number {
    return this.module.setRate(this.#handle, nowUs, migration, bytesPerSecond)
  }
  acquire(bytes: number): number {
    return this.module.acquire(this.#handle, bytes)
  }
  acquired(): number {
    return this.module.acquired(this.#handle)
  }
  release(buffer: number): void {
    this.module.release(this.#handle, buffer)
  }
  inspect(nowUs: number, migration: number): View {
    this.module.inspect(this.#handle, nowUs, migration)
    return JSON.parse(textOf(this.module)) as View
  }
  receipt(migration: number): string {
    this.module.receipt(this.#handle, migration)
    return textOf(this.module)
  }
  stats(): { staleCompletions: number; bufferBytes: number } {
    this.module.stats(this.#handle)
    return JSON.parse(textOf(this.module)) as ReturnType<EngineHandle['stats']>
  }
  delete(): void {
    free(this.#owned)
  }
}

/** Gives bytes to the module for one call. */
export function staged<T>(module: WasmModule, bytes: Uint8Array, use: (address: number, bytes: number) => T): T {
  const address = module.allocate(Math.max(bytes.length, 1))
  if (address === 0) {
    throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `${bytes.length} bytes do not fit into the engine's memory` })
  }
  try {
    new Uint8Array(module.memory.buffer).set(bytes, address)
    return use(address, bytes.length)
  } finally {
    module.deallocate(address)
  }
}

/** The text that the last call left. */
export function textOf(module: WasmModule): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(module))
}

/** The same where it is bytes. */
export function bytesOf(module: WasmModule): Uint8Array {
  const [address, bytes] = [module.textAddress(), module.textBytes()]
  return new Uint8Array(module.memory.buffer).slice(address, address + bytes)
}

/** The id, or a KeyhaulError thrown. */
export function idOrThrow(result: number, about: ErrorDetails = {}): number {
  if (result < 0) throw new KeyhaulError(errorCodeOf(-result), about)
  return result
}
