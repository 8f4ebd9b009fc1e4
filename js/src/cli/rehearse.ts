import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KeyhaulError } from '../errors.js'
import { inScratchFolder } from '../rehearse/scratch-node.js'
import type { Forecast, MeasureOptions, Measurement, Outcome, RehearsalPlan } from '../rehearse/index.js'
import { levelRegister } from '../register/level.js'
import { levelStore } from '../stores/level.js'
import { type RangeFlags, rangesOf } from './arguments.js'
import { Exit } from './exit.js'
import { namedStore } from './live.js'
import { entries, formatBytes, formatCount, formatDuration, shownStore } from './output.js'
import { measureInService } from './service.js'
import { assertDifferent, folderOf, isThere, type OpenStore, openStore } from './stores.js'
import { say } from './terminal.js'

export interface RehearseFlags extends RangeFlags {
  move?: boolean
  live?: boolean
  writes?: number
  pauseBudget?: number
  share?: number
  rate?: number
  verify?: 'none' | 'target' | 'both'
  intoNonempty?: boolean
  seed?: number
  seeds?: number
  fromMeasurement?: string
  service?: string
  watchWriters?: number
  json?: boolean
  quiet?: boolean
}

/** For so long the writers of a service are watched. */
const WATCH_MS = 5_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const usage = (message: string): KeyhaulError => new KeyhaulError('KEYHAUL_USAGE', { message })

/** `50000`, `50k`, with or without `/s`. */
export function parseWrites(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k?)(?:\/s)?$/i.exec(text)
  const writes = match === null ? Number.NaN : Math.round(Number(match[1]) * (match[2] === '' ? 1 : 1000))
  if (!(writes >= 0 && writes <= 10_000_000)) throw usage(`${text} is not a number of writes; write them a second, as in 5000 or 5k/s`)
  return writes
}

export function parseShare(text: string): number {
  const share = Number(text)
  if (!(share >= 0.01 && share <= 1)) throw usage(`${text} is not a share of 0.01 to 1`)
  return share
}

export function parseSeeds(text: string): number {
  const seeds = Number(text)
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > 1000) throw usage(`${text} is not a number of runs from 1 to 1000`)
  return seeds
}

export function parseSeed(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`${text} is not a seed; write a whole number`)
  return Number(text)
}

export async function rehearse(from: string | undefined, to: string | undefined, flags: RehearseFlags): Promise<number> {
  const plan = planOf(flags)
  const { forecastInTurns } = await import('../rehearse/forecast.js')
  const forecast = await interruptible(async (signal) => {
    const { fromMeasurement, service } = flags
    if (fromMeasurement !== undefined) return forecastInTurns(await repeated(from, fromMeasurement), plan, signal)
    const measurement = service === undefined ? await measured(from, to, flags, plan, signal) : await inService(from, to, { ...flags, service }, plan, signal)
    return forecastInTurns(measurement, plan, signal)
  })
  if (flags.json === true) process.stdout.write(`${JSON.stringify(forecast)}\n`)
  else say(forecastText(forecast))
  return forecast.verdict === 'fits' ? Exit.done : Exit.mismatch
}

