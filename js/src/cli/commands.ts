import { resolve } from 'node:path'
import { KeyhaulError, type KeyhaulErrorCode } from '../errors.js'
import { inspectJournal, type JournalInfo } from '../inspect.js'
import { describeJournal } from '../journal/index.js'
import { Engine } from '../migrate.js'
import { type Migration, MigrationError } from '../migration.js'
import type { Receipt } from '../receipt.js'
import { toScanRanges } from '../ranges.js'
import type { ScanRange } from '../stores/store.js'
import { type CopyFlags, type HostInfo, hostInfoOf, type LiveFlags, rangesOf } from './arguments.js'
import { ofDamaged } from './damaged.js'
import { Exit } from './exit.js'
import { assertJournal, assertNobodyWorksOn, hasEnded, inspectFile, inspectIfAny, isOwnJournal, journalBeside, ofFile, partsInfo, publicInfo, rangesOfJournal, readJournalFile, removeEnded, removeQuietly, withParts } from './journals.js'
import { chainOf, defaultJournal, moveLive, prepareLive, readTruth, resumeLive } from './live.js'
import { LiveView, REFRESH_MS } from './live-output.js'
import { assertSameTarget, leaveMarks, removeMarks } from './marks.js'
import { DIFFERENCES_SHOWN, differencesText, errorText, formatBytes, ProgressView, receiptText, shownStore, Warnings } from './output.js'
import { assertChangeable, assertNotEmptying, assertRepairable, type Intent, isEmpty } from './refusals.js'
import { standOf } from './removal.js'
import { moveInService } from './service.js'
import { rateFlag, shellWord } from './shell.js'
import { statusText } from './status-text.js'
import { say } from './terminal.js'
import { assertDifferent, isThere, type OpenStore, openStore, storeName } from './stores.js'

type Output = Pick<CopyFlags, 'json' | 'quiet' | 'rate' | 'pastGate'> & { readonly verb?: 'resume' | 'cancel' }

export async function transfer(mode: 'copy' | 'move' | 'verify', from: string, to: string, flags: CopyFlags): Promise<number> {
  const [source, target] = [storeName(from), storeName(to)]
  // All of it before a target is made for nothing.
  assertDifferent(source, target)
  if (mode === 'move' && flags.verify === 'none') throw new KeyhaulError('KEYHAUL_USAGE', { message: 'a move deletes from the source only what was verified; leave out --verify none, or copy' })
  const ranges = rangesOf(flags)
  const intent = { mode, repair: flags.repair === true, pastGate: flags.pastGate === true, ranges: toScanRanges(ranges.length === 0 ? 'all' : ranges) }
  assertRepairable(source, target, intent)
  if (flags.dryRun === true) return dryRun(source, target, intent, flags)
  // Without a journal of the user's there is one beside the target until all is well.
  const ownJournal = flags.journal === undefined && mode !== 'verify' ? journalBeside(target) : undefined
  const journal = flags.journal === undefined ? ownJournal : resolve(flags.journal)
  if (flags.journal !== undefined) assertJournal(resolve(flags.journal))
  const begun = journal === undefined ? undefined : unfinished(journal)
  if (begun?.to === target) assertSameTarget(begun, journal as string)
  const mark = mode === 'verify' ? undefined : begun === undefined ? crypto.randomUUID() : hostInfoOf(begun).mark
  return withStores(source, target, mode === 'verify', intent, async (a, b) => {
    // One that has ended, after a resume, is of no more use, and nobody chose its name.
    if (ownJournal !== undefined && hasEnded(ownJournal)) removeQuietly(ownJournal)
    if (mark !== undefined && begun === undefined) leaveMarks({ id: mark, journal: journal as string, mode, from: source, to: target })
    let exit: number
    try {
      const engine = new Engine()
      const migration = await engine.migrate({
        from: a.store,
        to: b.store,
        mode,
        ranges: ranges.length === 0 ? undefined : ranges,
        journal,
        rate: flags.rate,
        lanes: flags.concurrency,
        checksum: flags.checksum,
        verify: flags.verify,
        durablePages: flags.durable === 'page' ? 1 : undefined,
        entryBytesMax: flags.entryMax,
        repair: flags.repair,
        intoNonempty: flags.intoNonempty,
        hostInfo: { rate: flags.rate, mark, pastGate: flags.pastGate, repair: flags.repair } satisfies HostInfo
      })
      exit = await watch(migration, flags, journal)
      engine.close()
    } finally {
      if (journal !== undefined) removeMarks(mark, journal, source, target)
    }
    if (exit === Exit.done && ownJournal !== undefined) removeQuietly(ownJournal)
    return exit
  })
}

