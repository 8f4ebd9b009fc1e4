// The service of control-service.mjs, in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { inFolder } from './stores.ts'

const SERVICE = new URL('./control-service.mjs', import.meta.url).pathname

/** What a service says in the end: how much was written, how many keys lost what was acknowledged, and where keys are. */
export interface Held {
  readonly writes: number
  readonly wrong: number
  readonly left: number
  readonly moved: number
}

export interface Service {
  readonly child: ChildProcess
  readonly socket: string
  quit(): Promise<Held>
}

export async function start(folder: string, keys = 2000): Promise<Service> {
  const child = spawn(process.execPath, [SERVICE, folder, String(keys)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  let onLine = (): void => {}
  child.stdout.on('data', (data) => {
    output += data
    onLine()
  })
  const line = (found: () => boolean): Promise<void> =>
    new Promise((done) => {
      onLine = () => void (found() && done())
      onLine()
    })
  await line(() => output.includes('ready\n'))
  const quit = async (): Promise<Held> => {
    child.stdin.write('quit\n')
    await line(() => output.trimEnd().endsWith('}'))
    return JSON.parse(output.trimEnd().split('\n').pop() as string)
  }
  return { child, socket: join(folder, 'keyhaul.sock'), quit }
}

export async function withService(keys: number, work: (service: Service, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const service = await start(folder, keys)
    try {
      await work(service, folder)
    } finally {
      service.child.kill('SIGKILL')
    }
  })
}
