import { KeyhaulError } from './errors.js'
import type { MigrationState } from './progress.js'
import type { Receipt } from './receipt.js'

/** Of a live one the copy was taken back: there is nothing to mend, and a target that is moved to has a gate. */
export const MOVE_AGAIN = 'find out why, then move again'

/** How a migration ended without success; `receipt` says what it did, where it ended for good. */
export class MigrationError extends KeyhaulError {
  declare readonly receipt: Receipt | undefined
  /** The last state before the end. */
  readonly step!: MigrationState
  /** Its journal can be resumed. */
  readonly resumable!: boolean

  constructor(from: KeyhaulError, receipt: Receipt | undefined, about: { step: MigrationState; resumable: boolean }) {
    super(from.code, { message: from.message, cause: from.cause })
    Object.assign(this, from, about, receipt && { receipt })
  }

  override get next(): string | undefined {
    // What mends it depends on the stores; the message ends with it.
    return this.receipt?.state === 'mismatch' ? /; ([^;]+)$/.exec(this.message)?.[1] : super.next
  }
}
