import { Command, CommanderError, Help, Option } from 'commander'
import { KeyhaulError } from '../errors.js'
import { VERSION } from '../receipt.js'
import { type CopyFlags, type LiveFlags, parseCount, parseEntryMax, parseLevel, parseMs, parsePath, parsePrefix, parseRange, parseRate, parseSplit, parseWindow } from './arguments.js'
import { cancelClaim, statusOfRegister } from './claims.js'
import { cancel, closeWindow, inspect, resume, status, transfer, transferLive } from './commands.js'
import { Exit } from './exit.js'
import { dropFeed, inspectStore, isStore } from './feeds.js'
import { errorText } from './output.js'
import { cancelInService, closeWindowInService, resumeInService, reverseInService, type ServiceFlags, statusOfService } from './service.js'
import { parseSeed, parseSeeds, parseShare, parseWrites, rehearse, type RehearseFlags } from './rehearse.js'
import { type SimFlags, simulate } from './sim.js'
import { wrapped } from './terminal.js'

let exit: Promise<number> = Promise.resolve(Exit.done)

/** Beside a flag there has to be so much room for what it means; else that stands below it. */
const BESIDE_MIN = 40

function formatItem(this: Help, term: string, termWidth: number, description: string, helper: Help): string {
  const width = this.helpWidth ?? 80
  if (description === '' || width - termWidth - 4 >= BESIDE_MIN) return Help.prototype.formatItem.call(this, term, termWidth, description, helper)
  return `  ${term}\n${wrapped(`    ${description}`, width)}`
}

const program = new Command('keyhaul')
  .description('Moves key ranges between key-value stores, and proves that nothing was lost.')
  .version(VERSION)
  .option('--no-color', 'no colours (NO_COLOR does the same)')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'error KEYHAUL_USAGE: ')) })
  .configureHelp({ formatItem })
  .showHelpAfterError('(--help lists commands and flags)')
  .addHelpText(
    'after',
    `
Examples:
  $ keyhaul copy level:./a level:./b --range a..m --journal ./copy.journal
  $ keyhaul move level:./a level:./b --prefix user: --rate 20MB
  $ keyhaul verify level:./a level:./b --repair
  $ keyhaul resume ./copy.journal

Exit codes: 0 done (and verified), 1 error, 2 usage, 3 the sides differ, 4 interrupted
and resumable.`
  )

const LIVE_EXAMPLES = `
  $ keyhaul move --live --service ./keyhaul.sock shard1 shard2 --range a..m --pause-budget 50ms
  $ keyhaul move --live shard1=level:./a shard2=level:./b --register level:./a --prefix user:`

function common(command: Command): Command {
  return command
    .option('--json', 'the result as one JSON object, the last line of stdout')
    .option('--quiet', 'no progress')
}

/** Which keys. */
function ofRanges(command: Command): Command {
  return command
    .option('--range <first..last>', 'keys from first to last, both included, or first.. for all from there on; hex:00ff for bytes; may be repeated', parseRange)
    .option('--prefix <prefix>', 'every key with this prefix; may be repeated', parsePrefix)
    .option('--all', 'every key, which is the default')
}

function ranged(command: Command): Command {
  return common(
    ofRanges(command)
      .option('--rate <bytes/s>', 'at most so many bytes a second, as in 5000000, 5M or 4MiB', parseRate)
      .option('--concurrency <n>', 'ranges worked on at the same time', parseCount, 1)
      .addOption(new Option('--checksum <kind>', 'checksum of pages on their way').choices(['crc32', 'crc32c', 'none']).default('crc32'))
      .option('--entry-max <bytes>', 'a larger key and value stop it, 1KiB to 512MiB; default 64MiB', parseEntryMax)
      .option('--past-gate', 'also change a store that has the gate of a service or of a live move, which is not told of it')
      .option('--dry-run', 'say what would be done, and change nothing')
  )
}

