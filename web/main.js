// The page around the element: the opening story, the tour, and the link in the address.
import { fromLink, KeyhaulSim } from '../dist/sim/element/index.js'
import { STORY, TOUR } from './story.js'

KeyhaulSim.makeWorker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })

const sim = document.querySelector('#sim')
const list = document.querySelector('.tour')
const links = TOUR.map(({ title, link }) => {
  const a = Object.assign(document.createElement('a'), { href: `#${link}`, textContent: title })
  const item = document.createElement('li')
  item.append(a)
  list.append(item)
  return a
})

/** What stands in the address, or the story. */
function open(link) {
  const shared = fromLink(link) ?? fromLink(STORY.link)
  const step = TOUR.findIndex((one) => one.link === link.replace(/^#/, ''))
  const about = step >= 0 ? TOUR[step] : link === '' ? TOUR[0] : undefined
  for (const [i, a] of links.entries()) {
    if (TOUR[i] === about) a.setAttribute('aria-current', 'step')
    else a.removeAttribute('aria-current')
  }
  sim.captions = about?.captions ?? []
  if (about !== undefined) sim.speed = about.speed
  sim.open(shared.options, shared.timeUs)
  sim.bookmarks = shared.bookmarks ?? []
  return about
}

open(location.hash)
addEventListener('hashchange', () => {
  open(location.hash)
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) sim.play()
})
for (const a of links) a.addEventListener('click', () => location.hash === a.hash && dispatchEvent(new Event('hashchange')))

// Once somebody has touched it the address says what is seen; not before, and not on the way.
let touched = false
for (const kind of ['pointerdown', 'keydown']) sim.addEventListener(kind, () => (touched = true))
sim.addEventListener('change', ({ detail }) => {
  if (touched) history.replaceState(null, '', `#${detail.link}`)
})
