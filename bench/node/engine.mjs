// What Engine::step takes in the WASM module, without a host around it: copies that do not end, pages
// of one record of 116 B, so that nearly all of it is the engine's own work. Events a second.
// node bench/node/engine.mjs [--quick]
import { EVENTS_MAX } from '../../dist/engine/boundary.js'
import { EngineHandle } from '../../dist/engine/handle.js'
import { ActionWord, EventWord, ReadyWord } from '../../dist/engine/layout.generated.js'
import { getModule } from '../../dist/engine/load.js'
import { encodePlan } from '../../dist/engine/plan.js'
import { packPage } from '../../dist/stores/packed.js'
import { machine } from '../shared/machine.mjs'
import { median, nowNs, table } from '../shared/measure.mjs'

const quick = process.argv.includes('--quick')
const [SCAN, APPLY] = [1, 2]
const [PAGE, DONE] = [1, 2]
const CONFIG = { slots: 0, sourceSlots: 0, targetSlots: 0, bytesPerSecond: 0, progressEveryMs: 200, checkpointEveryMs: 0, stallMs: 30_000, retriesMax: 5, verifyRoundsMax: 2, differencesMax: 100 }
const module = getModule()

function plan() {
  return encodePlan({
    source: 'a', target: 'b', hostInfo: '{}', sourceCapabilities: 3, targetCapabilities: 3, mode: 1, verify: 0, require: 0, priority: 128,
    intoNonempty: false, repair: false, follow: false, checksumKind: 2, pageBytes: 262_144, pageEntries: 1, lanes: 1, windowPages: 8, durablePages: 20,
    entryBytesMax: 1 << 20, expectedEntries: 0, expectedBytes: 0, digestKey: new Uint8Array(32).fill(7), ranges: [{ gte: undefined, lt: undefined }]
  })
}

class Copies {
  constructor(count) {
    this.engine = new EngineHandle(module, CONFIG)
    this.source = this.engine.addNode('a')
    const target = this.engine.addNode('b')
    for (let i = 0; i < count; i++) {
      if (this.engine.start(1000, plan(), this.source, target, false) < 0) throw new Error('not started')
    }
    this.now = 1000
    this.next = new Map()
    this.pages = Array.from({ length: 1000 }, (_, i) => packPage([[Buffer.from(String(i).padStart(16, '0')), Buffer.alloc(100, i)]]))
    this.waiting = []
    this.events = 0
    this.ns = 0
  }

  /** As the driver does: up to EVENTS_MAX events a call. */
  step() {
    const giving = this.waiting.splice(0, EVENTS_MAX)
    let words = new Uint32Array(module.memory.buffer)
    const base = this.engine.eventsAddress() >>> 2
    giving.forEach((event, i) => {
      words.set(event, base + i * EventWord.size)
    })
    this.now += 10
    const start = nowNs()
    this.engine.step(this.now, giving.length)
    this.ns += nowNs() - start
    this.events += giving.length
    words = new Uint32Array(module.memory.buffer)
    const ready = this.engine.readyAddress() >>> 2
    const [first, count] = [words[ready + ReadyWord.actions] >>> 2, words[ready + ReadyWord.actionCount]]
    const actions = Array.from({ length: count }, (_, i) => words.slice(first + i * ActionWord.size, first + (i + 1) * ActionWord.size))
    for (const action of actions) this.answer(action)
    return this.waiting.length > 0 || words[ready + ReadyWord.more] !== 0
  }

  answer(action) {
    const event = new Uint32Array(EventWord.size)
    event[EventWord.op] = action[ActionWord.op]
    event[EventWord.kind] = DONE
    const kind = action[ActionWord.kind]
    if (kind === SCAN && action[ActionWord.node] === this.source) {
      const migration = action[ActionWord.migration]
      const number = this.next.get(migration) ?? 0
      this.next.set(migration, number + 1)
      if (number >= this.pages.length) return // it waits for ever
      const page = this.pages[number]
      const address = this.engine.acquire(page.length)
      new Uint8Array(module.memory.buffer).set(page, address)
      event.set([PAGE], EventWord.kind)
      event[EventWord.payloadBuffer] = this.engine.acquired()
      event[EventWord.payloadBytes] = page.length
      event[EventWord.count] = 1
    } else if (kind === SCAN) {
      const empty = packPage([])
      const address = this.engine.acquire(empty.length)
      new Uint8Array(module.memory.buffer).set(empty, address)
      event[EventWord.kind] = PAGE
      event[EventWord.flags] = 1
      event[EventWord.payloadBuffer] = this.engine.acquired()
      event[EventWord.payloadBytes] = empty.length
    } else if (kind !== APPLY) {
      throw new Error(`a copy asks for ${kind}`)
    }
    this.waiting.push(event)
  }
}

const rows = [1, 100, 1000].map((count) => {
  const perEvent = []
  for (let round = 0; round < (quick ? 3 : 9); round++) {
    const copies = new Copies(count)
    const pages = Math.min(900, Math.ceil((quick ? 20_000 : 60_000) / count))
    for (let i = 0; i < 200; i++) copies.step()
    copies.ns = copies.events = 0
    while (copies.events < 2 * count * pages - 1000 && copies.step()) {}
    perEvent.push(copies.ns / copies.events)
    copies.engine.delete()
  }
  perEvent.sort((a, b) => a - b)
  const rate = (ns) => (1000 / ns).toFixed(2)
  return [`${count}`, `${median(perEvent).toFixed(0)} ns`, `${rate(median(perEvent))} M (${rate(perEvent[perEvent.length - 1])} to ${rate(perEvent[0])})`]
})
console.log(`${machine()}\n`)
console.log(table(['copies in flight, pages of one entry', 'an event', 'events/s (lowest to highest)'], rows))
