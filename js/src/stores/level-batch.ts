import type { LevelChainedBatch, LevelDatabase, LevelEncoding } from './level-types.js'
import type { Write } from './store.js'

// abstract-level spreads the options of each put into an operation; inherited ones are read all the
// same and not spread, which makes a chained put three times as fast (bench/node/put-options.mjs).
const inherited = (encoding: LevelEncoding): object => Object.create({ keyEncoding: encoding, valueEncoding: encoding }) as object
const OPTIONS = { buffer: inherited('buffer'), view: inherited('view') }

/**
 * Where the batch is of a root database, and no hook and no listener is told of it (`isUnwatched`), what
 * abstract-level does for a put is to look after those, to encode, to count, and to call `_put`, the
 * method of its implementors, with the key and the value as they are when they are Buffers. Called at once it
 * takes a quarter of the time (bench/node/put-options.mjs). The first write goes the public way, as write()
 * does nothing for a batch that has counted none. Where anything of that is somebody's own, all do.
 */
export function fillBatch(db: LevelDatabase, batch: LevelChainedBatch, writes: readonly Write[], encoding: LevelEncoding, isUnwatched: boolean): void {
  const options = OPTIONS[encoding]
  const native = isUnwatched && encoding === 'buffer' && mapsNothing(db) && takesPuts(batch) ? batch : undefined
  for (let i = 0; i < writes.length; i++) {
    const [key, value] = writes[i] as Write
    if (value === undefined) batch.del(key, options)
    else if (native !== undefined && i > 0 && Buffer.isBuffer(key) && Buffer.isBuffer(value)) native._put(key, value, options)
    else batch.put(key, value, options)
  }
}

/** Whether its class has a `_put` of its own, as classic-level's has, and `put` is the one that calls it; others take operations as objects, by `_add`. */
function takesPuts(batch: LevelChainedBatch): batch is Required<LevelChainedBatch> {
  const own = Object.getPrototypeOf(batch) as object
  const base = Object.getPrototypeOf(own) as object | null
  return Object.hasOwn(own, '_put') && !Object.hasOwn(own, '_add') && base !== null && Object.hasOwn(base, 'put') && !['put', '_put'].some((name) => Object.hasOwn(batch, name)) && !Object.hasOwn(own, 'put')
}

interface Mapping {
  prefixKey(key: Buffer, format: string, local: boolean): unknown
  keyEncoding(name: string): { encode(bytes: Buffer): unknown }
  valueEncoding(name: string): { encode(bytes: Buffer): unknown }
}

/** Whether keys and values reach the batch as they are. */
function mapsNothing(db: LevelDatabase): boolean {
  const mapping = db as LevelDatabase & Partial<Mapping>
  const probe = Buffer.from('k')
  const mapped = [mapping.prefixKey?.(probe, 'buffer', true), mapping.keyEncoding?.('buffer').encode(probe), mapping.valueEncoding?.('buffer').encode(probe)]
  return mapped.every((bytes) => bytes === probe)
}
