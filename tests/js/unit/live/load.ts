// Clients that read and write all the time through a shardedStore, and an oracle that checks
// every answer: each key has one writer, whose writes are numbered, so a read may give any
// number from the last one that was acknowledged (or read by anybody) before it began to the
// last one that was begun before it ended, and nothing else.
import assert from 'node:assert/strict'
import type { ShardedStore } from '../../../../dist/live/index.js'
import { keyOf, randomFrom } from '../../support/stores.ts'

const decode = (value: Uint8Array): string => new TextDecoder().decode(value)

class Oracle {
  /** Of each version whether it was a delete. Version 0 is the one that was there first. */
  readonly deletes: boolean[] = [false]
  acked = 0
  seen = 0
  get begun(): number {
    return this.deletes.length - 1
  }
  /** What the key holds at a version. */
  text(key: number, version: number): string | undefined {
    return this.deletes[version] === true ? undefined : `${key}/${version}/`.padEnd(40, 'x')
  }
}

export class Load {
  reads = 0
  writes = 0
  scans = 0
  /** The longest that a write took, in milliseconds. */
  slowestWriteMs = 0
  private readonly oracles: Oracle[]
  private stopped = false
  private deletes = true
  private readonly workers: Promise<void>[] = []
  private readonly random: () => number

  constructor(
    private readonly store: ShardedStore,
    private readonly count: number,
    seed = 1
  ) {
    this.random = randomFrom(seed)
    this.oracles = Array.from({ length: count }, () => new Oracle())
  }

  async fill(): Promise<void> {
    for (let i = 0; i < this.count; i += 500) {
      const part = this.oracles.slice(i, i + 500)
      await this.store.batch(part.map((oracle, j) => [keyOf(i + j), oracle.text(i + j, 0)] as const))
    }
  }

  /** `pause` slows the clients down to so many milliseconds between operations. Without `deletes` they only put. */
  start({ writers = 4, readers = 4, scanners = 1, pause = 0, deletes = true } = {}): void {
    this.deletes = deletes
    const run = (work: () => Promise<void>): void => {
      const loop = async (): Promise<void> => {
        while (!this.stopped) {
          await work()
          await new Promise<void>((wake) => (pause > 0 ? void setTimeout(wake, pause) : void setImmediate(wake)))
        }
      }
      this.workers.push(loop())
    }
    for (let w = 0; w < writers; w++) {
      run(() => this.write(Math.floor((this.random() * this.count) / writers) * writers + w))
    }
    for (let r = 0; r < readers; r++) run(() => this.read(Math.floor(this.random() * this.count)))
    for (let s = 0; s < scanners; s++) run(() => this.scan())
  }

  async stop(): Promise<void> {
    this.stopped = true
    await Promise.all(this.workers)
  }

  /** An eighth of the keys is never deleted, so that every scan must show them. */
  private isStable(key: number): boolean {
    return key % 8 === 0
  }

  private async write(key: number): Promise<void> {
    if (key >= this.count) return
    const oracle = this.oracles[key] as Oracle
    oracle.deletes.push(this.deletes && !this.isStable(key) && this.random() < 0.25)
    const version = oracle.begun
    const text = oracle.text(key, version)
    const began = performance.now()
    await (text === undefined ? this.store.del(keyOf(key)) : this.store.put(keyOf(key), text))
    this.slowestWriteMs = Math.max(this.slowestWriteMs, performance.now() - began)
    oracle.acked = version
    this.writes++
  }

  private async read(key: number): Promise<void> {
    const oracle = this.oracles[key] as Oracle
    const floor = Math.max(oracle.acked, oracle.seen)
    const value = await this.store.get(keyOf(key))
    this.check(key, floor, value)
    this.reads++
  }

  private check(key: number, floor: number, value: Uint8Array | undefined): void {
    const oracle = this.oracles[key] as Oracle
    const text = value === undefined ? undefined : decode(value)
    for (let version = floor; version <= oracle.begun; version++) {
      if (oracle.text(key, version) !== text) continue
      oracle.seen = Math.max(oracle.seen, version)
      return
    }
    assert.fail(`${keyOf(key)} is ${text}; allowed were versions ${floor} to ${oracle.begun}, of which ${oracle.acked} was acknowledged`)
  }

  private async scan(): Promise<void> {
    const first = Math.floor(this.random() * this.count)
    const last = Math.min(this.count, first + 700)
    const floors = this.oracles.slice(first, last).map(({ acked, seen }) => Math.max(acked, seen))
    let before = first - 1
    const stable = new Set<number>()
    for await (const [bytes, value] of this.store.iterator({ gte: keyOf(first), lt: keyOf(last) })) {
      const key = Number(decode(bytes).slice(4))
      assert.ok(key > before && key < last, `a scan gave ${key} after ${before}`)
      before = key
      if (this.isStable(key)) stable.add(key)
      this.check(key, floors[key - first] as number, value)
    }
    for (let key = first; key < last; key++) assert.ok(!this.isStable(key) || stable.has(key), `a scan left out ${key}`)
    this.scans++
  }

  /** What the stores together must hold now that nobody writes. */
  expected(): Map<string, string> {
    const all = new Map<string, string>()
    this.oracles.forEach((oracle, key) => {
      assert.equal(oracle.acked, oracle.begun)
      const text = oracle.text(key, oracle.acked)
      if (text !== undefined) all.set(keyOf(key), text)
    })
    return all
  }
}

/** Everything that a store holds, whoever owns it. */
export async function everything(store: { readonly mover: import('../../../../dist/index.js').Store }): Promise<Map<string, string>> {
  const all = new Map<string, string>()
  let gte = new Uint8Array(0)
  for (;;) {
    const page = await store.mover.scan({ gte }, { maxEntries: 10_000, maxBytes: 10_000_000 })
    for (const [key, value] of page.entries) all.set(decode(key), decode(value))
    if (page.end) return all
    const last = page.entries.at(-1)?.[0] as Uint8Array
    gte = new Uint8Array(last.length + 1)
    gte.set(last)
  }
}
