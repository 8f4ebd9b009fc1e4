import { KeyhaulError } from '../errors.js'
import type { Migration } from '../migration.js'
import type { MigrateOptions } from '../options.js'
import type { Register } from '../register/register.js'
import type { GateCall, ScanRange, Store } from '../stores/store.js'
import { keptOf } from './kept.js'
import { readOwnership } from './ownership.js'

type Callbacks = { readonly [name in 'stopWrites' | 'resumeWrites']: NonNullable<MigrateOptions[name]> }

/** At the end nobody knows who owns the range while the register does not answer; it is asked so often. */
const ASKED_MAX = 5
const ASK_EVERY_MS = 1000

/**
 * The word of a caller in place of a gate (level 2): writers are stopped when stopWrites() has
 * returned, and until resumeWrites() is called.
 */
export class OperatorFence {
  readonly notPromised = ['writes to the source that stopWrites() did not stop are lost', 'clients that still read the source see old values']
  /** What a migration works on. */
  readonly store: Store
  /** Whether writers are to be stopped; undefined: an earlier process may have stopped them. */
  private stopped: boolean | undefined
  private stopping: Promise<void> | undefined
  private controller = new AbortController()

  constructor(
    private readonly source: Store,
    private readonly callbacks: Callbacks,
    private readonly register: Register,
    private readonly ranges: readonly ScanRange[]
  ) {
    this.store = passing(source, (call) => this.change(call))
  }

  /** However the migration ends, writers do not stay stopped. */
  watch(migration: Migration): void {
    const end = (): void => void this.ended().catch(() => {})
    migration.done.then(end, end)
  }

  private async change({ verb, target }: GateCall): Promise<void> {
    if (verb === 'fence') return this.stop()
    if (verb === 'unfence' && this.stopped !== false) return this.resume(this.source.name)
    if (verb === 'redirect') return this.resume(target)
  }

  private async stop(): Promise<void> {
    this.stopped = true
    if (this.stopping === undefined) {
      const controller = new AbortController()
      this.controller = controller
      const stopping = (async () => this.callbacks.stopWrites({ signal: controller.signal }))()
      this.stopping = stopping
      // One that comes to its end after it was given up has stopped writers whom nobody will wake.
      stopping.then(
        () => controller.signal.aborted && this.stopped === false && this.callbacks.resumeWrites({ owner: this.source.name }),
        () => {}
      ).catch(() => {})
    }
    const { stopping } = this
    try {
      await stopping
    } catch (cause) {
      if (this.stopping === stopping) this.stopping = undefined
      throw failed('stopWrites', this.source, cause)
    }
  }

  private async resume(owner: string | undefined): Promise<void> {
    this.controller.abort(new KeyhaulError('KEYHAUL_INTERRUPTED'))
    this.stopping = undefined
    try {
      await this.callbacks.resumeWrites({ owner })
      this.stopped = false
    } catch (cause) {
      throw failed('resumeWrites', this.source, cause)
    }
  }

  private async ended(): Promise<void> {
    for (let asked = 1; this.stopped === true; asked++) {
      const key = this.ranges[0]?.gte ?? new Uint8Array(0)
      const owner = await readOwnership(this.register).then(
        (ownership) => ownership.find(key)?.owner,
        () => undefined
      )
      if (owner !== undefined || asked === ASKED_MAX) return this.resume(owner)
      await new Promise((wake) => setTimeout(wake, ASK_EVERY_MS))
    }
  }
}

function failed(what: string, { name }: Store, cause: unknown): KeyhaulError {
  return new KeyhaulError('KEYHAUL_STORE_FAILED', { store: name, message: `${what}() failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause })
}

/** The migration of a source without a gate; refused where a gate would promise more, or the target has none. */
export function operatorFence(given: Pick<MigrateOptions, 'from' | 'to' | 'register' | 'stopWrites' | 'resumeWrites'>, ranges: readonly ScanRange[]): OperatorFence {
  const { from, to, register, stopWrites, resumeWrites } = given
  const refuse = (message: string): KeyhaulError => new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: from.name, message })
  if (stopWrites === undefined || resumeWrites === undefined) throw refuse('stopWrites and resumeWrites go together; give both')
  if (register === undefined) throw refuse('a live migration needs the `register` of its clients, such as levelRegister(db)')
  if (from.mover !== undefined) throw refuse('its gate stops writers better than stopWrites() can; leave stopWrites and resumeWrites out')
  if (to.mover?.gate === undefined) {
    throw new KeyhaulError('KEYHAUL_LEVEL_NOT_MET', { store: to.name, message: 'missing on the target: activate; wrap it with gatedStore(), also for level 2' })
  }
  return new OperatorFence(from, { stopWrites, resumeWrites }, register, ranges)
}

/** A view of a store with another gate, whatever kind of object the store is. */
function passing(store: Store, change: (call: GateCall) => Promise<void>): Store {
  const view: Store = {
    name: store.name,
    identity: store.identity,
    ...(store.place === undefined ? {} : { place: store.place }),
    capabilities: new Set(keptOf(store)),
    scan: (range, options) => store.scan(range, options),
    apply: (writes, options) => store.apply(writes, options),
    gate: { change }
  }
  for (const name of ['getMany', 'openFeed', 'estimate', 'applyNewer'] as const) {
    const method = store[name]
    if (method !== undefined) Object.assign(view, { [name]: (method as (...args: unknown[]) => unknown).bind(store) })
  }
  return view
}
