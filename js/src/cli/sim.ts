import { readFileSync } from 'node:fs'
import { KeyhaulError } from '../errors.js'
import { Exit } from './exit.js'
import { type Names, simUsage } from './sim-usage.js'
import { say } from './terminal.js'

/** As commander names them: a flag with a value is text, one without is true. */
export type SimFlags = Readonly<Record<string, string | true>>

/** One task a call; the simulator is loaded only here. */
export async function simulate(flags: SimFlags): Promise<number> {
  const { checkHistory, ...others } = flags
  const args = Object.entries(others).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return value === true ? [flag] : [flag, value]
  })
  if (typeof checkHistory === 'string') {
    if (args.length > 0) throw new KeyhaulError('KEYHAUL_USAGE', { message: `--check-history is a task of its own; leave out ${args[0]}` })
    return checkHistoryFile(checkHistory)
  }
  if (args.length === 0) throw new KeyhaulError('KEYHAUL_USAGE', { message: 'sim needs to be told what to do, as in --seed 7, or --check-history FILE' })
  if (flags.seed !== undefined && flags.seeds !== undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: '--seed is one run and --seeds are many; leave one of them out' })
  const many = (['each', 'checkSabotage'] as const).find((name) => flags[name] !== undefined && flags.seeds === undefined)
  if (many !== undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: `--${many === 'each' ? many : 'check-sabotage'} is of many runs; add --seeds FIRST..LAST` })
  const { runSimCommand } = await import('../sim/command.js')
  assertOracle(flags, runSimCommand)
  const { exitCode, text } = runSimCommand(args)
  if (exitCode === Exit.usage) {
    const names: Names = (what) => runSimCommand([`--list-${what}`]).text.split('\n').flatMap((line) => line.split(' ')[0] || [])
    throw new KeyhaulError('KEYHAUL_USAGE', { message: simUsage(flags, names, text.split('\n')[0] ?? text) })
  }
  // A line of JSON or of a log is one.
  if (flags.json === true || flags.log === true) process.stdout.write(text)
  else say(text)
  return exitCode
}

/** Which there are depends on the scenario, and a run without any is told as a violation. */
function assertOracle({ oracle, scenario }: SimFlags, run: typeof import('../sim/command.js').runSimCommand): void {
  if (typeof oracle !== 'string') return
  const { text } = run(['--seed', '1', '--until', '1', '--oracle', oracle, ...(typeof scenario === 'string' ? ['--scenario', scenario] : [])])
  if (text.includes('VIOLATION of options')) throw new KeyhaulError('KEYHAUL_USAGE', { message: `there is no oracle ${oracle === '' ? "''" : oracle} in the scenario ${scenario ?? 'swarm'}` })
}

async function checkHistoryFile(file: string): Promise<number> {
  const bytes = readHistory(file)
  const { checkHistory } = await import('../sim/index.js')
  const { verdict, witness } = named(file, () => checkHistory(bytes))
  process.stdout.write(`${verdict}\n${witness ?? ''}`)
  if (verdict !== 'unknown') return verdict === 'linearizable' ? Exit.done : Exit.mismatch
  throw new KeyhaulError('KEYHAUL_LIMIT_EXCEEDED', { file, message: 'the search was given up; check a shorter history' })
}

function readHistory(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { file, message: `${why}; give the path of a history`, cause })
  }
}

/** Errors about the text, with the file it came from. */
function named<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof KeyhaulError) throw new KeyhaulError(cause.code, { file, message: cause.message, cause })
    throw cause
  }
}
