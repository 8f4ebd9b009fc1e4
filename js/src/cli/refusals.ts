// What a copy, a move or a repair would destroy, though each of them did only what it was told to.
import { KeyhaulError } from '../errors.js'
import type { JournalInfo } from '../inspect.js'
import type { ScanRange, Store } from '../stores/store.js'
import { hostInfoOf } from './arguments.js'
import { inspectIfAny, journalBeside } from './journals.js'
import { markFile, unfinishedMoves } from './marks.js'
import { shownStore } from './output.js'
import { shellWord } from './shell.js'

/** A repair deletes what only the target holds: after a move that is not at its end, the only copies. */
export function assertMovesEnded(source: string, target: string): void {
  for (const store of [target, source]) {
    const journal = journalBeside(store)
    const info = inspectIfAny(journal)
    if (info?.resumable === true && isMoveWith(info, target)) throw claimed(target, info, journal)
    for (const { mark, info } of unfinishedMoves(store)) {
      if (info !== undefined) throw claimed(target, info, mark.journal)
      throw new KeyhaulError('KEYHAUL_RANGE_CLAIMED', {
        store: target,
        message: `a move from ${shownStore(mark.from)} to ${shownStore(mark.to)} was begun with the journal ${mark.journal}, which is not there; until it has ended a repair could delete the only copies: bring the journal back, or, where the move is known to be over, rm ${shellWord(markFile(store, mark.id))}`
      })
    }
  }
}

/** Of a live one the journal names the places of its stores. */
function isMoveWith(info: JournalInfo, target: string): boolean {
  const { from, to } = info.mode === 'live' ? hostInfoOf(info).places ?? info : info
  return (info.mode === 'move' || info.mode === 'live') && (from === target || to === target)
}

function claimed(store: string, { mode, from, to }: JournalInfo, journal: string): KeyhaulError {
  const message = `a ${mode === 'live' ? 'live move' : mode} from ${shownStore(from)} to ${shownStore(to)} is not at its end, and a repair could delete the only copies of what it moved; first end it: keyhaul resume ${shellWord(journal)}`
  return new KeyhaulError('KEYHAUL_RANGE_CLAIMED', { store, message })
}

/** Whoever took the two the wrong way round would empty the one that is right. */
export async function assertNotEmptying(source: Store, target: Store, ranges: readonly ScanRange[]): Promise<void> {
  if (!(await isEmpty(source, ranges)) || (await isEmpty(target, ranges))) return
  const message = `it holds no key in ${ranges.length === 1 ? 'the range' : 'these ranges'}, and a repair would delete all that ${shownStore(target.name)} holds there; the store that is right comes first`
  throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: source.name, message })
}

export async function isEmpty(store: Store, ranges: readonly ScanRange[]): Promise<boolean> {
  for (const range of ranges) if ((await store.scan(range, { maxEntries: 1, maxBytes: 1 })).entries.length > 0) return false
  return true
}

/** A store with a gate has its record in it, and whoever follows its changes is told only of those that pass the gate. */
export async function assertUngated(store: Store, what: string): Promise<void> {
  if ((await store.ownRecord?.read()) === undefined) return
  throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
    store: store.name,
    message: `it has the gate of a service or of a live move, past which a ${what} would change its keys: a service and a live move would not know; move such keys with keyhaul move --live, or add --past-gate where nobody uses that gate any more, or it is meant`
  })
}
