// What the captions of the opening story and the tour say happens when they say it: the engine's own marks are near.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLink } from '../../../dist/sim/element/link.js'
import { type Foresight, Session } from '../../../dist/sim/session.js'

interface Step { readonly title: string; readonly link: string; readonly speed: number; readonly captions: readonly { readonly atUs: number; readonly text: string }[] }
const { STORY, TOUR } = (await import(new URL('../../../web/story.js', import.meta.url).href)) as { STORY: Step; TOUR: readonly Step[] }

/** Of a caption, by its words: what has to be marked, at most half a second away. Null: it says how things are, not what happens. */
const MARKS: readonly (readonly [caption: RegExp, mark: RegExp | null])[] = [
  [/moves a range of keys to s3/, /^job 0: copying$/],
  [/Somebody kills keyhaul/, /^keyhaul dies$/],
  [/It is back, reads its journal/, /^keyhaul is back$/],
  [/All has arrived, and is compared/, /^job 0: verifying$/],
  [/For a moment writers wait/, /^job 0: fencing$/],
  [/^s3 has it now/, /^job 0: (activating|redirecting)$/],
  [/^The first range changes its owner/, /^job 0: activating$/],
  [/^The second one follows/, /^job 1: activating$/],
  [/^s1 owns nothing and holds nothing/, /^job 1: done$/],
  [/^What is copied is old at once/, /^job 0: catchingUp$/],
  [/^Only for those few writers have to wait/, /^job 0: fencing$/],
  [/^s2 takes the load now/, /^job 0: activating$/],
  [/^s2 hears everybody/, /^s2 is cut off$/],
  [/^It can be heard again/, /^s2 is connected again$/],
  [/^Now it is s1 that nobody hears/, /^s1 is cut off$/],
  [/^Three stores are full|^s1 is to be switched off|^Four of five|^A bad kind|^The stores now say|^A run is a function/, null]
]

function foresightOf({ link }: Step): Foresight {
  const shared = fromLink(link) ?? assert.fail(link)
  const session = new Session()
  session.calls.open(shared.options)
  for (;;) {
    const seen = session.calls.scout(50)
    if (seen?.done) return seen
  }
}

test('each caption of the story and of the tour is said when it happens', () => {
  assert.equal(TOUR.length, 6)
  assert.equal(TOUR[0], STORY)
  for (const step of TOUR) {
    const { marks, endUs } = foresightOf(step)
    for (const { atUs, text } of step.captions) {
      assert.ok(atUs < endUs, text)
      if (text === '') continue
      const [, mark] = MARKS.find(([caption]) => caption.test(text)) ?? assert.fail(`nothing is known of “${text}”`)
      if (mark === null) continue
      const times = marks.filter(([, , , said]) => mark.test(said)).map(([timeUs]) => timeUs)
      const near = Math.min(...times.map((timeUs) => Math.abs(timeUs - atUs)))
      assert.ok(near <= 500_000, `“${text}” at ${atUs / 1e6} s; ${mark} is at ${times.map((us) => us / 1e6).join(', ')}`)
    }
  }
})

test('the opening story is told in about five seconds, from the crash to the change of owner', () => {
  const { marks } = foresightOf(STORY)
  const at = (pattern: RegExp): number => marks.find(([, , , text]) => pattern.test(text))?.[0] ?? Number.NaN
  const tookS = (at(/^job 0: activating$/) - (fromLink(STORY.link)?.timeUs ?? Number.NaN)) / 1e6 / STORY.speed
  assert.ok(tookS > 2 && tookS < 6, `${tookS} s`)
})

test('the bug of the tour breaks a promise within two seconds, and its last step is a run of the terminal', () => {
  const bug = TOUR.find(({ title }) => /bug/.test(title)) ?? assert.fail()
  const { violations } = foresightOf(bug)
  const startUs = fromLink(bug.link)?.timeUs ?? Number.NaN
  const [first] = violations
  assert.ok(first !== undefined && first.timeUs > startUs && (first.timeUs - startUs) / 1e6 / bug.speed < 8, `${first?.timeUs}`)
  assert.deepEqual(foresightOf(TOUR.at(-1) ?? assert.fail()).violations, [])
})
