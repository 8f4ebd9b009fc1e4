/**
 * What the simulator's WASM module offers (wasm/bindings_sim). Addresses and sizes are in
 * bytes. Texts are left at `textAddress()` until the next call that leaves one.
 */
export interface SimModule {
  /** 0 linearizable, 1 not linearizable, 2 unknown; -1 where the text is no history. */
  checkHistory(address: number, bytes: number): number
  /** The simulator's command, of arguments that end with a zero byte each; gives its exit code. */
  command(address: number, bytes: number): number
  /** A run that can be watched, of the command's arguments; 0: the text says what was wrong. */
  playerOpen(address: number, bytes: number): number
  /** Up to this time, this event and at most so many events; how many it were. */
  playerAdvance(untilUs: number, untilEvent: number, most: number): number
  /** As `--do` has them; 0: not understood. */
  playerIntervene(address: number, bytes: number): number
  playerView(): void
  playerMarks(from: number): void
  /** 1: nothing more happens. */
  playerEnded(): number
  playerRows(): void
  playerColumn(): void
  playerReport(): void
  allocate(bytes: number): number
  deallocate(address: number): void
  textAddress(): number
  textBytes(): number
  /** Added by load.ts: the linear memory, fresh after each growth. */
  memory: WebAssembly.Memory
}
