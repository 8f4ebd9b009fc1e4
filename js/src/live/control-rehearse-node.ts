import { join } from 'node:path'
import { KeyhaulError } from '../errors.js'
import type { Measurement } from '../rehearse/measurement.js'
import type { LevelDatabase } from '../stores/level-types.js'
import type { Store } from '../stores/store.js'
import type { RehearseRequest } from './control-request.js'

/** All of it runs on the thread that serves the clients: less is counted and tried than by a command of its own. */
const COUNT_MAX = 100_000
const TRIAL_MAX = 10_000

type Database = LevelDatabase & { readonly location?: unknown; close(): Promise<void> }
type DatabaseClass = new (location: string) => Database

/** Measures the stores of a service for rehearsals, one at a time. What is simulated then is left to who asked. */
export class Rehearsals {
  private running: Promise<unknown> | undefined
  private readonly ending = new AbortController()

  async measure(request: RehearseRequest, from: Store, to: Store, given: AbortSignal): Promise<Measurement> {
    if (this.running !== undefined) throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: 'this service measures for one rehearsal at a time, and one is under way; try again after it' })
    const work = measured(request, from.mover ?? from, to.mover ?? to, AbortSignal.any([given, this.ending.signal]))
    this.running = work.catch(() => {})
    try {
      return await work
    } finally {
      this.running = undefined
    }
  }

  async close(): Promise<void> {
    this.ending.abort(new KeyhaulError('KEYHAUL_INTERRUPTED'))
    await this.running
  }
}

async function measured({ ranges, sharePercent = 25, writes, watchMs }: RehearseRequest, from: Store, to: Store, signal: AbortSignal): Promise<Measurement> {
  const [source, target] = [databaseOf(from), databaseOf(to)]
  const { measure } = await import('../rehearse/measure.js')
  const { levelRegister } = await import('../register/level.js')
  const { levelStore } = await import('../stores/level.js')
  const { inScratchFolder } = await import('../rehearse/scratch-node.js')
  return inScratchFolder(target.location as string, async (folder) => {
    const opened: Database[] = []
    const scratch = async (like: Database, name: string): Promise<{ store: Store; db: Database }> => {
      const db = new (like.constructor as DatabaseClass)(join(folder, name))
      opened.push(db)
      await db.open()
      return { store: levelStore(db, { name: `scratch ${name}`, feed: true }), db }
    }
    try {
      const own = await scratch(source, 'source')
      const stores = { from, to, scratch: (await scratch(target, 'target')).store, scratchSource: own.store }
      return await measure({ ...stores, scratchRegister: levelRegister(own.db), ranges, plan: { mode: 'live', share: sharePercent / 100, writes }, countMax: COUNT_MAX, trialMax: TRIAL_MAX, watchMs, isServing: true, signal })
    } finally {
      for (const db of opened) await db.close()
    }
  })
}

function databaseOf({ name, place }: Store): Database {
  const db = place?.database as Database | undefined
  if (typeof db?.location === 'string') return db
  throw new KeyhaulError('KEYHAUL_UNSUPPORTED', { store: name, message: 'its database is in no folder, so no scratch store can be made beside it' })
}
