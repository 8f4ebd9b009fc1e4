// A service is moved from a terminal: its control socket, and the commands that use it.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../../dist/index.js'
import { assignRange, type GatedStore, gatedStore, serveControl } from '../../../dist/live/index.js'
import { levelRegister } from '../../../dist/register/level.js'
import { memoryRegister } from '../../../dist/register/memory.js'
import { levelStore } from '../../../dist/stores/level.js'
import { type Service, start, withService } from '../support/service.ts'
import { fillLevel, inFolder, keyhaul, readLevel, withLevel } from '../support/stores.js'

const lastJson = (stdout: string): Record<string, unknown> => JSON.parse(stdout.trimEnd().split('\n').pop() as string)
/** Kills it once it has said so. */
function whenSaid(child: ChildProcess, what: RegExp, signal: NodeJS.Signals): void {
  let said = ''
  child.stderr?.on('data', (data) => {
    if (what.test(said)) return
    said += data
    if (what.test(said)) child.kill(signal)
  })
}

/** Until the service shows it. */
async function until(socket: string, isThere: (run: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  for (;;) {
    const { runs } = lastJson((await keyhaul(['status', '--service', socket, '--json'])).stdout) as { runs: Record<string, unknown>[] }
    const run = runs.find(isThere)
    if (run !== undefined) return run
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

test('a shard of a running service is moved from a terminal', async () => {
  await withService(2000, async ({ socket, quit }) => {
    assert.equal(statSync(socket).mode & 0o777, 0o600)
    const ended = await keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--range', 'key-000500..key-000999', '--pause-budget', '2s', '--require', 'L4'])
    assert.equal(ended.code, 0, ended.stderr)
    assert.match(ended.stderr, /migration [0-9a-f]{8} in the service: shard1 -> shard2 key-000500\.\.key-000999\n/)
    assert.match(ended.stderr, /copying/)
    assert.match(ended.stdout, /moved live 500 entries[\s\S]*verified[\s\S]*level 4; writers were refused for .*, forecast .*\n {2}(no write waited for that|[\d,]+ writes? waited, p50 .*, p99 .*, at most .*); clients wrote ([\d,]+ before and )?[1-9][\d,]* keys a second during it\n/)
    const again = await keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--range', 'key-001000..key-001499', '--json', '--quiet'])
    assert.equal(again.code, 0, again.stderr)
    assert.equal(again.stderr, '')
    assert.deepEqual([lastJson(again.stdout).state, lastJson(again.stdout).level, lastJson(again.stdout).verified], ['done', 4, true])
    const { writes } = lastJson(again.stdout) as { writes: Record<string, number> }
    assert.ok(Object.values(writes).every(Number.isFinite) && (writes.perSecondDuring as number) > 0, JSON.stringify(writes))
    const proven = await keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--range', 'key-001500..key-001999', '--require', 'L5'])
    assert.equal(proven.code, 0, proven.stderr)
    assert.match(proven.stdout, /verified: both sides hold 500 entries, digest [0-9a-f]{32}, at position \S+, epoch \d+\n[\s\S]*level 5; writers were refused for /)
    const status = await keyhaul(['status', '--service', socket])
    assert.match(status.stdout, /: done\n {2}500 entries, level 4, verified, writers paused for .*, forecast .*\n/)
    assert.deepEqual({ ...(await quit()), writes: 0 }, { writes: 0, wrong: 0, left: 500, moved: 1500 })
  })
})

test('Ctrl-C stops it resumably and prints the command; a restarted service leaves it alone; resume ends it', async () => {
  await inFolder(async (folder) => {
    let service = await start(folder, 6000)
    const { socket } = service
    const stopped = await keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--rate', '200kB'], (child) => whenSaid(child, /copying/, 'SIGINT'))
    assert.equal(stopped.code, 4, stopped.stderr)
    const [, id] = new RegExp(`stopped; go on with: keyhaul resume --service ${socket} ([0-9a-f]{8})\\n`).exec(stopped.stderr) ?? []
    assert.ok(id !== undefined, stopped.stderr)
    service.child.kill('SIGKILL')
    await new Promise((done) => service.child.on('close', done))
    // Its socket is still there, of a process that is gone.
    assert.ok(existsSync(socket))
    const nobody = await keyhaul(['status', '--service', socket])
    assert.equal(nobody.code, 1)
    assert.match(nobody.stderr, /KEYHAUL_SERVICE_FAILED.*no process answers at this socket; start the service again/)
    service = await start(folder, 6000)
    try {
      const status = await keyhaul(['status', '--service', socket])
      assert.match(status.stdout, new RegExp(`${id} {2}shard1 -> shard2: stopped\\n {2}go on with: keyhaul resume --service ${socket} ${id}\\n`))
      const slower = await keyhaul(['resume', '--service', socket, '--rate', '100kB'], (child) => whenSaid(child, /copying/, 'SIGINT'))
      assert.ok(slower.stderr.includes(`stopped; go on with: keyhaul resume --service ${socket} ${id} --rate 100000\n`), slower.stderr)
      const resumed = await keyhaul(['resume', '--service', socket, '--rate', 'none'])
      assert.equal(resumed.code, 0, resumed.stderr)
      assert.match(resumed.stdout, /verified/)
      assert.equal((await keyhaul(['resume', '--service', socket, id as string])).code, 1)
      assert.deepEqual({ ...(await service.quit()), writes: 0 }, { writes: 0, wrong: 0, left: 0, moved: 6000 })
    } finally {
      service.child.kill('SIGKILL')
    }
  })
})

test('why one has failed is shown, also by a service that was started again', async () => {
  await inFolder(async (folder) => {
    let service = await start(folder, 100)
    const { socket } = service
    const refused = await keyhaul(['move', '--live', '--service', socket, 'shard2', 'shard1'])
    assert.equal(refused.code, 1)
    const why = 'KEYHAUL_NOT_OWNER: store shard2: it does not own the keys from the first key on, shard1 does (epoch 1); move them from shard1, or leave them out of the ranges'
    assert.ok(refused.stderr.includes(why), refused.stderr)
    const shown = async (): Promise<string> => (await keyhaul(['status', '--service', socket])).stdout
    const before = await shown()
    assert.ok(before.endsWith(`: failed\n  ${why}\n`), before)
    service.child.kill('SIGKILL')
    await new Promise((done) => service.child.on('close', done))
    service = await start(folder, 100)
    try {
      assert.equal(await shown(), before)
    } finally {
      service.child.kill('SIGKILL')
    }
  })
})

test('a command that dies does not stop the migration; others attach to it, and leave again', async () => {
  await withService(8000, async ({ socket, quit }) => {
    const killed = await keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--rate', '400kB'], (child) => whenSaid(child, /copying/, 'SIGKILL'))
    assert.equal(killed.signal, 'SIGKILL')
    const run = await until(socket, ({ state }) => state === 'copying')
    const live = (run.progress as { live: Record<string, unknown> }).live
    assert.equal(live.budgetMs, 1000)
    assert.equal(typeof live.lagChanges, 'number')
    const left = await keyhaul(['status', '--service', socket, '--watch'], (child) => child.stderr?.once('data', () => child.kill('SIGINT')))
    assert.equal(left.code, 4)
    assert.match(left.stderr, new RegExp(`goes on in the service; see it with: keyhaul status --service ${socket} ${run.id as string} --watch`))
    const watched = await keyhaul(['status', '--service', socket, run.id as string, '--watch', '--json'])
    assert.equal(watched.code, 0, watched.stderr)
    assert.equal(lastJson(watched.stdout).state, 'done')
    assert.deepEqual({ ...(await quit()), writes: 0 }, { writes: 0, wrong: 0, left: 0, moved: 8000 })
  })
})

test('a service that was killed goes on by itself with what was under way', async () => {
  await inFolder(async (folder) => {
    let service = await start(folder, 6000)
    const { socket } = service
    const cut = keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--rate', '200kB'])
    await until(socket, ({ state }) => state === 'copying')
    service.child.kill('SIGKILL')
    const ended = await cut
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /KEYHAUL_SERVICE_FAILED.*when it runs again: keyhaul status --service/)
    service = await start(folder, 6000)
    try {
      const run = await until(socket, ({ state }) => state === 'done')
      assert.equal((run.receipt as Record<string, unknown>).incarnations, 2)
      assert.deepEqual({ ...(await service.quit()), writes: 0 }, { writes: 0, wrong: 0, left: 0, moved: 6000 })
    } finally {
      service.child.kill('SIGKILL')
    }
  })
})

test('cancelled by its id: the source serves on, the target is empty', async () => {
  await withService(6000, async ({ socket, quit }) => {
    const moving = keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--rate', '200kB'])
    const { id } = await until(socket, ({ state }) => state === 'copying')
    const cancelled = await keyhaul(['cancel', '--service', socket, id as string])
    assert.equal(cancelled.code, 0, cancelled.stderr)
    assert.equal((await moving).code, 0)
    assert.equal((await until(socket, (run) => run.id === id)).state, 'cancelled')
    assert.deepEqual({ ...(await quit()), writes: 0 }, { writes: 0, wrong: 0, left: 6000, moved: 0 })
  })
})

test('a resume sets the rate of one that runs', async () => {
  await withService(6000, async ({ socket, quit }) => {
    // Most of an hour, were the rate not raised.
    const moving = keyhaul(['move', '--live', '--service', socket, 'shard1', 'shard2', '--rate', '200'])
    const { id } = await until(socket, ({ state }) => state === 'copying')
    assert.equal((await keyhaul(['resume', '--service', socket, id as string, '--rate', '500MB'])).code, 0)
    assert.equal((await moving).code, 0)
    assert.deepEqual({ ...(await quit()), writes: 0 }, { writes: 0, wrong: 0, left: 0, moved: 6000 })
  })
})

test('what cannot be is refused with a code and what to do', async () => {
  await withService(10, async ({ socket }, folder) => {
    const refused = async (args: string[], pattern: RegExp, code = 1): Promise<void> => {
      const ended = await keyhaul(args)
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, pattern)
    }
    const move = ['move', '--live', '--service', socket]
    await refused([...move, 'shard1', 'shard3'], /KEYHAUL_STORE_NOT_FOUND.*no store "shard3"; it has "shard1", "shard2"/)
    await refused([...move, 'shard1', 'shard1'], /KEYHAUL_SAME_STORE/, 2)
    await refused([...move, 'shard2', 'shard1'], /KEYHAUL_NOT_OWNER/)
    await refused([...move, 'shard1', 'shard2', '--require', 'L6'], /KEYHAUL_USAGE.*L6 is not a guarantee level/, 2)
    await refused([...move, 'shard1', 'shard2', '--journal', 'x'], /KEYHAUL_USAGE.*a live move in a service has no --journal/, 2)
    await refused([...move, 'shard1', 'shard2', '--pause-budget', 'soon'], /KEYHAUL_USAGE.*soon is not a time/, 2)
    await refused(['move', 'level:a', 'level:b', '--service', socket], /KEYHAUL_USAGE.*add --live/, 2)
    await refused(['move', '--live', 'level:a', 'level:b'], /KEYHAUL_USAGE.*--service SOCKET.*--register level:PATH/, 2)
    await refused(['status', '--service', socket, 'deadbeef'], /KEYHAUL_NOT_FOUND/)
    await refused(['resume', '--service', socket], /KEYHAUL_NOT_FOUND.*no migration to resume/)
    await refused(['status', '--service', join(folder, 'none')], /KEYHAUL_SERVICE_FAILED.*there is no such socket/)
    await refused(['status', '--service', new URL(import.meta.url).pathname], /KEYHAUL_SERVICE_FAILED.*it is not a socket/)
    await refused(['status'], /KEYHAUL_USAGE.*name a journal/, 2)
    // Nothing that was refused is left over.
    assert.deepEqual(lastJson((await keyhaul(['status', '--service', socket, '--json'])).stdout).runs, [(await until(socket, ({ state }) => state === 'failed'))])
  })
})

/** Sends bytes and gives all that comes back. */
function send(path: string, bytes: Uint8Array | string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(path, () => socket.write(bytes))
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (code === 'EPIPE' || code === 'ECONNRESET' ? done(answer) : fail(code)))
    socket.on('close', () => done(answer))
  })
}

