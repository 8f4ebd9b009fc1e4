import { KeyhaulError } from '../errors.js'
import type { JournalStore } from './journal.js'

/** Outside Node there are no files. */
export async function openJournalFile(path: string, _options: { create: boolean; lock: boolean }): Promise<JournalStore> {
  throw new KeyhaulError('KEYHAUL_UNSUPPORTED', {
    file: path,
    message: 'journal files need Node; pass indexedDbJournal(name) of keyhaul/journal/indexeddb, or one of your own'
  })
}
