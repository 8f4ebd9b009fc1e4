// How the page's module travels: as scripts/pack.mjs takes it apart, but in the order in which wasm/mixing walks through it, and packed by
// the walk that unpacks it, built for Node and without SIMD: that both agree shows that SIMD changes nothing. A quarter smaller than by LZMA.
import { readFileSync } from 'node:fs'
import { takeApart } from './pack.mjs'

/** `kKinds` of wasm/mixing/facts.h, without the first. */
const KINDS = 18
const LENGTH_MAX = 15
/** Where its tables begin: wasm/CMakeLists.txt. */
const TABLES = 2_621_440

/** Huffman's code: how many bits for each byte, by how often it comes. */
function codeLengths(counts) {
  for (let flat = 0; ; flat = flat * 2 + 1) {
    const lengths = new Uint8Array(256)
    let trees = counts.map((count, byte) => ({ count: count + flat, bytes: [byte] })).filter(({ count }) => count > flat)
    // One byte alone still needs a bit.
    if (trees.length === 1) lengths[trees[0].bytes[0]] = 1
    while (trees.length > 1) {
      trees.sort((a, b) => a.count - b.count || a.bytes[0] - b.bytes[0])
      const [one, other, ...rest] = trees
      const bytes = [...one.bytes, ...other.bytes]
      for (const byte of bytes) lengths[byte]++
      trees = [...rest, { count: one.count + other.count, bytes }]
    }
    // Codes that are too long get shorter where all counts are more alike.
    if (lengths.every((length) => length <= LENGTH_MAX)) return lengths
  }
}

/** The packed bytes; `packer` is the module keyhaul_mix. */
export function mix(wasm, packer = readFileSync(new URL('../build/wasm/wasm/keyhaul_mix.wasm', import.meta.url))) {
  const symbols = []
  const { head } = takeApart(wasm, (_, byte) => symbols.push(byte), ([opcode, ...rest]) => symbols.push(opcode, rest.length, ...rest))
  if (head > 0xffff) throw new Error(`${head} bytes before the first function are more than wasm/mixing takes`)
  const compiled = new WebAssembly.Module(packer)
  const instance = () => {
    const { exports } = new WebAssembly.Instance(compiled)
    return { exports, memory: Buffer.from(exports.memory.buffer) }
  }
  const from = 0x10000
  if (from + symbols.length + 2 * wasm.length > TABLES) throw new Error(`a module of ${wasm.length} bytes does not fit below the tables of wasm/mixing: raise GLOBAL_BASE in wasm/CMakeLists.txt`)
  const counter = instance()
  counter.memory.set(symbols, from)
  const at = counter.exports.count(from, from + symbols.length, wasm.length, head)
  const counts = new Uint32Array(counter.exports.memory.buffer, at, KINDS * 256)
  const lengths = Array.from({ length: KINDS }, (_, kind) => codeLengths([...counts.subarray(256 * kind, 256 * kind + 256)]))
  const given = Buffer.concat([...lengths, Buffer.from(symbols)])
  const { exports, memory } = instance()
  const module = from + given.length
  const packed = module + wasm.length + 8
  memory.set(given, from)
  const end = exports.mix(from, packed, module, wasm.length, head)
  if (!memory.subarray(module, module + wasm.length).equals(wasm)) throw new Error('wasm/mixing walks in another way than scripts/pack.mjs')
  return Buffer.from(memory.subarray(packed, end))
}
