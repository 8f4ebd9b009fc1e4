// As much of tape as abstract-level's test suite uses, on node:test.
import assert from 'node:assert/strict'
import { type TestContext, test as nodeTest } from 'node:test'

type Body = (t: Tape) => unknown

class Tape {
  private planned: number | undefined
  private done = 0
  private ended = false
  private finish!: () => void
  private fail_!: (error: unknown) => void
  private readonly over: Promise<void>
  private readonly children: Promise<void>[] = []

  constructor(private readonly context: TestContext) {
    this.over = new Promise((done, fail) => {
      this.finish = done
      this.fail_ = fail
    })
    this.over.catch(() => {})
  }

  /** Ends with its promise, its plan, or end(). */
  async run(body: Body): Promise<void> {
    const returned = body(this)
    if (returned instanceof Promise) {
      returned.catch((error) => this.fail_(error))
      if (this.planned === undefined) {
        await returned
        if (!this.ended) this.end()
      } else await Promise.all([returned, this.over])
    }
    await this.over
    await Promise.all(this.children)
  }

  private check(run: () => void): void {
    try {
      assert.ok(!this.ended || this.planned !== undefined, 'an assertion came after the end')
      run()
    } catch (error) {
      this.fail_(error)
      throw error
    }
    this.done++
    if (this.planned === undefined) return
    if (this.done > this.planned) this.fail_(new Error(`${this.done} assertions, planned were ${this.planned}`))
    if (this.done === this.planned) this.end()
  }

  plan(count: number): void {
    this.planned = count
    if (count === 0) this.end()
  }
  end(): void {
    this.ended = true
    this.finish()
  }
  ok(value: unknown, message?: string): void {
    this.check(() => assert.ok(value, message))
  }
  is(actual: unknown, expected: unknown, message?: string): void {
    this.check(() => assert.equal(actual, expected, message))
  }
  isNot(actual: unknown, expected: unknown, message?: string): void {
    this.check(() => assert.notEqual(actual, expected, message))
  }
  same(actual: unknown, expected: unknown, message?: string): void {
    this.check(() => assert.deepEqual(actual, expected, message))
  }
  pass(): void {
    this.check(() => {})
  }
  fail(message: unknown): void {
    this.check(() => assert.fail(message instanceof Error ? message : String(message)))
  }
  throws(run: () => unknown, ...expected: unknown[]): void {
    this.check(() => {
      const [pattern] = expected
      if (typeof pattern === 'string' || pattern === undefined) assert.throws(run)
      else assert.throws(run, pattern as RegExp)
    })
  }
  doesNotThrow(run: () => unknown): void {
    this.check(() => assert.doesNotThrow(run))
  }
  test(name: string, body: Body): void {
    const before = this.children.at(-1) ?? Promise.resolve()
    this.children.push(before.then(() => this.context.test(name, (context) => new Tape(context).run(body))))
    // A test with tests in it and no end of its own ends with them.
    if (this.planned !== undefined && ++this.done === this.planned) this.end()
  }
}

function wrap(name: string, body: Body): void {
  nodeTest(name, { timeout: 20_000 }, (context) => new Tape(context).run(body))
}

export const tape = Object.assign(wrap, { skip: (_name: string, _body: Body): void => {}, only: wrap })
