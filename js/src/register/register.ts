/** The ownership document, as it stands. Version 0 is that of none. */
export interface RegisterState {
  readonly version: number
  readonly document: Uint8Array
}

/** Who holds a lease, or held it. */
export interface LeaseHolder {
  /** As that one calls itself. */
  readonly holder: string
  /** For so long it had held it when it renewed it last, by its own clock. */
  readonly heldMs: number
}

export interface LeaseRequest {
  /** For whoever is refused to read. Each coordinator has another one, also in one process. */
  readonly holder: string
  /** So long without a renewal, and another one gets it. */
  readonly ttlMs: number
  /** Also from one that renews it. */
  readonly takeOver?: boolean | undefined
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

/** A lease that was taken. It is renewed at a third of its time, by whoever holds it. */
export interface Lease {
  readonly ttlMs: number
  /** Who had it before and did not give it back. */
  readonly from: LeaseHolder | undefined
  /** False once it is another's, or nobody's: then it is not renewed any more. */
  renew(): Promise<boolean>
  /** Gives it back, where it still is held. */
  release(): Promise<void>
}

/**
 * Where it stands who owns which keys: one small document, replaced as a whole. Reads and
 * replacements are linearizable, or a live migration promises nothing.
 *
 * A lease is for liveness, never for safety: it tells who is at work on a migration, so that two who are both alive do
 * not take it from each other. Who holds a claim is in the document, with a number that whoever takes it over raises, and
 * stores and register refuse the lower one, lease or no lease. A coordinator that lost its lease is as harmless as before,
 * one that has it is refused all the same where it has been overtaken, and that a lease ends gives back nothing that is fenced: no timer may.
 */
export interface Register {
  readonly name: string
  /** What was replaced stays replaced, whatever crashes. */
  readonly durable: boolean
  read(): Promise<RegisterState>
  /**
   * Replaces the document where its version still is `version`, and gives what stands there
   * now. A rejection says that nobody knows whether it was replaced.
   */
  compareAndSet(version: number, document: Uint8Array): Promise<RegisterState & { readonly swapped: boolean }>
  /** Tells of replacements soon after they happen; some may be left out when newer ones follow. */
  watch(listener: (state: RegisterState) => void): { close(): void }
  /**
   * Resolves once it holds the lease of that name: at once where nobody does, or whoever did is known to be gone, and else
   * when that one has not renewed it for its time. As soon as it does renew it, this rejects with KEYHAUL_LEASE_HELD. The document,
   * and its version, stay as they are. A register without it lets coordinators take over from each other at any time.
   */
  lease?(name: string, request: LeaseRequest): Promise<Lease>
}

/** Listeners, and those of them that throw do not stop the others. */
export class Watchers<News> {
  private readonly all = new Set<(news: News) => void>()

  add(listener: (news: News) => void): { close(): void } {
    const own = (news: News): void => listener(news)
    this.all.add(own)
    return { close: () => void this.all.delete(own) }
  }

  tell(news: News): void {
    for (const listener of this.all) queueMicrotask(() => listener(news))
  }
}
