/** Where a journal's bytes live. A file path needs Node; browsers bring one of their own. */
export interface JournalStore {
  /** For messages. */
  readonly name: string
  /** The bytes so far; empty when there is nothing yet. */
  read(): Promise<Uint8Array>
  /** Cuts off everything behind `length`; durable before the next append returns. */
  truncate(length: number): Promise<void>
  /** Returns once the bytes would survive a crash of the machine. */
  append(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** A journal in memory: survives nothing, but shows its bytes. */
export function memoryJournal(initial: Uint8Array = new Uint8Array(0)): JournalStore & { readonly bytes: Uint8Array } {
  let bytes = initial
  return {
    name: 'memory journal',
    get bytes() {
      return bytes
    },
    read: async () => bytes,
    truncate: async (length) => {
      bytes = bytes.slice(0, length)
    },
    append: async (more) => {
      const longer = new Uint8Array(bytes.length + more.length)
      longer.set(bytes)
      longer.set(more, bytes.length)
      bytes = longer
    },
    close: async () => {}
  }
}
