import type { Row } from './level-text.js'
import type { AddingBatch, LevelChainedBatch, LevelDatabase, LevelEncoding, NativeBatch } from './level-types.js'
import type { Write } from './store.js'

// abstract-level spreads the options of each put into an operation; inherited ones are read all the
// same and not spread, which makes a chained put three times as fast (bench/node/put-options.mjs).
const inherited = (valueEncoding: LevelEncoding, keyEncoding: string = valueEncoding): object => Object.create({ keyEncoding, valueEncoding }) as object
const OPTIONS = { buffer: inherited('buffer'), view: inherited('view') }
const TEXT = /* @__PURE__ */ inherited('buffer', 'utf8')

/** A copy fills one while another is written. */
const KEPT_MAX = 2
/** Of keys and values; a larger batch is left to the collector. */
const KEPT_BYTES_MAX = 4 << 20
/** Nobody holds memory for a copy that has ended. */
const KEPT_MS = 1000

/** Writes that are on their way into a database in one piece. */
export interface FilledBatch {
  write(sync: boolean | undefined): Promise<void>
  /** Instead of write(). */
  discard(): void
}

const all = new WeakMap<LevelDatabase, LevelBatches>()

/**
 * Batches of one root database that no hook and no listener is told of.
 *
 * What abstract-level does for a put then is to look after those, to encode, to count, and to call `_put`, the
 * method of its implementors, with the key and the value as they are when they are Buffers. Called at once it
 * takes a quarter of the time (bench/node/put-options.mjs).
 *
 * classic-level gives back the memory of a batch when the object is collected, long after it was written, and
 * the next grows anew from nothing by doubling: each byte is copied once more, into pages that the
 * system has to make first (bench/node/move-parts.mjs counts them). So a batch that was written, and
 * is closed by that, is emptied and filled once more, by the methods of its class alone.
 */
