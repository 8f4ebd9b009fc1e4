// An engine of the shipped module on a stage; the same commands as
// tests/native/transcript/stage.cc, through js/src/engine.
import { Boundary, type CompletionEvent, EventKind } from '../../../dist/engine/boundary.js'
import { type EngineConfig, EngineHandle, type Verb } from '../../../dist/engine/handle.js'
import { ActionWord, NoticeWord, ReadyWord } from '../../../dist/engine/layout.generated.js'
import { getModule } from '../../../dist/engine/load.js'
import { encodePlan } from '../../../dist/engine/plan.js'
import { errorCodeOf, errorNumberOf, type KeyhaulErrorCode } from '../../../dist/errors.js'
import { describeJournal } from '../../../dist/journal/index.js'
import { planOf } from './plan-words.js'
import { receiptText, recordText, viewText } from './print.js'
import { counted, escaped, ofBytes, parseNumber, parseTime, parseWrite, rangeText, timeText, toBytes, unescaped, writeText } from './text.js'

const STATES = ['', 'pending', 'preparing', 'copying', 'catchingUp', 'verifying', 'repairing', 'deleting', 'discarding', 'stopped', 'done', 'mismatch', 'cancelled', 'failed']
const DIFFERENCES = ['', 'missing', 'extra', 'changed']
const ABILITIES: Readonly<Record<string, number>> = { feed: 1 << 4, stats: 1 << 13 }
const VERBS: readonly Verb[] = ['pause', 'unpause', 'stop', 'cancel', 'finish', 'forget']
const KINDS = ['', 'scan', 'apply', 'journal', 'open', 'poll', 'trim', 'close', 'abort', 'estimate']

const errorName = (number: number): string => errorCodeOf(number).replace('KEYHAUL_', '')
const after = (position: string): string => (position === '' ? '' : `, after ${escaped(position)}`)

/** `journal`: what its completion makes durable. */
interface Operation {
  name: string
  id: number
  journal: string
  run: number
  kind: string
}

/** A record of the boundary by its columns. */
type Row = (column: number) => number

export class Stage {
  private readonly settings: EngineConfig = {
    slots: 0, sourceSlots: 0, targetSlots: 0, bytesPerSecond: 0, progressEveryMs: 100, checkpointEveryMs: 0, stallMs: 30_000, retriesMax: 8, verifyRoundsMax: 5, differencesMax: 10_000
  }
  private current: { engine: EngineHandle; boundary: Boundary } | undefined
  private now = 0
  private readonly nodes: { name: string; capabilities: number; id: number }[] = []
  /** An id of 0 is of an engine that is gone. */
  private readonly runs: { id: number; journal: number }[] = []
  private readonly journals: string[] = []
  private readonly operations: Operation[] = []
  private events: CompletionEvent[] = []
  private quickJournal = false
  private out: string[] = []

  /** Carries out one command; gives its output. */
  run(line: string): string[] {
    this.out = []
    const [name = '', ...args] = line.split(' ').filter((word) => word !== '')
    const command = this.commands[name]
    if (command !== undefined) command(args)
    else this.control(name, args)
    return this.out
  }

  close(): void {
    this.current?.engine.delete()
    this.current = undefined
  }

