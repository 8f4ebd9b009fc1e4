import { KeyhaulError } from '../errors.js'
import type { JournalStore } from './journal.js'

export interface IndexedDbJournalOptions {
  /** The IndexedDB database that holds the journals of the origin. Default `keyhaul-journals`. */
  readonly database?: string
}

const DATABASE = 'keyhaul-journals'
/** By [journal's name, where in the journal they begin]: the bytes of one append. */
const PARTS = 'parts'
const partsOf = (name: string, from = 0): IDBKeyRange => IDBKeyRange.bound([name, from], [name, Number.POSITIVE_INFINITY])

/**
 * A journal for browsers, in a page or a worker. It is begun when it is first used, and one tab
 * at a time works on it: a Web Lock by its name, which goes with the tab, keeps others out. After
 * close() it may be used again. Where the database is deleted under it, it takes no more bytes
 * until then: what followed would begin in the middle of a migration.
 *
 * An append is one transaction with strict durability: whole or not there, and on the disk when
 * it returns. Whether the stores are as durable is up to them: BrowserLevel writes with the
 * browser's default, which outlives the tab and the browser, and not always a power loss.
 *
 * Errors: JOURNAL_IN_USE, JOURNAL_WRITE_FAILED, DISK_FULL (the origin's quota), JOURNAL_CORRUPT
 * (a part is missing), UNSUPPORTED (no IndexedDB or no Web Locks, which need https or localhost).
 */
export function indexedDbJournal(name: string, options: IndexedDbJournalOptions = {}): JournalStore {
  if (typeof name !== 'string' || name === '') {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'a journal in IndexedDB needs a name, which is a text that is not empty' })
  }
  return new IndexedDbJournal(name, options.database ?? DATABASE)
}

/** The names of all journals, in the order of IndexedDB. */
export function indexedDbJournals(options: IndexedDbJournalOptions = {}): Promise<string[]> {
  return once(options, async (db) => {
    const names: string[] = []
    const parts = db.transaction(PARTS).objectStore(PARTS)
    // The first part of each: from one name to the next.
    for (let range: IDBKeyRange | undefined; ; ) {
      const cursor = await settled(parts.openKeyCursor(range))
      if (cursor === null) return names
      const [name] = cursor.key as [string, number]
      names.push(name)
      range = IDBKeyRange.lowerBound([name, Number.POSITIVE_INFINITY], true)
    }
  })
}

/** Forgets a journal; nothing where there is none. Errors: JOURNAL_IN_USE, and those of the journal. */
export async function deleteIndexedDbJournal(name: string, options: IndexedDbJournalOptions = {}): Promise<void> {
  const journal = new IndexedDbJournal(name, options.database ?? DATABASE)
  try {
    await journal.truncate(0)
  } finally {
    await journal.close()
  }
}

class IndexedDbJournal implements JournalStore {
  readonly durable = true
  readonly identity: string
  private unlock: (() => void) | undefined
  private db: IDBDatabase | undefined
  /** The database was taken away since the first use; the lock stays until close(). */
  private isLost = false
  /** Where the journal ends, from the first use on. */
  private end: number | undefined
  /** One after the other: where an append begins is known when the one before it is written. */
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    readonly name: string,
    private readonly database: string
  ) {
    this.identity = `journal ${database}/${name}`
  }

  read(): Promise<Uint8Array> {
    return this.work('could not be read', async (db) => {
      const parts = db.transaction(PARTS).objectStore(PARTS)
      const [keys, values] = await Promise.all([settled(parts.getAllKeys(partsOf(this.name))), settled(parts.getAll(partsOf(this.name)))])
      const bytes = new Uint8Array(values.reduce((sum: number, part: Uint8Array) => sum + part.length, 0))
      let length = 0
      for (const [i, part] of (values as Uint8Array[]).entries()) {
        if ((keys[i] as [string, number])[1] !== length) throw new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT', { file: this.name, message: `the journal has a gap at byte ${length}; start over with a new journal` })
        bytes.set(part, length)
        length += part.length
      }
      this.end ??= length
      return bytes
    })
  }

  append(bytes: Uint8Array): Promise<void> {
    // A copy of its own: a view would take the whole memory behind it along.
    const part = bytes.slice()
    return this.change(async (parts, end) => {
      if (part.length > 0) parts.add(part, [this.name, end])
      return end + part.length
    })
  }

  truncate(length: number): Promise<void> {
    return this.change(async (parts) => {
      const last = await endOf(parts, this.name, length)
      parts.delete(partsOf(this.name, length))
      if (last !== undefined && last.upto > length) parts.put(last.bytes.slice(0, length - last.from), [this.name, last.from])
      return Math.min(length, last?.upto ?? 0)
    })
  }

  /** After what was asked for before. */
  close(): Promise<void> {
    const turn = this.last.then(async () => {
      this.db?.close()
      this.unlock?.()
      this.db = this.unlock = this.end = undefined
      this.isLost = false
    })
    this.last = turn.catch(() => {})
    return turn
  }

  /** `run` gets where the journal ends, and gives where it ends afterwards. */
  private change(run: (parts: IDBObjectStore, end: number) => Promise<number>): Promise<void> {
    return this.work('could not be written', async (db) => {
      let after = 0
      await write(db, async (parts) => {
        const end = (await endOf(parts, this.name, Number.POSITIVE_INFINITY))?.upto ?? 0
        if (this.end !== undefined && end !== this.end) throw this.taken(`it ends at byte ${end}, and was written up to byte ${this.end}`)
        after = await run(parts, end)
      })
      this.end = after
    }, false)
  }

  private async work<T>(what: string, run: (db: IDBDatabase) => Promise<T>, mayReopen = true): Promise<T> {
    const turn = this.last.then(async () => run(await this.open(mayReopen)))
    this.last = turn.catch(() => {})
    try {
      return await turn
    } catch (error) {
      throw journalError(error, this.name, what)
    }
  }

  private async open(mayReopen: boolean): Promise<IDBDatabase> {
    if (this.isLost && !mayReopen) throw this.taken('its database was deleted or closed meanwhile')
    this.unlock ??= await takeLock(this.database, this.name)
    try {
      this.db ??= this.watched(await openDatabase(this.database))
      return this.db
    } catch (error) {
      if (!this.isLost) {
        this.unlock()
        this.unlock = undefined
      }
      throw error
    }
  }

  /** Somebody deletes the database: let him. The browser closes it: the same. */
  private watched(db: IDBDatabase): IDBDatabase {
    const lose = (): void => {
      if (this.db !== db) return
      db.close()
      this.db = undefined
      this.isLost = true
    }
    db.onversionchange = lose
    db.onclose = lose
    return db
  }

  private taken(why: string): KeyhaulError {
    return new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', { file: this.name, message: `the journal was changed by another: ${why}; close it, and see what is there before going on` })
  }
}

