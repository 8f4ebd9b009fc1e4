import { KeyhaulError } from '../errors.js'
import { refused } from '../given.js'

/** Where a journal's bytes live. A file path needs Node; browsers bring one of their own. */
export interface JournalStore {
  /** For messages. */
  readonly name: string
  /** Tells it from every other, as in `journal /data/move.journal`: a migration that begins anew in it ends the feed that a crash left. */
  readonly identity?: string
  /** False: it does not survive its process, and no migration with it reaches level 4. */
  readonly durable?: boolean
  /** The bytes so far; empty when there is nothing yet. */
  read(): Promise<Uint8Array>
  /** Cuts off everything behind `length`; durable before the next append returns. */
  truncate(length: number): Promise<void>
  /** Returns once the bytes would survive a crash of the machine. */
  append(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Those of our own kind, which know of no lock. */
const inUse = new WeakSet<JournalStore>()

/** @internal Until closeJournal(): two migrations would write over each other. */
export function useJournal(journal: JournalStore | undefined, isNeeded: boolean): JournalStore | undefined {
  if (journal == null && !isNeeded) return undefined
  if (!journal?.append) throw refused(`journal is ${journal}; it must be a path or a JournalStore`)
  if (inUse.has(journal)) throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file: journal.name, message: 'another migration has it' })
  inUse.add(journal)
  return journal
}

/** @internal Whatever its close() does, a migration has ended then. */
export async function closeJournal(journal: JournalStore | undefined): Promise<void> {
  if (journal === undefined) return
  inUse.delete(journal)
  try {
    await journal.close()
  } catch {
    // All that was appended is durable.
  }
}

/** A journal in memory: survives nothing, but shows its bytes. */
export function memoryJournal(initial: Uint8Array = new Uint8Array(0)): JournalStore & { readonly bytes: Uint8Array } {
  let room = initial.slice()
  let length = room.length
  return {
    name: 'memory journal',
    durable: false,
    get bytes() {
      return room.slice(0, length)
    },
    read: async () => room.slice(0, length),
    truncate: async (to) => {
      length = Math.min(length, to)
    },
    append: async (more) => {
      if (length + more.length > room.length) {
        const larger = new Uint8Array(2 * (length + more.length))
        larger.set(room)
        room = larger
      }
      room.set(more, length)
      length += more.length
    },
    close: async () => {}
  }
}
