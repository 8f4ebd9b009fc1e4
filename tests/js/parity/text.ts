// The words of transcripts, as in tests/native/transcript/text.cc. Bytes are strings of
// char codes 0 to 255 here, because scripts are text.

export const toBytes = (bytes: string): Uint8Array => new Uint8Array(Buffer.from(bytes, 'latin1'))
export const ofBytes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const UNITS_US: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000 }

export function escaped(bytes: string): string {
  return bytes.replace(/[^!-~]|[\\=]/g, (c) => (c === '\0' ? '\\0' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`))
}

export function unescaped(text: string): string {
  return text.replace(/\\(?:0|x([0-9a-f]{2})|)/g, (whole, hex?: string) => {
    if (whole === '\\') throw new Error(`a backslash stands before 0 or xNN: ${text}`)
    return hex === undefined ? '\0' : String.fromCharCode(Number.parseInt(hex, 16))
  })
}

export function valueText(value: string): string {
  const run = value.length > 16 && value === value.charAt(0).repeat(value.length)
  return run ? `${escaped(value.charAt(0))}*${value.length}` : escaped(value)
}

function parseValue(text: string): string {
  const star = text.lastIndexOf('*')
  if (star < 0) return unescaped(text)
  const byte = unescaped(text.slice(0, star))
  if (byte.length !== 1) throw new Error(`one byte stands before the * of ${text}`)
  return byte.repeat(parseNumber(text.slice(star + 1)))
}

export function timeText(us: number): string {
  if (us % 1_000_000 === 0) return `${us / 1_000_000}s`
  return us % 1_000 === 0 ? `${us / 1_000}ms` : `${us}us`
}

export function parseTime(text: string): number {
  const [, number, unit] = /^(\d+)(us|ms|s)$/.exec(text) ?? []
  if (number === undefined) throw new Error(`a time needs a unit, us, ms or s: ${text}`)
  return Number(number) * (UNITS_US[unit as string] as number)
}

export function parseNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`not a number: ${text}`)
  return Number(text)
}

export function counted(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`
}

/** A key and a value; no value is a delete. */
export type TextWrite = readonly [key: string, value: string | undefined]

export function parseWrite(text: string): TextWrite {
  if (text.startsWith('-')) return [unescaped(text.slice(1)), undefined]
  const equals = text.indexOf('=')
  if (equals < 0) throw new Error(`neither key=value nor -key: ${text}`)
  return [unescaped(text.slice(0, equals)), parseValue(text.slice(equals + 1))]
}

export function writeText([key, value]: TextWrite): string {
  return value === undefined ? `-${escaped(key)}` : `${escaped(key)}=${valueText(value)}`
}

export function rangeText(lo: string, hi: string | undefined): string {
  const ends = [lo === '' ? '' : `from ${escaped(lo)}`, hi === undefined ? '' : `below ${escaped(hi)}`]
  return ends.filter((end) => end !== '').join(' ') || 'all keys'
}

export function parseRange(text: string): { gte: Uint8Array; lt: Uint8Array | undefined } {
  const dots = text.indexOf('..')
  if (dots < 0) throw new Error(`a range is start..end: ${text}`)
  const end = text.slice(dots + 2)
  return { gte: toBytes(unescaped(text.slice(0, dots))), lt: end === '' ? undefined : toBytes(`${unescaped(end)}\0`) }
}