function writing(command: Command): Command {
  return ranged(command)
    .option('--journal <file>', 'where progress is kept; default: beside the target, removed at the end')
    .option('--into-nonempty', 'the target may hold keys in these ranges already: those that the source has too are overwritten, the others are kept')
    .addOption(new Option('--durable <each>', 'what is on the disk before going on: a checkpoint of a second or 256 pages, or each page (LevelDB and power losses)').choices(['checkpoint', 'page']).default('checkpoint'))
    .addOption(new Option('--verify <depth>', 'what is read again: the target, both sides, or nothing').choices(['target', 'both', 'none']).default('target'))
}

for (const [mode, what] of [
  ['copy', 'copy key ranges, then verify them'],
  ['move', 'copy key ranges, verify them, then delete them from the source']
] as const) {
  const command = writing(program.command(mode))
    .description(what)
    .argument('<from>', 'source, as in level:./a')
    .argument('<to>', 'target, as in level:./b; made if it does not exist')
    .addHelpText('after', `\nExample:\n  $ keyhaul ${mode} level:./a level:./b --range a..m --journal ./${mode}.journal${mode === 'move' ? LIVE_EXAMPLES : ''}`)
    .action((from: string, to: string, flags: CopyFlags & LiveFlags, self: Command) => {
      const isLive = flags.live === true || flags.service !== undefined || flags.register !== undefined || flags.pauseBudget !== undefined || flags.require !== undefined || flags.reverseWindow !== undefined || flags.split !== undefined
      if (isLive && flags.live !== true) throw new KeyhaulError('KEYHAUL_USAGE', { message: '--service, --register, --pause-budget, --reverse-window, --split and --require are of a live move; add --live' })
      exit = isLive ? transferLive(from, to, given(self)) : transfer(mode, from, to, flags)
    })
  if (mode === 'move') {
    command
      .option('--live', 'while clients write: in the service of --service, or here with --register')
      .option('--service <socket>', 'the control socket of the service that has the stores open; <from> and <to> are its names for them')
      .option('--register <store>', 'where it stands who owns which keys, as in level:./register; may be one of the two stores')
      .option('--pause-budget <time>', 'for so long writers may be refused, in ms, s, m or h, as in 50ms or 2s, without a unit in ms; default 1s', parseMs)
      .option('--reverse-window <time>', 'after the cutover the source is kept up to date for so long, as in 30s, 10m or 2h, without a unit in ms, and keyhaul reverse goes back', parseWindow)
      .option('--split <parts>', 'where the writers outrun it: move the ranges in parts, one after the other, in so many at most, 2 to 64', parseSplit)
      .option('--require <level>', 'refuse to start below this guarantee level, as in L4', parseLevel)
  }
}

ranged(program.command('verify'))
  .description('compare key ranges of two stores; exit 3 names the keys that differ')
  .argument('<from>', 'the store that is right')
  .argument('<to>', 'the store to check')
  .option('--repair', 'make the second equal to the first where they differ, then verify again')
  .option('--journal <file>', 'where progress is kept')
  .addHelpText('after', '\nExample:\n  $ keyhaul verify level:./a level:./b --range a..m')
  .action((from: string, to: string, flags: CopyFlags) => {
    exit = transfer('verify', from, to, { ...flags, verify: 'both' })
  })

common(program.command('resume'))
  .description('go on with an interrupted copy, move or verify')
  .argument('[journal]', 'its journal; with --service the id of a migration')
  .option('--service <socket>', 'in the service with this control socket')
  .option('--rate <bytes/s>', 'at most so many bytes a second', parseRate)
  .option('--past-gate', 'also where a store was given a gate since')
  .option('--take-over', 'with --service: also from another service that is at work on it')
  .addHelpText('after', '\nExamples:\n  $ keyhaul resume ./move.journal\n  $ keyhaul resume --service ./keyhaul.sock 3f9a0c1d')
  .action((journal: string | undefined, { takeOver, ...flags }: Partial<ServiceFlags> & { rate?: number; takeOver?: true }) => {
    // What this command opens itself no other process has open.
    if (takeOver === true && flags.service === undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: '--take-over needs --service SOCKET' })
    exit = isOfService(flags) ? resumeInService(journal, flags, flags.rate, takeOver) : resume(named(journal), flags)
  })