/** What a journal holds that can be gone on with. */
function unfinished(journal: string): JournalInfo | undefined {
  const info = inspectIfAny(journal)
  return info?.resumable === true ? info : undefined
}

/** In a running service, or in this process. */
export async function transferLive(from: string, to: string, flags: Partial<CopyFlags> & LiveFlags): Promise<number> {
  const ranges = rangesOf(flags)
  const unused = (['dryRun', 'intoNonempty', 'pastGate', 'entryMax', 'verify', 'durable', 'checksum', 'concurrency', ...(flags.service === undefined ? [] : (['journal', 'register'] as const))] as const).find((name) => flags[name] !== undefined)
  if (unused !== undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: `a live move${flags.service === undefined ? '' : ' in a service'} has no --${unused.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}` })
  if (flags.service !== undefined) return moveInService(from, to, ranges, flags)
  const journal = flags.journal === undefined ? defaultJournal(to) : resolve(flags.journal)
  await prepareLive()
  if (flags.journal === undefined) await removeEnded(journal)
  const exit = await moveLive(from, to, ranges, flags, journal, (migration) => watch(migration, flags, journal)).catch((error: unknown) => {
    throw ofDamaged(error, journal)
  })
  if (exit === Exit.done && flags.journal === undefined) await removeEnded(journal)
  return exit
}

export async function resume(path: string, flags: Output): Promise<number> {
  await prepareLive()
  // A process may die between its last record and its exit: whoever resumes until all is
  // done gets the receipt then, not an error.
  const { receipt, mode, ...info } = await withParts(path)
  if (receipt?.state === 'done') {
    removeMarks(hostInfoOf(info).mark, path, info.from, info.to)
    if (flags.json !== true) say(`this ${nameOf(mode)} had ended already, and nothing was done now; its receipt:\n`)
    return report(receipt, flags)
  }
  return continued(path, flags, () => {}, (info) => flags.rate ?? hostInfoOf(info).rate)
}

export async function cancel(path: string, flags: Output): Promise<number> {
  await prepareLive()
  const info = inspectFile(path)
  // As the engine would say; but to ask it the stores have to be opened, which a full disk does not allow.
  if (info.resumable && info.step === 'deleting') throw tooLate(path)
  if (info.resumable && standOf(info, readJournalFile(path)).isTurned) throw inWindow(path)
  try {
    return await continued(path, { ...flags, verb: 'cancel' }, (migration) => migration.cancel())
  } catch (error) {
    throw error instanceof MigrationError ? error : ofCancel(error, path)
  }
}

function tooLate(path: string): KeyhaulError {
  return new KeyhaulError('KEYHAUL_CANCEL_TOO_LATE', { file: path, message: `verified entries are being deleted from the source, so the target holds the only copy of some; resume the migration to its end: keyhaul resume ${shellWord(resolve(path))}` })
}

/** Nothing is deleted yet, and both sides have all of it. */
function inWindow(path: string): KeyhaulError {
  const message = `the range has moved, and can still go back: reverse() in a service that resumes it does that; to leave it where it is: keyhaul close-window ${shellWord(resolve(path))}`
  return new KeyhaulError('KEYHAUL_CANCEL_TOO_LATE', { file: path, message })
}

