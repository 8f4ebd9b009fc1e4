// Who is at work on a migration: a second coordinator does not take it from one that is alive. For liveness only, see register.ts.
import { KeyhaulError } from '../errors.js'
import type { Migration } from '../migration.js'
import { ENDED } from '../progress.js'
import type { Lease, LeaseRequest, Register } from '../register/register.js'
import { toHex } from '../stores/bytes.js'

/** Whoever has not renewed for so long is taken for dead; and one that is alive is known to be after a third of it. */
const TTL_MS = 10_000
const SHARE = 3

type Asked = Pick<LeaseRequest, 'takeOver' | 'signal'>

/**
 * The lease of one claim. Nothing where the register gives none, or has not answered for twice its time: then the migration,
 * which asks it next, tells of that. What comes too late is given back.
 */
export async function leaseOf(register: Register, claim: Uint8Array, { takeOver, signal }: Asked = {}): Promise<Lease | undefined> {
  const over = new AbortController()
  const taking = register.lease?.(toHex(claim), { takeOver, signal: over.signal, holder: holderName(), ttlMs: TTL_MS })
  if (taking === undefined) return undefined
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      over.abort(signal?.reason)
      taking.then((late) => late.release()).catch(() => {})
      if (signal?.aborted === true) reject(new KeyhaulError('KEYHAUL_INTERRUPTED', { cause: signal.reason }))
      else resolve(undefined)
    }
    const timer = setTimeout(giveUp, 2 * TTL_MS)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted === true) giveUp()
    taking.then(resolve, reject).finally(settle)
    over.signal.addEventListener('abort', settle, { once: true })
  })
}

/** Renews it until the migration has ended, and gives it back then. A new migration has none yet: nobody else knows its claim. */
export function keepLease(migration: Migration, register: Register, claim: Uint8Array, taken: Lease | undefined): void {
  if (register.lease === undefined) return
  const over = new AbortController()
  let lease = taken
  let timer: ReturnType<typeof setTimeout> | undefined
  const next = (): void => {
    if (over.signal.aborted) return
    timer = setTimeout(turn, (lease?.ttlMs ?? TTL_MS) / SHARE)
    // It alone keeps no process alive.
    ;(timer as { unref?(): void }).unref?.()
  }
  const end = (): void => {
    if (over.signal.aborted) return
    over.abort()
    clearTimeout(timer)
    lease?.release().catch(() => {})
  }
  const turn = async (): Promise<void> => {
    try {
      if (lease === undefined) lease = await leaseOf(register, claim, { signal: over.signal })
      else if (!(await lease.renew())) return
    } catch (error) {
      // Somebody who resumed it; or else a register that is away, which is asked again.
      if ((error as { code?: unknown }).code === 'KEYHAUL_LEASE_HELD') return
    }
    next()
  }
  if (lease === undefined) void turn()
  else next()
  migration.on('state', (state) => void (ENDED.has(state) && end()))
  migration.done.then(end, end)
}

/** Another one for each coordinator: two of one process are two. */
function holderName(): string {
  const { pid, getBuiltinModule } = (globalThis as { process?: Partial<typeof process> }).process ?? {}
  // Of a register that several machines share.
  const host = getBuiltinModule?.('node:os')?.hostname()
  const where = pid === undefined ? 'a page' : `process ${pid}${host === undefined ? '' : ` on ${host}`}`
  return `${where} (${toHex(crypto.getRandomValues(new Uint8Array(4)))})`
}
