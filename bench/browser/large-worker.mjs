// In the place of the simulator's Worker: answers an element with a world that is larger than the simulator's.
import { flightOf, goOn, largeWorld } from './large-world.mjs'

const world = largeWorld()
let sent = 0

/** With as many new messages as a view can show one by one; each is on its way for so long that 500 are, which is the most. */
const views = (timeUs) => {
  goOn(world, timeUs)
  return { ...world, flights: Array.from({ length: 24 }, () => flightOf(sent++, timeUs)) }
}
const columns = Array.from({ length: 240 }, (_, i) => ({ timeUs: (i + 1) * 250_000, owners: 'abcdefghijkl'.repeat(4), also: '-'.repeat(48), fenced: '0'.repeat(48), writes: Array.from({ length: 48 }, (_, row) => (row * i) % 7), jobs: world.jobs.map(() => ['copying', 5, 1, 0, 0]) }))
const rows = Array.from({ length: 48 }, (_, i) => ({ first: `j${i}/0`, last: `j${i}/9`, keys: 480, jobs: [i] }))
const calls = {
  lists: () => ({ scenarios: [{ name: 'story', what: '' }], faults: [], sabotages: [], interventions: [] }),
  open: () => views(0), seek: views, advance: views,
  scout: () => ({ done: true, endUs: 60_000_000, hash: '', events: 1, marks: [], violations: [], heat: { rows, columns }, life: [] })
}
addEventListener('message', ({ data: { id, name, args } }) => postMessage({ id, value: calls[name](...args) }))
