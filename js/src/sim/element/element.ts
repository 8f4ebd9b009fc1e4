import type { SimulateOptions } from '../arguments.js'
import { connect } from '../channel.js'
import { noSeed, parseSeed } from '../seed.js'
import type { Foresight, Scene, Survey } from '../session.js'
import { hunt, tellAhead, trySeeds } from './ahead.js'
import { Attributed, type Caption, OPTIONS, optionsOf, setOptions } from './attributes.js'
import { Calls } from './calls.js'
import { Follower, type Fork, forkOf } from './fork.js'
import type { Goal } from './jump.js'
import { onKey } from './keys.js'
import { fromLink, refusedSeed, toCommand, toLink } from './link.js'
import { tellNews, type Way } from './news.js'
import { Playback } from './playback.js'
import { Show } from './show.js'
import { surveySeeds } from './survey.js'
import { watchSurroundings } from './surroundings.js'
import { readTrace, replayed, saveTrace } from './trace.js'
import { seconds } from './words.js'

/**
 * `<keyhaul-sim scenario="story" seed="1" autoplay>`: the simulator, to be watched. Attributes: scenario, seed, until,
 * faults, sabotage, workload, do (as the command has them), t (milliseconds, where it begins), speed, autoplay (set later, it plays),
 * controls (`few`), theme (`light`, `dark`). Events: `violation` (each one: oracle, text, key, timeUs, event), `cutover`
 * (once for each change of owner that is played or stepped over, not for those that a seek leaps: range, state, timeUs),
 * `hash` (at the end), `change` (what to share), `foresight`.
 */
export class KeyhaulSim extends Attributed {
  static observedAttributes = [...OPTIONS, 't', 'autoplay', 'speed', 'theme']
  /** Null runs it on the page, as does a Worker that does not start. For bundlers that do not know this pattern. */
  static makeWorker: (() => Worker) | null = () => new Worker(new URL('../worker.js', import.meta.url), { type: 'module' })

  /** Where the pages are that numbers link to (`simulator.html`, `keyhaul.html`); empty: they link to nothing. */
  static docs = ''

