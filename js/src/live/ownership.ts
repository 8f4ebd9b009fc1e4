import { bytesOf, idOrThrow, staged, textOf } from '../engine/handle.js'
import { getLiveModule } from './load.js'
import { KeyhaulError } from '../errors.js'
import { type RangesInput, toScanRanges } from '../ranges.js'
import type { Register } from '../register/register.js'
import { compareBytes, fromHex, inRange } from '../stores/bytes.js'
import type { ScanRange, Store } from '../stores/store.js'
import { Packer } from './pack.js'
import { gapsIn, within } from './spans.js'

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
  /** In key order, disjoint. */
  readonly ranges: readonly ScanRange[]
}

/** The ownership document, read. */
export class Ownership {
  /** In key order, disjoint; keys between them belong to nobody. */
  readonly parts: readonly OwnedRange[]
  readonly claims: readonly ClaimInfo[]

  /** Throws KEYHAUL_REGISTER_CORRUPT. */
  constructor(document: Uint8Array) {
    const module = getLiveModule()
    const text = staged(module, document, (address) => {
      idOrThrow(module.ownershipJson(address, document.length))
      return textOf(module)
    })
    const read = JSON.parse(text) as { parts: [string, string | null, string, number][]; claims: [string, string, string, ClaimInfo['state'], [string, string | null][]][] }
    const range = (gte: string, lt: string | null): { gte: Uint8Array; lt: Uint8Array | undefined } => ({ gte: fromHex(gte), lt: lt === null ? undefined : fromHex(lt) })
    this.parts = read.parts.map(([gte, lt, owner, epoch]) => ({ ...range(gte, lt), owner, epoch }))
    this.claims = read.claims.map(([id, from, to, state, ranges]) => ({ id, from, to, state, ranges: ranges.map(([gte, lt]) => range(gte, lt)) }))
  }

  find(key: Uint8Array): OwnedRange | undefined {
    const part = this.parts[this.firstAbove(key)]
    return part !== undefined && inRange(key, part) ? part : undefined
  }

  /** The part that holds the key, or else the next one. */
  from(key: Uint8Array): OwnedRange | undefined {
    return this.parts[this.firstAbove(key)]
  }

  /** The last part that has a key below this one; without one, the last of all. */
  before(key: Uint8Array | undefined): OwnedRange | undefined {
    if (key === undefined) return this.parts[this.parts.length - 1]
    let at = this.firstAbove(key)
    if (at === this.parts.length || compareBytes((this.parts[at] as OwnedRange).gte, key) >= 0) at--
    return this.parts[at]
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
 * Gives the keys of the ranges (default: all) that nobody owns to a gated store, in the register
 * and at its gate. What has an owner stays with it, so a service may call it at each start.
 */
export async function assignRange(options: {
  readonly register: Register
  readonly store: Store
  readonly ranges?: RangesInput | undefined
  /** The store has no gate, its writers are stopped by hand (level 2): then only the register is told. */
  readonly ungated?: boolean
}): Promise<void> {
  const { register, store } = options
  const gate = options.ungated === true ? { change: async () => {} } : store.mover?.gate
  if (gate === undefined) throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: store.name, message: 'it has no gate; wrap it with gatedStore()' })
  for (const range of toScanRanges(options.ranges)) {
    const fresh = await inRegister(register, store.name, range)
    // Also what an earlier process gave it that died before its gate knew.
    for (const part of within((await readOwnership(register)).parts, range)) {
      if (part.owner !== store.name || part.epoch !== 1) continue
      const call = { verb: 'assign', claim: new Uint8Array(16), coordEpoch: 0, epoch: 1, target: '', ranges: [part] } as const
      await gate.change(call).catch((error: unknown) => {
        // It knows already, and a migration is at work there.
        const isKnown = error instanceof KeyhaulError && (error.code === 'KEYHAUL_NOT_OWNER' || error.code === 'KEYHAUL_SUPERSEDED')
        if (fresh || !isKnown) throw error
      })
    }
  }
}

/** True when it had to be written. */
async function inRegister(register: Register, owner: string, range: ScanRange): Promise<boolean> {
  const module = getLiveModule()
  let state = await register.read()
  for (;;) {
    const gaps = gapsIn(within(new Ownership(state.document).parts, range), range)
    if (gaps.length === 0) return false
    let { document } = state
    for (const gap of gaps) {
      const request = new Packer().sized(document).text(owner).range(gap).bytes()
      document = staged(module, request, (address) => {
        idOrThrow(module.ownershipAssign(address), { store: owner, key: gap.gte })
        return bytesOf(module)
      })
    }
    const answer = await register.compareAndSet(state.version, document)
    if (answer.swapped) return true
    state = answer
  }
}
