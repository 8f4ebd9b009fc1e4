// What clients do to a store while a shard moves, and what they notice of it.

const VALUE = Buffer.alloc(100, 'v')

const keyOf = (i) => `key-${String(i).padStart(9, '0')}`

/** Half reads, four tenths puts, a tenth deletes, of keys at random. */
async function operate(store, rows, state) {
  const key = keyOf(Math.floor(Math.random() * rows))
  const kind = Math.random()
  const began = performance.now()
  if (kind < 0.5) await store.get(key)
  else {
    await (kind < 0.9 ? store.put(key, VALUE) : store.del(key))
    state.writes.push([began, performance.now()])
  }
  state.ops++
}

function startOf(work) {
  const state = { stopped: false, ops: 0, writes: [] }
  const done = work(state)
  const stop = () => {
    state.stopped = true
    return done
  }
  return { state, stop }
}

/** Clients without a pause between their operations: whatever anybody else takes, they lose. */
export function hungry(store, rows, clients) {
  const client = async (state) => {
    while (!state.stopped) await operate(store, rows, state)
  }
  return startOf((state) => Promise.all(Array.from({ length: clients }, () => client(state))))
}

/**
 * So many operations a second, begun when they are due, whether earlier ones are answered or not; of at
 * most `inFlight` at once, as no service takes up more. What is not begun by then is begun late.
 */
export function steady(store, rows, perSecond, inFlight = 512) {
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
        due--
        running++
        operate(store, rows, state).then(ended, (error) => {
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

export async function fill(store, rows) {
  for (let i = 0; i < rows; i += 1000) {
    await store.batch(Array.from({ length: Math.min(1000, rows - i) }, (_, j) => [keyOf(i + j), VALUE]))
  }
}

export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

export function latencies(writes) {
  const ms = writes.map(([began, ended]) => ended - began).sort((a, b) => a - b)
  return [0.5, 0.99, 1].map((share) => percentile(ms, share).toFixed(1)).join(' / ')
}
