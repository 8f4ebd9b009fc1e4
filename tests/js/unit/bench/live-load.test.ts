// The oracle of the live bench: a store that keeps its word passes, each way of losing is found.
import assert from 'node:assert/strict'
import { test } from 'node:test'
// @ts-expect-error it is plain JavaScript
import { fill, hungry, lostIn, steady } from '../../../../bench/node/live-load.mjs'

type Text = string
type Value = Uint8Array | undefined

/** A store in memory that does to some calls what a subclass says. */
class Honest {
  readonly all = new Map<Text, Uint8Array>()
  /** Counted by those who lie now and then. */
  calls = 0
  async get(key: Text): Promise<Value> {
    await undefined
    return this.all.get(key)
  }
  async put(key: Text, value: Uint8Array): Promise<void> {
    await new Promise((wake) => setImmediate(wake))
    this.write(key, value)
  }
  async del(key: Text): Promise<void> {
    await new Promise((wake) => setImmediate(wake))
    this.write(key, undefined)
  }
  async batch(writes: readonly (readonly [Text, Uint8Array])[]): Promise<void> {
    for (const [key, value] of writes) this.all.set(key, value)
  }
  async *iterator(): AsyncGenerator<[Uint8Array, Uint8Array]> {
    for (const key of [...this.all.keys()].sort()) yield [Buffer.from(key), this.all.get(key) as Uint8Array]
  }
  write(key: Text, value: Value): void {
    if (value === undefined) this.all.delete(key)
    else this.all.set(key, value)
  }
}

const LIARS: Record<string, () => Honest> = {
  'loses a put in a hundred': () => new (class extends Honest {
    override write(key: Text, value: Value): void {
      if (value !== undefined && this.calls++ % 100 === 99) return
      super.write(key, value)
    }
  })(),
  'loses a delete in ten': () => new (class extends Honest {
    override write(key: Text, value: Value): void {
      if (value === undefined && this.calls++ % 10 === 9) return
      super.write(key, value)
    }
  })(),
  'gives back a key that was deleted': () => new (class extends Honest {
    private readonly dead = new Map<Text, Uint8Array>()
    override write(key: Text, value: Value): void {
      if (value === undefined && this.all.has(key)) this.dead.set(key, this.all.get(key) as Uint8Array)
      super.write(key, value)
      const [first] = this.dead
      if (this.dead.size > 20 && first !== undefined && !this.all.has(first[0])) {
        this.all.set(...first)
        this.dead.delete(first[0])
      }
    }
  })(),
  'reads what was there before': () => new (class extends Honest {
    private readonly old = new Map<Text, Value>()
    override write(key: Text, value: Value): void {
      this.old.set(key, this.all.get(key))
      super.write(key, value)
    }
    override async get(key: Text): Promise<Value> {
      await undefined
      return this.calls++ % 50 === 49 && this.old.has(key) ? this.old.get(key) : this.all.get(key)
    }
  })(),
  'puts a value under another key': () => new (class extends Honest {
    override write(key: Text, value: Value): void {
      super.write(this.calls++ % 100 === 99 ? 'key-000000000' : key, value)
    }
  })(),
  'is right until the end, and then loses one': () => new (class extends Honest {
    override async *iterator(): AsyncGenerator<[Uint8Array, Uint8Array]> {
      this.all.delete([...this.all.keys()].sort()[7] as Text)
      yield* super.iterator()
    }
  })(),
  'is right until the end, and then has one too many': () => new (class extends Honest {
    override async *iterator(): AsyncGenerator<[Uint8Array, Uint8Array]> {
      yield* super.iterator()
      yield [Buffer.from('key-000000600'), new Uint8Array(100)]
    }
  })()
}

const KEYS = 300
/** Until so many operations were done, or one was wrong: what the bench would say. */
async function judge(store: Honest, load: 'hungry' | 'steady'): Promise<number | Error> {
  const oracle = await fill(store, KEYS)
  const { state, stop } = load === 'hungry' ? hungry(store, oracle, 8) : steady(store, oracle, 50_000, 64)
  while (state.ops < 20_000 && !state.stopped) await new Promise((wake) => setTimeout(wake, 1))
  const failure: Error | undefined = await stop().then(() => undefined, (error: Error) => error)
  return failure ?? lostIn(store, oracle)
}

for (const load of ['hungry', 'steady'] as const) {
  test(`${load}: a store that keeps what it acknowledges has lost nothing`, async () => {
    assert.equal(await judge(new Honest(), load), 0)
  })
}

for (const [lie, make] of Object.entries(LIARS)) {
  test(`a store that ${lie} is found`, async () => {
    const found = await judge(make(), 'steady')
    assert.ok(found instanceof Error ? /^key-\d{9} holds /.test(found.message) : found > 0, String(found))
  })
}
