// What a pause of the writers is made of: a row of calls, each of which waits for the one before. One that is added up of
// calls asked alone, one by one, comes out too short: behind a fence a call has in front of it what clients have under
// way, their promises share the thread, and where one call is slow the next is too.
import type { Register } from '../register/register.js'
import type { Store } from '../stores/store.js'

/** Of one pause, microseconds: how long each call took to be answered; 0 where it was not asked for. */
export interface PauseTimes {
  /** With what it waited for: writes that had been admitted. */
  readonly fenceUs: number
  readonly drainPollUs: number
  readonly drainApplyUs: number
  /** Both stores are asked at once. */
  readonly drainLookUs: number
  readonly readFenceUs: number
  readonly decideUs: number
  readonly activateUs: number
  /** What passes between an answer and the next call. */
  readonly pauseTurnUs: number
}

export const PAUSE_CALLS = ['fenceUs', 'drainPollUs', 'drainApplyUs', 'drainLookUs', 'readFenceUs', 'decideUs', 'activateUs', 'pauseTurnUs'] as const satisfies readonly (keyof PauseTimes)[]

type Call = Exclude<keyof PauseTimes, 'pauseTurnUs'>

interface Span {
  readonly call: Call
  readonly began: number
  readonly ended: number
}

/** Of a migration's calls to its stores and its register: those between the fence and the activation. */
export class PauseWatch {
  readonly pauses: PauseTimes[] = []
  private spans: Span[] | undefined

  /** `now`: milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The gate and the calls of this very store, from here on. */
  watch(mover: Store): void {
    const { gate, getMany, openFeed } = mover
    if (gate !== undefined) {
      const change = gate.change.bind(gate)
      Object.assign(gate, {
        change: async (call: Parameters<typeof change>[0]) => {
          if (call.verb === 'fence') this.spans = []
          if (call.verb === 'unfence') this.spans = undefined
          const which = call.verb === 'fence' ? 'fenceUs' : call.verb === 'fenceReads' ? 'readFenceUs' : call.verb === 'activate' ? 'activateUs' : undefined
          if (which === undefined) return change(call)
          await this.timed(which, () => change(call))
          if (call.verb === 'activate') this.end()
        }
      })
    }
    const apply = mover.apply.bind(mover)
    const overrides: Partial<Store> = { apply: (...given) => this.timed('drainApplyUs', () => apply(...given)) }
    if (getMany !== undefined) overrides.getMany = (...given) => this.timed('drainLookUs', () => getMany.apply(mover, given))
    if (openFeed !== undefined) {
      overrides.openFeed = async (...given) => {
        const feed = await openFeed.apply(mover, given)
        const poll = feed.poll.bind(feed)
        return Object.assign(feed, { poll: (...asked: Parameters<typeof poll>) => this.timed('drainPollUs', () => poll(...asked)) })
      }
    }
    Object.assign(mover, overrides)
  }

  /** The same register, watched. */
  watched(register: Register): Register {
    return {
      name: register.name,
      durable: register.durable,
      read: () => register.read(),
      compareAndSet: (...given) => this.timed('decideUs', () => register.compareAndSet(...given)),
      watch: (listener) => register.watch(listener)
    }
  }

  private async timed<T>(call: Call, work: () => Promise<T>): Promise<T> {
    const { spans } = this
    if (spans === undefined) return work()
    const began = this.now()
    try {
      return await work()
    } finally {
      spans.push({ call, began, ended: this.now() })
    }
  }

  private end(): void {
    const { spans } = this
    this.spans = undefined
    if (spans !== undefined) this.pauses.push(timesOf(spans))
  }
}

function timesOf(spans: readonly Span[]): PauseTimes {
  const sorted = [...spans].sort((a, b) => a.began - b.began)
  const took = Object.fromEntries(PAUSE_CALLS.map((call) => [call, 0])) as Record<keyof PauseTimes, number>
  const times = { ...took }
  let [until, gaps] = [(sorted[0] as Span).began, 0]
  for (const { call, began, ended } of sorted) {
    // What is asked for at once is waited for once.
    if (began >= until && until > (sorted[0] as Span).began) {
      took.pauseTurnUs += began - until
      gaps++
    }
    if (began >= until) times[call]++
    took[call] += Math.max(0, ended - Math.max(began, until))
    until = Math.max(until, ended)
  }
  times.pauseTurnUs = gaps
  const whole = (call: keyof PauseTimes): number => Math.round((took[call] * 1000) / Math.max(1, times[call]))
  return Object.fromEntries(PAUSE_CALLS.map((call) => [call, whole(call)])) as unknown as PauseTimes
}
