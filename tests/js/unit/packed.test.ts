// What the inline text holds is the module that is shipped beside it, and nothing else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { apartBytes, packed, unpacker, wasmBytes } from '../../../dist/engine/inline.js'
import * as live from '../../../dist/live/inline.js'
import * as sim from '../../../dist/sim/inline.js'

const page = (await import(new URL('../../../build/page/inline.js', import.meta.url).href)) as typeof sim

const ROOM = 0x10000
/** Where the tables of the page's unpacker begin: wasm/CMakeLists.txt. */
const TABLES = 2_621_440
const here = { apartBytes, packed, unpacker, wasmBytes }

async function unpack({ apartBytes, packed, unpacker, wasmBytes }: typeof here): Promise<Buffer> {
  const { instance } = await WebAssembly.instantiate(Buffer.from(unpacker, 'base64'))
  const memory = instance.exports.memory as WebAssembly.Memory
  new TextEncoder().encodeInto(packed, new Uint8Array(memory.buffer, ROOM))
  const address = (instance.exports.unpack as (...numbers: number[]) => number)(ROOM, packed.length, apartBytes)
  return Buffer.from(memory.buffer, address, wasmBytes)
}

test('each packed module is the .wasm asset, byte for byte', async () => {
  for (const [inline, file] of [[here, 'keyhaul.wasm'], [live, 'live/keyhaul-live.wasm'], [sim, 'sim/keyhaul-sim.wasm'], [page, '../build/page/keyhaul-page.wasm']] as const) {
    const asset = readFileSync(new URL(`../../../dist/${file}`, import.meta.url))
    assert.equal(inline.wasmBytes, asset.length)
    assert.ok(asset.equals(await unpack(inline)), file)
  }
})

test('each module fits into the memory of its unpacker, with room to grow', async () => {
  for (const { apartBytes, packed, unpacker, wasmBytes } of [here, live, sim, page]) {
    const { instance } = await WebAssembly.instantiate(Buffer.from(unpacker, 'base64'))
    const room = packed === page.packed ? TABLES : (instance.exports.memory as WebAssembly.Memory).buffer.byteLength
    const used = ROOM + packed.length + (packed.length * 3) / 4 + apartBytes + wasmBytes
    assert.ok(used * 1.25 < room, `${used} of ${room} bytes; raise it in wasm/CMakeLists.txt`)
  }
})

test('a damaged stream gives other bytes or traps; it does not hang', { timeout: 120_000 }, async () => {
  for (const of of [here, page]) {
    const whole = await unpack(of)
    const isWhole = (text: string) =>
      unpack({ ...of, packed: text }).then((bytes) => whole.equals(bytes), (error: unknown) => !(error instanceof WebAssembly.RuntimeError))
    for (const place of [1, 5, 6, 20, 40, 1000, of.packed.length >> 1]) {
      const other = of.packed[place] === 'A' ? 'B' : 'A'
      assert.equal(await isWhole(of.packed.slice(0, place) + other + of.packed.slice(place + 1)), false)
    }
    assert.equal(await isWhole(of.packed.slice(0, 4000)), false, 'torn')
    assert.equal(await isWhole('A'.repeat(of.packed.length)), false)
    assert.equal(await isWhole('/'.repeat(of.packed.length)), false)
  }
})

/** A module of one function of such a body. */
function moduleOf(body: number[]): Uint8Array {
  const section = (id: number, ...bytes: number[]): number[] => [id, bytes.length, ...bytes]
  const code = [0, ...body, 0x0b]
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, 1, 0x60, 0, 0), ...section(3, 1, 0), ...section(5, 1, 0, 1), ...section(10, 1, code.length, ...code))
}

/** Bytes that look like none, the same each time. */
function* noise(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state >>> 24
  }
}

