import { bytesOf, idOrThrow, staged, textOf } from '../engine/handle.js'
import { getModule } from '../engine/load.js'
import { KeyhaulError } from '../errors.js'
import { type RangeInput, toScanRanges } from '../ranges.js'
import type { Register } from '../register/register.js'
import { compareBytes, inRange } from '../stores/bytes.js'
import type { ScanRange, Store } from '../stores/store.js'
import { Packer } from './pack.js'

/** A range and whom it belongs to. */
export interface OwnedRange extends ScanRange {
  readonly gte: Uint8Array
  readonly owner: string
  readonly epoch: number
}

/** A migration that has not been closed yet. */
export interface ClaimInfo {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly state: 'claimed' | 'decided' | 'aborted'
}

/** The ownership document, read. */
export class Ownership {
  /** In key order, disjoint; keys between them belong to nobody. */
  readonly parts: readonly OwnedRange[]
  readonly claims: readonly ClaimInfo[]

  /** Throws KEYHAUL_REGISTER_CORRUPT. */
  constructor(document: Uint8Array) {
    const module = getModule()
    const text = staged(module, document, (address) => {
      idOrThrow(module.ownershipJson(address, document.length))
      return textOf(module)
    })
    const read = JSON.parse(text) as { parts: [string, string | null, string, number][]; claims: [string, string, string, ClaimInfo['state']][] }
    this.parts = read.parts.map(([gte, lt, owner, epoch]) => ({ gte: unhex(gte), lt: lt === null ? undefined : unhex(lt), owner, epoch }))
    this.claims = read.claims.map(([id, from, to, state]) => ({ id, from, to, state }))
  }

  find(key: Uint8Array): OwnedRange | undefined {
    const part = this.parts[this.firstAbove(key)]
    return part !== undefined && inRange(key, part) ? part : undefined
  }

  /** The part that holds the key, or else the next one. */
  from(key: Uint8Array): OwnedRange | undefined {
    return this.parts[this.firstAbove(key)]
  }

  private firstAbove(key: Uint8Array): number {
    let [low, high] = [0, this.parts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const { lt } = this.parts[middle] as OwnedRange
      if (lt !== undefined && compareBytes(lt, key) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

export async function readOwnership(register: Register): Promise<Ownership> {
  return new Ownership((await register.read()).document)
}

/**
 * Gives ranges that nobody owns (default: everything) to a gated store, in the register and at
 * its gate. Repeating it is fine, also after a crash in the middle. Throws KEYHAUL_NOT_OWNER
 * where another store owns part of them.
 */
export async function assignRange(options: { readonly register: Register; readonly store: Store; readonly ranges?: readonly RangeInput[] }): Promise<void> {
  const { register, store } = options
  const gate = store.mover?.gate
  if (gate === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it has no gate; wrap it with gatedStore()' })
  for (const range of toScanRanges(options.ranges)) {
    const epoch = await inRegister(register, store.name, range)
    if (epoch !== 1) continue // it was moved here, so its gate knows of it
    await gate.change({ verb: 'assign', claim: new Uint8Array(16), coordEpoch: 0, epoch, target: '', ranges: [range] })
  }
}

async function inRegister(register: Register, owner: string, range: ScanRange): Promise<number> {
  let state = await register.read()
  for (;;) {
    const part = new Ownership(state.document).find(range.gte ?? new Uint8Array(0))
    const holds = part?.owner === owner && (part.lt === undefined || (range.lt !== undefined && compareBytes(range.lt, part.lt) <= 0))
    if (part !== undefined && holds) return part.epoch
    const module = getModule()
    const request = new Packer().sized(state.document).text(owner).range(range).bytes()
    const next = staged(module, request, (address) => {
      idOrThrow(module.ownershipAssign(address), { store: owner, key: range.gte })
      return bytesOf(module)
    })
    const answer = await register.compareAndSet(state.version, next)
    if (answer.swapped) return 1
    state = answer
  }
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
