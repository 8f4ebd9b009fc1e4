// A world larger than any scenario of the simulator: 30 nodes and 1,000 ranges, of which one changes in each frame.
const [STORES, NODES, RANGES] = [12, 30, 1000]

const kind = (i) => (i < STORES ? 'store' : i < 14 ? 'mover' : i < 15 ? 'register' : 'client')
const digits = () => Array.from({ length: 48 }, () => Math.floor(Math.random() * 10)).join('')
const job = (i) => ({ source: i % STORES, target: (i * 7 + 1) % STORES, mover: STORES, mode: 'move', follow: 1, phase: 'running', state: 'copying', verified: 0, epoch: 1, startUs: 0, writers: 1, keys: 480, first: `j${i}/00000`, last: `j${i}/00479`, atSource: 480, atTarget: 200 + Math.floor(Math.random() * 9), differ: 3, bytes: [48_000, 20_000], load: i % 40, cells: [digits(), digits(), digits()], gates: ['', ''], pages: 1, followed: 1, retries: 0, begun: 1, journalBytes: 1, pauseUs: 0, engine: null, phases: [[0, 'copying']] })

export function largeWorld() {
  const nodes = Array.from({ length: NODES }, (_, i) => ({ kind: kind(i), name: `n${i}`, up: 1, paused: 0, slow: 0, boot: 1, ...(i < STORES ? { entries: 40_000, bytes: 4_000_000, load: 300 + i } : {}), cutFrom: [] }))
  const jobs = Array.from({ length: RANGES }, (_, i) => job(i))
  return {
    timeUs: 1, reachedUs: 1, event: 1, hash: '', healed: 0, ended: 0, checks: 0, ownersMost: 1, clientOps: 0, clientAcks: 0, crashes: 0, resumes: 0, messages: 0, damaged: 0, sabotage: 'none',
    nodes, jobs, oracles: ['lost-write'], violations: [], rates: [], flights: [], log: []
  }
}

/** As in a run the next view has a range of which parts have changed. */
export function goOn(world, timeUs) {
  const at = ++world.event % RANGES
  world.jobs[at] = job(at)
  Object.assign(world, { timeUs, reachedUs: timeUs, checks: world.event * 3, hash: String(world.event).padStart(16, '0') })
}

/** The next message; it is on its way for a minute. */
export const flightOf = (sent, nowUs) => [sent % NODES, (sent * 11 + 3) % NODES, 1, sent % 5, nowUs, nowUs + 60_000_000, 4000, sent % RANGES]
