import type { LiveRun } from '../engine/live.js'
import type { ErrorDetails, KeyhaulErrorCode } from '../errors.js'
import { toHex } from '../stores/bytes.js'
import type { ScanRange } from '../stores/store.js'
import { Ownership } from './ownership.js'
import { gapsIn, within } from './spans.js'

/** What the register said that refused a migration: whose the keys are, or whose claim holds them. Nothing for another refusal. */
export function refusalOf(code: KeyhaulErrorCode, { seen, source, claim }: LiveRun, ranges: readonly ScanRange[]): ErrorDetails | undefined {
  if (seen === undefined || (code !== 'KEYHAUL_NOT_OWNER' && code !== 'KEYHAUL_RANGE_CLAIMED')) return undefined
  const ownership = new Ownership(seen)
  for (const range of ranges) {
    const found = code === 'KEYHAUL_NOT_OWNER' ? otherOwner(ownership, source, range) : otherClaim(ownership, toHex(claim), range)
    if (found !== undefined) return { store: source, ...found }
  }
  return undefined
}

/** The empty key is not shown: it is where everything begins. */
const at = (key: Uint8Array): Pick<ErrorDetails, 'key'> => (key.length === 0 ? {} : { key })
const from = (key: Uint8Array): string => (key.length === 0 ? 'the first key' : 'this key')

function otherOwner({ parts }: Ownership, source: string, range: ScanRange): ErrorDetails | undefined {
  const held = within(parts, range)
  const other = held.find(({ owner }) => owner !== source)
  if (other !== undefined) {
    const { gte, owner, epoch } = other
    return { ...at(gte), owner, epoch, message: `it does not own the keys from ${from(gte)} on, ${owner} does (epoch ${epoch}); move them from ${owner}, or leave them out of the ranges` }
  }
  const gap = gapsIn(held, range)[0]
  return gap && { ...at(gap.gte), message: `nobody owns the keys from ${from(gap.gte)} on; give them to a store with assignRange(), or leave them out of the ranges` }
}

function otherClaim({ claims }: Ownership, own: string, range: ScanRange): ErrorDetails | undefined {
  for (const { id, from: source, to, state, ranges } of claims) {
    const shared = id === own ? undefined : within(ranges, range)[0]
    if (shared === undefined) continue
    return { ...at(shared.gte), migration: id, message: `this claim of another migration, from ${source} to ${to} (${state}), holds the keys from ${from(shared.gte)} on; wait for its end, or resume or cancel it; where its journal is lost, end it with endClaim() or keyhaul cancel --register` }
  }
  return undefined
}
