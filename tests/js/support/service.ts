// The service of control-service.mjs, in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { inFolder } from './stores.ts'

const SERVICE = new URL('./control-service.mjs', import.meta.url).pathname

export interface Service {
  readonly child: ChildProcess
  readonly socket: string
  quit(): Promise<{ writes: number; left: number; moved: number }>
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
  const quit = async (): Promise<{ writes: number; left: number; moved: number }> => {
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