common(program.command('status'))
  .description('say where a journal stands, or what the migrations of a service do')
  .argument('[journal]', 'a journal; with --service the id of a migration, or none for all')
  .option('--service <socket>', 'in the service with this control socket')
  .option('--watch', 'with --service: show the progress to its end')
  .option('--register <store>', 'of a live migration: see in this register who owns the range, as in level:./register; without a journal all that stands there')
  .addHelpText('after', '\nExamples:\n  $ keyhaul status ./move.journal --json\n  $ keyhaul status --service ./keyhaul.sock --watch\n  $ keyhaul status --register level:./a')
  .action((journal: string | undefined, flags: Partial<ServiceFlags> & { register?: string }) => {
    if (flags.watch === true && flags.service === undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: '--watch needs --service SOCKET' })
    const { register } = flags
    if (register !== undefined && journal === undefined && flags.service === undefined) exit = statusOfRegister({ ...flags, register })
    else exit = isOfService(flags) ? statusOfService(journal, flags) : status(named(journal), flags)
  })

common(program.command('cancel'))
  .description('end it and take the copy off the target again, if the target was empty before')
  .argument('[what...]', 'its journal; with --service the id of a migration; with --register both stores')
  .option('--service <socket>', 'in the service with this control socket')
  .option('--register <store>', 'of a live move whose journal is lost: end its claim in this register, as in level:./register. What was decided already is finished (exit 1)')
  .option('--claim <id>', 'with --register: of several claims this one')
  .addHelpText('after', '\nExamples:\n  $ keyhaul cancel ./copy.journal\n  $ keyhaul cancel --service ./keyhaul.sock 3f9a0c1d\n  $ keyhaul cancel --register level:./a shard1=level:./a shard2=level:./b')
  .action((what: readonly string[], flags: Partial<ServiceFlags> & { register?: string; claim?: string }) => {
    const { register, service, claim } = flags
    if (register !== undefined && service !== undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: 'a service has its register; leave out --register, or stop the service and leave out --service' })
    if (register === undefined && claim !== undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: '--claim needs --register STORE' })
    if (register === undefined && what.length > 1) throw new KeyhaulError('KEYHAUL_USAGE', { message: `one journal or id, not ${what.length}; two stores need --register STORE` })
    if (register !== undefined) exit = cancelClaim(what, { ...flags, register })
    else exit = isOfService(flags) ? cancelInService(what[0], flags) : cancel(named(what[0]), flags)
  })

common(program.command('reverse'))
  .description('go back to the source of a live move while its reverse window is open; nothing that was written since is lost')
  .argument('[id]', 'of the migration, where several have an open window')
  .requiredOption('--service <socket>', 'the control socket of the service in which it runs')
  .addHelpText('after', '\nExample:\n  $ keyhaul reverse --service ./keyhaul.sock')
  .action((id: string | undefined, flags: ServiceFlags) => {
    exit = reverseInService(id, flags)
  })

common(program.command('close-window'))
  .description('end the reverse window of a live move before its time: the source is cleaned up')
  .argument('[what]', 'with --service the id of a migration, where several have an open window; else its journal')
  .option('--service <socket>', 'the control socket of the service in which it runs')
  .option('--give-up-source', 'the source never comes back: the target keeps the range, and nobody waits for the source or cleans it up')
  .addHelpText('after', '\nExamples:\n  $ keyhaul close-window --service ./keyhaul.sock\n  $ keyhaul close-window --service ./keyhaul.sock 3f9a0c1d --give-up-source\n  $ keyhaul close-window ./ab.journal --give-up-source')
  .action((what: string | undefined, flags: Partial<ServiceFlags> & { giveUpSource?: true }) => {
    const { giveUpSource } = flags
    exit = isOfService(flags) ? closeWindowInService(what, flags, giveUpSource) : closeWindow(named(what), { ...flags, giveUpSource: giveUpSource === true })
  })

program
  .command('inspect')
  .description('print every record of a journal, one JSON object a line; or the change feeds that a store keeps')
  .argument('<what>', 'a journal, or a store as in level:./a')
  .option('--json', 'of a store: one JSON object')
  .addHelpText('after', '\nExamples:\n  $ keyhaul inspect ./move.journal\n  $ keyhaul inspect level:./a')
  .action((what: string, flags: { json?: boolean }) => {
    exit = isStore(what) ? inspectStore(what, flags) : inspect(what)
  })

