export { init, type WasmSource } from './engine/load.js' // first: see there
import { Engine, type MigrateOptions } from './migrate.js'
import type { JournalStore } from './journal/journal.js'
import type { Migration } from './migration.js'

export { crc32, crc32c, crc32cCombine, crc32Combine } from './checksum/shared.js'
export { formatKey, KeyhaulError, type KeyhaulErrorCode } from './errors.js'
export { inspectJournal, type JournalInfo, type LiveJournal } from './inspect.js'
export { type JournalStore, memoryJournal } from './journal/journal.js'
export { Engine, type EngineOptions, type MigrateOptions } from './migrate.js'
export {
  DataChunk, DataMigrator, type DataMigratorOptions, MigrationPlan, type MigrationStats, type MigrationStatus
} from './migrator.js'
export { type LiveProgress, Migration, MigrationError, type MigrationEvents, type MigrationState, type Progress } from './migration.js'
export type { RangeInput, RangesInput } from './ranges.js'
export { type Difference, type DigestSummary, type Receipt, VERSION, type WritersReceipt } from './receipt.js'
export type {
  ApplyOptions, Capability, Change, Entry, Estimate, Feed, FeedPage, PackedPage, PreparedWrites, ScanOptions, ScanPage, ScanRange, Store, Write
} from './stores/store.js'

let shared: Engine | undefined

/**
 * Moves key ranges between two stores and proves that they arrived.
 *
 * The returned run is async-iterable (progress) and has `done`, a promise of the receipt.
 * Several runs share one engine; make an `Engine` of your own for common limits.
 */
export function migrate(options: MigrateOptions): Run {
  shared ??= new Engine()
  return new Run(shared.migrate(options))
}

/** Goes on with the migration in a journal. */
export function resume(options: Parameters<Engine['resume']>[0] & { journal: string | JournalStore }): Run {
  shared ??= new Engine()
  return new Run(shared.resume(options))
}

/** A migration that may still be looking at its journal: `done` and progress come at once. */
export class Run implements AsyncIterable<import('./migration.js').Progress> {
  readonly done: Promise<import('./receipt.js').Receipt>

  constructor(readonly migration: Promise<Migration>) {
    this.done = migration.then((started) => started.done)
    this.done.catch(() => {})
  }
  async *[Symbol.asyncIterator](): AsyncIterator<import('./migration.js').Progress> {
    yield* await this.migration
  }
  async stop(): Promise<void> {
    ;(await this.migration).stop()
  }
  async cancel(): Promise<void> {
    ;(await this.migration).cancel()
  }
  /** While a reverse window is open: goes back to the source; see Migration. */
  reverse(): Promise<import('./receipt.js').Receipt> {
    const back = this.migration.then((started) => started.reverse())
    back.catch(() => {})
    return back
  }
  /** Ends an open reverse window; `giveUpSource` where the source never comes back. See Migration. */
  async closeWindow(options: { readonly giveUpSource?: boolean } = {}): Promise<void> {
    ;(await this.migration).closeWindow(options)
  }
}
