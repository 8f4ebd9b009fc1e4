// The tab for data of your own: the form, the plan, the run, the receipt. The work is done by a
// worker, which "tear the tab down" ends at any moment, as closing the tab would.
import { RunView } from './run.js'
import { entries, many, planText, problemOf, rangeText, sentence } from './words.js'
import { el, fill } from './dom.js'

const NEW = '\u0000new'
const at = (id) => document.getElementById(id)
let worker
let next = 0
const waiting = new Map()

/** Asks the worker; `onNews` hears of it on the way. */
export function ask(what, given, onNews) {
  worker ??= begin()
  const id = ++next
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, onNews })
    worker.postMessage({ id, what, with: given })
  })
}

function begin() {
  // This file is bundled into the folder above.
  const made = new Worker(new URL('./own/worker.js', import.meta.url), { type: 'module' })
  made.addEventListener('message', ({ data: { id, news, done, failed } }) => {
    const asked = waiting.get(id)
    if (news !== undefined) return asked?.onNews?.(news)
    waiting.delete(id)
    if (failed !== undefined) asked?.reject(failed)
    else asked?.resolve(done)
  })
  made.addEventListener('error', (event) => {
    for (const { reject } of waiting.values()) reject({ message: event.message || 'the worker could not be started' })
    waiting.clear()
  })
  return made
}

class Panel {
  #form = at('own-form')
  #known = []
  /** A run, or what leads to one, is under way: no second one. */
  #busy = false
  /** The plan of a move that is on the screen, as JSON: what the next press confirms. */
  #shown
  /** Databases that hold nothing but what this page made or copied there. */
  #own = new Set()
  #run = new RunView(at('own-run'), { ask, tell: (text) => this.#tell(text), fail: (error) => this.#fail(error), changed: () => this.#guard(() => this.#list()), owns: (plan) => this.#owns(plan), tearDown: () => this.#tearDown(), again: (plan) => this.#again(plan) })

  async open() {
    at('own-sample').addEventListener('click', () => this.#sample())
    at('own-look').addEventListener('click', () => this.#look())
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#alone(() => this.#start())
    })
    // Filling in a key says that it is meant.
    for (const [name, kind] of [['low', 'between'], ['high', 'between'], ['prefix', 'prefix']]) {
      this.#form.elements[name].addEventListener('input', () => (this.#form.elements.kind.value = kind))
    }
    for (const kind of ['input', 'change']) this.#form.addEventListener(kind, () => this.#takeBack())
    // A double click is one press: it must not confirm what it has only just brought up.
    at('own-start').addEventListener('click', (event) => event.detail > 1 && event.preventDefault())
    await this.#guard(() => this.#list())
  }

