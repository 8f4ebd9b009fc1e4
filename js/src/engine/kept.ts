import type { TextRows } from '../stores/level-text.js'
import type { Entry, PreparedWrites, Store } from '../stores/store.js'

export interface KeptPage {
  /** The first key. */
  readonly first: Uint8Array | undefined
  readonly entries: readonly Entry[] | undefined
  readonly prepared: PreparedWrites | undefined
}

/** Pages that may be written as they came, by the op of their scan. */
export class KeptPages {
  readonly #pages = new Map<number, KeptPage & { readonly migration: number }>()

  /** Taken in early by the target, a page costs no time between two writes, and its entries need not live until then. */
  keep(op: number, migration: number, rows: TextRows | readonly Entry[], target: Store | undefined): void {
    if (target?.applyPacked !== undefined) return
    const prepared = rows.length === 0 ? undefined : 'put' in rows ? rows.prepare(target) : target?.prepare?.(rows)
    this.#pages.set(op, { migration, first: rows[0]?.[0], prepared, entries: prepared ? undefined : 'put' in rows ? rows.looked() : rows })
  }

  /** Gives it away: whoever comes a second time unpacks what the engine holds. */
  take(op: number): KeptPage | undefined {
    const page = this.#pages.get(op)
    this.#pages.delete(op)
    return page
  }

  /** Those of a migration, or all. */
  drop(migration?: number): void {
    for (const [op, page] of this.#pages) {
      if (migration !== undefined && page.migration !== migration) continue
      page.prepared?.discard()
      this.#pages.delete(op)
    }
  }
}
