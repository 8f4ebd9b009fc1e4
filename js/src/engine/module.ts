/**
 * What the WASM module offers (wasm/bindings). Addresses and sizes are in bytes, times in
 * microseconds; `engine` and `migrator` are numbers that `…Create` gave. A result below zero
 * is an error's number. Texts are left at `textAddress()` until the next call that leaves one.
 */
export interface WasmModule {
  engineCreate(config: number): number
  engineDestroy(engine: number): void
  eventsAddress(engine: number): number
  readyAddress(engine: number): number
  step(engine: number, nowUs: number, eventCount: number): number
  addNode(engine: number, name: number, bytes: number): number
  start(engine: number, nowUs: number, plan: number, bytes: number, source: number, target: number, journal: number): number
  resume(engine: number, nowUs: number, journal: number, bytes: number, source: number, target: number): number
  control(engine: number, verb: number, migration: number): number
  setRate(engine: number, nowUs: number, migration: number, bytesPerSecond: number): number
  setWallClock(engine: number, nowUs: number, unixMs: number): void
  acquire(engine: number, bytes: number): number
  acquired(engine: number): number
  release(engine: number, buffer: number): void
  inspect(engine: number, nowUs: number, migration: number): void
  receipt(engine: number, migration: number): void
  stats(engine: number): void
  inspectJournal(address: number, bytes: number): number
  textAddress(): number
  textBytes(): number
  /** Where in `table` the `Checksum` of a kind stands. */
  checksumFunction(castagnoli: number): number
  combine(castagnoli: number, a: number, b: number, lengthB: number): number
  allocate(bytes: number): number
  deallocate(address: number): void
  migratorCreate(slots: number, retained: number, checksumKind: number): number
  migratorDestroy(migrator: number): void
  migratorStart(migrator: number, ranges: number, count: number, priority: number, total: number, nowUs: number): number
  migratorTransfer(migrator: number, id: number, chunks: number, count: number): number
  migratorComplete(migrator: number, id: number, nowUs: number): number
  migratorCancel(migrator: number, id: number, nowUs: number): number
  migratorForget(migrator: number, id: number): number
  migratorState(migrator: number, id: number): number
  migratorFigure(migrator: number, which: number): number
  /** A gate from its record, or an error. What the calls below are given at an address is in js/src/live/gate.ts. */
  gateRestore(address: number, bytes: number): number
  gateDestroy(gate: number): void
  /** Of the last refusal, whose owner is in the text. */
  gateEpoch(): number
  gateAdmitWrite(gate: number, keys: number, count: number): number
  gateAdmitRead(gate: number, keys: number, count: number): number
  gateReadable(gate: number, range: number): number
  gateLanded(gate: number, ticket: number, applied: number): void
  gateRetries(gate: number, key: number, write: number): number
  gateAdmitApply(gate: number, address: number): number
  gateAdmitCleanUp(gate: number, address: number): number
  gateChange(gate: number, call: number): number
  gateEncodeAfter(gate: number, call: number): number
  gateEncode(gate: number): void
  gateQuiet(gate: number, call: number): number
  gateEmptied(gate: number): void
  /** Only keyhaul-live has it, and all from gateRestore on. */
  describeJournal?(address: number, bytes: number): void
  ownershipJson(document: number, bytes: number): number
  ownershipAssign(address: number): number
  /** Added by load.ts: the linear memory, fresh after each growth. */
  memory: WebAssembly.Memory
  /** Added by load.ts: the functions that are called without Embind, for speed. */
  table: WebAssembly.Table
}

/** A function of WASM itself: its result is signed. */
export type Checksum = (address: number, bytes: number, initial: number) => number