/** Even what takes things away needs room: LevelDB writes that they are gone. */
function ofCancel(error: unknown, path: string): unknown {
  if (!(error instanceof KeyhaulError) || error.code !== 'KEYHAUL_DISK_FULL') return error
  const { store, file } = error
  const isMoved = inspectFile(path).live?.decided === true
  const next = isMoved ? 'and the target owns the range already, so it is too late to cancel; free some, then resume' : 'and taking the copy back needs some; free a little, then cancel again'
  return new KeyhaulError(error.code, { store, file, message: `no space is left on the disk, ${next}`, cause: error })
}

/** Of this command line's own, whose window is open again once it was resumed. */
export async function closeWindow(path: string, flags: Output & { giveUpSource: boolean }): Promise<number> {
  await prepareLive()
  if (inspectFile(path).live === undefined) throw new KeyhaulError('KEYHAUL_USAGE', { file: path, message: 'it is no live move, and has no reverse window' })
  return continued(path, flags, (migration) => {
    if (flags.giveUpSource) return migration.closeWindow({ giveUpSource: true })
    migration.on('state', (state) => {
      if (state === 'reversible') migration.closeWindow()
    })
  })
}

const nameOf = (mode: JournalInfo['mode']): string => (mode === 'live' ? 'live move' : mode)

async function continued(path: string, flags: Output & { giveUpSource?: boolean }, then: (migration: Migration) => void, rateOf: (info: JournalInfo) => number | undefined = () => undefined): Promise<number> {
  const journal = resolve(path)
  const info = await withParts(journal)
  if (info.receipt !== undefined) {
    throw new KeyhaulError('KEYHAUL_ALREADY_COMPLETE', {
      file: journal,
      message: `this ${nameOf(info.mode)} has ended (${info.state}); there is nothing to resume or cancel`
    })
  }
  await assertNobodyWorksOn(journal, info)
  const go = async (migration: Migration): Promise<number> => {
    try {
      then(migration)
    } catch (error) {
      // It would go on, and this process with it.
      migration.stop()
      await migration.done.catch(() => {})
      throw error
    }
    return watch(migration, flags, journal)
  }
  const exit = await goneOnWith(info, journal, flags, rateOf(info), go)
  // As at the end of the command that made it.
  if (exit === Exit.done && isOwnJournal(info, journal)) await removeEnded(journal)
  return exit
}

function goneOnWith(info: JournalInfo, journal: string, flags: Pick<CopyFlags, 'pastGate'> & { giveUpSource?: boolean }, rate: number | undefined, go: (migration: Migration) => Promise<number>): Promise<number> {
  if (info.mode === 'live') return resumeLive(info, journal, { rate, giveUpSource: flags.giveUpSource }, go)
  const { mark, pastGate, repair } = hostInfoOf(info)
  const intent = { mode: info.mode, repair: repair === true, pastGate: pastGate === true || flags.pastGate === true, ranges: rangesOfJournal(info) }
  assertRepairable(info.from, info.to, intent)
  assertSameTarget(info, journal)
  // What was there at its beginning is not made anew.
  return withStores(info.from, info.to, mark !== undefined || info.mode === 'verify', intent, async (a, b) => {
    const engine = new Engine()
    const migration = await engine.resume({ from: a.store, to: b.store, journal, rate })
    const exit = await go(migration)
    engine.close()
    removeMarks(mark, journal, info.from, info.to)
    return exit
  })
}