test('hostile requests are refused, and the service lives on', async () => {
  await inFolder(async (folder) => {
    const control = await serveControl({ path: join(folder, 's'), stores: {}, register: memoryRegister(), journals: join(folder, 'j') })
    const { path } = control
    const hostile: (string | Uint8Array)[] = [
      '\n', 'null\n', '[]\n', '1\n', '{}\n', '{"keyhaul":1}\n', '{"keyhaul":2,"op":"status"}\n', '{"keyhaul":1,"op":"__proto__"}\n', '{"keyhaul":1,"op":"constructor"}\n',
      '{"keyhaul":1,"op":"status","x":1}\n', '{"keyhaul":1,"op":"status","id":"../../etc"}\n', '{"keyhaul":1,"op":"status","watch":"yes"}\n',
      '{"keyhaul":1,"op":"move"}\n', '{"keyhaul":1,"op":"move","from":"a","to":5}\n', '{"keyhaul":1,"op":"move","from":"__proto__","to":"toString"}\n',
      '{"keyhaul":1,"op":"move","from":"a","to":"b","ranges":[]}\n', '{"keyhaul":1,"op":"move","from":"a","to":"b","ranges":[["hex:0","b"]]}\n',
      '{"keyhaul":1,"op":"move","from":"a","to":"b","ranges":[{"prefix":"a","x":1}]}\n', '{"keyhaul":1,"op":"move","from":"a","to":"b","pauseBudgetMs":-1}\n',
      `${'['.repeat(100_000)}\n`, Uint8Array.of(0xff, 0xfe, 10), Uint8Array.of(0xc3, 0x28, 10), 'x'.repeat(3 << 20)
    ]
    for (const bytes of hostile) {
      const answer = await send(path, bytes)
      const { type, error } = JSON.parse(answer === '' ? '{}' : answer) as { type?: string; error?: { code: string } }
      // Of one that is far too long the connection may be gone before the answer.
      if (bytes.length <= 1 << 20) assert.equal(type, 'error', String(bytes.slice(0, 80)))
      if (type === 'error') assert.match(error?.code ?? '', /^KEYHAUL_(INVALID_ARGUMENT|STORE_NOT_FOUND|LIMIT_EXCEEDED)$/)
    }
    assert.deepEqual(readdirSync(join(folder, 'j')), [])
    assert.match(await send(path, '{"keyhaul":1,"op":"status"}\n'), /^\{"type":"status","runs":\[\]\}\n$/)
    await control.close()
    assert.equal(existsSync(path), false)
  })
})

