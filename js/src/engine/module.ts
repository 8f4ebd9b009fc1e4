/** What the WASM module offers (wasm/bindings). Addresses and sizes are in bytes. */
export interface WasmModule {
  Engine: { create(config: EngineConfigWords): EngineHandle | null }
  inspectJournal(address: number, bytes: number): JournalSummary
  describeJournal(address: number, bytes: number): string
  crc32(address: number, bytes: number, initial: number): number
  crc32c(address: number, bytes: number, initial: number): number
  combine(castagnoli: boolean, a: number, b: number, lengthB: number): number
  allocate(bytes: number): number
  deallocate(address: number): void
  Migrator: new (slots: number, retained: number, checksumKind: number) => MigratorHandle
  /** Added by load.ts: the linear memory, fresh after each growth. */
  memory: WebAssembly.Memory
}

export interface EngineConfigWords {
  slots: number
  sourceSlots: number
  targetSlots: number
  bytesPerSecond: number
  progressEveryMs: number
  stallMs: number
  retriesMax: number
  verifyRoundsMax: number
  differencesMax: number
}

export interface PlanWords {
  source: string
  target: string
  hostInfo: string
  sourceCapabilities: number
  targetCapabilities: number
  mode: number
  verify: number
  require: number
  priority: number
  intoNonempty: boolean
  repair: boolean
  follow: boolean
  checksumKind: number
  pageBytes: number
  pageEntries: number
  lanes: number
  windowPages: number
  durablePages: number
  entryBytesMax: number
  expectedEntries: number
  expectedBytes: number
  digestKeyAddress: number
  rangesAddress: number
  rangesBytes: number
  rangeCount: number
}

export interface IdOrError {
  error: number
  id: number
  first?: number
  second?: number
  missing?: number
  field?: string
}

export interface ViewWords {
  state: string
  paused: boolean
  error: number
  level: number
  verified: boolean
  entries: number
  bytes: number
  totalEntries: number
  totalBytes: number
  bytesPerSecond: number
  etaMs: number
  caughtUp: boolean
  differences: number
}

export interface JournalSummary {
  error: number
  source: string
  target: string
  mode: string
  level: number
  hostInfo: string
  state: string
  stopped: number
  torn: boolean
  validBytes: number
  copiedEntries: number
  copiedBytes: number
  incarnation: number
  receipt: string
}

export interface EngineHandle {
  eventsAddress(): number
  readyAddress(): number
  step(nowUs: number, eventCount: number): number
  addNode(name: string): IdOrError
  start(nowUs: number, plan: PlanWords, source: number, target: number, journal: boolean): IdOrError
  resume(nowUs: number, address: number, bytes: number, source: number, target: number): IdOrError
  pause(id: number): number
  unpause(id: number): number
  stop(id: number): number
  cancel(id: number): number
  finish(id: number): number
  forget(id: number): number
  setRate(nowUs: number, id: number, bytesPerSecond: number): number
  acquire(bytes: number): number
  acquired(): number
  release(id: number): void
  inspect(nowUs: number, id: number): ViewWords | null
  receipt(id: number): string
  staleCompletions(): number
  bufferBytes(): number
  delete(): void
}

export interface MigratorHandle {
  start(ranges: number, count: number, priority: number, total: number, nowUs: number): number
  transfer(id: number, key: number, keyBytes: number, value: number, valueBytes: number, checksum: number, sequence: number): number
  complete(id: number, nowUs: number): number
  statBytes(): number
  statChunks(): number
  statDurationMs(): number
  cancel(id: number, nowUs: number): number
  forget(id: number): number
  state(id: number): number
  transferred(): number
  total(): number
  delete(): void
}