/** The last part that begins below `length`. */
async function endOf(parts: IDBObjectStore, name: string, length: number): Promise<{ from: number; upto: number; bytes: Uint8Array } | undefined> {
  // The name alone stands before all its parts; with a 0 beside it the range could be empty, which is an error.
  const cursor = await settled(parts.openCursor(IDBKeyRange.bound([name], [name, length], false, true), 'prev'))
  if (cursor === null) return undefined
  const from = (cursor.key as [string, number])[1]
  const bytes = cursor.value as Uint8Array
  return { from, upto: from + bytes.length, bytes }
}

/** One transaction, on the disk when it returns. */
async function write(db: IDBDatabase, change: (parts: IDBObjectStore) => Promise<void>): Promise<void> {
  const transaction = db.transaction(PARTS, 'readwrite', { durability: 'strict' })
  const ended = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
  })
  try {
    await change(transaction.objectStore(PARTS))
  } catch (error) {
    ended.catch(() => {})
    throw error
  }
  await ended
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

async function once<T>(options: IndexedDbJournalOptions, run: (db: IDBDatabase) => Promise<T>): Promise<T> {
  const name = options.database ?? DATABASE
  try {
    const db = await openDatabase(name)
    try {
      return await run(db)
    } finally {
      db.close()
    }
  } catch (error) {
    throw journalError(error, name, 'could not be read')
  }
}

function openDatabase(name: string): Promise<IDBDatabase> {
  if (typeof indexedDB === 'undefined') throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { message: 'there is no IndexedDB here; in Node give the path of a file instead' })
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(PARTS)
  return settled(request)
}

/** Gives what releases it. */
function takeLock(database: string, name: string): Promise<() => void> {
  // Node has locks of its own since 24, which reach no further than its process.
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks
  if (locks === undefined) {
    throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { file: name, message: 'there are no Web Locks here, which keep two tabs from one journal; serve the page over https, or from localhost' })
  }
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock !== null) return new Promise((unlock) => resolve(unlock))
      reject(new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { file: name, message: 'another tab or worker is working with this journal; wait for it, or close it' }))
      return undefined
    }
    locks.request(`${database} ${name}`, { ifAvailable: true }, held).catch(reject)
  })
}

function journalError(error: unknown, name: string, what: string): KeyhaulError {
  if (error instanceof KeyhaulError) return error
  const { name: kind, message } = error as DOMException
  if (kind === 'QuotaExceededError') {
    return new KeyhaulError('KEYHAUL_DISK_FULL', { file: name, message: 'the browser gives this page no more room; remove what it does not need, then resume', cause: error })
  }
  return new KeyhaulError('KEYHAUL_JOURNAL_WRITE_FAILED', { file: name, message: `the journal ${what}: ${message}; mend that, then resume`, cause: error })
}
