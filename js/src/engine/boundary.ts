import { KeyhaulError } from '../errors.js'
import { putBytes } from '../stores/bytes.js'
import { DELETED, FRAME_HEADER_BYTES, unpackPage } from '../stores/packed.js'
import type { TextRows } from '../stores/level-text.js'
import type { Entry, Write } from '../stores/store.js'
import type { Reading } from './fault.js'
import type { EngineHandle } from './handle.js'
import { EventWord } from './layout.generated.js'
import type { WasmModule } from './module.js'

export const EVENTS_MAX = 256

/** A completion on its way to the core; the names are those of layout.def. */
export interface CompletionEvent {
  kind: number
  op: number
  end?: boolean
  error?: number
  buffer?: number
  bytes?: number
  count?: number
  positionBytes?: number
  amount?: number
  /** Not for the core. */
  page?: Reading
}

export const EventKind = { page: 1, done: 2, failed: 3 } as const

/** Views of linear memory, and bytes in and out of it. */
export class Boundary {
  #u8: Uint8Array
  #u32: Uint32Array
  readonly #module: WasmModule
  readonly #engine: EngineHandle

  constructor(module: WasmModule, engine: EngineHandle) {
    this.#module = module
    this.#engine = engine
    this.#u8 = new Uint8Array(module.memory.buffer)
    this.#u32 = new Uint32Array(module.memory.buffer)
  }

  /** Any call into the module may grow its memory, and growth empties old views. */
  #refresh(): void {
    if (this.#u8.buffer === this.#module.memory.buffer) return
    this.#u8 = new Uint8Array(this.#module.memory.buffer)
    this.#u32 = new Uint32Array(this.#module.memory.buffer)
  }

  words(address: number, count: number): Uint32Array {
    this.#refresh()
    return this.#u32.slice(address >>> 2, (address >>> 2) + count)
  }

  copyOut(address: number, bytes: number): Uint8Array {
    this.#refresh()
    return this.#u8.slice(address, address + bytes)
  }

  writeEvents(events: readonly CompletionEvent[]): void {
    const base = this.#engine.eventsAddress() >>> 2
    this.#refresh()
    events.forEach((event, i) => {
      const at = base + i * EventWord.size
      const amount = event.amount ?? 0
      this.#u32[at + EventWord.kind] = event.kind
      this.#u32[at + EventWord.flags] = event.end ? 1 : 0
      this.#u32[at + EventWord.error] = event.error ?? 0
      this.#u32[at + EventWord.op] = event.op
      this.#u32[at + EventWord.payloadBuffer] = event.buffer ?? 0
      this.#u32[at + EventWord.payloadBytes] = event.bytes ?? 0
      this.#u32[at + EventWord.count] = event.count ?? 0
      this.#u32[at + EventWord.positionBytes] = event.positionBytes ?? 0
      this.#u32[at + EventWord.bytesLow] = amount % 0x100000000
      this.#u32[at + EventWord.bytesHigh] = Math.floor(amount / 0x100000000)
    })
  }

  #place(bytes: number, put: (address: number) => void): { buffer: number; bytes: number } {
    const address = bytes > 0xffffffff ? 0 : this.#engine.acquire(bytes)
    if (address === 0) {
      throw new KeyhaulError('KEYHAUL_SCAN_OVERSIZE', {
        message: `a page: ${bytes} bytes do not fit into the engine's memory; use smaller pages`
      })
    }
    this.#refresh()
    put(address)
    return { buffer: this.#engine.acquired(), bytes }
  }

  /** Bytes in a buffer of the engine's own. */
  copyIn(bytes: Uint8Array): { buffer: number; bytes: number } {
    if (bytes.length === 0) return { buffer: 0, bytes: 0 }
    return this.#place(bytes.length, (address) => this.#u8.set(bytes, address))
  }

  /** Packs a page as the body of a frame (core/src/wire/FORMAT.md), `tail` behind it. */
  pack(entries: TextRows | readonly (Entry | Write | undefined)[], tail?: Uint8Array): { buffer: number; bytes: number } {
    const table = entries.length * 8
    let size = FRAME_HEADER_BYTES + table + (tail?.length ?? 0)
    if ('put' in entries) {
      return this.#place(size + entries.bytes, (address) => entries.put(address + FRAME_HEADER_BYTES, this.#u8, this.#u32))
    }
    for (const entry of entries) {
      const key = entry?.[0]
      const value = entry?.[1]
      if (!(key instanceof Uint8Array) || (value !== undefined && !(value instanceof Uint8Array))) {
        throw new TypeError('the adapter did not return pairs of Uint8Arrays')
      }
      size += key.length + (value === undefined ? 0 : value.length)
    }
    return this.#place(size, (address) => {
      const [u8, u32] = [this.#u8, this.#u32]
      let row = (address + FRAME_HEADER_BYTES) >>> 2
      let at = address + FRAME_HEADER_BYTES + table
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i] as Entry | Write
        const key = entry[0]
        const value = entry[1]
        u32[row++] = key.length
        u32[row++] = value === undefined ? DELETED : value.length
        at = putBytes(u8, key, at)
        if (value !== undefined) at = putBytes(u8, value, at)
      }
      if (tail !== undefined) u8.set(tail, at)
    })
  }

  /** The entries of a sealed frame; each a view of one copy. */
  unpack(address: number, bytes: number): Write[] {
    return unpackPage(this.copyOut(address, bytes))
  }
}
