// The migrations of a service, asked for things at awkward moments.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveControl } from '../../../../dist/live/index.js'
import { Runs } from '../../../../dist/live/control-runs-node.js'
import { inFolder } from '../../support/stores.ts'
import { reaches } from './reaches.ts'
import { inMemory, type World } from './world.ts'

async function withRuns(work: (runs: Runs, world: World, folder: string, again: () => Runs) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    await inMemory(2_000, async (world) => {
      const { a, b, register } = world
      const open: Runs[] = []
      const make = (): Runs => {
        const runs = new Runs({ path: join(folder, 's'), stores: { a, b }, register, journals: join(folder, 'j') })
        open.push(runs)
        return runs
      }
      try {
        await work(make(), world, folder, make)
      } finally {
        for (const runs of open) await runs.close()
      }
    })
  })
}

/** One that takes its time, stopped while it copies. */
async function stopped(runs: Runs): Promise<string> {
  const { id, migration } = await runs.move({ from: 'a', to: 'b', rate: 50_000 })
  await reaches(migration, 'copying')
  await runs.stop(id)
  await assert.rejects(migration.done, { code: 'KEYHAUL_INTERRUPTED' })
  return id
}
const stateOf = (runs: Runs, id: string): string | undefined => runs.infos(id)[0]?.state
const ended = async (runs: Runs, id: string): Promise<void> => {
  while (runs.isRunning(id)) await new Promise((wake) => setTimeout(wake, 5))
}

test('a stop that comes while it is being resumed stops it, and it stays stopped', () =>
  withRuns(async (runs, _, folder, again) => {
    const id = await stopped(runs)
    const resumed = runs.resume(id)
    const stop = runs.stop(id)
    await Promise.all([resumed, stop])
    await ended(runs, id)
    assert.equal(stateOf(runs, id), 'stopped')
    assert.ok(existsSync(join(folder, 'j', `${id}.stopped`)))
    await runs.close()
    const next = again()
    await next.recover()
    assert.equal(next.isRunning(id), false)
    assert.equal(stateOf(next, id), 'stopped')
  }))

test('two resumes at once are one, and a cancel meanwhile is heard', () =>
  withRuns(async (runs, { check, load }) => {
    const id = await stopped(runs)
    await Promise.all([runs.resume(id, 50_000), runs.resume(id), runs.cancel(id)])
    await ended(runs, id)
    assert.equal(stateOf(runs, id), 'cancelled')
    await load.stop()
    await check('a')
  }))

test('one that cannot be resumed stays as stopped as it was', () =>
  withRuns(async (runs, _, folder) => {
    const id = await stopped(runs)
    await assert.rejects(runs.resume(id, -1), { code: 'KEYHAUL_INVALID_ARGUMENT' })
    assert.ok(existsSync(join(folder, 'j', `${id}.stopped`)))
    await runs.resume(id)
    assert.equal(existsSync(join(folder, 'j', `${id}.stopped`)), false)
    await runs.cancel(id)
  }))

test('whose claim is in the way is said by the id that the service has for it, with what to do', () =>
  withRuns(async (runs, _, folder) => {
    const { id, migration } = await runs.move({ from: 'a', to: 'b', rate: 50_000, ranges: [['key-00000100', 'key-00000900']] })
    await reaches(migration, 'copying')
    const other = await runs.move({ from: 'a', to: 'b', ranges: [['key-00000500', 'key-00001500']] })
    await assert.rejects(other.migration.done)
    const error = runs.infos(other.id)[0]?.error
    assert.equal(error?.code, 'KEYHAUL_RANGE_CLAIMED')
    assert.equal(
      error?.message,
      `store a, key key-00000500, ${id}: migration ${id} of this service, from a to b, holds keys of these ranges; wait for its end, or end it with: keyhaul cancel --service ${join(folder, 's')} ${id}`
    )
    await runs.cancel(id)
  }))

test('a service that cannot take up its journals leaves no socket behind', () =>
  inFolder(async (folder) => {
    await inMemory(10, async ({ a, b, register }) => {
      const [journals, path] = [join(folder, 'j'), join(folder, 's')]
      const options = { path, journals, stores: { a, b }, register }
      const first = await serveControl(options)
      const { id, migration } = await first.move({ from: 'a', to: 'b' })
      await migration.done
      await first.close()
      // One more ended one than are kept, and what is left of the oldest cannot be removed.
      for (let i = 0; i < 50; i++) copyFileSync(join(journals, `${id}.journal`), join(journals, `x${i}.journal`))
      const inTheWay = join(journals, `${[id, 'x0'].sort()[0]}.failed`)
      mkdirSync(inTheWay)
      await assert.rejects(serveControl(options), { code: 'ERR_FS_EISDIR' })
      const answer = await new Promise<string | undefined>((done) => {
        const socket = connect(path, () => done('connected'))
        socket.on('error', ({ code }: NodeJS.ErrnoException) => done(code))
      })
      assert.match(answer ?? '', /ENOENT|ECONNREFUSED/)
      rmdirSync(inTheWay)
      await (await serveControl(options)).close()
    })
  }))