program
  .command('drop-feed')
  .description('end a change feed that nobody goes on with: a store keeps every change for it')
  .argument('<store>', 'as in level:./a')
  .argument('<id>', 'as keyhaul inspect shows it')
  .option('--force', 'also one that a migration may go on with, which then has to copy again')
  .option('--json', 'the result as one JSON object')
  .addHelpText('after', '\nExample:\n  $ keyhaul drop-feed level:./a 1760000000000000')
  .action((store: string, id: string, flags: { force?: boolean; json?: boolean }) => {
    exit = dropFeed(store, id, flags)
  })

ofRanges(common(program.command('rehearse')))
  .description('say how long a copy or move would take, before a byte moves: measured on the real stores, run in the simulator; exit 3 where it would not fit')
  .argument('[from]', 'source, as in level:./a; it is read')
  .argument('[to]', 'target, as in level:./b; it is looked into and not written, a scratch store beside it is filled and removed')
  .option('--move', 'then delete from the source')
  .option('--live', 'a move while clients write')
  .option('--service <socket>', 'with --live: the control socket of the service that has the stores open; <from> and <to> are its names for them')
  .option('--writes <n/s>', 'with --live: writes of clients in the range, as in 5000 or 5k/s; default: with --service those that are seen, else none', parseWrites)
  .option('--watch-writers <time>', 'with --service: they are watched for so long, in the units of --pause-budget; default 5s', parseMs)
  .option('--pause-budget <time>', 'with --live: for so long writers may be refused, in ms, s, m or h, as in 50ms or 2s, without a unit in ms; default 1s', parseMs)
  .option('--share <part>', 'with --live: of the thread, 0.01 to 1; default 0.25', parseShare)
  .option('--rate <bytes/s>', 'at most so many bytes a second', parseRate)
  .addOption(new Option('--verify <depth>', 'what would be read again').choices(['target', 'both', 'none']))
  .option('--into-nonempty', 'the target may hold keys in these ranges already')
  .option('--seeds <n>', 'runs without faults, and as many with mild ones; default 20', parseSeeds)
  .option('--seed <n>', 'the first seed; default 1', parseSeed)
  .option('--from-measurement <file>', 'instead of stores: what --json printed; same file, flags and seeds, same forecast')
  .addHelpText(
    'after',
    `
Examples:
  $ keyhaul rehearse level:./a level:./b --range a..m
  $ keyhaul rehearse level:./a level:./b --live --writes 5k/s --pause-budget 50ms --json > forecast.json
  $ keyhaul rehearse --live --service ./keyhaul.sock left right --pause-budget 50ms
  $ keyhaul rehearse --from-measurement forecast.json --live --writes 20k/s`
  )
  .action((from: string | undefined, to: string | undefined, flags: RehearseFlags) => {
    exit = rehearse(from, to, flags)
  })

program
  .command('sim')
  .description('the simulator: the real engine under faults, with oracles that see a broken promise (exit 3)')
  .option('--seed <n>', 'one run; equal flags give equal runs and hashes')
  .option('--seeds <a..b>', 'many runs; tells of those with violations')
  .option('--scenario <name>', 'what is moved, and who writes meanwhile (default: swarm)')
  .option('--until <seconds>', 'simulated seconds: chaos for two thirds of them, then healing (default: 60)')
  .option('--faults <list>', 'all, none, drop,clog or -drop,clog: those that may happen')
  .option('--sabotage <name>', 'put a bug in, to see it found')
  .option('--do <list>', 'what somebody does by hand, as in 1500000:crash:3:800 (microseconds, what, node, milliseconds)')
  .option('--workload <percent>', 'of keys and jobs')
  .option('--oracle <name>', 'the only one that judges (default: all)')
  .option('--explain <key>', 'tell what happened to this key')
  .option('--log', 'every event as a line')
  .option('--minimise', 'the smallest run that still breaks a promise')
  .option('--each', 'with --seeds: a line for every seed')
  .option('--pauses', 'and how long writers of a key had to wait')
  .option('--json', 'one line of JSON a run')
  .option('--check-sabotage', 'with --seeds: how soon every bug is found')
  .option('--check-determinism', 'is it the same run again after every event: looked at, and from any moment on?')
  .option('--list-scenarios', 'what there is')
  .option('--list-faults')
  .option('--list-sabotage')
  .option('--list-interventions')
  .option('--check-history <file>', 'is this history linearizable? exit 3 if not, with the shortest witness')
  .addHelpText(
    'after',
    `
Examples:
  $ keyhaul sim --seed 7 --scenario follow
  $ keyhaul sim --seeds 1..200 --sabotage no-dedupe
  $ keyhaul sim --check-history ./history.log`
  )
  .action((flags: SimFlags) => {
    exit = simulate(flags)
  })

