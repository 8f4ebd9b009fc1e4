import { getSimModule, leftText, withBytes } from './load.js'

export interface CommandResult {
  /** 0 no violation, 2 not understood, 3 a violation. */
  readonly exitCode: number
  /** What the command prints; with exit code 2, what was wrong. */
  readonly text: string
}

/** Runs the native command `keyhaul_sim` with these arguments: same text, same hash, same exit code. */
export function runSimCommand(args: readonly string[]): CommandResult {
  const module = getSimModule()
  // An argument cannot hold a zero byte natively either; there it would end at it.
  const bytes = new TextEncoder().encode(args.map((arg) => `${arg.replace(/\0.*/s, '')}\0`).join(''))
  return withBytes(module, bytes, (address, size) => {
    const exitCode = module.command(address, size)
    return { exitCode, text: leftText(module) }
  })
}
