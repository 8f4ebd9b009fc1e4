// A disk that is full, for the target and for the journal: a file system of its own, so that it is really full.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspectJournal } from '../../../dist/index.js'
import { fillLevel, inFolder, keyhaul, readLevel } from '../support/stores.js'

const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'pipe' })

async function onSmallDisk(size: string, work: (disk: string, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk)
    try {
      await work(disk, folder)
    } finally {
      execFileSync('umount', [disk])
    }
  })
}

/** Why no file system can be mounted here, if so. */
function skipped(): string | false {
  if (process.getuid?.() !== 0) return 'mounting a small file system needs root'
  try {
    execFileSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs tmpfs $d && umount $d && rmdir $d'], { stdio: 'pipe' })
    return false
  } catch (error) {
    return `mount: ${(error as Error).message}`
  }
}
const skip = skipped()

test('a full target: exit 1, what is full and what next; resume after space was made is verified', { skip }, async () => {
  await onSmallDisk('8m', async (disk, folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(disk, 'b'), join(folder, 'j')]
    await fillLevel(a, 60_000, 200)
    const args = ['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--durable', 'page', '--json']
    const full = await keyhaul(args)
    assert.equal(full.code, 1, full.stderr)
    assert.match(full.stderr, new RegExp(`KEYHAUL_DISK_FULL: store level:${b}: no space is left on the disk; free space, then resume`))
    assert.match(full.stderr, new RegExp(`go on with: keyhaul resume ${journal}\n`))
    const last = JSON.parse(full.stdout.trimEnd().split('\n').at(-1) as string) as Record<string, string>
    assert.deepEqual([last.state, last.code, last.resume], ['stopped', 'KEYHAUL_DISK_FULL', `keyhaul resume ${journal}`])
    const info = inspectJournal(readFileSync(journal))
    assert.deepEqual([info.stopped, info.resumable, info.torn], ['KEYHAUL_DISK_FULL', true, false])
    assert.ok(info.copiedEntries > 0 && info.copiedEntries < 60_000, `${info.copiedEntries} copied`)
    // Still full, the target does not even open: nothing lost.
    const still = await keyhaul(['resume', journal])
    assert.equal(still.code, 1, still.stderr)
    assert.match(still.stderr, /KEYHAUL_DISK_FULL: store level:.*free space, then run the same command again\n/)
    // A copy of it has nothing that could be resumed.
    const other = await keyhaul(['copy', `level:${b}`, `level:${join(folder, 'c')}`])
    assert.match(other.stderr, new RegExp(`KEYHAUL_DISK_FULL: store level:${b}: no space is left on the disk; free space, then run the same command again\n`))
    mount('-o', 'remount,size=80m', disk)
    const resumed = await keyhaul(['resume', journal])
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.match(resumed.stdout, /verified: both sides hold 60,000 entries/)
    assert.deepEqual(await readLevel(b), await readLevel(a))
  })
})

test('a cancel on a full disk says that it needs some room too, is none until then, and works later', { skip }, async () => {
  await onSmallDisk('8m', async (disk, folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(disk, 'b'), join(folder, 'j')]
    await fillLevel(a, 60_000, 200)
    assert.equal((await keyhaul(['copy', `level:${a}`, `level:${b}`, '--journal', journal, '--durable', 'page'])).code, 1)
    const full = await keyhaul(['cancel', journal, '--json'])
    assert.equal(full.code, 1, full.stderr)
    assert.match(full.stderr, new RegExp(`KEYHAUL_DISK_FULL: store level:${b}: no space is left on the disk, and taking the copy back needs some; free a little, then cancel again\n`))
    assert.doesNotMatch(full.stderr, /resume/)
    assert.equal(inspectJournal(readFileSync(journal)).state, 'stopped')
    mount('-o', 'remount,size=14m', disk)
    assert.equal((await keyhaul(['cancel', journal])).code, 0)
    assert.match((await keyhaul(['status', journal])).stdout, /cancelled: [\d,]+ entries taken off the target again\n/)
    assert.equal((await readLevel(b)).size, 0)
    assert.equal((await readLevel(a)).size, 60_000)
  })
})

