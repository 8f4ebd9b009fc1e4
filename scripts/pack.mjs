// How a module travels inside the JavaScript: its code taken apart kind by kind, as wasm/unpack
// puts it together again, then LZMA, a fifth smaller than what gzip makes of the module.
// Base64 of it costs nothing once the bundle is compressed.
import { execFileSync } from 'node:child_process'

/** The order of `Kind` in wasm/unpack/merge.cc. */
const KINDS = ['rest', 'head', 'frame', 'branch', 'local', 'tail', 'call', 'opcode', 'global', 'offset', 'long', 'integer']
const CODE = 10
/** Instead of an opcode: an instruction of the rest. */
const VERBATIM = 0xe0
/** Before the opcode of an access to memory: how much less than natural its alignment is. */
const UNALIGNED = 0xe1
const FIRST_ACCESS = 0x28
const NATURAL = [2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2]
/** What one number follows; its kind. */
const AFTER = new Map([
  [0x02, 'opcode'], [0x03, 'opcode'], [0x04, 'opcode'], [0x0c, 'branch'], [0x0d, 'branch'], [0x10, 'call'], [0x20, 'local'],
  [0x21, 'local'], [0x22, 'local'], [0x23, 'global'], [0x24, 'global'], [0x41, 'integer'], [0x42, 'long']
])
const END = 0x0b
const PLAIN = [[0x00, 0x01], [0x05, 0x05], [END, END], [0x0f, 0x0f], [0x1a, 0x1b], [0x45, 0xc4]]

/** From front to back, what cannot be told from the rest: to `put` each byte with its kind, to `putOther` an instruction of another shape. */
export function takeApart(wasm, put, putOther) {
  let at = 8
  const copy = (kind, end) => {
    for (; at < end; at++) put(kind, wasm[at])
  }
  const number = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = wasm[at++]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const skip = (numbers) => {
    for (; numbers > 0; numbers--) number()
  }
  /** From one instruction to the next, where more than one number follows its opcode, or something else. */
  const skipRest = (opcode) => {
    if (opcode === 0x0e) skip(number() + 1)
    else if (opcode === 0x11) skip(2)
    else if (opcode === 0x3f || opcode === 0x40) skip(1)
    else if (opcode === 0x43 || opcode === 0x44) at += opcode === 0x43 ? 4 : 8
    else if (opcode === 0xfc) skip([0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1][number()])
    else if (opcode === 0xfd) skipVector(number())
    else throw new Error(`opcode ${opcode} is not known to scripts/pack.mjs`)
  }
  const skipVector = (instruction) => {
    if (instruction <= 11 || (instruction >= 84 && instruction <= 93)) skip(2)
    if (instruction === 12 || instruction === 13) at += 16
    if ((instruction >= 84 && instruction <= 91) || (instruction >= 21 && instruction <= 34)) at++
  }
  /** An instruction; how much deeper what follows it is nested. */
  const instruction = () => {
    const begin = at
    const opcode = wasm[at++]
    const natural = NATURAL[opcode - FIRST_ACCESS]
    const kind = natural === undefined ? AFTER.get(opcode) : 'offset'
    if (kind === undefined && !PLAIN.some(([first, last]) => opcode >= first && opcode <= last)) {
      skipRest(opcode)
      const end = at
      if (end - begin > 255) throw new Error(`an instruction of ${end - begin} bytes is longer than its size may be`)
      putOther(wasm.subarray(begin, end))
      return 0
    }
    if (natural !== undefined && wasm[at++] !== natural) {
      put('opcode', UNALIGNED)
      put('opcode', natural - wasm[at - 1])
    }
    put('opcode', opcode)
    if (kind !== undefined) {
      const number = at
      skip(1)
      const end = at
      at = number
      copy(kind, end)
    }
    return opcode === END ? -1 : Number(opcode >= 0x02 && opcode <= 0x04)
  }
  while (wasm[at] !== CODE) {
    at++
    const bytes = number()
    at += bytes
  }
  at++
  number()
  const functions = number()
  const code = at
  at = 0
  copy('head', code)
  for (let i = 0; i < functions; i++) {
    const bytes = number()
    const end = at + bytes
    const frame = at
    for (let types = number(); types > 0; types--) {
      number()
      at++
    }
    const bytesOfFrame = at - frame
    if (bytesOfFrame > 255) throw new Error('a function has locals of more types than their size may be')
    at = frame
    put('frame', bytesOfFrame)
    copy('frame', frame + bytesOfFrame)
    for (let depth = 1; depth > 0; ) depth += instruction()
    if (at !== end) throw new Error(`a function ends at ${at} instead of ${end}: an instruction is not known to scripts/pack.mjs`)
  }
  copy('tail', wasm.length)
  return { functions, head: code }
}

/** What merge.cc makes of its result is `wasm` again, byte for byte; packed.test.ts holds it to that. */
function byKind(wasm) {
  const kinds = Object.fromEntries(KINDS.map((kind) => [kind, []]))
  const { functions } = takeApart(wasm, (kind, byte) => kinds[kind].push(byte), (instruction) => {
    kinds.opcode.push(VERBATIM)
    kinds.rest.push(instruction.length, ...instruction)
  })
  const parts = KINDS.map((kind) => Uint8Array.from(kinds[kind]))
  const table = Uint32Array.from([...parts.map((part) => part.length), functions])
  return Buffer.concat([Buffer.from(table.buffer), ...parts])
}

/** The packed bytes and how many they are once LZMA is off. Python is there where Emscripten is. */
export function pack(wasm) {
  const apart = byKind(wasm)
  const program = `import lzma, sys
apart = sys.stdin.buffer.read()
def packed(nice):
    filters = [{'id': lzma.FILTER_LZMA1, 'preset': 9 | lzma.PRESET_EXTREME, 'mf': lzma.MF_BT3, 'nice_len': nice, 'lc': 1, 'lp': 0, 'pb': 0}]
    return lzma.compress(apart, lzma.FORMAT_RAW, filters=filters)
# Which of them is less differs from module to module.
sys.stdout.buffer.write(min((packed(nice) for nice in (48, 273)), key=len))`
  return { packed: execFileSync('python3', ['-c', program], { input: apart, stdio: ['pipe', 'pipe', 'inherit'] }), apartBytes: apart.length }
}