// A value that is refused says of which flag it is.
for (const { options } of program.commands) {
  for (const option of options) {
    if (/<(file|socket|store)>/.test(option.flags)) option.argParser(parsePath)
    const parse = option.parseArg as ((text: string, before: unknown) => unknown) | undefined
    if (parse === undefined || option.argChoices !== undefined) continue
    option.argParser((text: string, before: unknown) => {
      try {
        return parse(text, before)
      } catch (error) {
        throw error instanceof KeyhaulError ? new KeyhaulError(error.code, { message: `${error.message} (${option.long})` }) : error
      }
    })
  }
}

/** Only what was typed: what a live move has no use for is told, and no default is. */
function given(command: Command): Partial<CopyFlags> & LiveFlags {
  const flags = Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) !== 'default')
  return Object.fromEntries(flags) as Partial<CopyFlags> & LiveFlags
}

function isOfService<T extends Partial<ServiceFlags>>(flags: T): flags is T & ServiceFlags {
  return flags.service !== undefined
}

function named(journal: string | undefined): string {
  if (journal === undefined) throw new KeyhaulError('KEYHAUL_USAGE', { message: 'name a journal, or a service with --service SOCKET' })
  return journal
}

const NO_FOLDER = 'the current folder does not exist any more; go to one that does'

async function main(): Promise<number> {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 20) {
    process.stderr.write(`error KEYHAUL_UNSUPPORTED: keyhaul needs Node 20.19 or later; this is ${process.version}\n`)
    return Exit.error
  }
  if (process.argv.includes('--no-color')) process.env.NO_COLOR = '1'
  try {
    await program.parseAsync()
    return await exit
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return Exit.done
      // Without a command it is only help that was shown.
      if (error.code !== 'commander.help') writeFailure('KEYHAUL_USAGE', error.message.replace(/^error: /, ''))
      return Exit.usage
    }
    if ((error as NodeJS.ErrnoException).syscall === 'uv_cwd') {
      writeFailure('KEYHAUL_INVALID_ARGUMENT', NO_FOLDER)
      process.stderr.write(`error KEYHAUL_INVALID_ARGUMENT: ${NO_FOLDER}\n`)
      return Exit.error
    }
    if (!(error instanceof KeyhaulError)) throw error
    writeFailure(error.code, error.message)
    process.stderr.write(errorText(error))
    if (isUsage(error)) return Exit.usage
    return error.code === 'KEYHAUL_INTERRUPTED' ? Exit.interrupted : Exit.error
  }
}

/** What was asked for cannot be, whatever the stores hold. */
function isUsage({ code, file, store }: KeyhaulError): boolean {
  if (code === 'KEYHAUL_USAGE' || code === 'KEYHAUL_INVALID_RANGE' || code === 'KEYHAUL_OVERLAPPING_RANGES' || code === 'KEYHAUL_SAME_STORE') return true
  // Of a number, not of what a file or a store holds.
  return code === 'KEYHAUL_INVALID_ARGUMENT' && file === undefined && store === undefined
}

function writeFailure(code: string, message: string): void {
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ state: 'failed', code, message })}\n`)
}

// Nobody reads on, as with `| head`: no reason to stop half way. What cannot be written for
// another reason is an error, but the migration goes on to its end all the same.
let unwritten = false
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || unwritten) return
  unwritten = true
  process.stderr.write(`error: the result could not be written: ${error.message}\n`)
  process.exitCode = Exit.error
})
process.stderr.on('error', () => {})

const code = await main()
process.exitCode = unwritten ? Exit.error : code