  captions: readonly Caption[] = []
  #bookmarks: readonly number[] = []
  #show: Show | undefined
  readonly #calls = new Calls()
  #scene: Scene | undefined
  #foresight: Foresight | undefined
  #options: SimulateOptions = { seed: 1 }
  #playing = false
  #wanted = false
  #visible = false
  #reopening = false
  #cleanUp: AbortController | undefined
  #fork: { readonly sim: KeyhaulSim; readonly panel: Fork } | undefined
  readonly #follower = new Follower(this, async (us) => {
    if (this.#scene === undefined) return true // it begins where the other one is
    const back = us < this.timeUs
    const scene = await this.#calls.ask((connection) => (back ? connection.call('seek', us) : connection.call('advance', us, 20)))
    if (scene !== undefined && back) this.#jump(scene)
    else if (scene !== undefined) this.#take(scene)
    return scene !== undefined && (scene.ended === 1 || scene.reachedUs >= us)
  })
  readonly #playback = new Playback({
    isPlaying: () => this.#playing, speed: () => this.speed, take: (scene) => this.#take(scene),
    draw: (nowMs) => (this.#scene === undefined ? undefined : this.#show?.stage.draw(nowMs)),
    advance: (us, budgetMs) => (this.#calls.isBusy ? undefined : this.#calls.ask((connection) => connection.call('advance', us, budgetMs))),
    reached: (speed) => this.#show?.transport.setReached(this.speed, speed)
  })
  /** The hash of a trace that is replayed. */
  #recorded: string | undefined

  get playing(): boolean { return this.#playing }
  /** Simulated time, in microseconds. */
  get timeUs(): number { return this.#scene?.reachedUs ?? 0 }
  get hash(): string { return this.#scene?.hash ?? '' }
  /** What the whole run comes to, once the simulator has looked ahead. */
  get foresight(): Foresight | undefined { return this.#foresight }
  get scene(): Scene | undefined { return this.#scene }
  /** The part of a URL behind # that shows this run at this time. */
  get link(): string { return toLink({ options: this.#options, timeUs: this.timeUs, bookmarks: this.bookmarks }) }
  /** Moments to come back to, in microseconds; part of the link. */
  get bookmarks(): readonly number[] { return this.#show?.bookmarks.times ?? this.#bookmarks }
  set bookmarks(times: readonly number[]) {
    this.#bookmarks = times
    this.#show?.bookmarks.set(times)
  }
  /** Prints the hash that this run ends with. */
  get command(): string { return toCommand(this.#options) }

  connectedCallback(): void {
    const cleanUp = new AbortController()
    this.#cleanUp = cleanUp
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' })
    const show = new Show(root, {
      toggle: () => (this.#playing ? this.pause() : this.play()), restart: () => void this.seek(0).then(() => this.play()),
      step: (by) => void this.step(by), seek: (us) => void this.seek(us), jump: (goal, by) => void this.jump(goal, by), speed: (value) => { this.speed = value },
      bookmark: () => this.bookmark(), bookmarked: () => this.#changed(), fork: () => this.toggleFork(), help: () => show.help.open(), docs: () => KeyhaulSim.docs,
      saveTrace: () => saveTrace(this, this.#options), openTrace: (file) => void this.openTrace(file), redraw: () => this.#playback.draw(),
      act: (what) => void this.inject(what), copyLink: () => this.#copy(`${location.href.replace(/#.*/, '')}#${this.link}`, 'link'), copyCommand: () => this.#copy(this.command, 'command'),
      survey: () => void trySeeds(this, show, this.#options),
      choose: (scenario, seed, chance) => this.#choose(scenario, seed, chance), key: (event) => onKey(event, this, show)
    })
    this.#show = show
    show.transport.setSpeed(this.speed)
    show.bookmarks.set(this.#bookmarks)
    const still = watchSurroundings(this, show.box, cleanUp.signal, {
      resized: () => { show.resize(); this.#playback.draw() }, seen: (visible) => { this.#visible = visible; this.#go() }, shown: () => this.#go(), painted: () => this.#paint(),
      still: (is) => { show.stage.still = is; this.#playback.draw() }
    })
    cleanUp.signal.addEventListener('abort', () => this.#playback.stop())
    this.#wanted = this.autoplay && !still
    this.#paint()
    this.#calls.connect(() => KeyhaulSim.makeWorker)
    this.#reopen()
  }

  disconnectedCallback(): void {
    this.#cleanUp?.abort()
    this.#calls.close()
    this.#cleanUp = undefined
    this.#playing = false
    this.#fork = undefined
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.#calls.isConnected) return
    const act: Readonly<Record<string, () => unknown>> = {
      speed: () => { this.#show?.transport.setSpeed(this.speed); this.#playback.changed() }, theme: () => this.#paint(), autoplay: () => this.autoplay && this.play(),
      t: () => this.#reopening || this.seek(this.t * 1000)
    }
    ;(act[name] ?? (() => this.#reopen()))()
  }

  play(): void {
    this.#wanted = true
    if (this.#scene?.ended === 1) void this.seek(0).then(() => this.#go())
    else this.#go()
  }

  pause(): void {
    this.#wanted = false
    this.#go()
    this.#changed()
  }

  /** To this time, in microseconds. */
  async seek(us: number): Promise<void> {
    const scene = await this.#calls.ask((connection) => connection.call('seek', Math.max(0, Math.round(us))))
    if (scene !== undefined) this.#jump(scene)
  }

  /** One event on, or back. */
  async step(by: 1 | -1 = 1): Promise<void> {
    this.pause()
    const event = Math.max(0, (this.#scene?.event ?? 0) + by)
    const scene = await this.#calls.ask((connection) => connection.call('seekEvent', event))
    if (scene !== undefined) this.#jump(scene, by > 0)
  }

  /** To the next fault, change of owner or broken promise, or to the one before. */
  async jump(goal: Goal, by: 1 | -1 = 1): Promise<void> {
    const mark = this.#show?.transport.mark(this.#scene?.event ?? 0, goal, by)
    if (mark === undefined) return
    this.pause()
    const scene = await this.#calls.ask((connection) => connection.call('seekEvent', mark[1]))
    if (scene === undefined) return
    this.#jump(scene)
    this.#show?.mirror.announce(`${seconds(mark[0])}: ${mark[3]}`, performance.now(), true)
  }

  /** Marks this moment, or takes its mark away. */
  bookmark(): void {
    this.#show?.bookmarks.toggle(this.timeUs)
  }

  /** A second run beside this one: the same up to now, and from here on its own. */
  fork(): KeyhaulSim | undefined {
    const show = this.#show
    if (show === undefined || this.getAttribute('controls') === 'fork') return undefined
    this.closeFork()
    this.#fork = forkOf(this, this.#options, show)
    return this.#fork.sim
  }

  toggleFork(): unknown {
    return this.#fork === undefined ? this.fork() : this.closeFork()
  }

  closeFork(): void {
    this.#fork = undefined
    this.#show?.fork(undefined)
  }

  /** Keeps to the time of another run. */
  follow(us: number): Promise<void> {
    return this.#follower.follow(us).then(() => this.#scene && this.#show?.scene(this.#scene, performance.now(), this.speed, undefined, true))
  }

  /** Replays a trace. Whatever the file holds, the worst that comes of it is a sentence. */
  async openTrace(file: Blob): Promise<void> {
    const found = await readTrace(file, async (options) => this.#calls.ask((connection) => connection.call('check', options)))
    if (typeof found === 'string') return this.#show?.notice(found)
    this.open(found.options)
    this.#recorded = found.hash
    this.#show?.notice('Replaying the trace …')
  }

  /** Something is done to the world now, as in `crash:3:1500`, `rate:drop:50000` or `sabotage:no-dedupe`. */
  async inject(what: string): Promise<void> {
    if (this.#scene?.ended === 1 && what.startsWith('sabotage:')) { // once more, with it
      await this.seek(0)
      this.play()
    }
    if (this.#scene === undefined || this.#scene.ended === 1) return
    const scene = await this.#calls.ask((connection) => connection.call('intervene', what))
    if (scene === undefined) return
    this.#options = { ...this.#options, interventions: [...(this.#options.interventions ?? []), scene.text] }
    this.#foresight = undefined
    this.#take(scene, 'stepped')
    void this.#lookAhead()
    this.#say()
    this.#changed()
  }

  /** The picture as it is. */
  snapshot(): Promise<Blob | null> {
    return new Promise((resolve) => (this.#show === undefined ? resolve(null) : this.#show.canvas.toBlob(resolve)))
  }

  /** Opens a run, as `fromLink` reads it. */
  open(options: SimulateOptions, timeUs = 0): void {
    this.#reopen() // first, so that `t` is where it begins, not where the run before goes to
    setOptions(this, options, timeUs)
    this.#recorded = undefined
    this.#show?.notice('')
    this.closeFork()
  }

  /** Opens what `link` gave; false where this is no link. A seed that is none is said in place of the picture. */
  openLink(link: string): boolean {
    try {
      const shared = fromLink(link)
      if (shared === undefined) return false
      this.open(shared.options, shared.timeUs)
      this.bookmarks = shared.bookmarks ?? []
    } catch {
      this.open({ seed: 1 })
      this.seed = refusedSeed(link)
    }
    return true
  }

  /** Once for all attributes that are set together. */
  #reopen(): void {
    if (this.#reopening) return
    this.#reopening = true
    queueMicrotask(() => {
      this.#reopening = false
      if (this.#calls.isConnected) void this.#open()
    })
  }

  async #open(): Promise<void> {
    const isShown = this.#calls.nextRun()
    this.#foresight = undefined
    try {
      this.#options = optionsOf(this)
      const scene = await this.#calls.ask(async (connection) => {
        this.#show?.list(await connection.call('lists'))
        await connection.call('open', this.#options)
        return connection.call('seek', this.t * 1000)
      })
      if (scene === undefined) return
      this.#show?.wrong('')
      this.#scene = undefined // nothing of the run before is compared with it
      this.#jump(scene)
      this.#say()
      this.#go()
      void this.#lookAhead()
    } catch (error) {
      if (!isShown()) return
      this.#scene = undefined // the run before is not to play on behind the message
      this.#go()
      this.#show?.wrong(`This run cannot be shown: ${error instanceof Error ? error.message : error}`)
    }
  }

  /** What the run comes to, while the page stays alive. */
  async #lookAhead(): Promise<void> {
    const [isShown, { interventions }] = [this.#calls.isShown(), this.#options]
    const current = (): boolean => isShown() && interventions === this.#options.interventions
    this.#show?.foresee(undefined, this.#scene)
    const connection = await this.#calls.connection()
    for (;;) {
      if (connection === undefined || !current()) return
      const seen = await connection.call('scout', 12)
      if (!current()) return
      if (seen?.done) {
        this.#foresight = seen
        break
      }
      await new Promise((resolve) => setTimeout(resolve))
    }
    this.#show?.foresee(this.#foresight, this.#scene)
    if (this.#show !== undefined) tellAhead(this, this.#show, this.#options)
    if (this.#recorded !== undefined && this.#foresight !== undefined) this.#show?.notice(replayed(this.#recorded, this.#foresight.hash))
    this.#recorded = undefined
    this.#fork?.panel.show(this)
    this.dispatchEvent(new CustomEvent('foresight', { detail: this.#foresight }))
  }

  /** Looks for a seed in which the bug that is in now breaks a promise, with all faults, and opens it. */
  async hunt(): Promise<void> {
    if (this.#show !== undefined) await hunt(this, this.#show, this.#options)
  }

  /** Runs so many seeds from this one on, or until one breaks a promise; `tell` hears how it goes. */
  async survey(options: SimulateOptions, seeds: number, tell: (text: string) => void): Promise<Survey> {
    const [goesOn, own] = [this.#calls.isShown(), await this.#calls.connection()]
    if (own === undefined) return { seeds: 0, events: 0, simulatedUs: 0, broken: undefined } // it is on no page
    return surveySeeds({ own, another: () => connect(KeyhaulSim.makeWorker), goesOn }, options, seeds, tell)
  }

  #jump(scene: Scene, stepped = false): void {
    this.#show?.reset()
    this.#playback.at(scene.reachedUs)
    this.#take(scene, stepped ? 'stepped' : 'leapt')
    this.#changed()
  }

  #take(scene: Scene, way: Way = 'played'): void {
    const [before, show] = [this.#scene, this.#show]
    this.#scene = scene
    show?.scene(scene, performance.now(), this.speed, this.#captionNow(), way !== 'played' || !this.#playing)
    const broken = scene.violations.length
    const isNews = (before?.violations.length ?? 0) !== broken
    if ((this.#playing && isNews && broken > 0) || (scene.ended === 1 && before?.ended !== 1)) this.pause()
    if (isNews && broken > 0) show?.foresee(this.#foresight, scene)
    tellNews(this, show?.mirror, before, scene, way)
    if (show !== undefined && isNews) tellAhead(this, show, this.#options)
    void this.#fork?.sim.follow(scene.reachedUs)
    this.#fork?.panel.show(this)
    if (!this.#playing) this.#playback.draw()
  }

  #captionNow(): string | undefined {
    return this.captions.findLast(({ atUs }) => atUs <= this.timeUs)?.text || undefined
  }

  #go(): void {
    const playing = this.#wanted && this.#visible && !document.hidden && this.#scene !== undefined && this.#scene.ended === 0
    this.#show?.transport.setPlaying(playing)
    if (playing === this.#playing) return
    this.#playing = playing
    if (!playing) this.#show?.settle(performance.now(), this.#captionNow())
    this.#playback.changed()
  }

  #paint(): void {
    this.#show?.readPalette(this)
    this.#playback.draw()
  }

  #say(): void {
    this.#show?.chosen(this.#options.scenario ?? 'swarm', String(this.#options.seed), this.#options.faults !== 'none', this.command)
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent('change', { detail: { link: this.link, command: this.command } }))
  }

  #choose(scenario: string, seed: string, chance: boolean): void {
    const number = parseSeed(seed.trim())
    if (number === undefined) this.#show?.notice(`${noSeed(seed)}.`) // the run goes on, and the box is there to mend it
    else {
      const { faults = 'all' } = this.#options // as the command has it where nothing is said
      this.open({ seed: number, scenario, faults: !chance ? 'none' : faults === 'none' ? 'all' : faults })
      this.play()
    }
  }

  #copy(text: string, what: string): void {
    void this.#show?.copy(text, what)
  }
}
