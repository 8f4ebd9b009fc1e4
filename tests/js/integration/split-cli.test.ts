// A migration that moves in parts, from a terminal: gone on with and cancelled by its journal, and inside a service.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Engine, type Migration } from '../../../dist/index.js'
import { assignRange, type Control, type GatedStore, gatedStore, readOwnership, serveControl, shardedStore } from '../../../dist/live/index.js'
import { levelRegister } from '../../../dist/register/level.js'
import { levelStore } from '../../../dist/stores/level.js'
import { inFolder, keyhaul, keyOf } from '../support/stores.ts'
import { everything, Load } from '../unit/live/load.ts'
import { type Call, wide } from '../unit/live/wide.ts'

const KEYS = 2000
/** `a` owns the keys up to this one at first, and `c` the others. What is moved of it is all up to `LAST`. */
const BORDER = keyOf(1499)
const LAST = keyOf(1399)
const RANGES = [{ to: LAST }]

interface World {
  readonly folder: string
  readonly stores: { readonly a: GatedStore; readonly b: GatedStore; readonly c: GatedStore }
  readonly register: ReturnType<typeof levelRegister>
  readonly load: Load
}

/** All of the ranges, and neither of their halves. */
const isWhole = ({ ranges }: Call): boolean => ranges.some(({ gte = [], lt }) => gte.length === 0 && lt !== undefined && Buffer.from(lt).toString().startsWith(LAST))

/** Three stores of one service, and clients of all of them. */
async function inStores<T>(folder: string, isNew: boolean, work: (world: World) => Promise<T>): Promise<T> {
  const dbs = ['a', 'b', 'c'].map((name) => ({ name, db: new ClassicLevel<string, string>(join(folder, name)) }))
  const [a, b, c] = dbs.map(({ name, db }) => gatedStore(levelStore(db, { name, feed: true }))) as [GatedStore, GatedStore, GatedStore]
  const register = levelRegister((dbs[0] as (typeof dbs)[0]).db)
  if (isNew) {
    await assignRange({ register, store: a, ranges: [{ to: BORDER }] })
    await assignRange({ register, store: c })
  }
  const load = new Load(shardedStore({ stores: { a, b, c }, register }), KEYS)
  try {
    if (isNew) await load.fill()
    return await work({ folder, stores: { a: wide(a, isWhole, 1500), b, c }, register, load })
  } finally {
    await load.stop()
    await Promise.all(dbs.map(({ db }) => db.close()))
  }
}

/** Once one of its parts is copied. */
function copies(migration: Migration, part: 1 | 2): Promise<void> {
  let [isSplit, decided] = [false, 0]
  const copied = new Promise<void>((done) => {
    migration.on('state', (state) => {
      if (state === 'aborting') isSplit = true
      if (state === 'deciding') decided++
      if (isSplit && state === 'copying' && decided === part - 1) done()
    })
  })
  return Promise.race([copied, migration.done.then(() => assert.fail('it was not split'))])
}

/** How many keys each store has. What they hold together is what clients have written, and each is where the register says. */
async function held({ stores: { a, b, c }, register }: World, expected: Map<string, string>): Promise<number[]> {
  const all = [await everything(a), await everything(b), await everything(c)]
  assert.deepEqual(new Map(all.flatMap((one) => [...one]).sort()), new Map([...expected].sort()))
  assert.deepEqual((await readOwnership(register)).claims, [])
  return all.map(({ size }) => size)
}

const serve = ({ folder, stores, register }: World): Promise<Control> => serveControl({ path: join(folder, 's'), stores: { ...stores }, register, journals: join(folder, 'journals') })
const lastJson = (stdout: string): Record<string, unknown> => JSON.parse(stdout.trimEnd().split('\n').pop() as string)

/** What a Ctrl-C of the command that began it asks for. */
function stopInService(path: string, id: string): Promise<void> {
  return new Promise((done) => {
    const socket = connect(path, () => socket.write(`${JSON.stringify({ keyhaul: 1, op: 'stop', id })}\n`))
    socket.resume().on('close', () => done())
  })
}

test('in a service whose clients read, write and scan three stores; by whom a part is held is said, also once it was stopped', { timeout: 180_000 }, async () => {
  await inFolder(async (folder) => {
    await inStores(folder, true, async (world) => {
      const { load } = world
      const first = await serve(world)
      load.start({ writers: 4, readers: 2, pause: 2 })
      const { id, migration } = await first.move({ from: 'a', to: 'b', ranges: RANGES, splitMax: 2, pauseBudgetMs: 1000 })
      const inTheWay = async (): Promise<void> => {
        const refused = await keyhaul(['move', '--live', '--service', first.path, 'a', 'c', '--range', `..${keyOf(9)}`, '--json', '--quiet'])
        assert.equal(refused.code, 1)
        const text = `${id}: migration ${id} of this service, from a to b, holds keys of these ranges; wait for its end, or end it with: keyhaul cancel --service ${first.path} ${id}`
        assert.ok(refused.stderr.includes(`KEYHAUL_RANGE_CLAIMED: store a, ${text}`), refused.stderr)
      }
      await copies(migration, 1)
      migration.setRate(2_000)
      await inTheWay()
      await stopInService(first.path, id)
      await assert.rejects(migration.done, { code: 'KEYHAUL_INTERRUPTED' })
      await inTheWay()
      await first.close()
      // The next process leaves it stopped, and knows it by its journals.
      const second = await serve(world)
      await inTheWay()
      const { runs } = lastJson((await keyhaul(['status', '--service', second.path, '--json'])).stdout) as { runs: { id: string; state: string; resumable: boolean }[] }
      assert.deepEqual(runs.filter(({ id: one }) => one === id).map(({ state, resumable }) => [state, resumable]), [['stopped', true]])
      const resumed = await keyhaul(['resume', '--service', second.path, id, '--rate', 'none', '--json'])
      assert.equal(resumed.code, 0, resumed.stderr)
      const { state, verified, parts } = lastJson(resumed.stdout) as { state: string; verified: boolean; parts: { state: string }[] }
      assert.deepEqual([state, verified, parts.map((part) => part.state)], ['done', true, ['done', 'done']])
      await load.stop()
      await second.close()
      assert.ok(load.reads > 0 && load.scans > 0)
      const [inA = 0, inB = 0, inC = 0] = await held(world, load.expected())
      assert.ok(inB > inA && inA > 0 && inC > 0, `${inA} ${inB} ${inC}`)
    })
  })
})

