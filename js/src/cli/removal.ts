import type { JournalInfo } from '../inspect.js'
import { describeJournal } from '../journal/index.js'
import type { MigrationState } from '../progress.js'

/** How far a migration is that takes entries off a store, as far as its journal knows: no more than was done. */
export interface Removal {
  /** The source, or, where the copy is taken back or the range has gone back, the target. */
  readonly removedFrom: 'source' | 'target'
  readonly removedEntries: number
  /** Looked at and left on the source, as they had changed. */
  readonly leftEntries: number
  /** Of so many; nobody knows where clients write meanwhile, or what a copy that was killed had written. */
  readonly totalEntries: number | undefined
}

interface Record {
  readonly record: string
  readonly state?: MigrationState
  readonly entries?: number
  readonly left?: number
  readonly turned?: boolean
  readonly source?: { readonly entries: number }
}

const REMOVES: ReadonlySet<MigrationState> = new Set(['deleting', 'cleaning', 'discarding'])

/**
 * What a journal says of the store that is worked on: how far a removal is (nothing where it is about something else), and
 * whether the target owns the range, so that what its steps call the target is the source.
 */
export function standOf(info: JournalInfo, bytes: Uint8Array): { removal: Removal | undefined; isTurned: boolean } {
  const isRemoving = info.resumable && REMOVES.has(info.step)
  if (!isRemoving && info.live === undefined) return { removal: undefined, isTurned: false }
  const { isTurned, removedEntries, leftEntries, verified } = folded(bytes)
  if (!isRemoving) return { removal: undefined, isTurned }
  const totalEntries = info.step === 'deleting' ? verified : undefined
  return { removal: { removedFrom: (info.step === 'discarding') === isTurned ? 'source' : 'target', removedEntries, leftEntries, totalEntries }, isTurned }
}

function folded(bytes: Uint8Array): { isTurned: boolean; removedEntries: number; leftEntries: number; verified: number | undefined } {
  let [removedEntries, leftEntries] = [0, 0]
  let phase: MigrationState | undefined
  let verified: number | undefined
  let isTurned = false
  for (const line of describeJournal(bytes).trimEnd().split('\n')) {
    const { record, state, entries = 0, left = 0, source, turned } = JSON.parse(line) as Record
    isTurned ||= turned === true
    if (record === 'verified') verified = source?.entries
    if (record === 'phase') {
      // A resume says the same one again, and goes on with it.
      if (state !== phase) removedEntries = leftEntries = 0
      // Once the register has it, it goes on from there.
      isTurned ||= phase === 'turning' && state === 'staging'
      phase = state
    } else if (record === 'deleted') {
      removedEntries += entries
      leftEntries += left
    }
  }
  return { isTurned, removedEntries, leftEntries, verified }
}