  private readonly commands: Readonly<Record<string, (args: string[]) => void>> = {
    config: (args) => {
      for (const arg of args) {
        const [name = '', value = ''] = arg.split('=')
        if (this.current !== undefined || !(name in this.settings)) throw new Error(`${arg}: not known, or too late`)
        this.settings[name as keyof EngineConfig] = parseNumber(value)
      }
    },
    node: ([name = '', ...abilities]) => {
      const capabilities = abilities.reduce((bits, ability) => bits | (ABILITIES[ability] as number), 3)
      this.nodes.push({ name, capabilities, id: this.engine.addNode(name) })
    },
    start: ([from = '', to = '', ...words]) => {
      const [source, target] = [this.nodeOf(from), this.nodeOf(to)]
      const plan = planOf({ source: from, target: to, sourceCapabilities: source.capabilities, targetCapabilities: target.capabilities }, words)
      this.journals.push('')
      this.started(this.engine.start(this.now, encodePlan(plan), source.id, target.id, true), this.journals.length - 1)
    },
    resume: ([name = '', source = '', target = '']) => {
      const { journal } = this.runOf(name)
      const file = this.journals[journal] as string
      const summary = JSON.parse(this.described(file).pop() as string) as { error?: string; validBytes: number }
      if (summary.error !== undefined) {
        this.out.push(`refused: ${summary.error}`)
        return
      }
      if (summary.validBytes < file.length) {
        this.out.push(`cut off ${counted(file.length - summary.validBytes, 'byte')} of a torn record`)
        this.journals[journal] = file.slice(0, summary.validBytes)
      }
      const bytes = toBytes(this.journals[journal] as string)
      this.started(this.engine.resume(this.now, bytes, this.nodeOf(source).id, this.nodeOf(target).id), journal)
    },
    rate: ([name = '', rate = '']) => {
      this.refused(this.engine.setRate(this.now, name === 'all' ? 0 : this.runOf(name).id, parseNumber(rate)))
    },
    inspect: ([name = '']) => {
      const known = this.engine.receipt(this.runOf(name).id) !== ''
      this.out.push(known ? viewText(this.engine.inspect(this.now, this.runOf(name).id)) : 'unknown')
    },
    receipt: ([name = '']) => {
      const json = this.engine.receipt(this.runOf(name).id)
      this.out.push(...(json === '' ? ['unknown'] : receiptText(json)))
    },
    journal: ([name = '']) => {
      this.out.push(...this.described(this.journals[this.runOf(name).journal] as string))
    },
    stats: () => {
      const { staleCompletions, bufferBytes } = this.engine.stats()
      this.out.push(`${counted(staleCompletions, 'stale completion')}, ${counted(bufferBytes, 'byte')} in buffers`)
    },
    quickjournal: () => {
      this.quickJournal = true
    },
    crash: () => {
      for (const run of this.runs) run.id = 0
      for (const operation of this.operations) Object.assign(operation, { id: 0, journal: '' })
      this.events = []
      this.close()
      for (const node of this.nodes) node.id = this.engine.addNode(node.name)
    },
    tear: ([name = '', bytes = '']) => {
      const { journal } = this.runOf(name)
      const file = this.journals[journal] as string
      this.journals[journal] = file.slice(0, file.length - parseNumber(bytes))
    },
    page: ([name = '', ...words]) => {
      const end = words.includes('end')
      const position = words.find((word) => word.startsWith('@'))
      const writes = words.filter((word) => word !== 'end' && word !== position).map(parseWrite)
      const entries = writes.map(([key, value]) => [toBytes(key), value === undefined ? undefined : toBytes(value)] as const)
      const tail = position === undefined ? undefined : toBytes(unescaped(position.slice(1)))
      const op = this.operationOf(name).id
      this.events.push({ kind: EventKind.page, op, end, count: entries.length, positionBytes: tail?.length ?? 0, ...this.boundary.pack(entries, tail) })
    },
    done: (args) => {
      for (const arg of args) this.doneWord(arg)
    },
    failed: ([name = '', code = '', ...text]) => {
      const error = errorNumberOf(`KEYHAUL_${code}` as KeyhaulErrorCode)
      this.events.push({ kind: EventKind.failed, op: this.operationOf(name).id, error, ...this.boundary.copyIn(toBytes(text.join(' '))) })
    },
    step: ([time]) => {
      if (time !== undefined) this.now = parseTime(time)
      this.step()
    }
  }

  private doneWord(arg: string): void {
    if (arg.startsWith('m')) {
      const operation = this.operationOf(arg)
      const { journal } = this.runs[operation.run] as { journal: number }
      this.journals[journal] += operation.journal
      operation.journal = ''
      this.events.push({ kind: EventKind.done, op: operation.id })
      return
    }
    const event = this.events[this.events.length - 1]
    const [name = '', value = ''] = arg.split('=')
    if (event === undefined) throw new Error('done needs an operation first')
    if (arg.startsWith('@')) Object.assign(event, this.boundary.copyIn(toBytes(unescaped(arg.slice(1)))))
    else if (name === 'left' || name === 'entries') event.count = parseNumber(value)
    else if (name === 'bytes') event.amount = parseNumber(value)
    else throw new Error(`done knows no ${arg}`)
  }

  private control(name: string, args: readonly string[]): void {
    const verb = VERBS.find((known) => known === name)
    if (verb === undefined) throw new Error(`no command ${name}`)
    this.refused(this.engine.control(verb, this.runOf(args[0] ?? '').id))
  }

  private get engine(): EngineHandle {
    return this.live().engine
  }
  private get boundary(): Boundary {
    return this.live().boundary
  }
  private live(): { engine: EngineHandle; boundary: Boundary } {
    if (this.current === undefined) {
      const engine = new EngineHandle(getModule(), this.settings)
      this.current = { engine, boundary: new Boundary(getModule(), engine) }
    }
    return this.current
  }

  private refused(error: number): boolean {
    if (error !== 0) this.out.push(`refused: ${errorName(error)}`)
    return error !== 0
  }

  private started(id: number, journal: number): void {
    if (id < 0) {
      this.refused(-id)
      return
    }
    this.runs.push({ id, journal })
    const { level } = JSON.parse(this.engine.receipt(id)) as { level: number }
    this.out.push(`m${this.runs.length}, level ${level}`)
  }

  private nodeOf(name: string): { name: string; capabilities: number; id: number } {
    return known(this.nodes.find((node) => node.name === name), name)
  }
  private runOf(name: string): { id: number; journal: number } {
    return known(this.runs[Number(/^m(\d+)$/.exec(name)?.[1]) - 1], name)
  }
  private operationOf(name: string): Operation {
    return known(this.operations.find((operation) => operation.name === name && operation.id !== 0), name)
  }
  private described(file: string): string[] {
    return describeJournal(toBytes(file)).trimEnd().split('\n')
  }

