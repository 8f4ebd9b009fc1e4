import { existsSync, lstatSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { formatKey, KeyhaulError } from '../errors.js'
import { fromWire, PROTOCOL, type RehearseRequest, type Reply, type RunInfo, type WireError } from '../live/control-request.js'
import type { RangeInput } from '../ranges.js'
import type { Measurement } from '../rehearse/measurement.js'
import type { CopyFlags, LiveFlags } from './arguments.js'
import { Exit } from './exit.js'
import { LiveView, runsText, runText, waitingText } from './live-output.js'
import { errorText, receiptText } from './output.js'
import { rateFlag, shellWord } from './shell.js'
import { say } from './terminal.js'

export interface ServiceFlags {
  service: string
  json?: boolean
  quiet?: boolean
  watch?: boolean
}

const TYPES: readonly string[] = ['status', 'run', 'end', 'measured', 'error'] satisfies Reply['type'][]

/** A service sends what it knows of a migration in a line; nothing honest is longer. */
const REPLY_BYTES_MAX = 64 << 20

const failure = (path: string, message: string, cause?: unknown): KeyhaulError => new KeyhaulError('KEYHAUL_SERVICE_FAILED', { file: path, message, cause })

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; start the service, or check the path',
  ECONNREFUSED: 'no process answers at this socket; start the service again',
  ENOTSOCK: 'it is not a socket; name the path that serveControl() was given',
  EACCES: 'there is no permission to use it; ask as the user that the service runs as',
  EINVAL: 'the path is too long for a socket'
}

/** The replies to one request, until the service closes. */
async function* ask(path: string, request: object, onSocket?: (socket: Socket) => void): AsyncGenerator<Reply> {
  const socket = connect(resolve(path))
  onSocket?.(socket)
  socket.write(`${JSON.stringify({ keyhaul: PROTOCOL, ...request })}\n`)
  let rest = ''
  try {
    socket.setEncoding('utf8')
    for await (const chunk of socket) {
      const lines = (rest + (chunk as string)).split('\n')
      rest = lines.pop() as string
      if (rest.length > REPLY_BYTES_MAX) throw failure(path, 'its answer has no end; it is no service of keyhaul')
      for (const line of lines) yield parseReply(line, path)
    }
  } catch (error) {
    if (error instanceof KeyhaulError) throw error
    const { message } = error as NodeJS.ErrnoException
    throw failure(path, REASONS[reasonOf(error as NodeJS.ErrnoException, path)] ?? `the connection failed: ${message}`, error)
  } finally {
    socket.destroy()
  }
}

/** Linux refuses the connection to a file that is no socket, and finds no path that is too long for one. */
function reasonOf({ code = '' }: NodeJS.ErrnoException, path: string): string {
  if (code === 'ECONNREFUSED' && lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false) return 'ENOTSOCK'
  return code === 'ENOENT' && existsSync(path) ? 'EINVAL' : code
}

function parseReply(line: string, path: string): Reply {
  let reply: Reply | undefined
  try {
    reply = JSON.parse(line) as Reply
  } catch {
    // Said below.
  }
  const type: unknown = (reply as { type?: unknown } | null | undefined)?.type
  if (typeof type !== 'string' || !TYPES.includes(type)) throw failure(path, 'its answer is not understood; it is of another version, or no service of keyhaul')
  if ((reply as Reply).type === 'error') throw fromWire((reply as Reply & { type: 'error' }).error)
  return reply as Reply
}

export async function moveInService(from: string, to: string, ranges: readonly RangeInput[], flags: Partial<CopyFlags> & LiveFlags): Promise<number> {
  const { service, pauseBudget: pauseBudgetMs, require: requireLevel, rate, reverseWindow: reverseWindowMs, split: splitMax } = flags
  const request = { op: 'move', from, to, ...rangeTexts(ranges), pauseBudgetMs, requireLevel, rate, reverseWindowMs, splitMax }
  return follow(request, { ...flags, service: service as string }, 'stop')
}

/** What the service measures for a rehearsal. */
export async function measureInService(service: string, from: string, to: string, ranges: readonly RangeInput[], about: Pick<RehearseRequest, 'sharePercent' | 'writes' | 'watchMs'>, signal: AbortSignal): Promise<Measurement> {
  const request = { op: 'rehearse', from, to, ...rangeTexts(ranges), ...about }
  const onSocket = (socket: Socket): void => signal.addEventListener('abort', () => socket.destroy(), { once: true })
  for await (const reply of ask(service, request, onSocket)) if (reply.type === 'measured') return reply.measurement
  signal.throwIfAborted()
  throw failure(service, 'it closed the connection without an answer')
}

const rangeTexts = (ranges: readonly RangeInput[]): { ranges?: object[] } => (ranges.length === 0 ? {} : { ranges: ranges.map(rangeWords) })
const rangeWords = (range: RangeInput): object => (Array.isArray(range) ? range.map(keyText) : Object.fromEntries(Object.entries(range).map(([name, key]) => [name, keyText(key)])))

