/** The ownership document, as it stands. Version 0 is that of none. */
export interface RegisterState {
  readonly version: number
  readonly document: Uint8Array
}

/**
 * Where it stands who owns which keys: one small document, replaced as a whole. Reads and
 * replacements are linearizable, or a live migration promises nothing.
 *
 * There is no lease: who holds a claim is in the document, with a number that whoever takes it over raises, and stores
 * and register refuse the lower one. A lease would end by a timer, and no timer may give back what is
 * fenced: with one, a coordinator that was only slow would be as good as dead.
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
