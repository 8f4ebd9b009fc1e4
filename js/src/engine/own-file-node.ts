import { readFileSync } from 'node:fs'

/** A file of this package, by its place in dist; undefined where it is not there. */
export function ownFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return readFileSync(new URL(`../${path}`, import.meta.url))
  } catch {
    return undefined
  }
}
