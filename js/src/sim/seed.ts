const SEED_MAX = 0xffff_ffff_ffff_ffffn

/** What is said of text that is no seed. */
export const noSeed = (text: string): string => `“${text.slice(0, 40)}” is no seed: it takes a number up to 2^64 - 1, as in 33504, or hexadecimal digits, as in 82e0 or 0x10`

/**
 * A seed as people write it, in attributes, links and boxes; undefined: none. Only digits are decimal; with a letter from
 * a to f, or behind 0x, it is hexadecimal: `33504`, `82e0` and `0x82e0` are one seed. `keyhaul sim --seed` reads it
 * the same way (core/sim/options.cc).
 */
export function parseSeed(text: string): bigint | undefined {
  const [, hex] = /^0x([0-9a-f]+)$/i.exec(text) ?? /^(?=\d*[a-f])([0-9a-f]+)$/i.exec(text) ?? []
  if (hex === undefined && !/^\d+$/.test(text)) return undefined
  const digits = (hex ?? text).replace(/^0+(?=.)/, '')
  if (digits.length > 20) return undefined
  const seed = BigInt(hex === undefined ? digits : `0x${digits}`)
  return seed <= SEED_MAX ? seed : undefined
}

/** Throws a sentence for people. */
export function toSeed(text: string): bigint {
  const seed = parseSeed(text)
  if (seed === undefined) throw new Error(noSeed(text))
  return seed
}