export async function status(path: string, flags: Output & { register?: string }): Promise<number> {
  if (flags.register !== undefined) await prepareLive()
  const info = inspectFile(path)
  if (flags.register !== undefined && info.live === undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: `a ${info.mode} has no register` })
  const truth = flags.register === undefined ? undefined : await readTruth(flags.register, info)
  const { removal, isTurned } = standOf(info, readJournalFile(path))
  const chain = info.receipt?.splitAt === undefined ? undefined : await chainOf(path)
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ ...publicInfo(info), ...removal, ...partsInfo(chain), register: truth })}\n`)
  else say(statusText(info, path, truth, removal, chain, isTurned))
  return Exit.done
}

export async function inspect(path: string): Promise<number> {
  const text = describeJournal(readJournalFile(path))
  process.stdout.write(text)
  const summary = JSON.parse(text.trimEnd().split('\n').pop() as string) as { error?: string; records: number }
  if (summary.error === undefined) return Exit.done
  const code = `KEYHAUL_${summary.error}` as KeyhaulErrorCode
  process.stderr.write(errorText(summary.records === 0 ? ofFile(code, path) : new KeyhaulError(code, { file: path })))
  return Exit.error
}

/** Shows progress and the end; gives the exit code. */
async function watch(migration: Migration, flags: Output, journal: string | undefined): Promise<number> {
  const quiet = flags.quiet === true || flags.json === true
  const view = migration.live === undefined ? new ProgressView(quiet) : new LiveView(quiet)
  const warnings = new Warnings((text) => {
    if (view instanceof ProgressView) view.stop(true)
    else view.stop()
    process.stderr.write(text)
  })
  let interrupts = 0
  let ended: number | undefined
  let refresh: ReturnType<typeof setInterval> | undefined
  const onSignal = (): void => {
    // The stores are being closed: what the end was has been said.
    if (ended !== undefined) process.exit(ended)
    interrupts++
    if (interrupts > 1) {
      process.stderr.write(stoppedText(resumeCommand(journal, flags)))
      process.exit(Exit.interrupted)
    }
    view.stop()
    if (flags.quiet !== true) process.stderr.write('stopping after what is under way; once more stops at once\n')
    try {
      migration.stop()
    } catch {
      // It has just ended.
    }
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    migration.on('progress', (progress) => view.show(progress))
    migration.on('state', () => view.show(migration.progress()))
    // A store that hangs looks like one that is slow otherwise, for minutes.
    if (!quiet) migration.on('warning', (error) => warnings.say(error))
    if (migration.live !== undefined) refresh = setInterval(() => view.show(migration.progress()), REFRESH_MS)
    const receipt = await migration.done
    view.stop()
    ended = report(receipt, flags)
    return ended
  } catch (error) {
    view.stop()
    // What is told later, by whoever called, is an error already while the stores are being closed.
    ended = Exit.error
    ended = failed(error, flags, journal)
    return ended
  } finally {
    clearInterval(refresh)
  }
}

function report(receipt: Receipt, flags: Output): number {
  if (flags.json === true) process.stdout.write(`${JSON.stringify(receipt)}\n`)
  else {
    process.stdout.write(differencesText(receipt, process.stdout.isTTY === true ? DIFFERENCES_SHOWN : undefined))
    say(receiptText(receipt))
  }
  if (flags.verb === 'cancel' && receipt.state === 'done') {
    process.stderr.write(errorText(new KeyhaulError('KEYHAUL_CANCEL_TOO_LATE', { message: 'it was too late to cancel, and it was ended instead' })))
    return Exit.error
  }
  // Of what was left each side has its own, so whoever removes the source next would lose it.
  return receipt.state === 'mismatch' || receipt.leftOnSource > 0 ? Exit.mismatch : Exit.done
}

function failed(error: unknown, flags: Output, journal: string | undefined): number {
  if (!(error instanceof MigrationError)) throw error
  if (error.receipt !== undefined && (error.code === 'KEYHAUL_VERIFY_MISMATCH' || error.code === 'KEYHAUL_CANCELLED')) {
    const exit = report(error.receipt, flags)
    return error.code === 'KEYHAUL_CANCELLED' ? Exit.done : exit
  }
  if (error.receipt !== undefined) throw error
  const interrupted = error.code === 'KEYHAUL_INTERRUPTED'
  // The journal holds the limit, so going on would meet the entry again.
  const isTooLarge = error.code === 'KEYHAUL_ENTRY_TOO_LARGE'
  const resume = isTooLarge ? undefined : resumeCommand(journal, flags)
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ state: 'stopped', code: error.code, message: error.message, step: error.step, retryable: error.retryable, next: error.next, resume })}\n`)
  }
  process.stderr.write(`${interrupted ? '' : errorText(flags.verb === 'cancel' ? (ofCancel(error, journal as string) as KeyhaulError) : error)}${isTooLarge ? tooLargeText(journal) : stoppedText(resume)}`)
  return interrupted ? Exit.interrupted : Exit.error
}

