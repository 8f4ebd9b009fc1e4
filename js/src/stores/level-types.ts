/**
 * The part of abstract-level 3 that keyhaul uses, as a structure: ClassicLevel, MemoryLevel,
 * BrowserLevel and their sublevels all fit, whatever their own key and value types.
 */
export interface LevelDatabase {
  readonly status: string
  open(): Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: the database's own key and value types do not matter here
  iterator(options: any): LevelIterator
  // biome-ignore lint/suspicious/noExplicitAny: as above
  batch(): any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  getMany(keys: any[], options: any): Promise<any[]>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  clear(options: any): Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  sublevel(name: string, options?: any): any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  on(event: any, listener: any): unknown
  listenerCount(event: string): number
  readonly hooks: object
  /** abstract-level's manifest. */
  readonly supports: object
}

export interface LevelIterator {
  nextv(size: number): Promise<[unknown, unknown][]>
  close(): Promise<void>
}

export interface LevelChainedBatch {
  put(key: string | Uint8Array, value: Uint8Array, options: object): void
  del(key: string | Uint8Array, options: object): void
  write(options?: object): Promise<void>
  close(): Promise<void>
}

/** With the methods of implementors: they take keys and values as they are, tell nobody, and do not ask whether the batch is closed. */
export interface NativeBatch extends LevelChainedBatch {
  _put(key: string | Uint8Array, value: Uint8Array, options: object): void
  _del(key: string | Uint8Array, options: object): void
  _clear(): void
  _write(options: { sync: boolean }): Promise<void>
}

/** As NativeBatch, of those that take operations as objects. */
export interface AddingBatch extends LevelChainedBatch {
  _add(operation: { type: 'put' | 'del'; key: unknown; value?: unknown; keyEncoding: string; valueEncoding?: string }): void
}

/** An operation as the prewrite hook sees it. */
export interface LevelOperation {
  type: string
  key: unknown
  keyEncoding: { encode(key: unknown): string | Uint8Array; format: string }
  sublevel?: { prefixKey(key: string | Uint8Array, format: string, local: boolean): string | Uint8Array } | null
}

/** classic-level makes Buffers; asking for views would wrap each of them once more. */
export type LevelEncoding = 'buffer' | 'view'
