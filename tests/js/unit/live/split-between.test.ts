// What is asked of a migration that moves in parts while no part is under way, or one that has not begun.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { KeyhaulError, type KeyhaulErrorCode, type Migration, MigrationError, type Receipt } from '../../../../dist/index.js'
import { assertFirst, envelopeOf, stoppedOf, totalOf } from '../../../../dist/live/chain.js'
import { Split, splitOf } from '../../../../dist/live/split.js'
import { inFolder } from '../../support/stores.ts'

const ZEROS = Object.fromEntries(['deletedEntries', 'leftOnSource', 'discardedEntries', 'feedChanges', 'copiedPages', 'retries', 'verifyRounds', 'durationMs', 'copyMs', 'catchUpMs', 'verifyMs', 'deleteMs', 'postponed', 'rechecked', 'missing', 'extra', 'changed', 'repairs', 'pauseMs', 'pauseForecastMs'].map((name) => [name, 0]))
const side = { sum: '00', entries: 1, bytes: 10 }
const receiptOf = (state: string, more: object = {}): Receipt => ({ ...ZEROS, state, mode: 'live', level: 4, verified: state === 'done', entries: 1, bytes: 10, digests: { source: side, target: side }, different: [], incarnations: 1, notPromised: [], ...more }) as never

/** A migration that ends when the test says so. */
class Part {
  state = 'pending'
  heard: string[] = []
  tooLate = false
  readonly live = { claim: Uint8Array.of(7) }
  readonly journal = undefined
  readonly listeners: ((state: string) => void)[] = []
  end!: (receipt: Receipt) => void
  fail!: (error: unknown) => void
  readonly done = new Promise<Receipt>((resolve, reject) => Object.assign(this, { end: resolve, fail: reject }))
  constructor(readonly ranges: unknown[] = [{}]) {
    this.done.catch(() => {})
  }
  on(event: string, listener: (state: string) => void): this {
    if (event === 'state') this.listeners.push(listener)
    return this
  }
  off = (): this => this
  progress = (): object => ({ state: this.state })
  enter(state: string): void {
    this.state = state
    for (const listener of this.listeners) listener(state)
  }
  stop = (): void => void this.heard.push('stop')
  cancel = (): void => {
    if (this.tooLate) throw new KeyhaulError('KEYHAUL_CANCEL_TOO_LATE')
    this.heard.push('cancel')
  }
  error = (code: KeyhaulErrorCode, state: string | undefined, message?: string): void =>
    this.fail(new MigrationError(new KeyhaulError(code, message === undefined ? {} : { message }), state === undefined ? undefined : receiptOf(state), { step: 'pending', resumable: state === undefined }))
}

interface World {
  migration: Migration
  root: Part
  parts: Part[]
  /** Lets the next part be made. */
  go: () => Promise<void>
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((wake) => setTimeout(wake, 2))
}

/** Split at "6d" (m), with its first part asked for and not made yet. */
async function split(work: (world: World) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const [root, parts] = [new Part(), [] as Part[]]
    let open = (): void => {}
    const starter = {
      start: async (_: unknown, ranges: readonly unknown[]): Promise<Migration> => {
        await new Promise<void>((resolve) => { open = resolve })
        parts.push(new Part([...ranges]))
        return parts.at(-1) as never
      }
    }
    const options = { from: { name: 'a' }, to: { name: 'b' }, splitMax: 2, journal: join(folder, 'x.journal') }
    const migration = new Split(options as never, undefined).follow(starter as never, [{}], root as never) as Migration
    root.fail(new MigrationError(new KeyhaulError('KEYHAUL_NOT_CONVERGING'), receiptOf('failed', { splitAt: '6d' }), { step: 'catchingUp', resumable: false }))
    await turns()
    const go = async (): Promise<void> => {
      open()
      await turns()
    }
    await work({ migration, root, parts, go })
  })
}

/** And the second part is made. */
async function firstMoved(parts: readonly Part[], go: () => Promise<void>): Promise<void> {
  await go()
  parts[0]?.enter('claiming')
  parts[0]?.end(receiptOf('done'))
  await turns()
  await go()
}

const failure = (migration: Migration): Promise<MigrationError> => migration.done.then(() => assert.fail('it ended well'), (error) => error)

test('a stop between two parts reaches the next one, which can be gone on with', async () => {
  await split(async ({ migration, parts, go }) => {
    migration.stop()
    await go()
    assert.deepEqual(parts[0]?.heard, ['stop'])
    // One that recorded nothing says that it has failed.
    parts[0]?.error('KEYHAUL_INTERRUPTED', 'failed')
    const error = await failure(migration)
    assert.deepEqual([error.code, error.resumable, error.receipt], ['KEYHAUL_INTERRUPTED', true, undefined])
  })
})

