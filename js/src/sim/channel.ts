// Calls of a session over a message channel, one answer each, in order.
import type { Session } from './session.js'

type Calls = Session['calls']
export type Name = keyof Calls
export type Call = <N extends Name>(name: N, ...args: Parameters<Calls[N]>) => Promise<ReturnType<Calls[N]>>

type Asked = { readonly id: number; readonly name: Name; readonly args: readonly unknown[] }
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string }

export function serve(port: MessagePort, session: Session): void {
  const calls = session.calls as unknown as Record<Name, (...args: readonly unknown[]) => unknown>
  port.onmessage = ({ data }: MessageEvent<Asked>) => {
    const { id, name, args } = data
    try {
      port.postMessage({ id, value: calls[name](...args) } satisfies Answer)
    } catch (error) {
      port.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer)
    }
  }
}

export interface Connection {
  readonly call: Call
  /** Else it runs on this thread. */
  readonly isWorker: boolean
  close(): void
}

/** A session in a Worker; without one, or where it does not start, on this thread. */
export async function connect(makeWorker: (() => Worker) | null): Promise<Connection> {
  if (makeWorker !== null && typeof Worker !== 'undefined') {
    const connection = await fromWorker(makeWorker).catch(() => undefined)
    if (connection !== undefined) return connection
  }
  const { Session: Local } = await import('./session.js')
  const calls = new Local().calls as unknown as Record<Name, (...args: readonly unknown[]) => unknown>
  return { call: (async (name: Name, ...args: readonly unknown[]) => calls[name](...args)) as Call, isWorker: false, close() {} }
}

async function fromWorker(makeWorker: () => Worker): Promise<Connection> {
  const worker = makeWorker()
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let next = 0
  const call = ((name: Name, ...args: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      waiting.set(next, { resolve, reject })
      worker.postMessage({ id: next++, name, args } satisfies Asked)
    })) as Call
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const one = waiting.get(data.id)
    waiting.delete(data.id)
    if (data.error === undefined) one?.resolve(data.value)
    else one?.reject(new Error(data.error))
  }
  worker.onerror = (event) => {
    event.preventDefault()
    for (const { reject } of waiting.values()) reject(new Error('the worker did not start'))
    waiting.clear()
  }
  try {
    await call('lists')
  } catch (error) {
    worker.terminate()
    throw error
  }
  return { call, isWorker: true, close: () => worker.terminate() }
}