test('keyhaul move --split in a service, and keyhaul cancel in its second part: what has moved stays moved', { timeout: 180_000 }, async () => {
  await inFolder(async (folder) => {
    await inStores(folder, true, async (world) => {
      const { load } = world
      const control = await serve(world)
      const service = ['--service', control.path]
      load.start({ writers: 2, readers: 1, pause: 2 })
      const { id, migration } = await control.move({ from: 'a', to: 'b', ranges: RANGES, splitMax: 2, pauseBudgetMs: 1000 })
      await copies(migration, 2)
      migration.setRate(2_000)
      const cancelled = await keyhaul(['cancel', ...service, id])
      assert.equal(cancelled.code, 0, cancelled.stderr)
      assert.match(cancelled.stdout, /live move cancelled after .*\n[\s\S]*part 1 .*: [\d,]+ entries, b owns it\n {2}part 2 .*: cancelled, a owns it\n/)
      await migration.done.catch(() => {})
      await load.stop()
      const [inA = 0, inB = 0] = await held(world, load.expected())
      assert.ok(inA > 0 && inB > 0, `${inA} ${inB}`)
      // What is left is small enough to go at once; a service's own parts are none of it.
      const { parts } = await readOwnership(world.register)
      const border = Buffer.from(parts.find(({ owner }) => owner === 'a')?.gte ?? []).toString()
      const rest = await keyhaul(['move', '--live', ...service, 'a', 'b', '--range', `${border}..${LAST}`, '--split', '4', '--pause-budget', '5s'])
      assert.equal(rest.code, 0, rest.stderr)
      assert.doesNotMatch(rest.stdout, /part 1/)
      await control.close()
    })
  })
})

for (const verb of ['resume', 'cancel'] as const) {
  test(`keyhaul ${verb} of a journal whose migration stopped in a part`, { timeout: 180_000 }, async () => {
    await inFolder(async (folder) => {
      const journal = join(folder, 'move.journal')
      const [places, part] = [{ from: `level:${join(folder, 'a')}`, to: `level:${join(folder, 'b')}`, register: `level:${join(folder, 'a')}` }, verb === 'resume' ? 1 : 2] as const
      const expected = await inStores(folder, true, async ({ stores: { a, b }, register, load }) => {
        const engine = new Engine()
        load.start({ writers: 2, readers: 1, pause: 2 })
        const migration = await engine.migrate({ live: true, from: a, to: b, register, ranges: RANGES, journal, splitMax: 2, pauseBudgetMs: 1000, hostInfo: { places } })
        await copies(migration, part)
        migration.stop()
        await assert.rejects(migration.done, { code: 'KEYHAUL_INTERRUPTED' })
        await load.stop()
        engine.close()
        return load.expected()
      })
      const told = await keyhaul(['status', journal])
      assert.match(told.stdout, new RegExp(`part ${part} \\(.*move\\.journal\\.${part}\\): stopped while copying, [\\d,]+ entr(y|ies), claim [0-9a-f]{32}\\n[\\s\\S]*resume with: keyhaul resume ${journal}\\n$`))
      const ended = await keyhaul([verb, journal, '--json', '--quiet'])
      assert.equal(ended.code, 0, ended.stderr)
      const receipt = lastJson(ended.stdout) as { state: string; parts: { state: string }[] }
      const last = verb === 'resume' ? 'done' : 'cancelled'
      assert.deepEqual([receipt.state, receipt.parts.map(({ state }) => state)], [last, ['done', last]])
      const [inA = 0, inB = 0] = await inStores(folder, false, (world) => held(world, expected))
      assert.ok(inA > 0 && inB > 0)
      assert.equal((await keyhaul(['status', journal])).stdout.split('\n')[0], `live a -> b: ${last}`)
      // What has ended is told once more, or refused.
      const again = await keyhaul([verb, journal])
      assert.equal(again.code, verb === 'resume' ? 0 : 1)
      if (verb === 'cancel') assert.match(again.stderr, /KEYHAUL_ALREADY_COMPLETE.*this live move has ended \(cancelled\)/)
      else assert.match(again.stdout, /moved live [\d,]+ entries[\s\S]*part 1 .*b owns it\n {2}part 2 .*b owns it\n/)
    })
  })
}
