import { KeyhaulError } from '../errors.js'
import { refused } from '../given.js'

/** Where a journal's bytes live. A file path needs Node; browsers bring one of their own. */
export interface JournalStore {
  /** For messages. */
  readonly name: string
  /** Tells it from every other, as in `journal /data/move.journal`: a migration that begins anew in it ends the feed that a crash left. */
  readonly identity?: string
  /** Of a file: where it is, whatever folder its process goes to. */
  readonly path?: string
  /** False: it does not survive its process, and no migration with it reaches level 4. */
  readonly durable?: boolean
  /** The bytes so far; empty when there is nothing yet. */
  read(): Promise<Uint8Array>
  /** Cuts off everything behind `length`; durable before the next append returns. */
  truncate(length: number): Promise<void>
  /** Returns once the bytes would survive a crash of the machine. */
  append(bytes: Uint8Array): Promise<void>
  /** Resolves once nothing of it is under way any more: whoever comes next may write at once. Twice is as once. After 30 s it is no longer waited for. */
  close(): Promise<void>
}

const CLOSE_MAX_MS = 30_000

/** Those of our own kind, which know of no lock, each until its close() has ended. */
const inUse = new WeakMap<JournalStore, Promise<unknown> | undefined>()

/** @internal Until closeJournal(): two migrations would write over each other. */
export async function useJournal(journal: JournalStore | undefined, isNeeded: boolean): Promise<JournalStore | undefined> {
  if (journal == null && !isNeeded) return undefined
  if (!journal?.append) throw refused(`journal is ${journal}; it must be a path or a JournalStore`)
  await inUse.get(journal)
  if (inUse.has(journal)) throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file: journal.name, message: 'another migration has it' })
  inUse.set(journal, undefined)
  return journal
}

/** @internal Whatever its close() does, a migration has ended then: all that was appended is durable. One that never ends stays in use. */
export async function closeJournal(journal: JournalStore | undefined): Promise<void> {
  if (journal === undefined) return
  const closed = new Promise<unknown>((wake) => {
    const timer = setTimeout(wake, CLOSE_MAX_MS)
    const close = async (): Promise<void> => journal.close()
    close().finally(() => {
      clearTimeout(timer)
      wake(inUse.delete(journal))
    }).catch(wake)
  })
  inUse.set(journal, closed)
  await closed
}

/** A journal in memory: survives nothing, but shows its bytes. */
export function memoryJournal(initial: Uint8Array = new Uint8Array(0)): JournalStore & { readonly bytes: Uint8Array } {
  // As read from a file it is a Buffer, whose slice() is no copy.
  let room = new Uint8Array(initial)
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
