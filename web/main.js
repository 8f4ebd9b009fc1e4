// The page around the element: the opening story, the tour, the tabs, and the link in the address.
import { KeyhaulSim } from '../dist/sim/element/index.js'
import { STORY, TOUR } from './story.js'

KeyhaulSim.docs = './docs/'
KeyhaulSim.makeWorker = () => {
  const { keyhaulWorker: early } = globalThis
  globalThis.keyhaulWorker = undefined
  return early ?? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
}

const OWN = '#own'
const sim = document.querySelector('#sim')
const list = document.querySelector('.tour')
const own = document.getElementById('own')
const links = TOUR.map(({ title, link }) => {
  const a = Object.assign(document.createElement('a'), { href: `#${link}`, textContent: title })
  const item = document.createElement('li')
  item.append(a)
  list.append(item)
  return a
})

/** What stands in the address, or the story. */
function open(link) {
  const step = TOUR.findIndex((one) => one.link === link.replace(/^#/, ''))
  const about = step >= 0 ? TOUR[step] : link === '' ? STORY : undefined
  for (const [i, a] of links.entries()) {
    if (TOUR[i] === about) a.setAttribute('aria-current', 'step')
    else a.removeAttribute('aria-current')
  }
  sim.captions = about?.captions ?? []
  if (about !== undefined) sim.speed = about.speed
  if (!sim.openLink(link)) sim.openLink(STORY.link)
  return about
}

// Two tabs. What is hidden stands still; the code of the second one is loaded when it is asked for.
const tabs = [...document.querySelectorAll('[role=tab]')]

async function showTab(name) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`
    tab.setAttribute('aria-selected', String(chosen))
    tab.tabIndex = chosen ? 0 : -1
    document.getElementById(tab.getAttribute('aria-controls')).hidden = !chosen
  }
  if (name !== 'own') return
  sim.pause()
  try {
    own.querySelector('#own-error').textContent = ''
    const { openPanel } = await import('./own/panel.js')
    await openPanel()
  } catch (error) {
    own.querySelector('#own-error').textContent = `This tab could not be loaded (${error.message}): reload the page.`
  }
  own.inert = false // what was pressed before would have come to nothing
}

function choose(tab) {
  if (tab.id === 'tab-own') location.hash = OWN
  else if (location.hash === OWN) location.hash = lastLink
}
for (const [i, tab] of tabs.entries()) {
  tab.addEventListener('click', () => choose(tab))
  tab.addEventListener('keydown', ({ key }) => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[key]
    if (to === undefined) return
    const other = tabs[(to + tabs.length) % tabs.length]
    other.focus()
    choose(other)
  })
}

/** Where the first tab was when the second one was opened. */
let lastLink = ''
let opened = false
function follow(isNews, hash = location.hash) {
  if (hash === OWN) {
    void showTab('own')
    return
  }
  void showTab('watch')
  if (opened && hash === lastLink) return
  opened = true
  lastLink = hash
  open(hash)
  if (isNews && !matchMedia('(prefers-reduced-motion: reduce)').matches) sim.play()
}

follow(false)
// By the event: what the run itself writes into the address meanwhile is not where somebody wanted to go.
addEventListener('hashchange', ({ newURL }) => follow(true, newURL && new URL(newURL).hash))
for (const a of links) {
  a.addEventListener('click', () => {
    lastLink = ''
    if (location.hash === a.hash) dispatchEvent(new Event('hashchange'))
  })
}

// Once somebody has touched it the address says what is seen; not before, and not on the way.
let touched = false
for (const kind of ['pointerdown', 'keydown']) sim.addEventListener(kind, () => (touched = true))
sim.addEventListener('change', ({ detail }) => {
  if (!touched || location.hash === OWN) return
  lastLink = `#${detail.link}`
  history.replaceState(null, '', lastLink)
})
