// What the inline text holds is the module that is shipped beside it, and nothing else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { packed, unpacker, wasmBytes } from '../../../dist/engine/inline.js'

const ROOM = 0x10000

async function unpack(stream: Uint8Array, bytes: number): Promise<Uint8Array> {
  const { instance } = await WebAssembly.instantiate(Buffer.from(unpacker, 'base64'))
  const memory = instance.exports.memory as WebAssembly.Memory
  new Uint8Array(memory.buffer).set(stream, ROOM)
  ;(instance.exports.unpack as (...numbers: number[]) => void)(ROOM, ROOM + stream.length, bytes)
  return new Uint8Array(memory.buffer, ROOM + stream.length, bytes)
}

test('the packed module is the .wasm asset, byte for byte', async () => {
  const asset = readFileSync(new URL('../../../dist/keyhaul.wasm', import.meta.url))
  assert.equal(wasmBytes, asset.length)
  assert.ok(asset.equals(await unpack(Buffer.from(packed, 'base64'), wasmBytes)))
})

test('the module fits into the memory of its unpacker, with room to grow', async () => {
  const { instance } = await WebAssembly.instantiate(Buffer.from(unpacker, 'base64'))
  const room = (instance.exports.memory as WebAssembly.Memory).buffer.byteLength
  assert.ok(ROOM + packed.length + 2 * wasmBytes < room, `${room} bytes; raise it in wasm/CMakeLists.txt`)
})

test('a damaged stream gives other bytes or traps; it does not hang', { timeout: 20_000 }, async () => {
  const stream = Buffer.from(packed, 'base64')
  const whole = Buffer.from(await unpack(stream, wasmBytes))
  for (const place of [1, 5, 6, 1000, stream.length >> 1]) {
    const damaged = Buffer.from(stream)
    damaged[place] = (damaged[place] as number) ^ 0x55
    const same = await unpack(damaged, wasmBytes).then((bytes) => whole.equals(bytes), (error: unknown) => !(error instanceof WebAssembly.RuntimeError))
    assert.equal(same, false)
  }
})
