import { type Connection, connect } from '../channel.js'

/** What one element asks of its session. Of a run that is no longer shown there is no answer. */
export class Calls {
  #connection: Promise<Connection> | undefined
  #run = 0
  #under = 0

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  /** The world goes on only when no call is under way, or it would go on from where a seek left. */
  get isBusy(): boolean {
    return this.#under > 0
  }

  /** `makeWorker` is asked later: a page whose element is upgraded while this module is loaded says only then where its Worker is. */
  connect(makeWorker: () => (() => Worker) | null): void {
    this.#connection = Promise.resolve().then(() => connect(makeWorker()))
  }

  close(): void {
    void this.#connection?.then(({ close }) => close())
    this.#connection = undefined
    this.nextRun()
  }

  /** From now on another run is shown; gives a question whether it still is. */
  nextRun(): () => boolean {
    this.#run++
    return this.isShown()
  }

  isShown(): () => boolean {
    const run = this.#run
    return () => run === this.#run
  }

  /** Undefined: it is on no page. */
  async connection(): Promise<Connection | undefined> {
    return this.#connection
  }

  async ask<T>(what: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    const isShown = this.isShown()
    this.#under++
    try {
      const connection = await this.#connection
      if (connection === undefined || !isShown()) return undefined
      const answer = await what(connection)
      return isShown() ? answer : undefined
    } finally {
      this.#under--
    }
  }
}
