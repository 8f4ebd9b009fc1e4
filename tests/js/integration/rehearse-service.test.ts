// A rehearsal of stores that a service holds open: measured there, with its clients at work.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { withService } from '../support/service.ts'
import { keyhaul } from '../support/stores.js'

const scratchIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('.keyhaul-rehearsal-'))

test('a service measures its stores and its writers; nothing of it stays, and no key moves', { timeout: 120_000 }, () =>
  withService(2000, async ({ socket, quit }, folder) => {
    const names = readdirSync(folder)
    const args = ['rehearse', '--live', '--service', socket, 'shard1', 'shard2', '--seeds', '2', '--json']
    const ended = await keyhaul([...args, '--watch-writers', '500ms'])
    assert.ok(ended.code === 0 || ended.code === 3, ended.stderr)
    const { measurement, plan, calm } = JSON.parse(ended.stdout) as { measurement: { entries: number; writes: number }; plan: { writes: number }; calm: { runs: number } }
    assert.equal(measurement.entries, 2000)
    assert.ok(measurement.writes > 0, 'its clients write all the time')
    assert.equal(plan.writes, measurement.writes)
    assert.equal(calm.runs, 2)
    // Given, the writers are not watched.
    const given = await keyhaul([...args, '--writes', '5', '--range', 'key-000000..key-000099'])
    const second = JSON.parse(given.stdout) as { measurement: { entries: number; writes?: number }; plan: { writes: number } }
    assert.deepEqual([second.measurement.entries, second.measurement.writes, second.plan.writes], [100, undefined, 5])
    const text = await keyhaul(args.filter((arg) => arg !== '--json').concat('--watch-writers', '200ms'))
    assert.match(text.stderr, /the service measures shard1, and a scratch store beside shard2; its writers are watched for 200 ms/)
    assert.match(text.stdout, /\nclients were seen to write [\d,]+ keys a second\n/)
    assert.deepEqual(readdirSync(folder), names)
    const { left, moved } = await quit()
    assert.deepEqual([left, moved], [2000, 0])
  }))

test('Ctrl-C ends what the service does for it, and one that asks meanwhile is refused', { timeout: 120_000 }, () =>
  withService(2000, async ({ socket }, folder) => {
    const args = ['rehearse', '--live', '--service', socket, 'shard1', 'shard2', '--watch-writers', '10min']
    let other: Promise<{ code: number | null; stderr: string }> | undefined
    const ended = await keyhaul(args, (child) => {
      const look = setInterval(() => {
        if (scratchIn(folder).length === 0) return
        clearInterval(look)
        other = keyhaul(args)
        void other.then(() => child.kill('SIGINT'))
      }, 5)
      child.on('exit', () => clearInterval(look))
    })
    assert.equal(ended.code, 4, ended.stderr)
    const refused = await (other as NonNullable<typeof other>)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /KEYHAUL_LIMIT_EXCEEDED: this service measures for one rehearsal at a time/)
    while (scratchIn(folder).length > 0) await new Promise((wake) => setTimeout(wake, 10))
    // It is free again.
    const again = await keyhaul(['rehearse', '--live', '--service', socket, 'shard1', 'shard2', '--writes', '1', '--seeds', '1', '--json'])
    assert.equal(JSON.parse(again.stdout).measurement.entries, 2000, again.stderr)
  }))

test('says what is wrong with what it is asked', { timeout: 60_000 }, () =>
  withService(10, async ({ socket }) => {
    const cases: [string[], number, RegExp][] = [
      [['--service', socket, 'shard1', 'shard2'], 2, /--service is of a live migration; add --live/],
      [['--live', '--service', socket, 'shard1'], 2, /as the service knows them/],
      [['--live', '--service', socket, 'shard1', 'nowhere'], 1, /KEYHAUL_STORE_NOT_FOUND.*no store "nowhere"/],
      [['--live', '--watch-writers', '5s', 'level:./a', 'level:./b'], 2, /--watch-writers needs --service/],
      [['--live', '--service', `${socket}.none`, 'shard1', 'shard2'], 1, /KEYHAUL_SERVICE_FAILED.*no such socket/]
    ]
    for (const [args, code, message] of cases) {
      const ended = await keyhaul(['rehearse', ...args])
      assert.match(ended.stderr, message, args.join(' '))
      assert.equal(ended.code, code, args.join(' '))
    }
  }))
