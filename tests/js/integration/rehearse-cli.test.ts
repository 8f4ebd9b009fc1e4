import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closedToNobody, fillLevel, inFolder, keyhaul, NOBODY, readLevel } from '../support/stores.js'

/** Once it has begun to measure. */
const killedWith = (folder: string, ...signals: NodeJS.Signals[]) => (child: ChildProcess): void => {
  const look = setInterval(() => {
    if (!readdirSync(folder).some((name) => name.startsWith('.keyhaul-rehearsal-'))) return
    clearInterval(look)
    for (const signal of signals) child.kill(signal)
  }, 5)
  child.on('exit', () => clearInterval(look))
}

test('rehearse measures, forecasts, touches nothing and leaves nothing behind', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 3_000)
    const before = await readLevel(a)
    const copy = await keyhaul(['rehearse', `level:${a}`, `level:${b}`, '--seeds', '3'])
    assert.equal(copy.code, 0, copy.stderr)
    assert.match(copy.stdout, /^3,000 entries, [\d.]+ kB \(all counted\)\n[\s\S]*without faults: 3 of 3 runs end well; ETA p50 [\s\S]*would end well in every run\n$/)
    const live = await keyhaul(['rehearse', `level:${a}`, `level:${b}`, '--live', '--writes', '500/s', '--range', 'key-00000000..key-00000999', '--seeds', '3', '--json'])
    assert.equal(live.code, 0, live.stderr)
    const forecast = JSON.parse(live.stdout) as { verdict: string; measurement: { entries: number; exact: boolean } }
    assert.deepEqual([forecast.verdict, forecast.measurement.entries, forecast.measurement.exact], ['fits', 1_000, true])
    assert.deepEqual(readdirSync(folder), ['a'])
    assert.deepEqual(await readLevel(a), before)

    // Again, without the stores; and with more writers than can be followed.
    const file = join(folder, 'forecast.json')
    writeFileSync(file, live.stdout)
    const again = ['rehearse', '--from-measurement', file, '--live', '--seeds', '3', '--json', '--writes']
    assert.equal((await keyhaul([...again, '500/s'])).stdout, readFileSync(file, 'utf8'))
    const wild = await keyhaul([...again, '400k'])
    assert.equal(wild.code, 3)
    assert.match((JSON.parse(wild.stdout) as { text: string }).text, /^would not converge at 400,000 writes\/s/)
  })
})

test('a target that holds keys in the range would be refused, and that is the verdict', async () => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    await fillLevel(a, 1_000)
    await fillLevel(b, 1)
    const before = await readLevel(b)
    const rehearse = (...more: string[]) => keyhaul(['rehearse', `level:${a}`, `level:${b}`, '--seeds', '1', ...more])
    for (const [flags, next] of [[[], 'choose an empty range, or --into-nonempty'], [['--live'], 'a live migration takes an empty range only']] as const) {
      const refused = await rehearse(...flags)
      assert.equal(refused.code, 3, refused.stderr)
      assert.match(refused.stdout, new RegExp(`\nwould be refused, because the target holds keys in the range: KEYHAUL_TARGET_NOT_EMPTY; ${next}.*\n$`))
    }
    const json = await rehearse('--json')
    const { verdict, measurement } = JSON.parse(json.stdout) as { verdict: string; measurement: { targetHolds: boolean } }
    assert.deepEqual([json.code, verdict, measurement.targetHolds], [3, 'refused', true])
    for (const flags of [['--into-nonempty'], ['--range', 'key-00000500..']]) {
      const fits = await rehearse(...flags)
      assert.equal(fits.code, 0, fits.stderr)
      assert.match(fits.stdout, /would end well in every run\n$/)
    }
    assert.equal((await rehearse('--live', '--into-nonempty')).code, 2)
    assert.deepEqual(await readLevel(b), before)
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'b'])

    // What is forecast from a measurement is what was measured.
    const file = join(folder, 'forecast.json')
    writeFileSync(file, json.stdout)
    assert.equal((await keyhaul(['rehearse', '--from-measurement', file, '--seeds', '1'])).code, 3)
    const other = await keyhaul(['rehearse', '--from-measurement', file, '--live'])
    assert.equal(other.code, 2)
    assert.match(other.stderr, /KEYHAUL_INVALID_ARGUMENT: this was measured for a copy or a move, and says nothing of writers; measure the stores again for a live migration \(keyhaul rehearse FROM TO --live\)/)
  })
})

test('rehearse removes its scratch stores on Ctrl-C', { timeout: 60_000 }, async () => {
  await inFolder(async (folder) => {
    await fillLevel(join(folder, 'a'), 200_000)
    const ended = await keyhaul(['rehearse', `level:${join(folder, 'a')}`, `level:${join(folder, 'new/b')}`], killedWith(folder, 'SIGINT'))
    assert.equal(ended.code, 4, ended.stderr)
    assert.deepEqual(readdirSync(folder), ['a'])
  })
})

