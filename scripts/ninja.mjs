// ninja, told line by line: a first build takes minutes, and a silent one looks like one that hangs.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const EVERY_MS = 10_000

/** `[12/120] Building …`: how much is done, of how much. */
const STEP = /^\[(\d+)\/(\d+)\] /

/**
 * Builds `targets` in `folder`. What a compiler says goes to stderr at once; of the steps one in ten seconds is told
 * to `say`, and none where all is done sooner. Rejects when ninja fails.
 */
export function ninja(folder, targets, { cwd, env, what, say = console.log, everyMs = EVERY_MS }) {
  return new Promise((resolve, reject) => {
    // A terminal would get one line written over and over.
    const child = spawn('ninja', ['-C', folder, ...targets], { cwd, env: { ...env, NINJA_STATUS: '[%f/%t] ' }, stdio: ['ignore', 'pipe', 'inherit'] })
    let told = Date.now()
    createInterface({ input: child.stdout }).on('line', (line) => {
      const step = STEP.exec(line)
      if (step === null) {
        if (line.trim() !== '' && !line.startsWith('ninja: ')) console.error(line)
        return
      }
      if (Date.now() - told < everyMs) return
      told = Date.now()
      say(`${what}: ${step[1]} of ${step[2]} steps`)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => (code === 0 ? resolve() : reject(new Error(`ninja in ${folder} ended with ${signal ?? code}`))))
  })
}
