import { type Register, type RegisterState, Watchers } from './register.js'

export type { Register, RegisterState } from './register.js'

/** A register that forgets with its process: for tests, and for stores that do so too. */
export function memoryRegister(options: { readonly name?: string } = {}): Register {
  let state: RegisterState = { version: 0, document: new Uint8Array(0) }
  const watchers = new Watchers<RegisterState>()
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
    watch: (listener) => watchers.add(listener)
  }
}
