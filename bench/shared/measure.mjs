// Ways of doing one thing take turns, so that noise hits all of them. Runs in Node and on pages.

/** Nanoseconds; a page's clock is coarse, so pieces of work must be long. */
export const nowNs = typeof process === 'undefined' ? () => performance.now() * 1e6 : () => Number(process.hrtime.bigint())

/** Sorted nanoseconds a unit of each way; `run` of a way does `units(name)` of them. */
export function takeTurns(ways, { rounds, warmUp, units }) {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const start = nowNs()
      run()
      const ns = nowNs() - start
      if (round >= 0) times[name].push(ns / units)
    }
  }
  for (const list of Object.values(times)) list.sort((a, b) => a - b)
  return times
}

export const median = (sorted) => sorted[sorted.length >> 1]

export const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
