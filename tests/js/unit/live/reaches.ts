import type { Migration } from '../../../../dist/index.js'

/** Resolves once it is there; rejects where it ends before. */
export function reaches(migration: Migration, wanted: string): Promise<void> {
  return new Promise((done, fail) => {
    const look = (): boolean => migration.progress().state === wanted
    if (look()) return done()
    migration.on('state', (state) => {
      if (state === wanted) done()
    })
    migration.done.then(() => fail(new Error(`it ended before ${wanted}`)), fail)
  })
}
