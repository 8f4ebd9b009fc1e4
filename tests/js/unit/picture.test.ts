// What the picture is drawn from: areas by bytes, strength by load, changes of owner, and whether a machine keeps up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caption } from '../../../dist/sim/element/caption.js'
import { busyOf, fillOf } from '../../../dist/sim/element/condition.js'
import { cutoverMarks, cutoversOf, markBeside, newCutovers } from '../../../dist/sim/element/jump.js'
import { layOut, outgrew } from '../../../dist/sim/element/layout.js'
import { LEVELS, levelOf, writtenSide } from '../../../dist/sim/element/load.js'
import { Pace } from '../../../dist/sim/element/pace.js'
import { Session } from '../../../dist/sim/session.js'
import type { SimJob, SimNode, SimView } from '../../../dist/sim/view.js'

function viewOf(scenario: string, timeUs: number, options: object = {}): SimView {
  const session = new Session()
  session.calls.open({ seed: 1, scenario, faults: 'none', ...options })
  return session.calls.advance(timeUs, Number.POSITIVE_INFINITY)
}

test('areas of ranges are as their bytes, to one scale, and all of it is within its store', () => {
  const view = viewOf('add-node', 1_000_000)
  const sized = { ...view, jobs: view.jobs.map((job, i) => ({ ...job, bytes: [10_000 * (i + 1), 0] as const })) }
  const { boxes, rows } = layOut(sized, 1240, 420)
  const areas = new Map([...rows.values()].flat().map(({ job, w, h }) => [job, w * h]))
  assert.ok(areas.size >= 3)
  const free = [...areas].filter(([job]) => ([...rows.values()].flat().find((row) => row.job === job)?.h ?? 0) > 8)
  assert.ok(free.length >= 2, 'all are at their least')
  const [[first, one], [second, two]] = free as [[number, number], [number, number]]
  assert.ok(Math.abs(two / one - (second + 1) / (first + 1)) < 0.01, `${two / one}`)
  for (const [store, list] of rows) for (const { y, h } of list) {
    const box = boxes.get(store) ?? assert.fail()
    assert.ok(y >= box.y && y + h <= box.y + box.h && h >= 3, `${y} ${h}`)
  }
})

test('however many ranges there are and however different, each can be seen and is within its store', () => {
  const view = viewOf('many', 1_000_000)
  for (const height of [330, 420]) for (const times of [1, 6, 40]) {
    const jobs = Array.from({ length: times }, () => view.jobs).flat().map((job, i) => ({ ...job, bytes: [i % 7 === 0 ? 1_000_000 : i % 5, 0] as const }))
    const { boxes, rows } = layOut({ ...view, jobs }, 320, height)
    for (const [store, list] of rows) {
      const box = boxes.get(store) ?? assert.fail()
      let end = box.y
      for (const { y, h } of list) {
        assert.ok(h > 0 && y >= end - 0.01 && y + h <= box.y + box.h + 0.5, `${times} ${y} ${h} in ${box.y} ${box.h}`)
        end = y + h
      }
    }
  }
  assert.equal(outgrew(view.jobs.map(({ bytes }) => Math.max(...bytes)), view), false)
  assert.equal(outgrew(view.jobs.map(() => 1), view), true)
})

test('stores of a zone stand side by side within it, and all stores are alike; without zones nothing is around them', () => {
  const view = viewOf('add-node', 1_000_000)
  for (const [width, zoneOf] of [[1240, ['a', 'a', 'b', 'b']], [700, ['b', 'a', 'c', 'b']], [320, ['a', 'b', 'b', 'b']]] as const) {
    const nodes = view.nodes.map((node, i) => (node.kind === 'store' ? { ...node, zone: zoneOf[i] as string } : node))
    const { boxes, zones } = layOut({ ...view, nodes }, width, 420)
    assert.deepEqual(zones.map(({ zone }) => zone).sort(), [...new Set(zoneOf)].sort())
    assert.deepEqual(zones.flatMap(({ stores }) => stores).sort(), [0, 1, 2, 3])
    assert.equal(new Set(zones.flatMap(({ stores }) => stores.map((id) => boxes.get(id)?.w))).size, 1)
    let end = 0
    for (const { zone, stores, box } of zones) {
      assert.ok(box.x >= end && box.x + box.w <= width, `zone ${zone}`)
      end = box.x + box.w
      let left = box.x
      for (const id of stores) {
        const { x, y, w, h } = boxes.get(id) ?? assert.fail()
        assert.equal(nodes[id]?.zone, zone)
        assert.ok(x >= left && x + w <= end && y > box.y && y + h < box.y + box.h, `s${id} in zone ${zone}`)
        left = x + w
      }
    }
  }
  assert.deepEqual(layOut(viewOf('drain', 1_000_000), 1240, 420).zones, [])
})

