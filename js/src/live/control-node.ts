import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, resolve } from 'node:path'
import { KeyhaulError } from '../errors.js'
import type { Control, ControlOptions } from './control.js'
import { parseRequest, type RehearseRequest, type Reply, type Request, REQUEST_BYTES_MAX, toWire } from './control-request.js'
import { Rehearsals } from './control-rehearse-node.js'
import { Runs } from './control-runs-node.js'

/** Who connects has to say soon what for. */
const REQUEST_MS = 5_000
const CONNECTIONS_MAX = 64
/** A watcher that does not read misses progress, never the end. */
const UNREAD_BYTES_MAX = 256 * 1024
/** What a migration waits for changes without news of its own. */
const REFRESH_MS = 500
/** sun_path of Linux and macOS, without its end; a longer one would be cut. */
const PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107

/**
 * Lets the command line talk to this process: starts live migrations between its stores, shows,
 * stops and cancels them. What an earlier process left unfinished in `journals` is gone on with,
 * unless somebody stopped it.
 */
export async function serveControl(options: ControlOptions): Promise<Control> {
  if (options.register === undefined) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'serveControl needs the `register` of the clients, such as levelRegister(db)' })
  for (const [name, store] of Object.entries(options.stores)) {
    if (store.name !== name) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { store: store.name, message: `it is given as ${name}; give it under its own name` })
  }
  const path = resolve(options.path)
  const sockets = new Set<Socket>()
  // First, so that only one process at a time reads the journals.
  const server = await listen(path)
  const runs = begun(() => new Runs({ ...options, journals: resolve(options.journals) }), server)
  const rehearsals = new Rehearsals()
  server.maxConnections = CONNECTIONS_MAX
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, runs, rehearsals)
  })
  try {
    await runs.recover()
  } catch (error) {
    server.close()
    for (const socket of sockets) socket.destroy()
    await runs.close()
    throw error
  }
  return {
    path,
    runs: () => runs.infos(),
    move: (request) => runs.move(request),
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      await Promise.all([runs.close(), rehearsals.close()])
      for (const socket of sockets) socket.destroySoon()
      await closed
    }
  }
}

/** A socket that nobody serves would keep the process alive, and the path taken. */
function begun(make: () => Runs, server: Server): Runs {
  try {
    return make()
  } catch (error) {
    server.close()
    throw error
  }
}

async function listen(path: string): Promise<Server> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) throw socketError(undefined, path, `the path is too long for a socket, which has room for ${PATH_BYTES_MAX} bytes; choose a shorter one`)
  // libuv calls it a missing permission.
  if (!existsSync(dirname(path))) throw socketError(undefined, path, 'its folder does not exist; make it first')
  try {
    return await bind(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw socketError(error, path)
  }
  if (await isAnswered(path)) throw socketError(undefined, path, 'another process serves it; stop that one, or choose another path')
  if (!lstatSync(path).isSocket()) throw socketError(undefined, path, 'there is something else than a socket; choose another path')
  // Of a process that is gone.
  rmSync(path)
  return bind(path).catch((error: unknown) => {
    throw socketError(error, path)
  })
}

function bind(path: string): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    // The file is made in this very call, and never stands open to others. A worker has no umask to set.
    let before: number | undefined
    try {
      before = process.umask(0o177)
    } catch {
      before = undefined
    }
    server.listen(path, () => {
      server.off('error', fail)
      server.on('error', () => {})
      chmodSync(path, 0o600)
      done(server)
    })
    if (before !== undefined) process.umask(before)
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    const end = (answered: boolean): void => {
      socket.destroy()
      done(answered)
    }
    socket.once('connect', () => end(true))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOTSOCK'))
  })
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'there is no permission to make it here; choose another folder',
  EPERM: 'there is no permission to make it here; choose another folder'
}

function socketError(error: unknown, path: string, message?: string): KeyhaulError {
  const { code, message: own } = (error ?? {}) as NodeJS.ErrnoException
  return new KeyhaulError('KEYHAUL_SERVICE_FAILED', { file: path, message: message ?? REASONS[code ?? ''] ?? `it cannot be served: ${own}`, cause: error })
}