  #show() {
    at('own-new-row').hidden = this.#form.elements.to.value !== NEW
    this.#form.elements.repair.closest('label').hidden = this.#form.elements.mode.value !== 'verify'
    at('own-start').textContent = this.#shown !== undefined ? 'Move them' : { copy: 'Start copying', move: 'Start moving', verify: 'Compare' }[this.#form.elements.mode.value]
  }

  /** The form says something else than the plan. */
  #takeBack() {
    fill(at('own-plan'))
    this.#shown = undefined
    this.#show()
  }

  /** One at a time; what is wrong is said. */
  async #alone(work) {
    if (this.#busy) return this.#fail({ message: 'A run is under way already. Wait until it ends, or stop it.' })
    this.#busy = true
    try {
      await this.#guard(work)
    } finally {
      this.#busy = false
      this.#lock(false)
    }
  }

  /** While a run is under way nothing can be pressed that would begin another. */
  #lock(on) {
    for (const part of [...this.#form.elements, at('own-sample'), ...at('own-unfinished').querySelectorAll('button')]) if (part.tagName !== 'FIELDSET') part.disabled = on
  }

  #owns(plan) {
    if (plan.filled) this.#own.add(plan.to)
    return this.#own.has(plan.to)
  }

  get #plan() {
    const { from, to, fresh, kind, low, high, prefix, mode, slow, repair } = this.#form.elements
    const isNew = to.value === NEW
    return {
      from: from.value,
      to: isNew ? fresh.value.trim() : to.value,
      fresh: isNew,
      mode: mode.value,
      slow: slow.checked,
      repair: mode.value === 'verify' && repair.checked,
      range: { kind: kind.value, low: low.value, high: high.value, prefix: prefix.value }
    }
  }

  async #list() {
    const { databases, others, runs } = await ask('list')
    this.#known = databases
    const { from, to } = this.#form.elements
    const kept = [from.value, to.value]
    const options = databases.map(({ name, entries: n }) => [name, `${name} (${entries(n)})`])
    fill(from, ...(options.length > 0 ? options : [['', 'no database yet']]).map(([value, text]) => el('option', { value }, text)))
    fill(to, ...options.map(([value, text]) => el('option', { value }, text)), el('option', { value: NEW }, 'a new one …'))
    for (const [i, select] of [from, to].entries()) {
      if ([...select.options].some(({ value }) => value === kept[i])) select.value = kept[i]
      else if (select === to) select.value = NEW
    }
    at('own-others').textContent = others === 0 ? '' : `${others} other ${others === 1 ? 'database' : 'databases'} of this site ${others === 1 ? 'is' : 'are'} not of browser-level, and left alone.`
    this.#unfinished(runs)
    if (this.#busy) this.#lock(true)
    this.#show()
  }

  /** What was torn down waits to be gone on with. */
  #unfinished(runs) {
    const open = runs.filter(({ receipt, name }) => receipt === undefined && name !== this.#run.journal)
    fill(at('own-unfinished'), ...open.map((run) => {
      const { name, plan, copied, expected, state, busy, broken } = run
      if (busy) return el('div', { class: 'card' }, el('p', {}, `“${name}” runs in another tab.`))
      if (broken) return el('div', { class: 'card bad' }, el('p', {}, sentence(broken)), el('p', { class: 'own-go' }, this.#button('Forget its journal', () => ask('forget', { journal: name }).then(() => this.#list()))))
      const done = expected?.entries ? `${many(copied)} of ${entries(expected.entries)}` : entries(copied)
      return el('div', { class: 'card unfinished' },
        el('h3', {}, state === 'stopped' ? 'Stopped in the middle' : 'Torn down in the middle'),
        el('p', {}, `The ${plan.mode} of ${rangeText(plan.range)} from ${plan.from} to ${plan.to} was interrupted. By its journal ${done} had safely arrived.`),
        el('p', { class: 'own-go' },
          this.#button('Go on where it was', () => this.#goOn(run, false), 'primary'),
          plan.mode === 'verify' ? '' : this.#button('Undo it', () => this.#goOn(run, true))))
    }))
  }

  #button(text, run, kind = '') {
    const button = el('button', { type: 'button', class: kind }, text)
    button.addEventListener('click', () => this.#alone(run))
    return button
  }

  async #sample() {
    await this.#alone(async () => {
      const button = at('own-sample')
      this.#lock(true)
      button.textContent = 'Making the cities …'
      try {
        const { name, entries: made } = await ask('sample')
        this.#own.add(name)
        await this.#list()
        this.#fillIn({ from: name, to: NEW, mode: 'move', slow: true, range: { kind: 'between', low: 'A', high: 'K' } }, this.#freshName())
        this.#show()
        this.#tell(`${entries(made)} are in the database “${name}”. The form is filled in: start it.`)
        await this.#look()
        this.#lock(false)
        at('own-start').focus({ preventScroll: true })
      } finally {
        button.textContent = 'Try with 5,000 cities'
      }
    })
  }

  #freshName() {
    const names = this.#known.map(({ name }) => name)
    for (let n = 1; ; n++) {
      const name = `moved${n === 1 ? '' : ` ${n}`}`
      if (!names.includes(name)) return name
    }
  }

  /** Undefined where something is wrong, which is then said. */
  async #looked() {
    this.#clear()
    const plan = this.#plan
    const problem = problemOf(plan, this.#known.map(({ name }) => name))
    if (problem !== undefined) {
      this.#fail({ message: problem })
      return undefined
    }
    const found = await ask('look', { plan })
    const whole = found.source.entries === 0 ? (await ask('look', { plan: { ...plan, range: { kind: 'all' } } })).source : undefined
    // The form was changed meanwhile: this is an answer to nothing.
    if (JSON.stringify(plan) !== JSON.stringify(this.#plan)) return undefined
    return { plan, found, lines: planText(plan, found, whole?.entries ? whole : undefined) }
  }

  async #look() {
    await this.#guard(async () => {
      const looked = await this.#looked()
      if (looked === undefined) return
      this.#showPlan(looked)
    })
  }

  #showPlan({ plan, lines }) {
    fill(at('own-plan'), el('div', { class: 'card' }, el('h3', {}, `The plan: ${plan.mode} ${rangeText(plan.range)}`), el('ol', {}, ...lines.map(({ text, bad }) => el('li', bad ? { class: 'bad' } : {}, text)))))
    const confirms = plan.mode === 'move' && !lines.some(({ bad }) => bad)
    this.#shown = confirms ? JSON.stringify(plan) : undefined
    this.#show()
    this.#tell(lines.map(({ text }) => text).join(' ') + (confirms ? ' “Move them” begins.' : ''))
  }

  async #start() {
    const confirmed = this.#shown
    const looked = await this.#looked()
    if (looked === undefined) return
    const { plan, found, lines } = looked
    const against = lines.find(({ bad }) => bad)
    if (against !== undefined) return this.#fail({ message: against.text })
    // What deletes is shown first, and begins with a second press.
    if (plan.mode === 'move' && confirmed !== JSON.stringify(plan)) return this.#showPlan(looked)
    const filled = plan.mode === 'copy' && found.isEmpty
    if (plan.mode !== 'verify') this.#own.delete(plan.to)
    this.#lock(true)
    await this.#run.start({ ...plan, filled }, { entries: found.source.entries, bytes: found.source.bytes })
  }

  /** The form says of what, as it would if the tab had not been torn down. */
  async #goOn({ name: journal, plan }, undo) {
    this.#fillIn(plan)
    this.#clear()
    this.#lock(true)
    fill(at('own-unfinished'))
    await this.#run.resume(journal, undo)
  }

  /** The same databases and range, to compare them or to bring them back. */
  async #again(plan) {
    await this.#alone(() => this.#fillAndStart(plan))
  }

  #fillIn(plan, name = '') {
    const { from, to, fresh, kind, low, high, prefix, mode, slow, repair } = this.#form.elements
    from.value = plan.from
    to.value = plan.to
    fresh.value = name
    kind.value = plan.range.kind
    low.value = plan.range.low ?? ''
    high.value = plan.range.high ?? ''
    prefix.value = plan.range.prefix ?? ''
    mode.value = plan.mode
    slow.checked = plan.slow
    repair.checked = plan.repair === true
  }

  async #fillAndStart(plan) {
    await this.#list()
    this.#fillIn(plan)
    this.#takeBack()
    await this.#start()
    // A plan that waits for its confirmation is next.
    if (this.#shown !== undefined) at('own-start').focus()
  }

  /** As the browser does it to a tab that is closed: without a word, at any moment. */
  #tearDown() {
    worker?.terminate()
    location.reload()
  }

  #clear() {
    fill(at('own-error'))
    this.#takeBack()
    at('own-empty').hidden = true
  }

  #fail({ message, next: todo }) {
    at('own-empty').hidden = true
    const text = sentence(message ?? 'something went wrong')
    // What to do stands behind a semicolon, where the sentence says it itself.
    const more = todo !== undefined && !text.includes(';') ? ` ${sentence(todo.charAt(0).toUpperCase() + todo.slice(1))}` : ''
    fill(at('own-error'), el('div', { class: 'card bad' }, el('p', {}, text + more)))
  }

  #tell(text) {
    at('own-live').textContent = text
  }

  async #guard(work) {
    try {
      await work()
    } catch (error) {
      this.#fail(error)
    }
  }
}

let panel
/** Once; the tab asks each time it is shown. */
export function openPanel() {
  panel ??= new Panel().open()
  return panel
}
