import type { Migration } from '../migration.js'
import type { Register } from '../register/register.js'
import type { Store } from '../stores/store.js'
import type { MoveRequest, RunInfo } from './control-request.js'

export interface ControlOptions {
  /** Of the socket. Whoever may write this file commands the service: it is made with mode 0600. */
  readonly path: string
  /** Gated stores, by name. */
  readonly stores: Readonly<Record<string, Store>>
  readonly register: Register
  /** A folder for the journals of the migrations; made if it does not exist. */
  readonly journals: string
}

/** The control face of a running service. */
export interface Control {
  readonly path: string
  /** What is known of migrations: those that run, those that wait for a resume, and the last ones that ended. */
  runs(): RunInfo[]
  /** As `keyhaul move --live --service` does. */
  move(request: Omit<MoveRequest, 'op'>): Promise<{ readonly id: string; readonly migration: Migration }>
  /** Stops what runs, resumably; the next serveControl() on these journals goes on with it. */
  close(): Promise<void>
}
