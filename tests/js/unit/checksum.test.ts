import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { crc32 as zlibCrc32 } from 'node:zlib'
import * as alone from '../../../dist/checksum/index.js'
import { loadChecksums } from '../../../dist/checksum/load.js'
import * as shared from '../../../dist/index.js'
import { getModule } from '../../../dist/engine/load.js'
import type { Checksum } from '../../../dist/engine/module.js'

/** The definition, bit by bit. */
function bitwise(polynomial: number, bytes: Uint8Array, initial = 0): number {
  let crc = ~initial
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0)
  }
  return ~crc >>> 0
}
const castagnoli = (bytes: Uint8Array, initial = 0): number => bitwise(0x82f63b78, bytes, initial)

let seed = 1
const noise = Uint8Array.from({ length: 600_001 }, () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed >>> 24
})

/** Around where the distant lags come in: kFarMin of core/src/checksum/sparse.cc. */
const AROUND_FAR = Array.from({ length: 97 }, (_, i) => 32_768 - 16 + i)
const scalar = loadChecksums('scalar')
const WAYS = {
  'keyhaul/checksum': alone,
  // What a machine without SIMD runs.
  'without SIMD': {
    crc32: (data: string | Uint8Array, initial = 0) => scalar.crc32(bytesOf(data), initial),
    crc32c: (data: string | Uint8Array, initial = 0) => scalar.crc32c(bytesOf(data), initial),
    crc32Combine: scalar.combine.bind(undefined, 0),
    crc32cCombine: scalar.combine.bind(undefined, 1)
  },
  keyhaul: shared
}
const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === 'string' ? Buffer.from(data) : data)

for (const [name, { crc32, crc32c, crc32cCombine, crc32Combine }] of Object.entries(WAYS)) {
  test(`${name}: published check values`, () => {
    assert.equal(crc32('123456789'), 0xcbf43926)
    assert.equal(crc32c('123456789'), 0xe3069283)
    // RFC 3720 B.4: 32 bytes of zeros, and of ones.
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.equal(crc32(''), 0)
  })

  test(`${name}: every length up to 1,300, and around the windows of the kernel, equals zlib and the definition`, () => {
    const around = [4096, 4400, 8192, 8500].flatMap((middle) => Array.from({ length: 81 }, (_, i) => middle - 40 + i))
    for (const length of [...Array(1301).keys(), ...around]) {
      const part = noise.subarray(length % 16, (length % 16) + length)
      assert.equal(crc32(part), zlibCrc32(part), `crc32 of ${length} bytes`)
      assert.equal(crc32(part, 0xabcdef01), zlibCrc32(part, 0xabcdef01), `crc32 of ${length} bytes, chained`)
      assert.equal(crc32c(part), castagnoli(part), `crc32c of ${length} bytes`)
      assert.equal(crc32c(part, 0xabcdef01), castagnoli(part, 0xabcdef01), `crc32c of ${length} bytes, chained`)
    }
  })

  test(`${name}: chained at every split, pieces of no and of few bytes among them`, () => {
    for (const length of [70, 432, 433, 449, 1_200]) {
      const whole = noise.subarray(0, length)
      const [ieee, castagnolis] = [zlibCrc32(whole), castagnoli(whole)]
      for (let at = 0; at <= length; at++) {
        const [a, b] = [whole.subarray(0, at), whole.subarray(at)]
        assert.equal(crc32(b, crc32(a)), ieee, `crc32 of ${length} bytes, split at ${at}`)
        assert.equal(crc32c(b, crc32c(a)), castagnolis, `crc32c of ${length} bytes, split at ${at}`)
      }
    }
    let [ieee, castagnolis] = [0, 0]
    for (let at = 0; at < 3_000; at += 3) {
      ieee = crc32(noise.subarray(at, at + 3), ieee)
      castagnolis = crc32c(noise.subarray(at, at + 3), castagnolis)
    }
    assert.equal(ieee, zlibCrc32(noise.subarray(0, 3_000)))
    assert.equal(castagnolis, castagnoli(noise.subarray(0, 3_000)))
  })

  test(`${name}: agrees with zlib at lengths around the staging buffer, and chains there`, () => {
    for (const length of [1, 15, 16, 17, 4096, ...AROUND_FAR, 65_535, 65_536, 65_537, 131_073, 262_143, 262_144, 262_145, 600_001]) {
      const part = noise.subarray(0, length)
      assert.equal(crc32(part), zlibCrc32(part), `${length} bytes`)
      const split = length >> 1
      assert.equal(crc32c(part), castagnoli(part), `crc32c of ${length} bytes`)
      assert.equal(crc32c(part.subarray(split), crc32c(part.subarray(0, split))), crc32c(part))
      const [a, b] = [part.subarray(0, split), part.subarray(split)]
      assert.equal(crc32Combine(crc32(a), crc32(b), b.length), crc32(part))
      assert.equal(crc32cCombine(crc32c(a), crc32c(b), b.length), crc32c(part))
    }
  })

  test(`${name}: combines lengths that nobody holds in memory`, () => {
    const [a, b, c] = [0x12345678, 0x9abcdef0, 0x0f1e2d3c] as const
    const [huge, length] = [2 ** 33 + 12_345, 2 ** 32 + 7]
    assert.equal(crc32Combine(crc32Combine(a, b, huge), c, length), crc32Combine(a, crc32Combine(b, c, length), huge + length))
    assert.equal(crc32cCombine(crc32cCombine(a, b, huge), c, length), crc32cCombine(a, crc32cCombine(b, c, length), huge + length))
  })
}

