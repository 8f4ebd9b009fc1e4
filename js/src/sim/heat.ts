// The key space by time, as a run goes by: columns of equal width, which doubles when there are
// too many of them.
import type { Player } from './player.js'
import type { SimColumn, SimHeat } from './view.js'

const COLUMNS_MAX = 240
const FIRST_WIDTH_US = 50_000

export class HeatRecorder {
  #columns: SimColumn[] = []
  #widthUs = FIRST_WIDTH_US

  constructor(readonly player: Player) {
    player.rows() // cut now, and counted from now on
  }

  /** The run goes on up to here, and then take() is called. */
  get nextUs(): number {
    return (this.#columns.length + 1) * this.#widthUs
  }

  take(): void {
    this.#columns.push({ ...this.player.column(), timeUs: this.nextUs })
    if (this.#columns.length < COLUMNS_MAX) return
    this.#columns = this.#columns.flatMap((column, i, all) => (i % 2 === 1 ? [merged(all[i - 1] as SimColumn, column)] : []))
    this.#widthUs *= 2
  }

  end(): SimHeat {
    this.take()
    return { rows: this.player.rows(), columns: this.#columns } // with the jobs that joined on the way
  }
}

/** As it stands in the later one; what was fenced or written in either counts. */
function merged(before: SimColumn, after: SimColumn): SimColumn {
  const fenced = [...after.fenced].map((one, i) => (one === '1' ? one : (before.fenced[i] as string))).join('')
  return { ...after, fenced, writes: after.writes.map((n, i) => n + (before.writes[i] as number)) }
}
