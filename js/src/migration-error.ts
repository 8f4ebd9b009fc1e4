import { KeyhaulError } from './errors.js'
import type { MigrationState } from './progress.js'
import type { Receipt } from './receipt.js'

/** How a migration ended without success; `receipt` says what it did, where it ended for good. */
export class MigrationError extends KeyhaulError {
  readonly receipt: Receipt | undefined
  /** The last state before the end. */
  readonly step!: MigrationState
  /** Its journal can be resumed. */
  readonly resumable!: boolean

  constructor(from: KeyhaulError, receipt: Receipt | undefined, about: { step: MigrationState; resumable: boolean }) {
    super(from.code, { message: from.message, cause: from.cause })
    Object.assign(this, from, about)
    this.receipt = receipt
  }
}