test('modules of any code and data come through: packed without SIMD, unpacked with it', async () => {
  const { mix } = (await import(new URL('../../../scripts/mix.mjs', import.meta.url).href)) as { mix(wasm: Uint8Array): Buffer }
  const number = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >>> 7)])
  const section = (id: number, bytes: number[]): number[] => [id, ...number(bytes.length), ...bytes]
  for (const seed of [1, 2, 3, 4]) {
    const random = noise(seed)
    const next = (below: number): number => random.next().value % below
    const vector = (items: number[][]): number[] => [...number(items.length), ...items.flat()]
    const functions = Array.from({ length: 1 + next(40) }, () => {
      const body = Array.from({ length: next(200) }, () => [[0x41, next(64), 0x21, next(3)], [0x20, next(3), 0x1a], [0x42, next(64), 0x1a], [0x02, 0x40, 0x0b], [0x20, 0, 0x28, 2, ...number(next(256) * 9), 0x21, 1], [0x41, 0, 0xfd, 12, ...Array.from({ length: 16 }, () => next(256)), 0xfd, 11, 4, 0]][next(6)] as number[]).flat()
      const code = [1, 3, 0x7f, ...body, 0x0b]
      return [...number(code.length), ...code]
    })
    // What stands in data is nothing but noise; with the last seed there is none.
    const data = Array.from({ length: seed === 4 ? 0 : 5000 }, () => next(256))
    const wasm = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, [1, 0x60, 0, 0]), ...section(3, vector(functions.map(() => [0]))), ...section(5, [1, 0, 1]), ...section(10, vector(functions)), ...section(11, vector([[0, 0x41, 0, 0x0b, ...number(data.length), ...data]]))])
    assert.ok(WebAssembly.validate(wasm), `seed ${seed}`)
    const packed = mix(wasm)
    assert.ok(packed.equals(mix(wasm)), 'the same bytes each time')
    const back = await unpack({ ...page, packed: packed.toString('base64'), apartBytes: wasm.length, wasmBytes: wasm.length })
    assert.ok(back.equals(wasm), `seed ${seed}`)
  }
})

test('a module that is shorter or longer than was said is neither written further nor waited for', { timeout: 60_000 }, async () => {
  for (const wrong of [0, 1, 8, 1000, page.wasmBytes - 1, page.wasmBytes + 100_000]) {
    const there = await unpack({ ...page, apartBytes: wrong }).then((bytes) => bytes, (error: unknown) => error)
    if (there instanceof WebAssembly.RuntimeError) continue
    assert.ok(Buffer.isBuffer(there), String(there))
    assert.ok(wrong > page.wasmBytes || there.subarray(wrong + 16).every((byte) => byte === 0), `${wrong} bytes`)
  }
})

test('every shape of an instruction comes through, and what is not known is refused', async () => {
  const { pack } = (await import(new URL('../../../scripts/pack.mjs', import.meta.url).href)) as {
    pack(wasm: Uint8Array): { packed: Buffer; apartBytes: number }
  }
  const { mix } = (await import(new URL('../../../scripts/mix.mjs', import.meta.url).href)) as { mix(wasm: Uint8Array): Buffer }
  const bodies = {
    'br_table in blocks': [0x02, 0x40, 0x03, 0x40, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x0b],
    'less aligned': [0x41, 0, 0x28, 0, 0x80, 1, 0x1a],
    'if and else': [0x41, 1, 0x04, 0x40, 0x05, 0x0b],
    floats: [0x43, 0, 0, 0x80, 0x3f, 0x1a, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a],
    'copy and fill': [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 10, 0, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0],
    'memory grows': [0x3f, 0, 0x40, 0, 0x1a],
    vectors: [0x41, 0, 0xfd, 0, 4, 0, 0xfd, 21, 3, 0x1a, 0x41, 0, 0xfd, 12, ...new Array(16).fill(7), 0xfd, 84, 0, 0, 5, 0x1a],
    'a verbatim code as an operand': [0x41, 0xe0, 1, 0x1a, 0x41, 0xe1, 1, 0x1a]
  }
  for (const [name, body] of Object.entries(bodies)) {
    const wasm = moduleOf(body)
    assert.ok(WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>), name)
    const made = pack(wasm)
    const back = await unpack({ unpacker, packed: made.packed.toString('base64'), apartBytes: made.apartBytes, wasmBytes: wasm.length })
    assert.ok(back.equals(wasm), name)
    const mixed = await unpack({ ...page, packed: mix(wasm).toString('base64'), apartBytes: wasm.length, wasmBytes: wasm.length })
    assert.ok(mixed.equals(wasm), name)
  }
  assert.throws(() => pack(moduleOf([0xfe, 0, 2, 0])), /not known to scripts\/pack.mjs/)
})
