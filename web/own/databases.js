// The IndexedDB databases of the origin that BrowserLevel made: named level-js-…, with an object
// store of the rest of the name, whose keys are bytes.
import { BrowserLevel } from 'browser-level'
import { KeyhaulError } from '../../dist/index.js'
import { toScanRanges } from '../../dist/ranges.js'
import { levelStore } from '../../dist/stores/level.js'
import { citiesOf } from './cities.js'

const PREFIX = 'level-js-'
/** What the page calls what it makes itself; with a number behind it where that is taken. */
const SAMPLE = 'cities'
const VIEW = { keyEncoding: 'view', valueEncoding: 'view' }
const text = new TextDecoder()

export const open = (name) => new BrowserLevel(name, VIEW)
export const storeOf = (db, name) => levelStore(db, { name })

export async function list() {
  const all = (await indexedDB.databases()).map(({ name }) => name)
  const names = all.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length)).sort()
  const databases = []
  for (const name of names) {
    // One that is called so, and is somebody else's, is left alone like the others.
    const entries = await withStore(name, (keys) => settled(keys.count())).catch(() => undefined)
    if (entries !== undefined) databases.push({ name, entries })
  }
  return { databases, others: all.filter((name) => name !== 'keyhaul-journals').length - databases.length }
}

/** `ranges` of a migration, and whether there are any. */
export function boundsOf(range) {
  if (range.kind === 'prefix') return { ranges: [{ prefix: bytesOf(range.prefix) }] }
  if (range.kind === 'between') return { ranges: [[bytesOf(range.low), bytesOf(range.high)]] }
  return {}
}

/** As the command line has it: text, or hex:00ff. */
function bytesOf(key) {
  if (!key.startsWith('hex:')) return new TextEncoder().encode(key)
  const pairs = key.slice(4).match(/../g) ?? []
  if (key.length % 2 !== 0 || pairs.some((pair) => !/^[0-9a-f]{2}$/i.test(pair))) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `${key} is not hexadecimal: hex: is followed by pairs of 0 to 9 and a to f, such as hex:00ff` })
  }
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16))
}

function keyRange(range) {
  const [{ gte, lt }] = toScanRanges(boundsOf(range).ranges)
  if (gte === undefined || gte.length === 0) return lt === undefined ? undefined : IDBKeyRange.upperBound(lt, true)
  return lt === undefined ? IDBKeyRange.lowerBound(gte) : IDBKeyRange.bound(gte, lt, false, true)
}

/** What lies in the range: exactly how many, about how many bytes, from where to where. */
export async function count(name, range) {
  const within = keyRange(range)
  if (!(await exists(name))) return { exists: false, entries: 0, bytes: 0 }
  return withStore(name, async (keys) => {
    const [entries, sampleKeys, sampleValues, first, last] = await Promise.all([
      settled(keys.count(within)),
      settled(keys.getAllKeys(within, 500)),
      settled(keys.getAll(within, 500)),
      settled(keys.openKeyCursor(within)),
      settled(keys.openKeyCursor(within, 'prev'))
    ])
    const size = (part) => part?.byteLength ?? 0
    const bytes = [...sampleKeys, ...sampleValues].reduce((sum, part) => sum + size(part), 0)
    return { exists: true, entries, bytes: Math.round((bytes / Math.max(1, sampleKeys.length)) * entries), first: nameOf(first), last: nameOf(last) }
  })
}

const nameOf = (cursor) => (cursor === null ? undefined : text.decode(cursor.key))

/** The cities, of which a part is about to move. Always a database of their own: no other is touched. */
export async function sample() {
  const cities = await citiesOf()
  const name = await made()
  const db = open(name)
  try {
    const encoder = new TextEncoder()
    const rows = cities.map(({ key, value }) => ({ type: 'put', key: encoder.encode(key), value: encoder.encode(JSON.stringify(value)) }))
    await db.batch(rows)
    return { name, entries: rows.length }
  } finally {
    await db.close()
  }
}

/** Somebody else's program has changed a value. Which one. */
export async function damage(name, range) {
  const within = keyRange(range)
  return withStore(name, async (keys) => {
    const all = await settled(keys.getAllKeys(within))
    if (all.length === 0) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `${name} holds nothing in this range, so there is nothing to damage` })
    const key = all[Math.floor(all.length / 2)]
    const value = new Uint8Array(await settled(keys.get(key)))
    // One bit of the last byte; a value that is empty gets one.
    const other = value.length === 0 ? Uint8Array.of(1) : value.slice()
    if (value.length > 0) other[other.length - 1] ^= 1
    await settled(keys.put(other, key))
    return { key: text.decode(key) }
  }, 'readwrite')
}

/** Makes an empty database under a name that nobody had, as BrowserLevel would. Its name. */
async function made() {
  for (let n = 1; ; n++) {
    const name = n === 1 ? SAMPLE : `${SAMPLE}-${n}`
    if (await exists(name)) continue
    const request = indexedDB.open(PREFIX + name)
    let isNew = false
    request.onupgradeneeded = () => {
      isNew = true
      request.result.createObjectStore(name)
    }
    const db = await settled(request)
    db.close()
    // Another tab may have been faster.
    if (isNew) return name
  }
}

/** A database that is there; opening one that is not would make it. */
async function existing(name) {
  const request = indexedDB.open(PREFIX + name)
  let isNew = false
  request.onupgradeneeded = () => {
    isNew = true
    request.transaction.abort()
  }
  try {
    return await settled(request)
  } catch (error) {
    throw isNew ? gone(name) : error
  }
}

export const gone = (name) => new KeyhaulError('KEYHAUL_STORE_NOT_FOUND', { message: `there is no database named “${name}” any more; reload the page, and choose another` })

export async function exists(name) {
  return (await indexedDB.databases()).some((one) => one.name === PREFIX + name)
}

async function withStore(name, run, mode = 'readonly') {
  const db = await existing(name)
  try {
    if (!db.objectStoreNames.contains(name)) throw new KeyhaulError('KEYHAUL_STORE_NOT_FOUND', { store: name, message: 'this database was not made by BrowserLevel' })
    const transaction = db.transaction(name, mode)
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
    })
    ended.catch(() => {})
    const result = await run(transaction.objectStore(name))
    await ended
    return result
  } finally {
    db.close()
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new KeyhaulError('KEYHAUL_STORE_LOCKED', { message: 'another tab has this database open; close that tab first' }))
  })
}
