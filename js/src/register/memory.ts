import { type LeaseRow, takeLease } from './lease.js'
import { type Register, type RegisterState, Watchers } from './register.js'

export type { Lease, LeaseHolder, LeaseRequest, Register, RegisterState } from './register.js'

/** A register that forgets with its process: for tests, and for stores that do so too. */
export function memoryRegister(options: { readonly name?: string } = {}): Register {
  let state: RegisterState = { version: 0, document: new Uint8Array(0) }
  const watchers = new Watchers<RegisterState>()
  const leases = new Map<string, LeaseRow>()
  const rows = {
    read: async (lease: string) => leases.get(lease),
    replace: async (lease: string, known: LeaseRow | undefined, next: LeaseRow | undefined) => {
      if (leases.get(lease) !== known) return false
      if (next === undefined) leases.delete(lease)
      else leases.set(lease, next)
      return true
    }
  }
  return {
    name: options.name ?? 'memory register',
    durable: false,
    read: async () => state,
    compareAndSet: async (version, document) => {
      if (version !== state.version) return { swapped: false, ...state }
      state = { version: version + 1, document: document.slice() }
      watchers.tell(state)
      return { swapped: true, ...state }
    },
    watch: (listener) => watchers.add(listener),
    lease: (lease, request) => takeLease(rows, lease, request)
  }
}
