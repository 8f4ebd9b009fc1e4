// Frames: what is drawn, how far the run is to be by then, and whether this machine keeps up.
import type { Scene } from '../session.js'
import { FIRST_FRAME, Pace } from './pace.js'

/** So long a run may be computed for one frame: the page has to draw as well, and may have no Worker. */
const BUDGET_MS = 12

export interface Played {
  isPlaying(): boolean
  /** Simulated seconds in one real second. */
  speed(): number
  /** Draws; true while something still moves. Undefined: there is nothing to draw yet. */
  draw(nowMs: number): boolean | undefined
  /** As far as the budget allows. Undefined: it is busy, or has gone to another run meanwhile. */
  advance(untilUs: number, budgetMs: number): Promise<Scene | undefined> | undefined
  take(scene: Scene): void
  /** What this machine does of the speed that is asked for; undefined: all of it. */
  reached(speed: number | undefined): void
}

export class Playback {
  readonly #pace = new Pace()
  #frame = 0
  #lastMs = 0
  #targetUs = 0
  #drew = false

  constructor(readonly run: Played) {}

  /** It is at this time now, wherever it was before. */
  at(us: number): void {
    this.#targetUs = us
  }

  /** It plays, or stands, or plays at another speed, from now on. */
  changed(): void {
    this.#lastMs = performance.now()
    this.#pace.reset()
    this.run.reached(undefined)
    if (this.run.isPlaying()) this.draw()
  }

  stop(): void {
    cancelAnimationFrame(this.#frame)
  }

  /** With the next frame, and on while it plays or something moves. */
  draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame((nowMs) => {
      const moves = this.run.draw(nowMs)
      if (moves !== undefined && !this.#drew) {
        this.#drew = true
        performance.mark(FIRST_FRAME)
      }
      if (this.run.isPlaying()) this.#advance(nowMs)
      if (this.run.isPlaying() || moves === true) this.draw()
    })
  }

  #advance(nowMs: number): void {
    const passedMs = Math.min(100, Math.max(0, nowMs - this.#lastMs))
    this.#lastMs = nowMs
    this.#targetUs += passedMs * 1000 * this.run.speed()
    const wanted = Math.floor(this.#targetUs)
    void this.run.advance(wanted, BUDGET_MS)?.then((scene) => {
      if (scene === undefined) return
      const isBehind = scene.ended === 0 && scene.reachedUs < wanted
      if (isBehind) this.#targetUs = scene.reachedUs // it cannot go as fast
      if (this.#pace.note(performance.now(), scene.reachedUs, isBehind)) this.run.reached(this.#pace.reached)
      this.run.take(scene)
    })
  }
}