export class LevelBatches {
  private readonly kept: NativeBatch[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Rises when the database is closed: what was filled before is written by nobody, opened again or not. */
  private epoch = 0

  /** Of a database whose keys and values are Buffers. */
  static of(db: LevelDatabase): LevelBatches {
    const batches = all.get(db) ?? new LevelBatches(db)
    all.set(db, batches)
    return batches
  }

  private constructor(private readonly db: LevelDatabase) {
    db.on('closing', () => {
      this.epoch++
      this.kept.length = 0
    })
  }

  /** The database must be open, and nobody watch it. With `bytes` they are so many, all in Buffers, or in keys of text. */
  fill(writes: readonly (Write | Row)[], bytes = bufferBytes(writes as readonly Write[])): FilledBatch {
    const again = bytes === undefined ? undefined : this.kept.pop()
    if (again !== undefined) return this.refill(again, writes, bytes as number)
    const batch = this.db.batch() as LevelChainedBatch
    const discard = (): void => void batch.close().catch(() => {})
    try {
      const native = bytes !== undefined && writes.length > 0 && mapsNothing(this.db) && isNative(batch) ? batch : undefined
      if (native === undefined) fillBatch(batch, writes, 'buffer')
      else {
        // The first goes the public way, as write() does nothing for a batch that has counted none.
        fillBatch(batch, writes.slice(0, 1), 'buffer')
        for (let i = 1; i < writes.length; i++) add(native, writes[i] as Write | Row)
      }
      const write = async (sync: boolean | undefined): Promise<void> => {
        await batch.write({ sync })
        if (native !== undefined) this.keep(native, bytes as number)
      }
      return { write, discard }
    } catch (error) {
      discard()
      throw error
    }
  }

  /** It is closed: only what its class does for every batch is of use, and the database must be looked after here. */
  private refill(batch: NativeBatch, writes: readonly (Write | Row)[], bytes: number): FilledBatch {
    batch._clear()
    for (let i = 0; i < writes.length; i++) add(batch, writes[i] as Write | Row)
    // One that is being written, or has another user already, must be filled and written by nobody else.
    let isOurs = true
    const { epoch } = this
    const write = async (sync: boolean | undefined): Promise<void> => {
      // As abstract-level's own says it.
      if (this.db.status !== 'open' || this.epoch !== epoch) throw Object.assign(new Error('Database is not open'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
      if (!isOurs) throw Object.assign(new Error('Batch is not open'), { code: 'LEVEL_BATCH_NOT_OPEN' })
      isOurs = false
      await batch._write({ sync: sync === true })
      this.keep(batch, bytes)
    }
    const discard = (): void => {
      if (isOurs) this.keep(batch, bytes)
      isOurs = false
    }
    return { write, discard }
  }

  private keep(batch: NativeBatch, bytes: number): void {
    if (this.kept.length === KEPT_MAX || bytes > KEPT_BYTES_MAX) return
    this.kept.push(batch)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => (this.kept.length = 0), KEPT_MS)
    ;(this.timer as { unref?: () => void }).unref?.()
  }
}

/** By the public methods. */
export function fillBatch(batch: LevelChainedBatch, writes: readonly (Write | Row)[], encoding: LevelEncoding): void {
  for (const [key, value] of writes) {
    const options = typeof Buffer !== 'undefined' && typeof key === 'string' ? TEXT : OPTIONS[encoding]
    if (value === undefined) batch.del(key, options)
    else batch.put(key, value, options)
  }
}

/**
 * As fillBatch, of a root database whose hooks and listeners nobody is: what abstract-level's put and del come to, and nothing
 * else, where the batch takes operations as objects, as that of a memory-level does.
 */
export function fillUnwatched(db: LevelDatabase, batch: LevelChainedBatch, writes: readonly Write[], encoding: LevelEncoding): void {
  if (!isMapping(db) || !isAdding(batch)) {
    fillBatch(batch, writes, encoding)
    return
  }
  // As in LevelBatches.fill().
  fillBatch(batch, writes.slice(0, 1), encoding)
  const [keys, values] = [db.keyEncoding(encoding), db.valueEncoding(encoding)]
  const { format: keyEncoding } = keys
  const { format: valueEncoding } = values
  for (let i = 1; i < writes.length; i++) {
    const [bytes, value] = writes[i] as Write
    const key = db.prefixKey(keys.encode(bytes), keyEncoding, true)
    batch._add(value === undefined ? { type: 'del', key, keyEncoding } : { type: 'put', key, value: values.encode(value), keyEncoding, valueEncoding })
  }
}

function add(batch: NativeBatch, [key, value]: Write | Row): void {
  const options = typeof key === 'string' ? TEXT : OPTIONS.buffer
  if (value === undefined) batch._del(key, options)
  else batch._put(key, value, options)
}

/** Of writes that are all Buffers how many bytes; undefined: some are not. */
function bufferBytes(writes: readonly Write[]): number | undefined {
  // Of Node a global is a getter, and this is asked twice a row.
  const { isBuffer } = Buffer
  let bytes = 0
  for (let i = 0; i < writes.length; i++) {
    const [key, value] = writes[i] as Write
    if (!isBuffer(key) || !(value === undefined || isBuffer(value))) return undefined
    bytes += key.length + (value?.length ?? 0)
  }
  return bytes
}

const OF_BATCHES = ['_put', '_del', '_clear', '_write']
const OF_ADDING = ['_add', '_clear', '_write']
const OF_EVERYBODY = ['put', 'del', 'clear', 'write']

/** Whether its class has those methods of its own below the public ones, and not these. */
function isMadeOf(batch: LevelChainedBatch, names: readonly string[], not: readonly string[]): boolean {
  const own = Object.getPrototypeOf(batch) as object
  const base = Object.getPrototypeOf(own) as object | null
  const has = (object: object | null, name: string): boolean => object !== null && Object.hasOwn(object, name)
  return (
    names.every((name) => has(own, name) && !has(batch, name)) &&
    OF_EVERYBODY.every((name) => has(base, name) && !has(own, name) && !has(batch, name)) &&
    !not.some((name) => has(own, name))
  )
}

const isNative = (batch: LevelChainedBatch): batch is NativeBatch => isMadeOf(batch, OF_BATCHES, ['_add'])
const isAdding = (batch: LevelChainedBatch): batch is AddingBatch => isMadeOf(batch, OF_ADDING, ['_put', '_del'])

interface Encoding {
  readonly format: string
  encode(bytes: Uint8Array): unknown
}
interface Mapping {
  prefixKey(key: unknown, format: string, local: boolean): unknown
  keyEncoding(name: string): Encoding
  valueEncoding(name: string): Encoding
}

const OF_MAPPINGS = ['prefixKey', 'keyEncoding', 'valueEncoding']
const isMapping = (db: LevelDatabase): db is LevelDatabase & Mapping => OF_MAPPINGS.every((name) => typeof (db as unknown as Record<string, unknown>)[name] === 'function')

/** Whether keys and values reach the batch as they are. */
function mapsNothing(db: LevelDatabase): boolean {
  if (!isMapping(db)) return false
  const probe = Buffer.from('k')
  const mapped = [db.prefixKey(probe, 'buffer', true), db.keyEncoding('buffer').encode(probe), db.valueEncoding('buffer').encode(probe)]
  return mapped.every((bytes) => bytes === probe)
}
