import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32, crc32c, crc32cCombine, crc32Combine } from '../../../dist/checksum.js'

test('published check values', () => {
  assert.equal(crc32('123456789'), 0xcbf43926)
  assert.equal(crc32c('123456789'), 0xe3069283)
  // RFC 3720 B.4: 32 bytes of zeros, and of ones.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32(''), 0)
})

test('agrees with zlib at lengths around the staging buffer, and chains at any split', () => {
  const bytes = Uint8Array.from({ length: 600_001 }, (_, i) => (i * 31 + (i >> 7)) & 255)
  for (const length of [1, 15, 16, 17, 4096, 262_143, 262_144, 262_145, 600_001]) {
    const part = bytes.subarray(0, length)
    assert.equal(crc32(part), zlibCrc32(part), `${length} bytes`)
    const split = length >> 1
    assert.equal(crc32c(part.subarray(split), crc32c(part.subarray(0, split))), crc32c(part))
    const [a, b] = [part.subarray(0, split), part.subarray(split)]
    assert.equal(crc32Combine(crc32(a), crc32(b), b.length), crc32(part))
    assert.equal(crc32cCombine(crc32c(a), crc32c(b), b.length), crc32c(part))
  }
})
