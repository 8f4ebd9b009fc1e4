// On a page: checksums, and a page of records on its way into the core.
import pure from 'crc-32'
import pureC from 'crc-32/crc32c.js'
import { createCRC32 } from 'hash-wasm'
import { crc32, crc32c } from '../../dist/checksum/index.js'
import { checksumTables } from '../shared/checksum.mjs'
import { recordTable } from '../shared/record.mjs'

const hashed = (hasher) => (bytes) => Number.parseInt(hasher.init().update(bytes).digest(), 16)

globalThis.bench = async (rounds) => {
  const wasm = await (await fetch('record.wasm')).arrayBuffer()
  const [ieee, castagnoli] = [await createCRC32(), await createCRC32(0x82f63b78)]
  const kinds = {
    'CRC-32': { 'keyhaul (WASM)': (bytes) => crc32(bytes), 'crc-32 (JavaScript)': (bytes) => pure.buf(bytes) >>> 0, 'hash-wasm (WASM)': hashed(ieee) },
    'CRC-32C': { 'keyhaul (WASM)': (bytes) => crc32c(bytes), 'crc-32 (JavaScript)': (bytes) => pureC.buf(bytes) >>> 0, 'hash-wasm (WASM)': hashed(castagnoli) }
  }
  const against = { 'crc-32 (JavaScript)': 'of crc-32', 'hash-wasm (WASM)': 'of hash-wasm' }
  const checksums = checksumTables(kinds, { rounds, against, atOnce: 4_000_000 })
  const bytesOf = (length, fill) => new Uint8Array(length).fill(fill)
  return [...checksums, recordTable(wasm, { rounds, bytesOf, pages: 10 })].join('\n\n')
}