/** What goes on with a journal, ready for a shell; nothing where the journal holds no plan yet. */
function resumeCommand(journal: string | undefined, { rate, verb = 'resume' }: Output): string | undefined {
  try {
    if (journal === undefined) return undefined
    const info = inspectJournal(readJournalFile(journal))
    // The journal holds the rate that it began with, and a resume another only for itself.
    return info.resumable || info.receipt?.splitAt !== undefined ? `keyhaul ${verb} ${shellWord(journal)}${rateFlag(rate, hostInfoOf(info).rate)}` : undefined
  } catch {
    return undefined
  }
}

function tooLargeText(journal: string | undefined): string {
  const cancel = resumeCommand(journal, { verb: 'cancel' })
  // A live move has no --entry-max, and a journal that has ended takes up nothing.
  const larger = isLiveJournal(journal) ? '' : 'a larger --entry-max, or with '
  return `${cancel === undefined ? 'stopped' : `stopped; give it up with: ${cancel}`}; then begin again with ${larger}ranges that leave the key out${journal === undefined ? '' : ', and a journal of its own'}\n`
}

function isLiveJournal(journal: string | undefined): boolean {
  try {
    return journal !== undefined && inspectJournal(readJournalFile(journal)).live !== undefined
  } catch {
    return false
  }
}

function stoppedText(resume: string | undefined): string {
  return resume === undefined ? 'stopped; nothing is kept of it, run the same command again\n' : `stopped; go on with: ${resume}\n`
}

/** Makes nothing, not even a target to look into. */
async function dryRun(from: string, to: string, intent: Intent, flags: CopyFlags): Promise<number> {
  const { mode, ranges } = intent
  const a = await openStore(from, 'source')
  let estimatedBytes = 0
  try {
    await assertChangeable(a, 'source', intent)
    for (const range of ranges) estimatedBytes += (await a.store.estimate?.(range))?.bytes ?? 0
  } finally {
    await a.close()
  }
  const b = mode === 'verify' || isThere(to) ? await openStore(to, 'source') : undefined
  let targetEmpty = true
  try {
    if (b !== undefined) {
      await assertChangeable(b, 'target', intent)
      await assertNotEmptying(a.store, b.store, intent)
      targetEmpty = await isEmpty(b.store, ranges)
    }
  } finally {
    await b?.close()
  }
  const refused = !targetEmpty && mode !== 'verify' && flags.intoNonempty !== true
  const plan = { dryRun: true, mode, from, to, ranges: ranges.length, estimatedBytes, targetEmpty, refused }
  const held = `holds keys in ${ranges.length === 1 ? 'the range' : 'these ranges'}${refused ? ', so it would be refused without --into-nonempty' : ''}`
  if (flags.json === true) process.stdout.write(`${JSON.stringify(plan)}\n`)
  else {
    say(`would ${mode} ${plan.ranges} range${plan.ranges === 1 ? '' : 's'} from ${shownStore(from)} to ${shownStore(to)}\n  source: about ${formatBytes(estimatedBytes)} on disk; target: ${targetEmpty ? 'empty' : held}\n  nothing was changed\n`)
  }
  return Exit.done
}

async function withStores(from: string, to: string, targetMustExist: boolean, intent: Intent, work: (a: OpenStore, b: OpenStore) => Promise<number>): Promise<number> {
  const a = await openStore(from, 'source')
  try {
    // Before the other one is opened, which may have to be made for that.
    await assertChangeable(a, 'source', intent)
    const b = await openStore(to, targetMustExist ? 'source' : 'target')
    try {
      await assertChangeable(b, 'target', intent)
      await assertNotEmptying(a.store, b.store, intent)
      return await work(a, b)
    } finally {
      await b.close()
    }
  } finally {
    await a.close()
  }
}
