import type { KeyhaulErrorCode } from '../errors.js'
import type { Store, Write } from '../stores/store.js'

/** A group of writes is closed at so many, or so many bytes of keys and values: what comes later waits for the next. */
const WRITES_MAX = 1024
const WRITE_BYTES_MAX = 1 << 20
/** A group of reads is closed at so many keys. */
const READS_MAX = 256
/** One that a slow disk holds up must not hold up all others. */
const READS_IN_FLIGHT = 3

/** What a store says that would say it of any write. Not KEYHAUL_STORE_FAILED, which may be of one only. */
const DOWN: ReadonlySet<string | undefined> = new Set<KeyhaulErrorCode>(['KEYHAUL_STORE_CLOSED', 'KEYHAUL_STORE_STALLED', 'KEYHAUL_DISK_FULL', 'KEYHAUL_STORE_CORRUPT'])
const codeOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code

interface Waiting<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}
interface WaitingWrite extends Waiting<void> {
  readonly writes: readonly Write[]
  readonly durable: boolean
  /** Its turn has come: an abort is not heard any more. */
  readonly begin: () => void
}
interface WaitingRead extends Waiting<(Uint8Array | undefined)[]> {
  readonly keys: readonly Uint8Array[]
}

/** Calls of clients that a store has not answered, and for how long the oldest of its own calls has been under way. */
export interface Unanswered {
  readonly calls: number
  /** Milliseconds; 0 where it is asked for nothing. */
  readonly oldestMs: number
}

/** What a store is asked for at this moment. */
class Asked {
  private readonly calls = new Set<{ readonly at: number; readonly clients: number }>()

  async during<T>(clients: number, work: () => Promise<T>): Promise<T> {
    const call = { at: performance.now(), clients }
    this.calls.add(call)
    try {
      return await work()
    } finally {
      this.calls.delete(call)
    }
  }

  with(waiting: number): Unanswered {
    const [oldest] = this.calls
    const clients = [...this.calls].reduce((sum, call) => sum + call.clients, waiting)
    return { calls: clients, oldestMs: oldest === undefined ? 0 : performance.now() - oldest.at }
  }
}

/**
 * Group commit: what clients write while the store is busy with a batch goes into the next one,
 * in the order of their calls. A store takes one batch at a time anyway, and most of what a
 * small one costs is the call. Each client's writes stay all or nothing; where a group fails,
 * each is tried by itself, so that nobody fails for what another wrote.
 */
export class WriteGroups {
  private readonly asked = new Asked()
  private queue: WaitingWrite[] = []
  private flying = false

  constructor(private readonly store: Pick<Store, 'apply'>) {}

  unanswered(): Unanswered {
    return this.asked.with(this.queue.length)
  }

  /** Rejects with the signal's reason where it is aborted before its turn, at once; what is under way goes on. */
  add(writes: readonly Write[], durable: boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const giveUp = (): void => {
        this.queue.splice(this.queue.indexOf(one), 1)
        reject(signal?.reason)
      }
      const one = { writes, durable, resolve, reject, begin: () => signal?.removeEventListener('abort', giveUp) }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.queue.push(one)
      if (!this.flying) void this.run()
    })
  }

  private async run(): Promise<void> {
    this.flying = true
    while (this.queue.length > 0) {
      const group = this.next()
      for (const { begin } of group) begin()
      await this.asked.during(group.length, () => this.commit(group))
    }
    this.flying = false
  }

  /** From the head of the queue; a durable one takes others along, but does not make a group durable that was not. */
  private next(): WaitingWrite[] {
    const durable = (this.queue[0] as WaitingWrite).durable
    let [end, count, bytes] = [0, 0, 0]
    for (const one of this.queue) {
      count += one.writes.length
      for (const [key, value] of one.writes) bytes += key.length + (value?.length ?? 0)
      const isFull = count > WRITES_MAX || bytes > WRITE_BYTES_MAX
      if (end > 0 && (isFull || (one.durable && !durable))) break
      end++
    }
    return this.queue.splice(0, end)
  }

  private async commit(group: readonly WaitingWrite[]): Promise<void> {
    if (group.length === 1) return this.commitEach(group)
    try {
      await this.store.apply(group.flatMap(({ writes }) => writes), { durable: (group[0] as WaitingWrite).durable })
    } catch {
      // Each hears of its own.
      return this.commitEach(group)
    }
    for (const { resolve } of group) resolve()
  }

  /** A store that is down is not asked for each of them: after the second no, it is one for all the rest. */
  private async commitEach(group: readonly WaitingWrite[]): Promise<void> {
    let inARow = 0
    for (const [i, { writes, durable, resolve, reject }] of group.entries()) {
      try {
        await this.store.apply(writes, { durable })
        inARow = 0
        resolve()
      } catch (error) {
        reject(error)
        inARow = DOWN.has(codeOf(error)) ? inARow + 1 : 0
        if (inARow < 2) continue
        for (const rest of group.slice(i + 1)) rest.reject(error)
        return
      }
    }
  }
}

/** The same for reads: those that come while earlier ones are under way are one call of the store. */
export class ReadGroups {
  private readonly asked = new Asked()
  private queue: WaitingRead[] = []
  private flying = 0

  constructor(private readonly store: Required<Pick<Store, 'getMany'>>) {}

  unanswered(): Unanswered {
    return this.asked.with(this.queue.length)
  }

  add(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.queue.push({ keys, resolve, reject })
      if (this.flying < READS_IN_FLIGHT) void this.run()
    })
  }

  private async run(): Promise<void> {
    this.flying++
    while (this.queue.length > 0) {
      const group = this.next()
      await this.asked.during(group.length, () => this.read(group))
    }
    this.flying--
  }

  private next(): WaitingRead[] {
    let [end, count] = [0, 0]
    for (const { keys } of this.queue) {
      count += keys.length
      if (end > 0 && count > READS_MAX) break
      end++
    }
    return this.queue.splice(0, end)
  }

  private async read(group: readonly WaitingRead[]): Promise<void> {
    const [first] = group as readonly [WaitingRead]
    const keys = group.length === 1 ? first.keys : group.flatMap((one) => one.keys)
    try {
      const values = await this.store.getMany(keys)
      let at = 0
      for (const one of group) {
        const to = at + one.keys.length
        one.resolve(group.length === 1 ? values : values.slice(at, to))
        at = to
      }
    } catch (error) {
      if (group.length === 1) first.reject(error)
      else for (const one of group) await this.read([one])
    }
  }
}
