// A run as a file: it comes back as it was, and whatever else a file holds gives one sentence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markBeside } from '../../../dist/sim/element/jump.js'
import { fromLink, toLink } from '../../../dist/sim/element/link.js'
import { readTrace, replayed, toTrace } from '../../../dist/sim/element/trace.js'
import { wildStory } from '../../../dist/sim/element/wild.js'
import { simSabotages } from '../../../dist/sim/index.js'
import { Session } from '../../../dist/sim/session.js'

const session = new Session()
const check = async (options: Parameters<Session['calls']['open']>[0]): Promise<string> => session.calls.check(options)

function foresight(options: Parameters<Session['calls']['open']>[0]) {
  session.calls.open(options)
  for (let i = 0; i < 10_000; i++) {
    const seen = session.calls.scout(20)
    if (seen?.done) return seen
  }
  return assert.fail('the scout does not arrive')
}

test('a trace comes back as the run it was', async () => {
  const options = { seed: 12345678901234567890n, scenario: 'swarm', until: 20, faults: ['drop', 'clog'], sabotage: 'none', workload: 50, interventions: ['900000:part:0-1:500', '1000000:rate:drop:5000'] }
  const seen = foresight(options)
  const text = toTrace(options, seen)
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.equal(lines.length, 1 + seen.marks.length + seen.violations.length)
  assert.ok(lines.some(({ kind, text: said }) => kind === 'by hand' && /part s0 and s1/.test(String(said))))
  const back = await readTrace(new Blob([text]), check)
  assert.deepEqual(back, { options, hash: seen.hash })
  assert.match(replayed(seen.hash, seen.hash), /^Replayed/)
  assert.match(replayed(seen.hash, '0000000000000000'), /not what was recorded/)
})

test('a hostile file gives one sentence', async () => {
  const head = (options: unknown, more: object = {}): string => JSON.stringify({ keyhaulTrace: 1, hash: '0123456789abcdef', options, ...more })
  const files: readonly (string | Uint8Array)[] = [
    '', '\n', 'null', '[]', '1', '{', '{}', new Uint8Array([0xff, 0xfe, 0, 1]), '\u0000'.repeat(5000), '['.repeat(100_000),
    JSON.stringify({ keyhaulTrace: 2 }), JSON.stringify({ keyhaulTrace: 1 }), head(null), head([]), head({}), head({ seed: 1 }), head({ seed: '-1' }), head({ seed: '9'.repeat(21) }),
    head({ seed: '99999999999999999999' }), head({ seed: '1', scenario: 'nowhere' }), head({ seed: '1', scenario: '<img src=x onerror=alert(1)>' }), head({ seed: '1', scenario: ['story'] , until: 'x' }),
    head({ seed: '1', until: 1e12 }), head({ seed: '1', workload: -5 }), head({ seed: '1', until: 3.5 }), head({ seed: '1', faults: 'rain' }), head({ seed: '1', faults: [{}] }),
    head({ seed: '1', sabotage: 'none of it' }), head({ seed: '1', interventions: 'x' }), head({ seed: '1', interventions: [1] }), head({ seed: '1', interventions: ['1:boil:0'] }),
    head({ seed: '1', interventions: ['1:crash:1 --seeds 1..9'] }), head({ seed: '1', interventions: Array(6000).fill('1:crash:1') }), head({ seed: '1' }, { hash: 'x' }),
    'x'.repeat(9 << 20)
  ]
  for (const file of files) {
    const found = await readTrace(new Blob([file as string]), check)
    assert.equal(typeof found, 'string', String(file).slice(0, 120))
    assert.match(found as string, /^[A-Z“].{10,200}\.$/s, String(file).slice(0, 120))
  }
})

test('marks of each kind are found, onward and back', () => {
  const { marks } = foresight({ seed: 1, scenario: 'story', faults: 'none', interventions: ['6000000:crash:3:1800', '500000:sabotage:none'] })
  const first = markBeside(marks, 0, 'cutover', 1)
  assert.match(first?.[3] ?? '', /^job \d: deleting$/)
  const second = markBeside(marks, first?.[1] ?? 0, 'cutover', 1)
  assert.deepEqual(markBeside(marks, second?.[1] ?? 0, 'cutover', -1), first)
  assert.match(markBeside(marks, 0, 'fault', 1)?.[3] ?? '', /by hand: sabotage none/)
  assert.equal(markBeside(marks, 0, 'violation', 1), undefined)
  const live = foresight({ seed: 2, scenario: 'live-rivals' })
  assert.match(markBeside(live.marks, 0, 'cutover', 1)?.[3] ?? '', /^job \d: activating$/)
})

test('bookmarks are part of the link', () => {
  const link = toLink({ options: { seed: 7n, scenario: 'story' }, timeUs: 5_000_000, bookmarks: [900_000, 12_400_000] })
  assert.match(link, /&k=900\.12400/)
  assert.deepEqual(fromLink(link), { options: { seed: 7n, scenario: 'story' }, timeUs: 5_000_000, bookmarks: [900_000, 12_400_000] })
  assert.deepEqual(fromLink('v=1&s=story&seed=7&k=x.1e9.-5.30')?.bookmarks, [30_000])
})

test('each bug has its case in the wild, with a source', () => {
  const missing = simSabotages().filter(({ name }) => name !== 'none' && wildStory(name) === undefined)
  assert.deepEqual(missing, [])
  assert.match(wildStory('ack-before-sync')?.link ?? '', /^https:/)
  assert.equal(wildStory('none'), undefined)
})