test('a zone is lost with all of its stores, and nobody else is said to be in it', () => {
  const view = viewOf('add-node', 1_000_000)
  const said = (zoneOf: readonly string[], down: readonly number[]): string =>
    caption({ ...view, violations: [], nodes: view.nodes.map((node, i) => (node.kind === 'store' ? { ...node, zone: zoneOf[i] as string, up: down.includes(i) ? (0 as const) : (1 as const) } : { ...node, up: 1 as const })) })
  const [s0, s1, s2] = view.nodes.map(({ name }) => name)
  assert.match(said(['a', 'a', 'b', 'b'], [0, 1, 2]), new RegExp(`^Zone a is lost: ${s0} and ${s1} are down\\. `))
  assert.match(said(['a', 'b', 'c', 'c'], [0, 1]), new RegExp(`^Zone a and Zone b are lost: ${s0} and ${s1} are down\\. `))
  assert.match(said(['a', 'b', 'b', 'b'], [0]), new RegExp(`^Zone a is lost: ${s0} is down\\. `))
  assert.match(said(['a', 'a', 'b', 'b'], [0, 2]), new RegExp(`^${s0} and ${s2} are down\\. `))
})

test('bars: a new store holds nothing, then about what the others do, and who is written most is at the end of the scale', () => {
  const fill = (timeUs: number): number[] => {
    const { nodes } = viewOf('add-node', timeUs)
    return nodes.filter(({ kind }) => kind === 'store').map((node) => fillOf(node, nodes))
  }
  const [before, after] = [fill(900_000), fill(1e12)]
  for (const shares of [before, after]) assert.ok(Math.abs(shares.reduce((sum, one) => sum + one, 0) - 4) < 1e-9, shares.join())
  assert.equal(before[3], 0)
  assert.ok((after[3] ?? 0) > 0.8, `${after[3]}`)
  const hot = viewOf('hot-range', 1_900_000).nodes
  const busy = hot.filter(({ kind }) => kind === 'store').map((node) => busyOf(node, hot))
  assert.ok(busy[0] === 1 && (busy[1] ?? 1) < 0.5, busy.join())
  assert.equal(fillOf({ ...(hot[0] as SimNode), bytes: 0 }, hot.map((node) => ({ ...node, bytes: 0 }))), 0)
})

test('the load of ranges is what clients were acknowledged in the last second, to the write, and nothing once nobody writes', () => {
  const session = new Session()
  session.calls.open({ seed: 1, scenario: 'follow', faults: 'none' })
  let [before, most] = [0, 0]
  for (let second = 1; second <= 12; second++) {
    // Just before the next one begins, so that all of it counts and nothing of the one before does.
    const { jobs, clientAcks } = session.calls.advance(second * 1e6 - 1, Number.POSITIVE_INFINITY)
    const load = jobs.reduce((sum, one) => sum + one.load, 0)
    assert.equal(load, clientAcks - before, `in second ${second}`)
    before = clientAcks
    most = Math.max(most, load)
  }
  assert.ok(most > 5, `${most} writes a second`)
  const late = session.calls.advance(1e12, Number.POSITIVE_INFINITY)
  assert.ok(late.jobs.every(({ load }) => load === 0), 'nobody writes at the end')
})

test('the range that is hot is told to be, and bytes are those of keys and values', () => {
  const session = new Session()
  session.calls.open({ seed: 1, scenario: 'hot-range', faults: 'none' })
  let hot = 0
  for (let second = 1; second <= 10; second++) hot += session.calls.advance(second * 1e6 - 1, Number.POSITIVE_INFINITY).jobs[0]?.load ?? 0
  const { jobs, clientAcks } = session.calls.advance(10e6 - 1, Number.POSITIVE_INFINITY)
  // Four of five requests are for it; the others are for ranges that stay.
  assert.ok(hot > clientAcks * 0.65 && hot < clientAcks * 0.95, `${hot} of ${clientAcks}`)
  // A key has seven characters or more, as in j0/00012; no value is longer than 2,000.
  for (const { bytes, keys, atSource } of jobs) assert.ok(bytes[0] > atSource * 7 && bytes[0] < keys * 2000, `${bytes[0]} of ${atSource}`)
  const copied = viewOf('copy', 1e12)
  for (const { bytes, atSource, atTarget } of copied.jobs) if (atSource === atTarget && atSource > 0) assert.equal(bytes[0], bytes[1])
})

