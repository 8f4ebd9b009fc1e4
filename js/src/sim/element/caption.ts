// One sentence about what is going on, and which range it is about.
import type { SimJob, SimView } from '../view.js'
import { isLost, zonesOf } from './condition.js'
import { rangeName, readable, stateName } from './words.js'

const ACTIVE = ['deciding', 'fencing', 'draining', 'readFencing', 'activating', 'repairing', 'discarding', 'deleting', 'verifying', 'catchingUp', 'copying', 'approaching', 'staging', 'claiming', 'preparing', 'cleaning']

/** The range that most is to be seen of; -1: none is under way. */
export function busiest(view: SimView): number {
  for (const state of ACTIVE) {
    const at = view.jobs.findIndex((job) => job.state === state && job.phase === 'running')
    if (at >= 0) return at
  }
  return -1
}

function doing(job: SimJob, name: string, from: string, to: string): string {
  const writers = job.writers > 0 && job.follow === 1
  switch (job.state) {
    case 'preparing': return `Range ${name} gets ready to go from ${from} to ${to}.`
    case 'copying': return `Range ${name} flows from ${from} to ${to}${writers ? ', while clients go on writing it' : ''}.`
    case 'catchingUp': return `What clients changed in range ${name} meanwhile is carried over to ${to}.`
    case 'verifying': return `Range ${name} is read back from ${to} and compared with ${from}.`
    case 'repairing': return `Where ${to} differs from ${from}, range ${name} is mended.`
    case 'deleting': return `Both sides are equal, so ${from} may let go of range ${name}.`
    case 'discarding': return `Cancelled: ${to} gives back what it has of range ${name}.`
    case 'fencing':
    case 'draining':
    case 'readFencing':
    case 'deciding': return `Writers of range ${name} wait for a moment: it changes its owner.`
    case 'activating': return `Range ${name} belongs to ${to} now.`
    default: return `Range ${name}, ${from} to ${to}: ${stateName(job.state)}.`
  }
}

/** One sentence about what is going on. */
export function caption(view: SimView): string {
  const name = (node: number): string => view.nodes[node]?.name ?? ''
  const [broken] = view.violations
  if (broken !== undefined) return `A promise is broken: ${readable(broken.text)}${broken.key === '' ? '' : ` (key ${broken.key})`}.`
  const dead = view.nodes.filter(({ up }) => up === 0)
  const down = dead.map((node) => node.name)
  if (dead.some(({ kind }) => kind === 'mover')) return 'keyhaul was killed. What it has to know stands in its journal.'
  const lost = zonesOf(view.nodes).filter(({ stores }) => isLost(stores, view.nodes))
  if (lost.length > 0) {
    const stores = lost.flatMap(({ stores }) => stores).map(name)
    return `${lost.map(({ zone }) => `Zone ${zone}`).join(' and ')} ${lost.length > 1 ? 'are' : 'is'} lost: ${stores.join(' and ')} ${stores.length > 1 ? 'are' : 'is'} down. What they hold is safe on their disks, and waits for them.`
  }
  if (down.length > 0) return `${down.join(' and ')} ${down.length > 1 ? 'are' : 'is'} down. keyhaul waits, and asks again.`
  const at = busiest(view)
  const job = view.jobs[at]
  if (job !== undefined) return doing(job, rangeName(at), name(job.source), name(job.target))
  if (view.jobs.some(({ phase }) => phase === 'greeting')) return 'keyhaul is back, and makes sure that nothing of its past still writes.'
  if (view.jobs.length > 0 && view.jobs.every(({ phase }) => phase === 'ended')) return 'Every range has arrived, and was compared key by key.'
  if (view.jobs.some(({ phase }) => phase === 'stopped')) return 'A migration has stopped, and will be resumed from its journal.'
  if (view.jobs.some(({ phases }) => phases.length > 0)) return 'keyhaul waits for what is to be moved next.'
  return 'Stores hold ranges of keys, and clients write them. Soon ranges will move.'
}
