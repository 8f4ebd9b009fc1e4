// A run: its steps, a bar, rate and time to go, and what may be done to it; then the receipt.
import { el, fill } from './dom.js'
import { DOING, entries, lasts, many, rangeText, receiptRows, size, STEPS, verdict } from './words.js'

/** So often the screen reader hears of progress. */
const SAY_EVERY_MS = 4000

export class RunView {
  journal
  #section
  #on
  #parts
  #saidMs = 0

  constructor(section, on) {
    this.#section = section
    this.#on = on
  }

  start(plan, expected) {
    return this.#go(plan, 'start', { plan, expected })
  }

  resume(journal, undo) {
    return this.#go(undefined, 'resume', { journal, undo }, undo)
  }

  async #go(plan, what, given, undo = false) {
    let shown = plan
    try {
      const { journal, receipt } = await this.#on.ask(what, given, (news) => {
        if (news.journal !== undefined) {
          this.journal = news.journal
          shown = news.plan
          this.#begin(shown, undo)
        } else this.#progress(news.progress, shown)
      })
      await this.#end({ receipt, plan: shown, journal })
    } catch (error) {
      const journal = this.journal
      this.journal = undefined
      if (error.receipt !== undefined && shown !== undefined) await this.#end({ receipt: error.receipt, plan: shown, journal })
      else {
        this.#section.hidden = true
        await this.#on.changed()
      }
      if (!['KEYHAUL_CANCELLED', 'KEYHAUL_INTERRUPTED'].includes(error.code)) throw error
      if (error.code === 'KEYHAUL_INTERRUPTED') this.#on.tell('Stopped. It can go on where it was.')
    }
  }

  #button(text, run, kind = '') {
    const button = el('button', { type: 'button', class: kind }, text)
    button.addEventListener('click', async () => {
      try {
        await run(button)
      } catch (error) {
        this.#on.fail(error)
      }
    })
    return button
  }

  #begin(plan, undo) {
    const bar = el('progress', { max: '1', 'aria-labelledby': 'own-run-title' })
    const figures = el('p', { class: 'figures' })
    const steps = STEPS[plan.mode].map(({ name }) => el('li', {}, name))
    this.#parts = { bar, figures, steps }
    const heading = el('h3', { id: 'own-run-title', tabindex: '-1' })
    heading.textContent = undo ? `Undoing the ${plan.mode}: ${plan.from} → ${plan.to}` : `${DOING[plan.mode]} ${rangeText(plan.range)}: ${plan.from} → ${plan.to}`
    fill(this.#section,
      heading,
      undo ? '' : el('ol', { class: 'steps' }, ...steps),
      bar, figures,
      el('p', { class: 'own-go' },
        this.#button('Tear the tab down now', () => this.#on.tearDown(), 'danger'),
        this.#button('Stop', () => this.#on.ask('stop')),
        plan.mode === 'verify' || undo ? '' : this.#button('Undo', () => this.#on.ask('cancel'))),
      el('p', { class: 'hint' }, 'Tearing down ends the worker and reloads the page at once, as if the tab were closed. Stop ends it in good order. Either way it can go on.'))
    this.#section.hidden = false
    this.#section.className = 'card running'
    this.#saidMs = 0
    // The button that was pressed is disabled or gone.
    heading.focus({ preventScroll: true })
    this.#section.scrollIntoView({ block: 'nearest' })
  }

  #progress({ state, entries: done, totalEntries, bytesPerSecond, etaMs }, plan) {
    const { bar, figures, steps } = this.#parts ?? {}
    if (bar === undefined) return
    const at = STEPS[plan.mode].findIndex(({ states }) => states.includes(state))
    for (const [i, step] of steps.entries()) {
      step.className = i < at ? 'past' : ''
      if (i === at) step.setAttribute('aria-current', 'step')
      else step.removeAttribute('aria-current')
    }
    const total = Math.max(totalEntries, done)
    if (total > 0) bar.value = done / total
    const parts = [total > 0 ? `${many(done)} of ${entries(total)}` : entries(done)]
    if (bytesPerSecond > 0) parts.push(`${size(Math.round(bytesPerSecond))}/s`)
    if (etaMs !== undefined && done < total) parts.push(`${lasts(etaMs)} to go`)
    figures.textContent = parts.join(' · ')
    const nowMs = performance.now()
    if (nowMs - this.#saidMs < SAY_EVERY_MS) return
    this.#saidMs = nowMs
    this.#on.tell(`${STEPS[plan.mode][at]?.name ?? state}: ${parts.join(', ')}`)
  }

  async #end({ receipt, plan, journal }) {
    this.journal = undefined
    this.#parts = undefined
    // Before there are buttons that begin the next run.
    await this.#on.changed()
    const { good, text } = verdict({ receipt, plan })
    const title = el('h3', { id: 'own-run-title', tabindex: '-1' }, text)
    const undone = receipt.state === 'cancelled'
    const compare = { ...plan, mode: 'verify', slow: false, repair: false }
    const back = { ...plan, from: plan.to, to: plan.from, mode: 'move', slow: false }
    // After a move there is nothing left to compare with; then the target is brought back.
    const buttons = undone || plan.mode === 'move' ? [] : [
      this.#button('Verify once more', () => this.#on.again(compare)),
      receipt.state === 'mismatch' ? this.#button('Mend it', () => this.#on.again({ ...compare, repair: true }), 'primary') : '',
      // Nobody's data but what the page itself put there.
      receipt.state === 'mismatch' || !this.#on.owns(plan) ? '' : this.#button('Damage one entry of the target', (button) => this.#damage(plan, button))
    ]
    if (!undone && plan.mode === 'move' && receipt.state === 'done') buttons.push(this.#button('Move it back', () => this.#on.again(back)))
    fill(this.#section,
      title,
      el('dl', {}, ...receiptRows({ receipt, plan }).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
      el('p', { class: 'own-go' }, ...buttons),
      el('p', { class: 'hint', id: 'own-after' }),
      journal === undefined ? '' : this.#details(journal))
    this.#section.hidden = false
    this.#section.className = `card ${good ? 'good' : 'bad'}`
    this.#on.tell(text)
    title.focus({ preventScroll: true })
    this.#section.scrollIntoView({ block: 'nearest' })
  }

  async #damage(plan, button) {
    const { key } = await this.#on.ask('damage', { database: plan.to, range: plan.range })
    button.disabled = true
    const text = `One bit of “${key}” in ${plan.to} is another now, behind keyhaul's back. Verify once more, and see whether it is found.`
    document.getElementById('own-after').textContent = text
    this.#on.tell(text)
  }

  #details(journal) {
    const text = el('pre', { tabindex: '0', 'aria-label': 'records of the journal' })
    const details = el('details', {}, el('summary', {}, 'The journal, record by record'), text)
    details.addEventListener('toggle', async () => {
      if (!details.open || text.textContent !== '') return
      const found = await this.#on.ask('inspect', { journal }).catch((error) => ({ bytes: 0, text: error.message }))
      text.textContent = found.text
    })
    return details
  }
}