/** Text that begins as the escape does is escaped. */
const keyText = (key: string | Uint8Array): string => (typeof key === 'string' && key.startsWith('hex:') ? `hex:${Buffer.from(key).toString('hex')}` : formatKey(key))

export async function statusOfService(id: string | undefined, flags: ServiceFlags): Promise<number> {
  if (flags.watch === true) return follow({ op: 'status', id, watch: true }, flags, 'leave')
  for await (const reply of ask(flags.service, { op: 'status', id })) {
    if (reply.type !== 'status') continue
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ runs: reply.runs, stores: reply.stores })}\n`)
    else say(`${runsText(reply.runs, flags.service)}${waitingText(reply.stores)}`)
    return Exit.done
  }
  throw failure(flags.service, 'it closed the connection without an answer')
}

export const resumeInService = (id: string | undefined, flags: ServiceFlags, rate?: number, takeOver?: true): Promise<number> => follow({ op: 'resume', id, rate, takeOver }, flags, 'stop', rateFlag(rate))
export const reverseInService = (id: string | undefined, flags: ServiceFlags): Promise<number> => follow({ op: 'reverse', id }, flags, 'leave')
export const closeWindowInService = (id: string | undefined, flags: ServiceFlags, giveUpSource?: true): Promise<number> => follow({ op: 'closeWindow', id, giveUpSource }, flags, 'leave')
export const cancelInService = (id: string | undefined, flags: ServiceFlags): Promise<number> => follow({ op: 'cancel', id }, flags, 'leave')

/** Shows a migration of the service to its end. `onInterrupt`: what Ctrl-C does with it. */
async function follow(request: object, flags: ServiceFlags, onInterrupt: 'stop' | 'leave', resumeFlags = ''): Promise<number> {
  const { service } = flags
  const view = new LiveView(flags.quiet === true || flags.json === true)
  let last: RunInfo | undefined
  let socket: Socket | undefined
  let left = false
  const commandFor = (verb: string): string => `keyhaul ${verb} --service ${shellWord(service)} ${last?.id ?? ''}`.trimEnd()
  const onSignal = (): void => {
    view.stop()
    if (left || onInterrupt === 'leave' || last === undefined) {
      left = true
      if (flags.quiet !== true) process.stderr.write(`the migration goes on in the service; see it with: ${commandFor('status')} --watch\n`)
      socket?.destroy()
      return
    }
    left = true
    if (flags.quiet !== true) process.stderr.write('stopping after what is under way; once more leaves it to the service\n')
    const { id } = last
    void (async () => {
      for await (const _ of ask(service, { op: 'stop', id })) return
    })().catch((error: KeyhaulError) => process.stderr.write(errorText(error)))
  }
  const onSocket = (opened: Socket): void => {
    socket = opened
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    for await (const reply of ask(service, request, onSocket)) {
      if (reply.type !== 'run' && reply.type !== 'end') continue
      if (last === undefined && flags.quiet !== true && flags.json !== true) process.stderr.write(`migration ${reply.run.id} in the service: ${runText(reply.run)}\n`)
      last = reply.run
      if (reply.run.refused !== undefined && (request as { op?: string }).op === 'reverse') return refused(reply.run.refused, reply.run, flags, view)
      if (reply.type === 'run') view.show(reply.run.progress, reply.run.state)
      else return ended(reply.run, flags, view, `${commandFor('resume')}${resumeFlags}`)
    }
  } catch (error) {
    if (!left || last === undefined) throw error
  } finally {
    view.stop()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
  if (left) return Exit.interrupted
  throw failure(service, `the service closed the connection; when it runs again: ${commandFor('status')}`)
}

/** It goes on as before, and its window is open. */
function refused(error: WireError, { id }: RunInfo, flags: ServiceFlags, view: LiveView): number {
  view.stop()
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ state: 'reversible', id, reversed: false, error })}\n`)
  process.stderr.write(errorText(fromWire(error)))
  return error.code === 'KEYHAUL_VERIFY_MISMATCH' ? Exit.mismatch : Exit.error
}

function ended({ state, receipt, error, resumable, id }: RunInfo, flags: ServiceFlags, view: LiveView, resume: string): number {
  view.stop()
  if (resumable) {
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ state: 'stopped', id, ...error, resume })}\n`)
    const why = error === undefined || error.code === 'KEYHAUL_INTERRUPTED' ? '' : errorText(fromWire(error))
    process.stderr.write(`${why}stopped; go on with: ${resume}\n`)
    return why === '' ? Exit.interrupted : Exit.error
  }
  if (flags.json === true) process.stdout.write(`${JSON.stringify(receipt === undefined ? { state: 'failed', id, ...error } : { ...receipt, id, ...(error === undefined ? {} : { error }) })}\n`)
  // That it failed the error says, and why; of parts it says nothing.
  else if (receipt !== undefined && (receipt.state !== 'failed' || error === undefined || receipt.parts !== undefined)) say(receiptText(receipt))
  if (error !== undefined && error.code !== 'KEYHAUL_CANCELLED') process.stderr.write(errorText(fromWire(error)))
  if (state === 'done' || state === 'cancelled') return Exit.done
  return state === 'mismatch' ? Exit.mismatch : Exit.error
}
