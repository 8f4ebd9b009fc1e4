// What a copy, a move or a repair would destroy, though each of them did only what it was told to.
import { KeyhaulError } from '../errors.js'
import type { JournalInfo } from '../inspect.js'
import { anyOverlap } from '../ranges.js'
import { BORN_KIND, BYTES, GATE_KIND, ownKey } from '../stores/level-feed-rows.js'
import type { ScanRange, Store } from '../stores/store.js'
import { hostInfoOf } from './arguments.js'
import { inspectIfAny, journalBeside, rangesOfJournal } from './journals.js'
import { markFile, unfinishedIn } from './marks.js'
import { shownStore } from './output.js'
import { shellWord } from './shell.js'
import type { OpenStore } from './stores.js'

type Role = 'source' | 'target'

/** What is about to be done to two stores. */
export interface Intent {
  readonly mode: JournalInfo['mode']
  /** A verify that makes the target equal. */
  readonly repair: boolean
  readonly pastGate: boolean
  readonly ranges: readonly ScanRange[]
}

/**
 * A repair deletes what only its target holds: after a move that is not at its end, or left keys behind, the only copies; and
 * where the store that is said to be right is the target of a copy that is not at its end, what that has not reached yet.
 */
export function assertRepairable(source: string, target: string, { mode, repair, ranges }: Intent): void {
  if (mode !== 'verify' || !repair) return
  for (const store of [target, source]) {
    const journal = journalBeside(store)
    const info = inspectIfAny(journal)
    if (info?.resumable === true && isMoveWith(info, target) && overlap(info, ranges)) throw claimed(target, info, journal)
    for (const { mark, info } of unfinishedIn(store)) {
      if (mark.mode === 'copy' && store === target) continue
      if (info === undefined) throw claimedByMark(target, mark, markFile(store, mark.id))
      if (overlap(info, ranges)) throw claimed(target, info, mark.journal)
    }
  }
}

/** Of a live one the journal names the places of its stores. */
function isMoveWith(info: JournalInfo, target: string): boolean {
  const { from, to } = info.mode === 'live' ? hostInfoOf(info).places ?? info : info
  return (info.mode === 'move' || info.mode === 'live') && (from === target || to === target)
}

const overlap = (info: JournalInfo, ranges: readonly ScanRange[]): boolean => anyOverlap(rangesOfJournal(info), ranges)

function claimed(store: string, info: JournalInfo, journal: string): KeyhaulError {
  const what = `a ${info.mode === 'live' ? 'live move' : info.mode} from ${shownStore(info.from)} to ${shownStore(info.to)}`
  const risk = 'and a repair could delete the only copies of its keys'
  const left = info.receipt?.leftOnSource ?? 0
  const message = info.resumable
    ? `${what} is not at its end, ${risk}; first end it: keyhaul resume ${shellWord(journal)}${info.step === 'deleting' || info.mode === 'live' ? '' : `, or give it up: keyhaul cancel ${shellWord(journal)}`}`
    : `${what} left ${left === 1 ? 'a key' : `${left} keys`} on the source that had changed, ${risk}; first move what was left over what the target has of it: the same command with --into-nonempty${journal === journalBeside(info.to) ? '' : `, another --journal, and then rm keyhaul-${hostInfoOf(info).mark}.unfinished in both folders`}`
  return new KeyhaulError('KEYHAUL_RANGE_CLAIMED', { store, message })
}

function claimedByMark(store: string, { journal, from, to, mode }: { journal: string; from: string; to: string; mode: string }, file: string): KeyhaulError {
  return new KeyhaulError('KEYHAUL_RANGE_CLAIMED', {
    store,
    message: `a ${mode === 'copy' ? mode : 'move'} from ${shownStore(from)} to ${shownStore(to)} was begun with the journal ${journal}, which is not there; until it has ended a repair could delete the only copies of its keys: bring the journal back, or, where it is known to be over, rm ${shellWord(file)}`
  })
}

/** Whoever took the two the wrong way round would empty the one that is right. */
export async function assertNotEmptying(source: Store, target: Store, { mode, repair, ranges }: Intent): Promise<void> {
  if (mode !== 'verify' || !repair || !(await isEmpty(source, ranges)) || (await isEmpty(target, ranges))) return
  const message = `it holds no key in ${ranges.length === 1 ? 'the range' : 'these ranges'}, and a repair would delete all that ${shownStore(target.name)} holds there; the store that is right comes first`
  throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: source.name, message })
}

export async function isEmpty(store: Store, ranges: readonly ScanRange[]): Promise<boolean> {
  for (const range of ranges) if ((await store.scan(range, { maxEntries: 1, maxBytes: 1 })).entries.length > 0) return false
  return true
}

/** A database with a gate has its record in it, and whoever follows its changes is told only of those that pass the gate. */
export async function assertChangeable({ store, db }: OpenStore, role: Role, { mode, repair, pastGate }: Intent): Promise<void> {
  const changes = mode === 'move' || (role === 'target' && (mode === 'copy' || repair))
  if (!changes || pastGate || !(await hasGate(db))) return
  throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
    store: store.name,
    message: `it has the gate of a service or of a live move, past which a ${mode === 'verify' ? 'repair' : mode} would change its keys: a service and a live move would not know; move such keys with keyhaul move --live, or add --past-gate where nobody uses that gate any more, or it is meant`
  })
}

/** Of the database, or of a sublevel of it. */
async function hasGate(db: OpenStore['db']): Promise<boolean> {
  for (const kind of [GATE_KIND, BORN_KIND]) {
    const iterator = db.iterator({ ...BYTES, gte: ownKey(kind), lt: ownKey(kind + 1), values: false })
    try {
      if ((await iterator.nextv(1)).length > 0) return true
    } finally {
      await iterator.close()
    }
  }
  return false
}