function planOf({ live, move, writes, pauseBudget, share, rate, verify, seed, seeds, service, watchWriters, intoNonempty }: RehearseFlags): RehearsalPlan {
  if (live === true && move === true) throw usage('--live is a move already; leave out --move')
  if (watchWriters !== undefined && service === undefined) throw usage('--watch-writers needs --service SOCKET: nobody else writes what this command opens')
  const stray = live === true ? undefined : Object.entries({ writes, 'pause-budget': pauseBudget, share, service }).find(([, value]) => value !== undefined)
  if (stray !== undefined) throw usage(`--${stray[0]} is of a live migration; add --live`)
  if (live === true && intoNonempty === true) throw usage('a live move takes an empty range only; leave out --into-nonempty')
  const given = { intoNonempty, writes, pauseBudgetMs: pauseBudget, share, rate, verify, seed, seeds }
  return { mode: live === true ? 'live' : move === true ? 'move' : 'copy', ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}

/** The first signal ends it in good order, the second at once. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController()
  const { signal } = stopping
  const onSignal = (): void => {
    if (signal.aborted) process.exit(Exit.interrupted)
    stopping.abort(new KeyhaulError('KEYHAUL_INTERRUPTED'))
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    return await work(signal)
  } catch (error) {
    throw signal.aborted ? (signal.reason as KeyhaulError) : error
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}

async function repeated(from: string | undefined, file: string): Promise<Measurement> {
  if (from !== undefined) throw usage('--from-measurement needs no stores; leave them out')
  const { toMeasurement } = await import('../rehearse/index.js')
  let given: unknown
  try {
    given = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { file, message: missing ? 'there is no such file; save what keyhaul rehearse --json prints' : `it cannot be read as JSON: ${(cause as Error).message}`, cause })
  }
  const { measurement = given } = (given ?? {}) as { measurement?: unknown }
  try {
    return toMeasurement(measurement)
  } catch (cause) {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { file, message: (cause as KeyhaulError).message, cause })
  }
}

/** A service has the stores open, and clients that write: it measures both, this process simulates. */
async function inService(from: string | undefined, to: string | undefined, flags: RehearseFlags & { service: string }, plan: RehearsalPlan, signal: AbortSignal): Promise<Measurement> {
  if (from === undefined || to === undefined) throw usage('name the source and the target as the service knows them, as in left right')
  const ranges = rangesOf(flags)
  const { watchWriters: watchMs = WATCH_MS, service } = flags
  const about = { sharePercent: Math.round((plan.share ?? 0.25) * 100), ...(plan.writes === undefined ? { watchMs } : { writes: plan.writes }) }
  if (flags.quiet !== true && flags.json !== true) {
    process.stderr.write(`the service measures ${from}, and a scratch store beside ${to}${plan.writes === undefined ? `; its writers are watched for ${formatDuration(watchMs)}` : ''}\n`)
  }
  const { toMeasurement } = await import('../rehearse/index.js')
  return toMeasurement(await measureInService(service, from, to, ranges, about, signal))
}

async function measured(from: string | undefined, to: string | undefined, flags: RehearseFlags, plan: RehearsalPlan, signal: AbortSignal): Promise<Measurement> {
  if (from === undefined || to === undefined) throw usage('name the source and the target, as in level:./a level:./b, or --from-measurement FILE')
  const [source, target] = [namedStore(from).place, namedStore(to).place]
  assertDifferent(source, target)
  const ranges = rangesOf(flags)
  const { measure } = await import('../rehearse/index.js')
  const { assertPlan } = await import('../rehearse/plan.js')
  assertPlan(plan)
  const a = await openStore(source, 'source')
  const b = await openIfFree(target)
  try {
    return await inScratchFolder(folderOf(target), async (folder) => {
      const opened: { close(): Promise<void> }[] = []
      const scratch = async (name: string): Promise<{ store: MeasureOptions['scratch']; db: OpenStore['db'] }> => {
        const { db, close } = await openStore(`level:${join(folder, name)}`, 'target')
        opened.push({ close })
        return { store: levelStore(db, { name: `scratch ${name}`, feed: plan.mode === 'live' }), db }
      }
      if (flags.quiet !== true && flags.json !== true) process.stderr.write(`measuring ${shownStore(source)}, and a scratch store beside ${shownStore(target)}\n`)
      try {
        const own = plan.mode === 'live' ? await scratch('source') : undefined
        const scratchRegister = own === undefined ? undefined : levelRegister(own.db)
        const stores = { from: a.store, to: b?.store, scratch: (await scratch('target')).store, scratchSource: own?.store, scratchRegister }
        return await measure({ ...stores, ranges: ranges.length === 0 ? undefined : ranges, signal, plan })
      } finally {
        for (const { close } of opened) await close()
      }
    })
  } finally {
    await b?.close()
    await a.close()
  }
}

/** Where another process has it open, nobody looks into it: the migration will be rehearsed all the same. */
async function openIfFree(target: string): Promise<OpenStore | undefined> {
  if (!isThere(target)) return undefined
  return openStore(target, 'source').catch((error: unknown) => {
    if (!(error instanceof KeyhaulError) || error.code !== 'KEYHAUL_STORE_LOCKED') throw error
    process.stderr.write(`${target} is open in another process, so whether it holds keys in the range was not seen\n`)
    return undefined
  })
}

function forecastText({ text, measurement: m, calm, mild, scale, plan, seeds }: Forecast): string {
  const isLive = plan.mode === 'live'
  const us = (ns: number): string => `${(ns / 1000).toFixed(1)} us`
  const lines = [
    `${m.exact ? '' : 'about '}${entries(m.entries)}, ${formatBytes(m.bytes)} (${m.exact ? 'all counted' : `estimated from the first ${formatCount(m.sampled)}`})`,
    `an entry: read ${us(m.readNs)}, written ${us(m.writeNs)}, copied ${us(m.copyNs)}; ${isLive ? `a gate's answer ${formatDuration(m.syncUs / 1000)}; a client's write ${us(m.putNs)}` : `a durable write ${formatDuration(m.syncUs / 1000)} more`}`,
    ...(m.writes === undefined || plan.writes !== m.writes ? [] : [`clients were seen to write ${formatCount(m.writes)} keys a second`]),
    `simulated: seeds ${seeds.first} to ${seeds.first + seeds.count - 1}, ${scale.entries === 1 ? 'every entry' : `one entry and one write for ${formatCount(scale.entries)}`}, pages of ${formatCount(scale.pageEntries)}`,
    ...outcomeLines('without faults', calm, isLive),
    ...outcomeLines('with mild faults', mild, isLive),
    text
  ]
  return `${lines.join('\n')}\n`
}

function outcomeLines(name: string, { runs, done, durationMs, pauseMs, rounds, lagChanges, postponed }: Outcome, isLive: boolean): string[] {
  const parts = [`${done} of ${runs} runs end well`]
  if (done > 0) parts.push(`ETA p50 ${formatDuration(durationMs.p50)}, p95 ${formatDuration(durationMs.p95)}`)
  if (isLive && done > 0) parts.push(`pause p50 ${formatDuration(pauseMs.p50)}, p99 ${formatDuration(pauseMs.p99)}, max ${formatDuration(pauseMs.max)}`, `${rounds.p50} rounds`)
  if (isLive) parts.push(`lag up to ${formatCount(lagChanges.max)} changes`, ...(postponed > 0 ? [`cutover put off ${postponed}x`] : []))
  return [`${name}: ${parts.join('; ')}`]
}