// The scratch stores are gone when it begins to simulate, which takes far longer than one look.
test('Ctrl-C, and a closed terminal, end it while it simulates', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    await fillLevel(join(folder, 'a'), 20_000)
    for (const signal of ['SIGINT', 'SIGHUP'] as const) {
      const ended = await keyhaul(['rehearse', `level:${join(folder, 'a')}`, `level:${join(folder, 'b')}`, '--live', '--writes', '500/s', '--seeds', '1000'], (child) => {
        let wasThere = false
        const look = setInterval(() => {
          const isThere = readdirSync(folder).some((name) => name.startsWith('.keyhaul-rehearsal-'))
          if (wasThere && !isThere) {
            clearInterval(look)
            child.kill(signal)
          }
          wasThere ||= isThere
        }, 5)
        child.on('exit', () => clearInterval(look))
      })
      assert.deepEqual([ended.code, ended.signal, ended.stdout], [4, null, ''], ended.stderr)
      assert.deepEqual(readdirSync(folder), ['a'])
    }
  })
})

// Two signals that cannot be taken for one; nothing is written by the second, which ends it at once.
test('a second Ctrl-C ends it at once, and the scratch stores are gone too', { timeout: 60_000 }, async () => {
  await inFolder(async (folder) => {
    await fillLevel(join(folder, 'a'), 200_000)
    const ended = await keyhaul(['rehearse', `level:${join(folder, 'a')}`, `level:${join(folder, 'b')}`], killedWith(folder, 'SIGINT', 'SIGTERM'))
    assert.deepEqual([ended.code, ended.signal, ended.stdout], [4, null, ''], ended.stderr)
    assert.doesNotMatch(ended.stderr, /KEYHAUL_INTERRUPTED/, 'it came to its end by the first one')
    assert.deepEqual(readdirSync(folder), ['a'])
  })
})

/** Root may write everywhere: then the command runs as somebody else. */
const asSomebody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

test('where no scratch store can be made, it says so', { skip: closedToNobody() }, async () => {
  await inFolder(async (folder) => {
    await fillLevel(join(folder, 'a'), 10)
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o555 })
    if ('uid' in asSomebody) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder])
    const ended = await keyhaul(['rehearse', `level:${join(folder, 'a')}`, `level:${join(closed, 'b')}`], undefined, {}, asSomebody)
    assert.match(ended.stderr, /KEYHAUL_INVALID_ARGUMENT.*closed: a scratch store cannot be made beside the target: EACCES/)
    assert.equal(ended.code, 1)
    assert.deepEqual(readdirSync(closed), [])
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'closed'])
  })
})

test('rehearse says what is wrong with what it is given', async () => {
  await inFolder(async (folder) => {
    const a = `level:${join(folder, 'a')}`
    const b = `level:${join(folder, 'b')}`
    await fillLevel(join(folder, 'a'), 10)
    const usage: [string[], RegExp][] = [
      [[], /name the source and the target/],
      [[a], /name the source and the target/],
      [[a, a, '--live'], /same directory/],
      [[a, b, '--writes', '5'], /--writes is of a live migration/],
      [[a, b, '--pause-budget', '5s'], /--pause-budget is of a live migration/],
      [[a, b, '--live', '--writes', 'many'], /many is not a number of writes/],
      [[a, b, '--live', '--share', '0'], /not a share/],
      [[a, b, '--live', '--move'], /leave out --move/],
      [[a, b, '--seeds', '0'], /not a number of runs/],
      [[a, b, '--seed', '-1x'], /not a seed/],
      [[a, b, '--from-measurement', 'x'], /needs no stores/]
    ]
    for (const [args, message] of usage) {
      const ended = await keyhaul(['rehearse', ...args])
      assert.match(ended.stderr, message, args.join(' '))
      assert.equal(ended.code, 2, args.join(' '))
    }
    writeFileSync(join(folder, 'broken'), '{')
    writeFileSync(join(folder, 'other'), '{"measurement":{"version":1,"entries":"many"}}')
    const errors: [string[], RegExp][] = [
      [['--from-measurement', join(folder, 'none')], /there is no such file/],
      [['--from-measurement', join(folder, 'broken')], /cannot be read as JSON/],
      [['--from-measurement', join(folder, 'other')], /entries is "many"/],
      [[`level:${join(folder, 'none')}`, b], /KEYHAUL_STORE_NOT_FOUND/],
      [[a, b, '--prefix', 'none'], /nothing in the ranges/]
    ]
    for (const [args, message] of errors) {
      const ended = await keyhaul(['rehearse', ...args])
      assert.match(ended.stderr, message, args.join(' '))
      assert.equal(ended.code, 1, args.join(' '))
    }
    assert.ok(!existsSync(join(folder, 'b')))
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('.')), [])
  })
})
