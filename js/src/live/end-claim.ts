// The end of a claim whose journal is lost: register and gates know enough for one of its two ends.
import { KeyhaulError } from '../errors.js'
import { refused } from '../given.js'
import { Engine } from '../migrate.js'
import { type Migration, MigrationError } from '../migration.js'
import type { MigrateOptions } from '../options.js'
import type { Receipt } from '../receipt.js'
import { memoryJournal } from '../journal/journal.js'
import type { Register, RegisterState } from '../register/register.js'
import { fromHex } from '../stores/bytes.js'
import { assertHonoured } from '../stores/capabilities.js'
import type { GateCall, Store } from '../stores/store.js'
import { moverOf } from './begin.js'
import { type ClaimInfo, Ownership, readOwnership } from './ownership.js'

export interface EndClaimOptions extends Pick<MigrateOptions, 'stopWrites' | 'resumeWrites' | 'signal'> {
  readonly register: Register
  /** Those of the claim, under the names that it has for them; others among them are left alone. */
  readonly stores: readonly Store[]
  /** Its id, as `readOwnership(register)` shows it; may be left out where only one is between these stores. */
  readonly claim?: string | undefined
  /**
   * Also from a coordinator that is at work on it, which then stops with KEYHAUL_SUPERSEDED. Without, KEYHAUL_LEASE_HELD names one that
   * is alive; and a register that gives no leases cannot tell, so there it has to be true: see to it yourself that none is.
   */
  readonly takeOver?: boolean | undefined
  /** Told of what does it, for its progress. */
  readonly onMigration?: ((migration: Migration) => void) | undefined
}

/** What came of a claim. */
export interface EndedClaim {
  readonly claim: string
  /** As the claim stood: on a way back `from` is the store that was moved to. */
  readonly from: string
  readonly to: string
  /** `cancelled`: nothing was decided, and `from` keeps the range. `finished`: it was decided already, and `to` has it. */
  readonly outcome: 'cancelled' | 'finished'
  readonly owner: string
  /** Taken off the store that does not own the range. */
  readonly removedEntries: number
}

/**
 * Ends the claim of a live migration whose journal is lost or damaged. Where nothing is decided the source serves, and what
 * was staged on the target is taken off; what was decided is finished. Nothing that an owner holds is deleted: the gates see to it.
 * May be called again, should it be interrupted.
 */
export async function endClaim(options: EndClaimOptions): Promise<EndedClaim> {
  const { register, stores, takeOver, signal } = options
  if (takeOver != null && typeof takeOver !== 'boolean') throw refused(`takeOver is ${takeOver}; it must be true or false`)
  if (typeof register?.read !== 'function' || typeof register.compareAndSet !== 'function') throw refused('a claim is ended in the `register` of its clients, such as levelRegister(db)')
  const claim = claimIn((await readOwnership(register)).claims, stores, options.claim)
  const [from, to] = [claim.from, claim.to].map((name) => stores.find((store) => store.name === name)) as [Store, Store]
  assertHonoured(from)
  assertHonoured(to)
  if (from.identity === to.identity) throw new KeyhaulError('KEYHAUL_SAME_STORE', { store: from.name })
  if (register.lease === undefined && takeOver !== true) {
    throw refused(`${register.name} does not tell whether somebody is at work on the claim ${claim.id}; see to it that nobody is, then give takeOver: true`)
  }
  const receipt = await ended(options, claim, from, knowingKept(to))
  for (const store of [from, to]) await endFeeds(store.mover ?? store, claim)
  const isFinished = receipt.state === 'done'
  return {
    claim: claim.id,
    from: claim.from,
    to: claim.to,
    outcome: isFinished ? 'finished' : 'cancelled',
    owner: isFinished ? claim.to : claim.from,
    removedEntries: isFinished ? receipt.deletedEntries : receipt.discardedEntries
  }
}

/** The one that is meant, and both of its stores are there. */
function claimIn(claims: readonly ClaimInfo[], stores: readonly Store[], id: string | undefined): ClaimInfo {
  const names = stores.map(({ name }) => name)
  if (id !== undefined) {
    const found = claims.find((claim) => claim.id === id)
    if (found === undefined) throw new KeyhaulError('KEYHAUL_NOT_FOUND', { migration: id, message: 'the register has no such claim; it has ended, or stands in another register' })
    const missing = [found.from, found.to].filter((name) => !names.includes(name))
    if (missing.length > 0) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { migration: id, message: `the claim is of ${found.from} and ${found.to}; ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not among the stores` })
    return found
  }
  const theirs = claims.filter(({ from, to }) => names.includes(from) && names.includes(to))
  const [only] = theirs
  if (only !== undefined && theirs.length === 1) return only
  const texts = (theirs.length === 0 ? claims : theirs).map(({ id, from, to, state }) => `${id} (from ${from} to ${to}, ${state})`)
  if (texts.length === 0) throw new KeyhaulError('KEYHAUL_NOT_FOUND', { message: 'the register has no claim; there is none to end' })
  throw refused(`${theirs.length === 0 ? `no claim is between ${names.join(' and ')}` : `${theirs.length} claims are between these stores, name one`}: ${texts.join(', ')}`)
}

/**
 * Takes it over as a coordinator does whose journal lost all but its plan: such a one goes by the register and the gates. Then
 * it cancels, and what is decided is not cancelled any more.
 */
