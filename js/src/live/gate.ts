import { bytesOf, idOrThrow, staged, textOf } from '../engine/handle.js'
import { own, type Owned, restage } from '../engine/owned.js'
import { getLiveModule } from './load.js'
import { errorCodeOf, KeyhaulError } from '../errors.js'
import { notBytes } from '../stores/level-errors.js'
import type { ScanRange } from '../stores/store.js'
import { Packer } from './pack.js'

/** A gate of the core (core/include/keyhaul/gate.h). Refusals are thrown as KEYHAUL_RETRY and KEYHAUL_MOVED. */
export class Gate {
  private readonly module = getLiveModule()
  private readonly handle: number
  private readonly owned: Owned
  /** Memory that keys are put in, kept from call to call. */
  private stage = 0
  private stageBytes = 0

  constructor(
    record: Uint8Array | undefined,
    private readonly store: string
  ) {
    const bytes = record ?? new Uint8Array(0)
    this.handle = staged(this.module, bytes, (address) => idOrThrow(this.module.gateRestore(address, bytes.length), { store }))
    this.owned = own(this, this.module, this.module.gateDestroy, this.handle)
  }

  /** What to pass to landed(). */
  admitWrite(keys: readonly Uint8Array[]): number {
    const result = this.module.gateAdmitWrite(this.handle, this.put(keys), keys.length)
    if (result < 0) throw this.refusal(result, keys[0])
    return result
  }

  admitRead(keys: readonly Uint8Array[]): void {
    const result = this.module.gateAdmitRead(this.handle, this.put(keys), keys.length)
    if (result < 0) throw this.refusal(result, keys[0])
  }

  /** Whether it would be refused with KEYHAUL_RETRY now: later it may not be, or belong to another store. */
  isRefusing(key: Uint8Array, kind: 'read' | 'write'): boolean {
    return this.module.gateRetries(this.handle, this.put([key]), kind === 'write' ? 1 : 0) !== 0
  }

  /** The part of a range, from its start, that may be read; not empty. */
  readable(range: ScanRange): ScanRange {
    const result = this.call(new Packer().range(range).bytes(), (address) => this.module.gateReadable(this.handle, address))
    if (result < 0) throw this.refusal(result, range.gte)
    return result === 0 ? range : { gte: range.gte, lt: bytesOf(this.module) }
  }

  landed(ticket: number, applied: boolean): void {
    this.module.gateLanded(this.handle, ticket, applied ? 1 : 0)
  }

  admitApply(claim: Uint8Array, coordEpoch: number, span: ScanRange): number {
    const bytes = new Packer().raw(claim).number(coordEpoch).range(span).bytes()
    return this.checked(this.call(bytes, (address) => this.module.gateAdmitApply(this.handle, address)))
  }

  admitCleanUp(epoch: number, span: ScanRange): number {
    const bytes = new Packer().number(epoch).range(span).bytes()
    return this.checked(this.call(bytes, (address) => this.module.gateAdmitCleanUp(this.handle, address)))
  }

  /** `call` is what packCall() made. */
  change(call: Uint8Array): void {
    this.checked(this.call(call, (address) => this.module.gateChange(this.handle, address)))
  }

  encodeAfter(call: Uint8Array): Uint8Array {
    this.checked(this.call(call, (address) => this.module.gateEncodeAfter(this.handle, address)))
    return bytesOf(this.module)
  }

  encode(): Uint8Array {
    this.module.gateEncode(this.handle)
    return bytesOf(this.module)
  }

  /** Its store holds nothing any more, and no record of it. */
  emptied(): void {
    this.module.gateEmptied(this.handle)
  }

  quiet(call: Uint8Array): boolean {
    return this.call(call, (address) => this.module.gateQuiet(this.handle, address)) !== 0
  }

  private call(bytes: Uint8Array, use: (address: number) => number): number {
    return staged(this.module, bytes, use)
  }

  private checked(result: number): number {
    return idOrThrow(result, { store: this.store })
  }

  private refusal(result: number, key: Uint8Array | undefined): KeyhaulError {
    const owner = textOf(this.module)
    // Of a store that was never given any, most likely.
    const nobody = result !== -RETRY && owner === '' ? { message: 'it does not own this key, and does not know who does; assignRange() gives a store its keys' } : {}
    return new KeyhaulError(errorCodeOf(-result), {
      ...nobody,
      store: this.store,
      key,
      owner: result === -RETRY || owner === '' ? undefined : owner,
      epoch: this.module.gateEpoch()
    })
  }

  private put(keys: readonly Uint8Array[]): number {
    let size = 0
    for (const key of keys) {
      if (!(key instanceof Uint8Array)) throw notBytes(this.store)
      size += 4 + key.length
    }
    if (size > this.stageBytes) {
      this.stageBytes = 2 * size
      this.stage = restage(this.owned, this.stageBytes)
      if (this.stage === 0) {
        this.stageBytes = 0
        throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `${size} bytes of keys do not fit into the module's memory` })
      }
    }
    const { buffer } = this.module.memory
    const words = new DataView(buffer)
    const memory = new Uint8Array(buffer)
    let at = this.stage
    for (const key of keys) {
      words.setUint32(at, key.length, true)
      memory.set(key, at + 4)
      at += 4 + key.length
    }
    return this.stage
  }
}

/** ErrorCode::kRetry. */
const RETRY = 86