/** Reads one line, answers it, closes. */
function serve(socket: Socket, runs: Runs, rehearsals: Rehearsals): void {
  const send = (reply: Reply): void => {
    if (!socket.destroyed && socket.writable) socket.write(`${JSON.stringify(reply)}\n`)
  }
  const refuse = (error: unknown): void => {
    send({ type: 'error', error: toWire(error) })
    socket.end()
  }
  const late = setTimeout(() => refuse(new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: `no request came within ${REQUEST_MS} ms` })), REQUEST_MS)
  const chunks: Buffer[] = []
  let size = 0
  socket.on('error', () => {})
  socket.on('close', () => clearTimeout(late))
  socket.on('data', function read(chunk: Buffer) {
    chunks.push(chunk)
    size += chunk.length
    const end = chunk.indexOf(10)
    if (end < 0 && size <= REQUEST_BYTES_MAX) return
    clearTimeout(late)
    socket.off('data', read)
    socket.resume()
    if (size - chunk.length + Math.max(end, 0) > REQUEST_BYTES_MAX) return refuse(new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { message: `a request has at most ${REQUEST_BYTES_MAX} bytes` }))
    const line = Buffer.concat(chunks).subarray(0, size - chunk.length + end)
    answer(line, socket, runs, rehearsals, send).catch(refuse)
  })
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(line: Uint8Array): string {
  try {
    return strictUtf8.decode(line)
  } catch {
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'the request is not UTF-8' })
  }
}

async function answer(line: Uint8Array, socket: Socket, runs: Runs, rehearsals: Rehearsals, send: (reply: Reply) => void): Promise<void> {
  const request = parseRequest(textOf(line))
  if (request.op === 'status' && request.watch !== true) {
    const stores = runs.waiting()
    send({ type: 'status', runs: runs.infos(request.id), ...(stores.length === 0 ? {} : { stores }) })
    socket.end()
    return
  }
  if (request.op === 'rehearse') {
    const gone = new AbortController()
    socket.on('close', () => gone.abort(new KeyhaulError('KEYHAUL_INTERRUPTED')))
    send({ type: 'measured', measurement: await rehearsals.measure(request, runs.store(request.from), runs.store(request.to), gone.signal) })
    socket.end()
    return
  }
  const id = await carryOut(request, runs)
  const show = (type: 'run' | 'end'): void => send({ type, run: runs.infos(id)[0] as never })
  if (request.op === 'stop' && !runs.isRunning(id)) {
    show('end')
    socket.end()
    return
  }
  let unwatch = (): void => {}
  const onNews = (isEnd: boolean): void => {
    if (isEnd) {
      unwatch()
      show('end')
      socket.end()
    } else if (socket.writableLength < UNREAD_BYTES_MAX) show('run')
  }
  const stopWatching = runs.watch(id, onNews)
  const refresh = setInterval(() => onNews(false), REFRESH_MS)
  refresh.unref()
  unwatch = () => {
    clearInterval(refresh)
    stopWatching()
  }
  socket.on('close', unwatch)
  show('run')
  if (!runs.isRunning(id)) onNews(true)
}

/** Gives the id of what is to be watched. */
async function carryOut(request: Exclude<Request, RehearseRequest>, runs: Runs): Promise<string> {
  switch (request.op) {
    case 'move':
      return (await runs.move(request)).id
    case 'status':
      return request.id ?? runs.only(({ progress }) => progress !== undefined, 'under way')
    case 'resume': {
      const id = request.id ?? runs.only(({ progress, resumable }) => progress !== undefined || resumable, 'to resume')
      await runs.resume(id, request.rate, { takeOver: request.takeOver })
      return id
    }
    case 'reverse':
    case 'closeWindow': {
      if (request.op === 'closeWindow' && request.giveUpSource === true) {
        const id = request.id ?? runs.only(({ progress, resumable }) => progress?.live?.turned === true || resumable, 'whose source could be given up')
        await runs.giveUpSource(id)
        return id
      }
      const id = request.id ?? runs.only(({ progress }) => progress?.live?.turned === true, 'with an open reverse window')
      await runs.settle(id, request.op)
      return id
    }
    case 'cancel': {
      const id = request.id ?? runs.only(({ progress, resumable }) => progress !== undefined || resumable, 'to cancel')
      await runs.cancel(id)
      return id
    }
    case 'stop': {
      const id = request.id ?? runs.only(({ progress }) => progress !== undefined, 'under way')
      await runs.stop(id)
      return id
    }
  }
}