test('one that has begun and then fails has failed', async () => {
  await split(async ({ migration, parts, go }) => {
    await go()
    parts[0]?.enter('claiming')
    parts[0]?.error('KEYHAUL_STORE_CORRUPT', 'failed')
    const error = await failure(migration)
    assert.equal(error.receipt?.state, 'failed')
    assert.match(error.message, /; the range was split, and nothing of it has moved: all of it is a's$/)
    assert.deepEqual(Object.keys(error).filter((name) => (error as never)[name] === undefined), [], 'nothing is listed that is not known')
  })
})

test('a stop that is heard behind the last part comes too late', async () => {
  await split(async ({ migration, parts, go }) => {
    await firstMoved(parts, go)
    parts[1]?.enter('closing')
    migration.stop()
    parts[1]?.end(receiptOf('done', { staleReadsMs: 3 }))
    const receipt = await migration.done
    assert.deepEqual([receipt.state, receipt.parts?.length, receipt.staleReadsMs], ['done', 2, 3])
  })
})

test('a cancel waits until it can stand in the journal of the part', async () => {
  await split(async ({ migration, parts, go }) => {
    await go()
    migration.cancel()
    assert.deepEqual(parts[0]?.heard, [])
    parts[0]?.enter('claiming')
    parts[0]?.enter('preparing')
    assert.deepEqual(parts[0]?.heard, ['cancel'])
  })
})

test('a cancel that comes too late for the first part is one of the second', async () => {
  await split(async ({ migration, parts, go }) => {
    await go()
    const [first] = parts as [Part]
    first.enter('deciding')
    first.tooLate = true
    migration.cancel()
    first.end(receiptOf('done'))
    await turns()
    await go()
    parts[1]?.enter('claiming')
    assert.deepEqual(parts[1]?.heard, ['cancel'])
    Object.assign(parts[1] as Part, { tooLate: true })
    assert.throws(() => migration.cancel(), { code: 'KEYHAUL_CANCEL_TOO_LATE' })
  })
})

test('of what another migration took meanwhile no owner is named; a mismatch ends with what to do', async () => {
  for (const [code, state, pattern, next] of [
    ['KEYHAUL_NOT_OWNER', 'failed', /; the range was split: what is before m has moved and is b's$/, undefined],
    ['KEYHAUL_VERIFY_MISMATCH', 'mismatch', /^b differs; the range was split: what is before m has moved and is b's, what is from there on is a's; find out why, then move again$/, 'find out why, then move again']
  ] as const) {
    await split(async ({ migration, parts, go }) => {
      await firstMoved(parts, go)
      parts[1]?.enter('claiming')
      parts[1]?.error(code, state, state === 'mismatch' ? 'b differs; find out why, then move again' : undefined)
      const error = await failure(migration)
      assert.match(error.message, pattern)
      if (next !== undefined) assert.equal(error.next, next)
    })
  }
})

test('of a journal no more is taken than what a part needs, and one that is none of ours is told', () => {
  const hostInfo = JSON.stringify({ host: { x: 1 }, split: { options: { pauseBudgetMs: 50, signal: 5, mode: 'move', requireLevel: 4 } } })
  const options = splitOf({ from: 1, to: 2, journal: './x', pauseBudgetMs: undefined } as never, { hostInfo, live: { splitMax: 4 } } as never) as unknown as Record<string, unknown>
  assert.deepEqual([options['pauseBudgetMs'], options['requireLevel'], options['signal'], options['mode'], options['splitMax']], [50, 4, undefined, undefined, 4])
  for (const text of ['', 'null', '5', '{"host"']) assert.throws(() => envelopeOf(text), { code: 'KEYHAUL_JOURNAL_CORRUPT' }, text)
})

test('a first part whose journal is gone is not begun anew beside the second', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'x.journal')
    await assertFirst(path)
    writeFileSync(`${path}.2`, 'something')
    await assert.rejects(assertFirst(path), (error: KeyhaulError) => {
      assert.equal(error.code, 'KEYHAUL_JOURNAL_NOT_FOUND')
      assert.match(error.message, /x\.journal\.1: it is gone.* resume .*x\.journal\.2 by itself$/)
      return true
    })
  })
})

test('why a chain stopped is what its last part says; stale reads of any part are in the total', () => {
  const node = (stopped: string | undefined, parts: object[] = [], receipt?: object): never => ({ info: { stopped, receipt }, parts }) as never
  assert.equal(stoppedOf(node('KEYHAUL_NOT_CONVERGING', [], {})), undefined)
  assert.equal(stoppedOf(node('KEYHAUL_NOT_CONVERGING', [node(undefined, [], {}), node('KEYHAUL_DISK_FULL')], {})), 'KEYHAUL_DISK_FULL')
  assert.equal(totalOf(receiptOf('failed'), [receiptOf('done', { staleReadsMs: 2 }), receiptOf('done', { staleReadsMs: 'unknown' })]).staleReadsMs, 'unknown')
  assert.equal('staleReadsMs' in totalOf(receiptOf('failed'), [receiptOf('done')]), false)
})
