import { compareBytes, toBytes } from '../stores/bytes.js'
import type { Entry, ScanRange, Store } from '../stores/store.js'

/** A store under test, with a way to write it as its own users would. */
export interface StoreUnderTest {
  readonly store: Store
  put(key: Uint8Array, value: Uint8Array): Promise<void>
  delete(key: Uint8Array): Promise<void>
}

export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message)
}

export const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '(none)' : `<${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}>`

export const same = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0

export const key = (text: string): Uint8Array => toBytes(text)

export const numbered = (i: number): Uint8Array => key(`k${String(i).padStart(5, '0')}`)

export function checkEntries(actual: readonly Entry[], expected: readonly Entry[], where: string): void {
  check(actual.length === expected.length, `${where}: ${actual.length} entries instead of ${expected.length}`)
  actual.forEach(([k, v], i) => {
    const [wantKey, wantValue] = expected[i] as Entry
    check(same(k, wantKey), `${where}: entry ${i} has key ${hex(k)} instead of ${hex(wantKey)}`)
    check(same(v, wantValue), `${where}: ${hex(k)} has value ${hex(v)} instead of ${hex(wantValue)}`)
  })
}

/** Reads a range page by page, as the engine does; every page is checked on the way. */
export async function scanAll(
  store: Store,
  range: ScanRange,
  limits: { maxEntries: number; maxBytes: number },
  between?: () => Promise<void>
): Promise<Entry[]> {
  const all: Entry[] = []
  let gte = range.gte
  for (let pages = 0; ; pages++) {
    check(pages < 10_000, 'the scan does not come to its end')
    const { lt } = range
    const page = await store.scan({ ...(gte === undefined ? {} : { gte }), ...(lt === undefined ? {} : { lt }) }, limits)
    check(page.end || page.entries.length > 0, 'a page is empty and does not say END')
    check(page.entries.length <= limits.maxEntries, `a page has ${page.entries.length} entries, more than ${limits.maxEntries}`)
    let bytes = 0
    page.entries.forEach(([k, v], i) => {
      check(k instanceof Uint8Array && v instanceof Uint8Array, 'keys and values must be Uint8Arrays')
      check(gte === undefined || compareBytes(k, gte) >= 0, `key ${hex(k)} lies below the range`)
      check(lt === undefined || compareBytes(k, lt) < 0, `key ${hex(k)} lies above the range`)
      const before = all[all.length - 1]?.[0]
      check(before === undefined || compareBytes(before, k) < 0, `key ${hex(k)} comes after ${hex(before)}: not in byte order, or twice`)
      check(i === 0 || bytes + k.length + v.length <= 2 * limits.maxBytes, 'a page is far larger than maxBytes')
      bytes += k.length + v.length
      all.push([k, v])
    })
    if (page.end) return all
    await between?.()
    const last = all[all.length - 1]?.[0] as Uint8Array
    gte = new Uint8Array([...last, 0])
  }
}
