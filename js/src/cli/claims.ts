import { formatKey, KeyhaulError } from '../errors.js'
import type { ClaimInfo, EndedClaim, OwnedRange } from '../live/index.js'
import type { ScanRange } from '../stores/store.js'
import { Exit } from './exit.js'
import { namedStore, prepareLive, readRegister, withLive } from './live.js'
import { LiveView, REFRESH_MS } from './live-output.js'
import { entries, errorText, printable, printableKey, shownStore } from './output.js'
import { shellWord } from './shell.js'
import { assertDifferent, storeName } from './stores.js'

export interface ClaimFlags {
  readonly register: string
  readonly claim?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

const STATES = { claimed: 'not decided', decided: 'decided', aborted: 'given up' } as const

/** Both ends as in the register: the second one is outside. */
function rangeText({ gte, lt }: ScanRange): string {
  const at = (key: Uint8Array): string => printableKey(formatKey(key))
  const [first, end] = [gte === undefined || gte.length === 0 ? undefined : at(gte), lt === undefined ? undefined : at(lt)]
  if (first === undefined) return end === undefined ? 'all keys' : `keys before ${end}`
  return end === undefined ? `keys from ${first} on` : `keys from ${first} to before ${end}`
}

const rangesText = (ranges: readonly ScanRange[]): string => `${ranges.slice(0, 4).map(rangeText).join(', ')}${ranges.length > 4 ? ` and ${ranges.length - 4} more` : ''}`
/** A store whose name is its place needs no other; of one with a name of its own the register does not say where it is. */
const storeWord = (name: string): string => (name.startsWith('level:') ? shellWord(name) : `${shellWord(name)}=level:PATH`)
const endCommand = (register: string, { id, from, to }: ClaimInfo): string => `keyhaul cancel --register ${shellWord(register)} --claim ${id} ${storeWord(from)} ${storeWord(to)}`

function claimLines(register: string, claim: ClaimInfo): string[] {
  const { id, from, to, state, ranges } = claim
  return [`claim ${id}: ${printable(`${shownStore(from)} -> ${shownStore(to)}`)}, ${STATES[state]}, ${rangesText(ranges)}`, `  where its journal is lost, end it with: ${endCommand(register, claim)}`]
}

const wireRange = ({ gte, lt }: ScanRange): object => ({ from: formatKey(gte ?? ''), before: lt === undefined ? undefined : formatKey(lt) })
const wireClaim = ({ ranges, ...claim }: ClaimInfo): object => ({ ...claim, ranges: ranges.map(wireRange) })
const wirePart = ({ owner, epoch, ...range }: OwnedRange): object => ({ owner, epoch, ...wireRange(range) })

/** Who owns which keys, and which claims there are. */
export async function statusOfRegister({ register: url, json }: ClaimFlags): Promise<number> {
  await prepareLive()
  const { register, ownership } = await readRegister(url)
  const { parts, claims } = ownership
  const lines = [
    `register ${shownStore(register)}`,
    ...parts.map((part) => `  ${printable(shownStore(part.owner))} owns ${rangeText(part)} (epoch ${part.epoch})`),
    ...(claims.length === 0 ? ['no claims'] : claims.flatMap((claim) => claimLines(register, claim)))
  ]
  process.stdout.write(json === true ? `${JSON.stringify({ register, parts: parts.map(wirePart), claims: claims.map(wireClaim) })}\n` : `${lines.join('\n')}\n`)
  return Exit.done
}

/** Ends a claim that no journal is left of; exits 0 where it was cancelled, and 1 where it was too late for that. */
export async function cancelClaim(stores: readonly string[], flags: ClaimFlags): Promise<number> {
  await prepareLive()
  const named = stores.map(namedStore)
  if (named.length !== 0 && named.length !== 2) throw new KeyhaulError('KEYHAUL_USAGE', { message: 'name both stores of the claim, as in shard1=level:./a shard2=level:./b' })
  const { register, ownership } = await readRegister(flags.register)
  const claim = claimOf(ownership.claims, named.map(({ name }) => name), flags.claim, register)
  if (claim === undefined) return listed(ownership.claims, register, flags)
  const placeOf = (wanted: string): string => named.find(({ name }) => name === wanted)?.place as string
  const places = { from: placeOf(claim.from), to: placeOf(claim.to), register }
  assertDifferent(places.from, places.to)
  return withLive([claim.from, claim.to], places, 'known', async ({ from, to, register }) => {
    const { endClaim } = await import('../live/index.js')
    const view = new LiveView(flags.quiet === true || flags.json === true)
    const stop = new AbortController()
    const onSignal = (): void => (stop.signal.aborted ? process.exit(Exit.interrupted) : stop.abort())
    let refresh: ReturnType<typeof setInterval> | undefined
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    try {
      const end = await endClaim({
        register,
        stores: [from, to],
        claim: claim.id,
        signal: stop.signal,
        onMigration: (migration) => {
          migration.on('state', (state) => view.show(migration.progress(), state))
          refresh = setInterval(() => view.show(migration.progress()), REFRESH_MS)
        }
      })
      view.stop()
      return report(end, flags)
    } finally {
      clearInterval(refresh)
      view.stop()
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    }
  })
}

/** The only one that is meant; nothing where somebody has to choose. */
function claimOf(claims: readonly ClaimInfo[], names: readonly string[], id: string | undefined, register: string): ClaimInfo | undefined {
  if (claims.length === 0) throw new KeyhaulError('KEYHAUL_NOT_FOUND', { message: `there is no claim in the register ${register}; there is nothing to end` })
  const found = id === undefined ? claims : claims.filter((claim) => claim.id === id)
  if (found.length === 0) throw new KeyhaulError('KEYHAUL_NOT_FOUND', { migration: id, message: `there is no such claim in the register ${register}; see keyhaul status --register` })
  if (names.length === 0) return undefined
  const theirs = found.filter(({ from, to }) => names.includes(from) && names.includes(to))
  const [first] = found
  if (theirs.length === 0 && first !== undefined && found.length === 1) {
    throw new KeyhaulError('KEYHAUL_USAGE', { message: `the claim is of ${first.from} and ${first.to}, not of ${names.join(' and ')}: ${endCommand(register, first)}` })
  }
  return theirs.length === 1 ? theirs[0] : undefined
}

function listed(claims: readonly ClaimInfo[], register: string, { json }: ClaimFlags): number {
  if (json !== true) process.stdout.write(`${claims.flatMap((claim) => claimLines(register, claim)).join('\n')}\n`)
  throw new KeyhaulError('KEYHAUL_USAGE', { message: `name the claim and both of its stores; ${claims.length === 1 ? 'there is' : 'there are'} ${claims.map(({ id, from, to }) => `${id} (${from} -> ${to})`).join(', ')}` })
}

function report(end: EndedClaim, { json }: ClaimFlags): number {
  const { claim, from, to, outcome, owner, removedEntries } = end
  const isCancelled = outcome === 'cancelled'
  if (json === true) process.stdout.write(`${JSON.stringify({ state: isCancelled ? 'cancelled' : 'done', ...end })}\n`)
  const [serves, other] = isCancelled ? [from, to] : [to, from]
  const text = `${shownStore(serves)} owns the range, ${entries(removedEntries)} ${isCancelled ? 'taken off' : 'deleted from'} ${shownStore(other)}`
  if (isCancelled) {
    if (json !== true) process.stdout.write(`${printable(`cancelled: ${text}`)}\n`)
    return Exit.done
  }
  process.stderr.write(errorText(new KeyhaulError('KEYHAUL_CANCEL_TOO_LATE', { migration: claim, owner, message: `it was decided already, so it was finished: ${text}` })))
  return Exit.error
}
