// What a copy, a move or a repair would destroy, though each of them did only what it was told to.
import { KeyhaulError } from '../errors.js'
import type { JournalInfo } from '../inspect.js'
import type { CopyFlags } from './arguments.js'
import { inspectFile, journalBeside } from './journals.js'
import { shownStore } from './output.js'
import { shellWord } from './shell.js'
import type { OpenStore } from './stores.js'

type Mode = 'copy' | 'move' | 'verify'

/** A repair deletes what only the target holds: after a move that is not at its end, the only copies. */
export function assertMoveEnded(source: string, target: string): void {
  for (const store of [target, source]) {
    const journal = journalBeside(store)
    const info = inspectIfAny(journal)
    if (info === undefined || info.mode !== 'move' || !info.resumable || (info.from !== target && info.to !== target)) continue
    throw new KeyhaulError('KEYHAUL_TARGET_NOT_EMPTY', {
      store: target,
      message: `a move from ${shownStore(info.from)} to ${shownStore(info.to)} is not at its end, and a repair could delete the only copies of what it moved; first end it: keyhaul resume ${shellWord(journal)}`
    })
  }
}

/** One that holds nothing yet began nothing. */
function inspectIfAny(journal: string): JournalInfo | undefined {
  try {
    return inspectFile(journal)
  } catch (error) {
    if (error instanceof KeyhaulError && (error.code === 'KEYHAUL_JOURNAL_NOT_FOUND' || error.code === 'KEYHAUL_JOURNAL_TORN')) return undefined
    throw error
  }
}

/** A store with a gate has an owner's record in it, and whoever follows its changes is told only of those that pass the gate. */
export async function assertUngated(mode: Mode, source: OpenStore, target: OpenStore, { pastGate, repair }: Pick<CopyFlags, 'pastGate' | 'repair'>): Promise<void> {
  if (pastGate === true || (mode === 'verify' && repair !== true)) return
  for (const { store } of mode === 'move' ? [source, target] : [target]) {
    if ((await store.ownRecord?.read()) === undefined) continue
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
      store: store.name,
      message: `it belongs to a service: a register says which of its keys it owns, and a ${mode === 'verify' ? 'repair' : mode} would change them past its gate, unseen by a live move; use keyhaul move --live, or --past-gate where that is meant`
    })
  }
}