test('every alignment in linear memory gives the same', () => {
  const module = getModule()
  const [ieeeAt, castagnoliAt] = [0, 1].map((kind) => module.table.get(module.checksumFunction(kind)) as Checksum) as [Checksum, Checksum]
  const address = module.allocate(8_192)
  const memory = new Uint8Array(module.memory.buffer)
  for (const length of [0, 3, 63, 64, 65, 431, 432, 433, 1_000, 4_500]) {
    const part = noise.subarray(0, length)
    const [ieee, castagnolis] = [zlibCrc32(part, 7), castagnoli(part, 7)]
    for (let offset = 0; offset < 16; offset++) {
      memory.fill(0xa5, address, address + 8_192)
      memory.set(part, address + offset)
      assert.equal(ieeeAt(address + offset, length, 7) >>> 0, ieee, `crc32 of ${length} bytes at ${offset}`)
      assert.equal(castagnoliAt(address + offset, length, 7) >>> 0, castagnolis, `crc32c of ${length} bytes at ${offset}`)
    }
  }
  module.deallocate(address)
})

/** V8 says that this processor has no SIMD for WASM where it may not use these instructions of x64. */
const NO_SIMD = ['--no-enable-sse4-1', '--no-enable-ssse3']

test('a processor without SIMD gets the module without, and the same sums; the engine says what it lacks', { skip: process.arch !== 'x64' && 'V8 can be told so on x64 only' }, () => {
  const dist = new URL('../../../dist/', import.meta.url).href
  const script = `
    const { loadChecksums } = await import('${dist}checksum/load.js')
    const { crc32, crc32c } = await import('${dist}checksum/index.js')
    const bytes = Uint8Array.from({ length: 600_001 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24)
    const whole = await import('${dist}index.js')
    let refused
    try { whole.crc32(bytes) } catch (error) { refused = [error.code, error.message] }
    console.log(JSON.stringify([loadChecksums().kind, crc32(bytes, 5), crc32c(bytes, 5), refused]))`
  const run = (...flags: string[]): unknown[] => {
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', script], { encoding: 'utf8' })
    assert.equal(stderr, '')
    return JSON.parse(stdout) as unknown[]
  }
  const [kind, ...sums] = run()
  assert.equal(kind, 'simd')
  const [without, ieee, castagnolis, refused] = run(...NO_SIMD)
  assert.deepEqual([without, ieee, castagnolis], ['scalar', sums[0], sums[1]])
  const [code, message] = refused as [string, string]
  assert.equal(code, 'KEYHAUL_UNSUPPORTED')
  assert.match(message, /SIMD/)
})

test('a machine without SIMD gets the module without, and the same sums', () => {
  const { validate } = WebAssembly
  try {
    WebAssembly.validate = () => false
    const { kind, crc32, crc32c } = loadChecksums()
    assert.equal(kind, 'scalar')
    assert.equal(crc32(noise, 5), zlibCrc32(noise, 5))
    assert.equal(crc32c(noise, 5), alone.crc32c(noise, 5))
  } finally {
    WebAssembly.validate = validate
  }
  assert.equal(loadChecksums().kind, 'simd')
})
