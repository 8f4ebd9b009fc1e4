import type { JournalStore } from '../journal/journal.js'
import { check, hex, same } from './support.js'

export interface JournalConformanceOptions {
  /** Of node:test, vitest, mocha, …: registers a test. */
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** The journal of this name; an empty one where there is none yet. */
  readonly open: (name: string) => JournalStore | Promise<JournalStore>
  /** One place may be worked on by one at a time, and the second is refused. */
  readonly exclusive?: boolean
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

async function holds(journal: JournalStore, expected: Uint8Array, where: string): Promise<void> {
  const found = await journal.read()
  check(same(found, expected), `${where}: it holds ${hex(found)} instead of ${hex(expected)}`)
}

/** Shows whether a journal keeps what its interface says; what a crash does to it, it does not show. */
export function journalConformance({ test, open, exclusive = false }: JournalConformanceOptions): void {
  let made = 0
  const each = (name: string, run: (journal: JournalStore, place: string) => Promise<void>): unknown =>
    test(`journal: ${name}`, async () => {
      const place = `journal ${++made}`
      const journal = await open(place)
      try {
        await run(journal, place)
      } finally {
        await journal.close()
      }
    })

  each('a new one is empty', (journal) => holds(journal, bytes(), 'a new one'))
  each('appends stand in their order', async (journal) => {
    for (let i = 0; i < 300; i++) await journal.append(bytes(i & 255, i >> 8))
    const all = Uint8Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? (i >> 1) & 255 : i >> 9))
    await holds(journal, all, 'after 300 appends')
  })
  each('it keeps a copy of the bytes, and gives one', async (journal) => {
    const mine = bytes(1, 2, 3)
    await journal.append(mine)
    mine.fill(9)
    await holds(journal, bytes(1, 2, 3), 'after the caller reused its buffer')
    ;(await journal.read()).fill(9)
    await holds(journal, bytes(1, 2, 3), 'after the reader wrote into what it got')
  })
  each('nothing appended is nothing', async (journal) => {
    await journal.append(bytes())
    await journal.append(bytes(7))
    await journal.append(bytes())
    await holds(journal, bytes(7), 'after one byte')
  })
  each('a torn tail is cut off anywhere, and the next append goes on there', async (journal) => {
    const whole = bytes(1, 2, 3, 4, 5, 6, 7, 8, 9)
    for (let length = 0; length <= whole.length; length++) {
      await journal.truncate(0)
      for (const from of [0, 3, 6]) await journal.append(whole.subarray(from, from + 3))
      await journal.truncate(length)
      await holds(journal, whole.subarray(0, length), `cut to ${length}`)
      await journal.append(bytes(77))
      await holds(journal, bytes(...whole.subarray(0, length), 77), `cut to ${length}, and one more`)
    }
  })
  each('a large record is whole', async (journal) => {
    const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255)
    await journal.append(bytes(1))
    await journal.append(large)
    const found = await journal.read()
    check(found.length === 300_001 && same(found.subarray(1), large), 'a large record came back different')
  })
  if (!exclusive) return
  each('what is closed is there when it is opened again', async (journal, place) => {
    await journal.append(bytes(1, 2))
    await journal.close()
    const again = await open(place)
    await holds(again, bytes(1, 2), 'opened again')
    await again.append(bytes(3))
    await again.close()
    const third = await open(place)
    await holds(third, bytes(1, 2, 3), 'opened a third time')
    await third.close()
  })
  each('each name has its own', async (journal, place) => {
    const other = await open(`${place}, another`)
    await journal.append(bytes(1))
    await other.append(bytes(2))
    await other.truncate(0)
    await holds(journal, bytes(1), 'beside another')
    await other.close()
  })
  each('two at once: the second is refused, until the first is closed', async (journal, place) => {
    await journal.append(bytes(1))
    const code = await Promise.resolve(open(place))
      .then((second) => second.append(bytes(2)))
      .then(() => 'none', (error: { code?: string }) => error.code)
    check(code === 'KEYHAUL_JOURNAL_IN_USE', `the second got ${code} instead of KEYHAUL_JOURNAL_IN_USE`)
    await holds(journal, bytes(1), 'beside a second one')
    await journal.close()
    const second = await open(place)
    await second.append(bytes(2))
    await holds(second, bytes(1, 2), 'of the second')
    await second.close()
  })
  each('close() waits for what is under way: whoever opens it next finds all of it', async (journal, place) => {
    const large = new Uint8Array(300_000).fill(5)
    // Not waited for: an engine is closed when its owner likes.
    const appended = Promise.resolve(journal.append(large)).then(() => true, () => false)
    await journal.close()
    const next = await open(place)
    const found = await next.read()
    await next.append(bytes(1))
    const expected = (await appended) ? 300_000 : found.length
    check(found.length === expected, `the next one found ${found.length} bytes of ${expected}`)
    const after = await next.read()
    check(after.length === found.length + 1 && after[found.length] === 1, 'something of the first one came after it was closed')
    await next.close()
  })
}