async function ended({ register, takeOver, signal, stopWrites, resumeWrites, onMigration }: EndClaimOptions, claim: ClaimInfo, from: Store, to: Store): Promise<Receipt> {
  const given = { from, to, ...(stopWrites && { stopWrites }), ...(resumeWrites && { resumeWrites }) }
  const journal = memoryJournal(await planOf(given, claim))
  const engine = new Engine()
  // As by a crash: where a store or the register hangs, what is undone would be waited for.
  const leave = (): void => engine.close()
  try {
    const migration = await engine.resume({ ...given, register: onlyOf(claim, register), journal, signal, takeOver })
    migration.cancel()
    onMigration?.(migration)
    signal?.addEventListener('abort', leave, { once: true })
    if (signal?.aborted === true) leave()
    return await migration.done.catch((error: unknown) => {
      if (error instanceof MigrationError && error.code === 'KEYHAUL_CANCELLED' && error.receipt !== undefined) return error.receipt
      throw signal?.aborted === true ? new KeyhaulError('KEYHAUL_INTERRUPTED', { migration: claim.id, message: 'stopped before its end; end the claim again', cause: error }) : error
    })
  } finally {
    signal?.removeEventListener('abort', leave)
    engine.close()
  }
}

/** A journal with the plan of a claim and nothing else: of a migration that dies when it asks the register, which it has told nothing. */
async function planOf(given: Pick<MigrateOptions, 'from' | 'to' | 'stopWrites' | 'resumeWrites'>, { id, ranges }: ClaimInfo): Promise<Uint8Array> {
  const journal = memoryJournal()
  let asked = (): void => {}
  const isAsked = new Promise<void>((resolve) => (asked = resolve))
  const never = (): Promise<never> => {
    asked()
    return new Promise(() => {})
  }
  const register: Register = { name: 'none', durable: false, read: never, compareAndSet: never, watch: () => ({ close: () => {} }) }
  const engine = new Engine()
  try {
    const options = moverOf({ ...given, live: true as const, register, journal }, ranges)
    const migration = await engine.start({ ...options, claim: fromHex(id) }, ranges)
    await Promise.race([isAsked, migration.done])
    return journal.bytes.slice()
  } finally {
    engine.close()
  }
}

/** The register for as long as it holds the claim as it was read: what ended meanwhile is not claimed anew. */
function onlyOf({ id, from, to }: ClaimInfo, register: Register): Register {
  let isTaken = false
  const known = <T extends RegisterState>(state: T): T => {
    if (isTaken || new Ownership(state.document).claims.some((claim) => claim.id === id && claim.from === from && claim.to === to)) return state
    throw new KeyhaulError('KEYHAUL_NOT_FOUND', { migration: id, message: 'the claim has ended, or goes the other way by now; somebody else is at work on it' })
  }
  return {
    name: register.name,
    durable: register.durable,
    read: async () => known(await register.read()),
    compareAndSet: async (version, document) => {
      const answer = await register.compareAndSet(version, document)
      if (!answer.swapped) return known(answer)
      isTaken = true
      return answer
    },
    watch: (listener) => register.watch(listener),
    ...(register.lease === undefined ? {} : { lease: register.lease.bind(register) })
  }
}

/**
 * A target of which nothing is staged may be one that this very claim moved away from, whose way back was only about to be
 * opened: its old copies are still there. Its gate knows (`restage`), and then they are taken off as what is staged is:
 * the core, told that the target is not empty, looks at it once more.
 */
function knowingKept(store: Store): Store {
  const { mover } = store
  if (mover?.gate === undefined) return store
  const { gate } = mover
  let isUnknown = false
  const change = async (call: GateCall): Promise<void> => {
    if (call.verb === 'discard' && isUnknown) {
      isUnknown = false
      const isKept = await gate.change({ ...call, verb: 'restage' }).then(() => true, unlessRefused)
      if (isKept) throw new KeyhaulError('KEYHAUL_TARGET_NOT_EMPTY', { store: store.name })
    }
    if (call.verb !== 'inspect') return gate.change(call)
    isUnknown = false
    await gate.change(call).catch((error: unknown) => {
      isUnknown = (error as { code?: unknown }).code === 'KEYHAUL_NOT_OWNER'
      throw error
    })
  }
  return viewOf(store, { mover: viewOf(mover, { gate: { ...gate, change } }) })
}

/** Another one in the place of some members, whatever kind of object it is. */
function viewOf(store: Store, members: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof Store]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

function unlessRefused(error: unknown): false {
  const { code } = error as { code?: unknown }
  if (code === 'KEYHAUL_NOT_OWNER' || code === 'KEYHAUL_SUPERSEDED') return false
  throw error
}

/** A new feed of an owner ends the one that it had; which of them there were nobody knows any more. */
async function endFeeds(store: Store, { id, ranges }: ClaimInfo): Promise<void> {
  if (store.openFeed === undefined || !store.capabilities.has('feed')) return
  for (const owner of [`claim ${id}`, `claim ${id}, the way back`]) {
    try {
      const feed = await store.openFeed({ gte: ranges[0]?.gte, lt: ranges.at(-1)?.lt }, { owner })
      await feed.close({ discard: true })
    } catch {
      // The claim has ended; `keyhaul inspect` shows what is left, and drop-feed ends it.
    }
  }
}