test('strength is by load, and on the side that takes the writes', () => {
  assert.deepEqual([0, 1, 4, 25, 100].map((load) => levelOf(load, 100)), [0, 1, 1, 2, LEVELS])
  assert.equal(levelOf(5, 0), 0)
  const job = (gates: [string, string], atSource: number, atTarget: number): SimJob => ({ gates, atSource, atTarget, keys: 10, state: 'copying' }) as unknown as SimJob
  assert.equal(writtenSide(job(['serving, epoch 1', 'staged, epoch 2'], 10, 3)), 0)
  assert.equal(writtenSide(job(['redirecting, epoch 2', 'serving, epoch 2'], 10, 10)), 1)
  assert.equal(writtenSide(job(['', ''], 10, 10)), 0)
  assert.equal(writtenSide(job(['', ''], 0, 10)), 1)
})

test('each change of owner is one, at any speed and after any crash, and the jumps know the same', () => {
  for (const [scenario, seed, most] of [['add-node', 1, 3], ['story', 1, 2], ['live-swarm', 2, 99], ['live-rivals', 2, 99], ['live-reverse', 3, 99], ['cancel-replan', 4, 99], ['copy', 1, 0], ['swarm', 4, 99]] as const) {
    const found = [20_000, 300_000, 5_000_000, 1e12].map((stepUs) => {
      const session = new Session()
      session.calls.open({ seed, scenario })
      let before = session.calls.advance(0, Number.POSITIVE_INFINITY)
      const told: string[] = []
      for (let timeUs = stepUs; before.ended === 0 && (stepUs > 20_000 || timeUs < 20_000_000); timeUs += stepUs) {
        const now = session.calls.advance(timeUs, Number.POSITIVE_INFINITY)
        for (const one of newCutovers(before, now)) told.push(`${one.job} ${one.timeUs} ${one.state}`)
        before = now
      }
      return { told, jobs: before.jobs }
    })
    const [fine, , , whole] = found as [(typeof found)[0], (typeof found)[0], (typeof found)[0], (typeof found)[0]]
    for (const { told } of found.slice(1)) assert.deepEqual(told, whole.told, scenario)
    assert.deepEqual(fine.told, whole.told.filter((one) => Number(one.split(' ')[1]) < Number(20_000_000)).slice(0, fine.told.length), scenario)
    assert.ok(whole.told.length <= most && (most === 0 || whole.told.length > 0), `${scenario}: ${whole.told.join(', ')}`)
    const session = new Session()
    session.calls.open({ seed, scenario })
    let seen = session.calls.scout(50)
    while (seen?.done !== true) seen = session.calls.scout(50)
    const marked = [...cutoverMarks(seen.marks, whole.jobs)].map(([timeUs, , , text]) => `${text.replace(/job (\d+): (\w+)/, `$1 ${timeUs} $2`)}`)
    assert.deepEqual(marked, whole.told, scenario)
    if (marked.length > 0) assert.ok(markBeside(seen.marks, 0, 'cutover', 1, cutoverMarks(seen.marks, whole.jobs)) !== undefined)
  }
  // Killed behind the decision, it is activated again; going back is another change.
  const live = (states: string[]): SimJob => ({ source: 0, target: 1, first: 'a', last: 'b', phases: states.map((state, i) => [i, state]) }) as unknown as SimJob
  const count = (...jobs: SimJob[]): number => cutoversOf(jobs).length
  assert.equal(count(live(['deciding', 'activating', 'cleaning', 'stopped', 'claiming', 'activating', 'cleaning', 'done'])), 1)
  assert.equal(count(live(['deciding', 'activating', 'reversible', 'fencing', 'deciding', 'activating', 'done'])), 2)
  assert.equal(count(live(['deciding', 'stopped', 'x', 'activating']), live(['x', 'x', 'activating', 'done'])), 1)
  assert.equal(count(live(['deleting', 'stopped', 'verifying', 'deleting', 'done'])), 1)
})

test('a machine that cannot keep up is said to be slow, and only then', () => {
  const pace = new Pace()
  for (let ms = 0; ms <= 2000; ms += 16) pace.note(ms, ms * 1000, false)
  assert.equal(pace.reached, undefined)
  let news = 0
  for (let ms = 2000; ms <= 6000; ms += 16) news += pace.note(ms, ms * 840_000, true) ? 1 : 0
  assert.ok(news > 0 && Math.abs((pace.reached ?? 0) - 840) < 1, `${pace.reached}`)
  for (let ms = 6000; ms <= 8000; ms += 16) pace.note(ms, ms * 840_000, false)
  assert.equal(pace.reached, undefined)
})
