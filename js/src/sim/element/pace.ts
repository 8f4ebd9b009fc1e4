// Whether a run goes as fast as it is asked to, over the last while.

/** The mark (performance.getEntriesByName) of the first frame that shows a run. */
export const FIRST_FRAME = 'keyhaul-first-frame'

const WHILE_MS = 600

export class Pace {
  #startMs = Number.NaN
  #startUs = 0
  #behind = 0
  #asked = 0
  /** Simulated seconds in one real second, where it could not keep up; undefined: it does. */
  reached: number | undefined

  /** Begins anew: it stood still, or went to another time. */
  reset(): void {
    this.#startMs = Number.NaN
    this.reached = undefined
  }

  /** After each part of the run: whether it got as far as it was asked to go. True when there is news. */
  note(nowMs: number, reachedUs: number, isBehind: boolean): boolean {
    if (Number.isNaN(this.#startMs)) {
      this.#startMs = nowMs
      this.#startUs = reachedUs
      this.#behind = this.#asked = 0
      return false
    }
    this.#asked++
    this.#behind += isBehind ? 1 : 0
    const passedMs = nowMs - this.#startMs
    if (passedMs < WHILE_MS) return false
    const before = this.reached
    this.reached = this.#behind * 2 > this.#asked ? (reachedUs - this.#startUs) / 1000 / passedMs : undefined
    this.#startMs = nowMs
    this.#startUs = reachedUs
    this.#behind = this.#asked = 0
    return before !== this.reached
  }
}
