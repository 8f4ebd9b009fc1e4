// abstract-level's own test suite, on keys that lie in three stores.
import { createRequire } from 'node:module'
import { assignRange, gatedStore } from '../../../../dist/live/index.js'
import { ShardedLevel, type ShardedLevelOptions } from '../../../../dist/live/level.js'
import { memoryRegister } from '../../../../dist/register/memory.js'
import { memoryStore } from '../../../../dist/stores/memory.js'
import { tape } from '../../support/tape.ts'

const suite = createRequire(import.meta.url)('abstract-level/test') as (options: object) => void

/** Keys below, between and above these two go to stores of their own. */
const BORDERS = ['3', 'e'] as const

class ThreeShards extends ShardedLevel {
  private readonly assign: () => Promise<void>

  constructor(options: Partial<ShardedLevelOptions<string, string>> = {}) {
    const stores = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, gatedStore(memoryStore({ name }))]))
    const register = memoryRegister()
    super({ pageEntries: 3, batchAcross: 'perStore', ...options, stores, register })
    this.assign = async () => {
      const { a, b, c } = stores
      if (a === undefined || b === undefined || c === undefined) throw new Error('three were made')
      await assignRange({ register, store: b, ranges: [BORDERS] })
      await assignRange({ register, store: a, ranges: [['', '2\uffff']] })
      await assignRange({ register, store: c })
    }
  }

  override async _open(): Promise<void> {
    await this.assign()
    await super._open()
  }
}

suite({ test: tape, factory: (options: object) => new ThreeShards(options) })