test('a disk that is full while a move deletes: it is too late to cancel, and cancel says so at once', { skip }, async () => {
  await onSmallDisk('16m', async (disk, folder) => {
    const [a, b, journal, filler] = [join(disk, 'a'), join(folder, 'b'), join(folder, 'j'), join(disk, 'filler')]
    await fillLevel(a, 60_000, 200)
    const full = await keyhaul(['move', `level:${a}`, `level:${b}`, '--journal', journal], (child) => {
      child.stderr?.on('data', (text) => {
        if (!/deleting/.test(String(text)) || existsSync(filler)) return
        const { bsize, bavail } = statfsSync(disk)
        try {
          writeFileSync(filler, Buffer.alloc(bavail * bsize))
        } catch (error) {
          // The move took some of it meanwhile; the disk is full all the same.
          assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
        }
      })
    })
    assert.equal(full.code, 1, full.stderr)
    assert.match(full.stderr, new RegExp(`KEYHAUL_DISK_FULL: store level:${a}: no space is left on the disk; free space, then resume`))
    const status = await keyhaul(['status', journal])
    assert.match(status.stdout, /: stopped while deleting from the source\n[\s\S]* of 60,000 entries deleted from the source, [\d,]+ to go\n {2}stopped for KEYHAUL_DISK_FULL\n/)
    // Not even its stores can be opened.
    assert.match((await keyhaul(['resume', journal])).stderr, /KEYHAUL_DISK_FULL/)
    const cancel = await keyhaul(['cancel', journal])
    assert.equal(cancel.code, 1)
    assert.match(cancel.stderr, new RegExp(`KEYHAUL_CANCEL_TOO_LATE: ${journal}: .*resume the migration to its end: keyhaul resume ${journal}\n`))
    assert.doesNotMatch(cancel.stderr, /cancel again/)
    rmSync(filler)
    const resumed = await keyhaul(['resume', journal])
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.deepEqual([(await readLevel(a)).size, (await readLevel(b)).size], [0, 60_000])
  })
})

/** Many ranges with long ends make a plan of half a page of the file system, and a record each of more than the rest. */
const RANGES = Array.from({ length: 50 }, (_, i) => {
  const first = `key-000${String(i).padStart(2, '0')}`
  return ['--range', `${first}..${first}${'z'.repeat(20)}`]
}).flat()

test('a full journal: exit 1, the journal is named; resume after space was made is verified', { skip }, async () => {
  await onSmallDisk('12k', async (disk, folder) => {
    const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(disk, 'j')]
    await fillLevel(a, 60_000)
    // The plan takes the first page, its lock another; the records of the ranges no longer fit.
    writeFileSync(join(disk, 'filler'), Buffer.alloc(4096))
    const full = await keyhaul(['move', `level:${a}`, `level:${b}`, '--journal', journal, ...RANGES])
    assert.equal(full.code, 1, full.stderr)
    assert.match(full.stderr, new RegExp(`KEYHAUL_DISK_FULL: ${journal}: no space is left on the disk; free space, then resume`))
    assert.match(full.stderr, new RegExp(`go on with: keyhaul resume ${journal}\n`))
    assert.equal((await readLevel(a)).size, 60_000)
    mount('-o', 'remount,size=80k', disk)
    const resumed = await keyhaul(['resume', journal])
    assert.equal(resumed.code, 0, resumed.stderr)
    assert.match(resumed.stdout, /verified: both sides hold 50,000 entries/)
    assert.equal((await readLevel(b)).size, 50_000)
    assert.equal((await readLevel(a)).size, 10_000)
  })
})

test('no room for the plan itself: nothing was begun, and the same command works later', { skip }, async () => {
  for (const free of [0, 4096]) {
    await onSmallDisk('8k', async (disk, folder) => {
      const [a, b, journal] = [join(folder, 'a'), join(folder, 'b'), join(disk, 'j')]
      await fillLevel(a, 100)
      writeFileSync(join(disk, 'filler'), Buffer.alloc(8192 - free))
      const args = ['copy', `level:${a}`, `level:${b}`, '--journal', journal]
      const full = await keyhaul(args)
      assert.equal(full.code, 1, full.stderr)
      assert.match(full.stderr, new RegExp(`KEYHAUL_DISK_FULL: ${journal}: no space is left on the disk`))
      assert.match(full.stderr, /run the same command again/)
      assert.doesNotMatch(full.stderr, /keyhaul resume/)
      assert.equal(existsSync(`${journal}.lock`), false)
      rmSync(join(disk, 'filler'))
      const again = await keyhaul(args)
      assert.equal(again.code, 0, again.stderr)
      assert.deepEqual(await readLevel(b), await readLevel(a))
    })
  }
})

test('a rehearsal whose scratch stores do not fit says so, and leaves the disk as it was', { skip }, async () => {
  await onSmallDisk('8m', async (disk, folder) => {
    const a = join(folder, 'a')
    await fillLevel(a, 60_000, 200)
    const before = await readLevel(a)
    for (const kind of [[], ['--live', '--writes', '10']]) {
      const full = await keyhaul(['rehearse', `level:${a}`, `level:${join(disk, 'b')}`, ...kind])
      assert.equal(full.code, 1, full.stderr)
      assert.match(full.stderr, /KEYHAUL_DISK_FULL: store scratch \w+: no space is left on the disk/)
      assert.deepEqual(readdirSync(disk), [])
    }
    assert.deepEqual(await readLevel(a), before)
  })
})
