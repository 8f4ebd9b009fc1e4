/**
 * What the simulator's WASM module offers (wasm/bindings_sim). Addresses and sizes are in
 * bytes. Texts are left at `textAddress()` until the next call that leaves one.
 */
export interface SimModule {
  /** 0 linearizable, 1 not linearizable, 2 unknown; -1 where the text is no history. */
  checkHistory(address: number, bytes: number): number
  /** The simulator's command, of arguments that end with a zero byte each; gives its exit code. */
  command(address: number, bytes: number): number
  allocate(bytes: number): number
  deallocate(address: number): void
  textAddress(): number
  textBytes(): number
  /** Added by load.ts: the linear memory, fresh after each growth. */
  memory: WebAssembly.Memory
}
