// What clients do to a store while a shard moves, what they notice of it, and whether it kept what it acknowledged.

const VALUE_BYTES = 100
const VALUE = Buffer.alloc(VALUE_BYTES, 'v')

const keyOf = (i) => `key-${String(i).padStart(9, '0')}`

/** A key and the number of its write, which no other write has. */
function valueFor(key, sequence) {
  const value = Buffer.from(VALUE)
  value.writeUInt32LE(key, 0)
  value.writeUInt32LE(sequence, 4)
  return value
}

/** Every fifth write of a key, somewhere, is its deletion: a tenth of all operations. */
const isDelete = (key, sequence) => sequence > 0 && (Math.imul(key, 0x9e3779b1) + Math.imul(sequence, 0x85ebca6b)) >>> 0 < 0x33333333

/**
 * What each key may hold. Its writes are numbered, and one comes after the other: a read gives the last one
 * that was acknowledged, or read by anybody, before it began, or one begun since.
 */
export class Oracle {
  constructor(rows) {
    this.rows = rows
    this.begun = new Uint32Array(rows)
    this.acknowledged = new Uint32Array(rows)
    this.seen = new Uint32Array(rows)
  }

  /** The number of the next write; 0 while one is under way. */
  begin(key) {
    return this.begun[key] === this.acknowledged[key] ? ++this.begun[key] : 0
  }

  acknowledge(key) {
    this.acknowledged[key] = this.begun[key]
  }

  floor(key) {
    return Math.max(this.acknowledged[key], this.seen[key])
  }

  /** Whether a read that began when floor() was this may have given this. */
  allows(key, floor, value) {
    if (value === undefined) {
      // Of a delete the number does not show: the earliest that it can be.
      for (let sequence = floor; sequence <= this.begun[key]; sequence++) {
        if (!isDelete(key, sequence)) continue
        this.seen[key] = Math.max(this.seen[key], sequence)
        return true
      }
      return false
    }
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (bytes.length !== VALUE_BYTES || bytes.readUInt32LE(0) !== key || bytes[VALUE_BYTES - 1] !== 118) return false
    const sequence = bytes.readUInt32LE(4)
    if (sequence < floor || sequence > this.begun[key] || isDelete(key, sequence)) return false
    this.seen[key] = Math.max(this.seen[key], sequence)
    return true
  }
}

function assertAllowed(oracle, key, floor, value) {
  if (oracle.allows(key, floor, value)) return
  const found = value === undefined ? 'nothing' : Buffer.from(value).toString('hex', 0, 8)
  throw new Error(`${keyOf(key)} holds ${found}; allowed were writes ${floor} to ${oracle.begun[key]}`)
}

/** Half reads, four tenths puts, a tenth deletes, of keys at random. */
async function operate(store, oracle, state, began = performance.now()) {
  let key = Math.floor(Math.random() * oracle.rows)
  if (Math.random() < 0.5) {
    const floor = oracle.floor(key)
    assertAllowed(oracle, key, floor, await store.get(keyOf(key)))
  } else {
    let sequence = oracle.begin(key)
    // Who writes a key waits for its last write; another one does as well.
    while (sequence === 0) {
      key = (key + 1) % oracle.rows
      sequence = oracle.begin(key)
    }
    await (isDelete(key, sequence) ? store.del(keyOf(key)) : store.put(keyOf(key), valueFor(key, sequence)))
    oracle.acknowledge(key)
    state.writes.push([began, performance.now()])
  }
  state.ops++
}

function startOf(work) {
  const state = { stopped: false, ops: 0, writes: [] }
  const done = work(state).catch((error) => {
    state.stopped = true
    throw error
  })
  // It is told to who stops the load.
  done.catch(() => {})
  const stop = () => {
    state.stopped = true
    return done
  }
  return { state, stop }
}

/** Clients without a pause between their operations: whatever anybody else takes, they lose. */
export function hungry(store, oracle, clients) {
  const client = async (state) => {
    while (!state.stopped) await operate(store, oracle, state)
  }
  return startOf((state) => Promise.all(Array.from({ length: clients }, () => client(state))))
}

/**
 * So many operations a second, begun when they are due, whether earlier ones are answered or not; of at
 * most `inFlight` at once, as no service takes up more. What is not begun by then is begun late.
 */
export function steady(store, oracle, perSecond, inFlight = 512) {
  return startOf(async (state) => {
    let running = 0
    let failure
    let freed = () => {}
    const ended = () => {
      running--
      freed()
    }
    const untilOneEnds = () => new Promise((wake) => (freed = wake))
    let last = performance.now()
    let due = 0
    while (!state.stopped) {
      const now = performance.now()
      // After a stall of a second, a second's work is due and no more.
      due = Math.min(due + ((now - last) * perSecond) / 1000, perSecond)
      last = now
      while (due >= 1 && running < inFlight && !state.stopped) {
        // Its time counts from when it was due: what begins late waits already.
        const began = now - (due * 1000) / perSecond
        due--
        running++
        operate(store, oracle, state, began).then(ended, (error) => {
          state.stopped = true
          failure ??= error
          ended()
        })
      }
      // Not Promise.race() of all that run: it would leave something with each of them each time.
      if (running >= inFlight) await untilOneEnds()
      else await new Promise((wake) => setTimeout(wake, 1))
    }
    while (running > 0) await untilOneEnds()
    if (failure !== undefined) throw failure
  })
}

/** Write 0 of each key. */
export async function fill(store, rows) {
  for (let i = 0; i < rows; i += 1000) {
    await store.batch(Array.from({ length: Math.min(1000, rows - i) }, (_, j) => [keyOf(i + j), valueFor(i + j, 0)]))
  }
  return new Oracle(rows)
}

/** How many keys do not hold what was acknowledged last, now that nobody writes; and keys that nobody wrote. */
export async function lostIn(store, oracle) {
  let lost = 0
  let next = 0
  const miss = (until) => {
    for (; next < until; next++) if (!oracle.allows(next, oracle.floor(next), undefined)) lost++
  }
  for await (const [bytes, value] of store.iterator({ gte: 'key-', lt: 'key.' })) {
    const key = Number(Buffer.from(bytes).toString().slice(4))
    if (!(key >= next && key < oracle.rows)) {
      lost++
      continue
    }
    miss(key)
    if (!oracle.allows(key, oracle.floor(key), value)) lost++
    next++
  }
  miss(oracle.rows)
  return lost
}

export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

export function latencies(writes) {
  const ms = writes.map(([began, ended]) => ended - began).sort((a, b) => a - b)
  return [0.5, 0.99, 1].map((share) => percentile(ms, share).toFixed(1)).join(' / ')
}