test('a socket in use, something else in its place, and a folder without permission', async () => {
  await inFolder(async (folder) => {
    const options = { stores: {}, register: memoryRegister(), journals: join(folder, 'j') }
    const path = join(folder, 's')
    const first = await serveControl({ ...options, path })
    await assert.rejects(serveControl({ ...options, path }), { code: 'KEYHAUL_SERVICE_FAILED', message: /another process serves it/ })
    await first.close()
    writeFileSync(path, 'precious')
    await assert.rejects(serveControl({ ...options, path }), { code: 'KEYHAUL_SERVICE_FAILED', message: /something else than a socket/ })
    assert.equal(statSync(path).size, 8)
    await assert.rejects(serveControl({ ...options, path: join(folder, 'no/s') }), { code: 'KEYHAUL_SERVICE_FAILED', message: /its folder does not exist/ })
    await assert.rejects(serveControl({ ...options, path: join(folder, 'x'.repeat(200)) }), { code: 'KEYHAUL_SERVICE_FAILED', message: /too long/ })
    if (process.getuid?.() !== 0) {
      mkdirSync(join(folder, 'closed'))
      chmodSync(join(folder, 'closed'), 0o500)
      await assert.rejects(serveControl({ ...options, path: join(folder, 'closed/s') }), { code: 'KEYHAUL_SERVICE_FAILED', message: /no permission/ })
    }
  })
})