  private step(): void {
    const { engine, boundary } = this.live()
    for (;;) {
      boundary.writeEvents(this.events)
      const deadline = engine.step(this.now, this.events.length)
      this.events = []
      const ready = boundary.words(engine.readyAddress(), ReadyWord.size)
      for (const row of this.rows(ready[ReadyWord.notices], ready[ReadyWord.noticeCount], NoticeWord.size)) this.printNotice(row)
      for (const row of this.rows(ready[ReadyWord.actions], ready[ReadyWord.actionCount], ActionWord.size)) this.printAction(row)
      if (this.quickJournal) {
        for (const { name, journal } of this.operations) {
          if (journal !== '') this.doneWord(name)
        }
      }
      if (this.events.length > 0) continue
      this.out.push(ready[ReadyWord.more] !== 0 ? '(step again)' : deadline < 0 ? '(nothing to wait for)' : `(until ${timeText(deadline)})`)
      return
    }
  }

  private rows(address = 0, count = 0, size = 0): Row[] {
    const words = this.boundary.words(address, count * size)
    return Array.from({ length: count }, (_, row) => (column) => words[row * size + column] as number)
  }

  private nodeName(id: number): string {
    return this.nodes.find((node) => node.id === id)?.name ?? '?'
  }
  private runName(id: number): string {
    return `m${this.runs.findLastIndex((run) => run.id === id) + 1}`
  }
  private operationName(id: number): string {
    return this.operations.findLast((operation) => operation.id === id)?.name ?? '?'
  }

  private printNotice(word: Row): void {
    const name = this.runName(word(NoticeWord.migration))
    const state = STATES[word(NoticeWord.state)] as string
    const node = word(NoticeWord.node)
    const error = word(NoticeWord.error)
    const why = `: ${errorName(error)}${node === 0 ? '' : ` at ${this.nodeName(node)}`}`
    const text = ofBytes(this.boundary.copyOut(word(NoticeWord.payloadAddress), word(NoticeWord.payloadBytes)))
    const said = [
      `is ${state}${error === 0 ? '' : why}${text === '' ? '' : `, ${text}`}`,
      `makes progress, ${state}`,
      `differs: ${escaped(text)} is ${DIFFERENCES[word(NoticeWord.difference)]}`,
      `warns${why}`
    ][word(NoticeWord.kind) - 1]
    this.out.push(`${name} ${said}`)
  }

  private printAction(word: Row): void {
    const kind = KINDS[word(ActionWord.kind)] as string
    if (kind === 'abort') {
      this.out.push(`${this.operationName(word(ActionWord.reusesOp))} is given up`)
      return
    }
    const migration = word(ActionWord.migration)
    const run = this.runs.findLastIndex(({ id }) => id === migration)
    const number = this.operations.filter((operation) => operation.run === run && operation.kind === kind).length + 1
    const operation = { name: `${this.runName(migration)}.${kind}${number}`, id: word(ActionWord.op), journal: '', run, kind }
    this.operations.push(operation)
    this.out.push(`${operation.name} ${this.actionText(operation, word)}`)
  }

  private actionText(operation: Operation, word: Row): string {
    const at = this.nodeName(word(ActionWord.node))
    const bytes = this.boundary.copyOut(word(ActionWord.payloadAddress), word(ActionWord.payloadBytes))
    const payload = ofBytes(bytes)
    const flags = word(ActionWord.flags)
    const limits = `(${counted(word(ActionWord.count), 'entry')}, ${counted(word(ActionWord.limitBytes), 'byte')})`
    switch (operation.kind) {
      case 'scan': {
        const [lo, hi] = [Buffer.from(bytes).readUInt32LE(0), Buffer.from(bytes).readUInt32LE(4)]
        const range = rangeText(payload.slice(8, 8 + lo), hi === 0xffffffff ? undefined : payload.slice(8 + lo, 8 + lo + hi))
        return `${at}, ${range} ${limits}${(flags & 2) === 0 ? '' : ', keep'}`
      }
      case 'apply': {
        const reuses = word(ActionWord.reusesOp)
        const writes = this.boundary.unpack(word(ActionWord.payloadAddress), word(ActionWord.payloadBytes))
        const entries = writes.map(([key, value]) => ` ${writeText([ofBytes(key), value === undefined ? undefined : ofBytes(value)])}`)
        const how = [(flags & 4) !== 0 && 'delete if unchanged', (flags & 1) !== 0 && 'durable', reuses !== 0 && `page of ${this.operationName(reuses)}`]
        return `${[`to ${at}`, ...how.filter(Boolean)].join(', ')}:${entries.join('')}`
      }
      case 'journal': {
        const file = this.journals[(this.runs[operation.run] as { journal: number }).journal] as string
        operation.journal = payload
        const before = this.described(file).length - 1
        return this.described(file + payload).slice(before, -1).map(recordText).join('; ')
      }
      case 'poll': return `feed of ${at}${after(payload)} ${limits}`
      case 'trim': return `feed of ${at}, up to ${escaped(payload)}`
      case 'open': return `feed of ${at}${after(payload)}`
      case 'close': return `feed of ${at}`
      case 'estimate': return at
    }
    throw new Error(`no action ${operation.kind}`)
  }
}

function known<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw new Error(`nothing is called ${name}`)
  return found
}
