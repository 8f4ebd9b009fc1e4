// A run that can be watched, stopped, stepped, broken by hand, kept and put back.
import { KeyhaulError } from '../errors.js'
import { leftText, makeSimModule, withBytes } from './load.js'
import type { SimModule } from './module.js'
import type { SimReport } from './simulate.js'
import type { SimColumn, SimMark, SimRow, SimView } from './view.js'

/** The whole world as bytes; of any player, for any player. */
export interface Snapshot {
  readonly timeUs: number
  readonly event: number
  readonly memory: Uint8Array
}

export class Player {
  readonly #module: SimModule = makeSimModule()

  /** Begins anew, with the arguments of the command. */
  open(args: readonly string[]): void {
    const bytes = new TextEncoder().encode(args.map((arg) => `${arg}\0`).join(''))
    if (withBytes(this.#module, bytes, (address, size) => this.#module.playerOpen(address, size)) === 0) {
      throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `not understood: ${leftText(this.#module)}` })
    }
  }

  /** Everything up to this time or this event, at most `most` events; how many it were. */
  advance(untilUs: number, untilEvent = Number.POSITIVE_INFINITY, most = Number.POSITIVE_INFINITY): number {
    return this.#module.playerAdvance(untilUs, untilEvent, most)
  }

  /** Nothing more happens. */
  get ended(): boolean {
    return this.#module.playerEnded() === 1
  }

  /** As in `1500000:crash:3:800`. */
  intervene(text: string): void {
    const bytes = new TextEncoder().encode(text)
    if (withBytes(this.#module, bytes, (address, size) => this.#module.playerIntervene(address, size)) === 0) {
      throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `not understood: ${text}` })
    }
  }

  view(): SimView {
    this.#module.playerView()
    return JSON.parse(leftText(this.#module)) as SimView
  }

  marks(from = 0): SimMark[] {
    this.#module.playerMarks(from)
    return JSON.parse(leftText(this.#module)) as SimMark[]
  }

  /** The key space in rows; columns count from the first time that it is asked for them. */
  rows(): SimRow[] {
    this.#module.playerRows()
    return JSON.parse(leftText(this.#module)) as SimRow[]
  }

  column(): SimColumn {
    this.#module.playerColumn()
    return JSON.parse(leftText(this.#module)) as SimColumn
  }

  report(): Pick<SimReport, 'hash' | 'events' | 'timeUs' | 'violations' | 'life'> {
    this.#module.playerReport()
    return JSON.parse(leftText(this.#module)) as SimReport
  }

  snapshot(timeUs: number, event: number): Snapshot {
    return { timeUs, event, memory: new Uint8Array(this.#module.memory.buffer).slice() }
  }

  restore({ memory }: Snapshot): void {
    // The module has to know of its growth, so it is asked for the memory and gives it back.
    while (this.#module.memory.buffer.byteLength < memory.length) {
      const missing = memory.length - this.#module.memory.buffer.byteLength
      if (this.#module.allocate(missing + 65_536) === 0) throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: 'there is no memory for the simulated world' })
    }
    new Uint8Array(this.#module.memory.buffer).set(memory)
  }
}
