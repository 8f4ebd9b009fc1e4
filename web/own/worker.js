// Your data, in a worker: what the page asks for, done with the package as anybody has it. The
// page may end this worker at any moment; what counts stands in the databases and the journal.
import { inspectJournal, KeyhaulError, migrate, resume } from '../../dist/index.js'
import { deleteIndexedDbJournal, indexedDbJournal, indexedDbJournals } from '../../dist/journal/indexeddb.js'
import { boundsOf, count, damage, exists, gone, list, open, sample, storeOf } from './databases.js'

/** Slowly enough to be watched, and to be torn down in the middle. */
const SLOW = { rate: 40_000, pageEntries: 50, durablePages: 1, windowPages: 2 }
const FAST = { rate: 0, pageEntries: 1000, durablePages: 4 }
/** So many journals of runs that have ended are kept. */
const KEPT = 8

/** The one run of this page, `haul` being what keyhaul gave; undefined where there is none. */
let run

const asked = {
  async list() {
    const [databases, names] = await Promise.all([list(), indexedDbJournals()])
    const runs = []
    for (const name of names) runs.push(await runOf(name))
    return { ...databases, runs: runs.filter(Boolean) }
  },
  sample,
  /** What a run would do, without doing it. */
  async look({ plan }) {
    const [source, target, whole] = await Promise.all([count(plan.from, plan.range), count(plan.to, plan.range), count(plan.to, { kind: 'all' })])
    return { source, target, isEmpty: whole.entries === 0 }
  },
  async start({ plan, expected }, tell) {
    const journal = `${plan.mode} ${plan.from} to ${plan.to}, ${new Date().toISOString()}`
    const { rate, ...pages } = plan.slow ? SLOW : FAST
    return withStores(plan, tell, journal, ({ from, to }) =>
      migrate({ from, to, ...boundsOf(plan.range), mode: plan.mode, repair: plan.repair === true, verify: 'both', journal: indexedDbJournal(journal), expected, rate, ...pages, hostInfo: { plan, expected } })
    )
  },
  async resume({ journal, undo }, tell) {
    const { plan } = await planOf(journal)
    return withStores(plan, tell, journal, ({ from, to }) => {
      const again = resume({ from, to, journal: indexedDbJournal(journal), rate: plan.slow ? SLOW.rate : 0 })
      if (undo) void again.cancel().catch(() => {})
      return again
    })
  },
  stop: () => run?.haul?.stop(),
  cancel: () => run?.haul?.cancel(),
  damage: ({ database, range }) => damage(database, range),
  async inspect({ journal }) {
    const store = indexedDbJournal(journal)
    try {
      const bytes = await store.read()
      // As large as all the rest of the tab, and only for who asks.
      const { describeJournal } = await import('../../dist/journal/index.js')
      return { bytes: bytes.length, text: describeJournal(bytes) }
    } finally {
      await store.close()
    }
  },
  forget: ({ journal }) => deleteIndexedDbJournal(journal)
}

/** A journal of this page; undefined where it is none, or another tab has it. */
async function runOf(name) {
  const journal = indexedDbJournal(name)
  try {
    const info = inspectJournal(await journal.read())
    if (info.hostInfo?.plan === undefined) return undefined
    return { name, plan: info.hostInfo.plan, expected: info.hostInfo.expected, copied: info.copiedEntries, state: info.state, receipt: info.receipt, incarnation: info.incarnation }
  } catch (error) {
    if (error.code === 'KEYHAUL_JOURNAL_IN_USE') return { name, busy: true }
    // Not even its plan was written: nothing was begun.
    if (error.code === 'KEYHAUL_JOURNAL_TORN') return undefined
    return { name, broken: error.message }
  } finally {
    await journal.close()
  }
}

/** A run that can be gone on with; otherwise says why not, and what to do. */
async function planOf(journal) {
  const found = await runOf(journal)
  if (found?.busy) throw new KeyhaulError('KEYHAUL_JOURNAL_IN_USE', { message: 'this run is under way in another tab; watch it there, or close that tab and press “Go on” again' })
  if (found?.broken !== undefined) throw new KeyhaulError('KEYHAUL_JOURNAL_CORRUPT', { message: `its journal cannot be read: ${found.broken}` })
  if (found === undefined) throw new KeyhaulError('KEYHAUL_JOURNAL_NOT_FOUND', { message: 'the journal of this run is no longer in this browser; look at the plan, and start anew' })
  return found
}

async function withStores(plan, tell, journal, begin) {
  if (run !== undefined) throw new KeyhaulError('KEYHAUL_INVALID_ARGUMENT', { message: 'a run is under way on this page already; wait until it ends, or stop it' })
  const mine = {}
  run = mine
  const opened = []
  try {
    // BrowserLevel would make a source that is gone anew, and empty.
    if (!(await exists(plan.from))) throw gone(plan.from)
    const [a, b] = [open(plan.from), open(plan.to)]
    opened.push(a, b)
    const haul = begin({ from: storeOf(a, plan.from), to: plan.from === plan.to ? storeOf(a, plan.from) : storeOf(b, plan.to) })
    mine.haul = haul
    tell({ journal, plan })
    const migration = await haul.migration
    // It is the copy that is worth watching; what follows would only be waited for.
    if (plan.slow) migration.on('state', (state) => state === 'verifying' && migration.setRate(0))
    for await (const { state, entries, totalEntries, bytes, bytesPerSecond, etaMs } of haul) tell({ progress: { state, entries, totalEntries, bytes, bytesPerSecond, etaMs } })
    return { journal, receipt: await haul.done }
  } finally {
    await Promise.allSettled(opened.map((db) => db.close()))
    if (run === mine) run = undefined
    await prune()
  }
}

async function prune() {
  const ended = (await indexedDbJournals()).filter((name) => / to .*, \d{4}-/.test(name)).sort((x, y) => x.slice(-24).localeCompare(y.slice(-24)))
  for (const name of ended.slice(0, -KEPT)) {
    const found = await runOf(name)
    if (found?.receipt !== undefined) await deleteIndexedDbJournal(name).catch(() => {})
  }
}

addEventListener('message', async ({ data: { id, what, with: given } }) => {
  const tell = (news) => postMessage({ id, news })
  try {
    postMessage({ id, done: await asked[what](given ?? {}, tell) })
  } catch (error) {
    const { code, message, next, resumable, receipt } = error
    postMessage({ id, failed: { code, message, next, resumable, receipt } })
  }
})
