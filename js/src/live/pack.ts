import { concatBytes } from '../stores/bytes.js'
import type { GateCall, GateVerb, ScanRange } from '../stores/store.js'

const NO_BOUND = 0xffffffff
const NONE = new Uint8Array(0)
const VERBS: readonly GateVerb[] = ['assign', 'prepare', 'fence', 'fenceReads', 'unfence', 'redirect', 'activate', 'discard', 'inspect', 'restage']

/** What wasm/bindings/gate.cc reads at an address. */
export class Packer {
  private readonly parts: Uint8Array[] = []

  word(value: number): this {
    this.parts.push(new Uint8Array(Uint32Array.of(value).buffer))
    return this
  }
  number(value: number): this {
    return this.word(value % 0x100000000).word(Math.floor(value / 0x100000000))
  }
  raw(bytes: Uint8Array): this {
    this.parts.push(bytes)
    return this
  }
  sized(bytes: Uint8Array): this {
    return this.word(bytes.length).raw(bytes)
  }
  text(text: string): this {
    return this.sized(new TextEncoder().encode(text))
  }
  range({ gte, lt }: ScanRange): this {
    this.sized(gte ?? NONE)
    return lt === undefined ? this.word(NO_BOUND) : this.sized(lt)
  }
  bytes(): Uint8Array {
    return concatBytes(this.parts)
  }
}

export function packCall({ verb, claim, coordEpoch, epoch, target, ranges }: GateCall): Uint8Array {
  const packer = new Packer().word(VERBS.indexOf(verb) + 1).raw(claim).number(coordEpoch).number(epoch).text(target).word(ranges.length)
  for (const range of ranges) packer.range(range)
  return packer.bytes()
}