/** Entries that are not keyhaul's own. */
const dataIn = async (path: string): Promise<number> => [...(await readLevel(path)).keys()].filter((key) => key.startsWith('key-')).length

test('without a service: moved in the process of the command, under the names of the service', async () => {
  await inFolder(async (folder) => {
    const [a, b, r, journal] = ['a', 'b', 'r', 'j'].map((name) => join(folder, name)) as [string, string, string, string]
    await fillLevel(a, 5000)
    const args = ['move', '--live', `shard1=level:${a}`, `shard2=level:${b}`, '--register', `level:${r}`, '--journal', journal]
    const stopped = await keyhaul([...args, '--rate', '200kB'], (child) => whenSaid(child, /copying/, 'SIGINT'))
    assert.equal(stopped.code, 4, stopped.stderr)
    assert.match(stopped.stderr, new RegExp(`stopped; go on with: keyhaul resume ${journal}`))
    const status = await keyhaul(['status', journal, '--register', `level:${r}`])
    assert.match(status.stdout, /live shard1 -> shard2: stopped[\s\S]*claimed in the register as [0-9a-f]{32}, coordinator 1; pause budget 1\.0 s[\s\S]*r: claimed; owned by shard1 \(epoch 1\)/)
    const alone = await keyhaul(['status', journal])
    assert.match(alone.stdout, /not decided: the source owns the range/)
    const resumed = await keyhaul(['resume', journal])
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.match(resumed.stdout, /moved live 5,000 entries[\s\S]*level 4/)
    const after = JSON.parse((await keyhaul(['status', journal, '--register', `level:${r}`, '--json'])).stdout)
    assert.deepEqual(after.register.owners.map(({ owner }: { owner: string }) => owner), ['shard2'])
    assert.equal(after.live.decided, true)
    // What it does not own any more it cannot give.
    assert.match((await keyhaul([...args.slice(0, -1), `${journal}2`])).stderr, /KEYHAUL_NOT_OWNER/)
    // The register may lie beside the data, and the way back is the same.
    const back = await keyhaul(['move', '--live', `shard2=level:${b}`, `shard1=level:${a}`, '--register', `level:${r}`, '--json', '--quiet'])
    assert.equal(back.code, 0, back.stderr)
    assert.deepEqual([await dataIn(a), await dataIn(b)], [5000, 0])
    await withLevel(a, async () => assert.match((await keyhaul([...args])).stderr, /KEYHAUL_STORE_LOCKED.*another process has it open.*--service SOCKET/))
    await withLevel(r, async () => assert.match((await keyhaul(['status', journal, '--register', `level:${r}`])).stderr, /KEYHAUL_STORE_LOCKED.*--service SOCKET/))
  })
})

test('a key that is too large for a live move: what to do is what such a move can do', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = ['a', 'b', 'j'].map((name) => join(folder, name)) as [string, string, string]
    const places = { from: `level:${a}`, to: `level:${b}`, register: `level:${a}` }
    await withLevel(a, async (one) => {
      await withLevel(b, async (two) => {
        const [from, to] = ([[one, places.from], [two, places.to]] as const).map(([db, name]) => gatedStore(levelStore(db, { name, feed: true }))) as [GatedStore, GatedStore]
        const register = levelRegister(one)
        await assignRange({ register, store: from })
        await from.put('large', 'x'.repeat(2000))
        const run = migrate({ live: true, from, to, register, journal, entryBytesMax: 1024, hostInfo: { places } })
        await assert.rejects(run.done, { code: 'KEYHAUL_ENTRY_TOO_LARGE' })
      })
    })
    const stopped = await keyhaul(['resume', journal])
    assert.equal(stopped.code, 1)
    assert.ok(stopped.stderr.endsWith(`stopped; give it up with: keyhaul cancel ${journal}; then begin again with ranges that leave the key out, and a journal of its own\n`), stopped.stderr)
  })
})

test('a command that has the databases to itself cancels too, and does not touch what a service began', async () => {
  await inFolder(async (folder) => {
    const [a, b, journal] = ['a', 'b', 'j'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, 5000)
    await keyhaul(['move', '--live', `level:${a}`, `level:${b}`, '--register', `level:${a}`, '--journal', journal, '--rate', '200kB'], (child) => whenSaid(child, /copying/, 'SIGKILL'))
    const cancelled = await keyhaul(['cancel', journal])
    assert.equal(cancelled.code, 0, cancelled.stderr)
    assert.deepEqual([await dataIn(a), await dataIn(b)], [5000, 0])
  })
  await inFolder(async (folder) => {
    const service = await start(folder, 3000)
    await keyhaul(['move', '--live', '--service', service.socket, 'shard1', 'shard2', '--rate', '100kB'], (child) => whenSaid(child, /copying/, 'SIGINT'))
    await service.quit()
    const [journal] = readdirSync(join(folder, 'journals')).filter((file) => file.endsWith('.journal'))
    const refused = await keyhaul(['resume', join(folder, 'journals', journal as string)])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /KEYHAUL_USAGE.*of a service.*keyhaul resume --service SOCKET/)
  })
})
