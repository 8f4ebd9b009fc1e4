import type { Change, Feed, Store } from '../stores/store.js'
import { check, hex, key, numbered, same, type StoreUnderTest } from './support.js'

const LIMITS = { maxEntries: 1000, maxBytes: 1 << 20 }

/** Everything beyond a position, until the feed says that it has caught up. */
async function drain(feed: Feed, after: Uint8Array, limits = LIMITS): Promise<{ changes: Change[]; position: Uint8Array }> {
  const changes: Change[] = []
  let position = after
  for (let polls = 0; ; polls++) {
    check(polls < 2000, 'the feed does not catch up')
    const page = await feed.poll(position, limits)
    check(page.changes.length <= limits.maxEntries, 'a page of changes is larger than asked for')
    changes.push(...page.changes)
    position = page.position
    if (page.caughtUp) return { changes, position }
    if (page.changes.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const last = (changes: readonly Change[], k: Uint8Array): Change | undefined => changes.filter(([other]) => same(other, k)).at(-1)

function checkLast(changes: readonly Change[], k: Uint8Array, value: Uint8Array | undefined): void {
  const found = last(changes, k)
  check(found !== undefined, `the write of ${hex(k)} is not in the feed`)
  const equal = value === undefined ? found[1] === undefined : found[1] !== undefined && same(found[1], value)
  check(equal, `the feed ends with ${hex(found[1])} for ${hex(k)}, the store with ${hex(value)}`)
}

async function open(store: Store, range = {}, after?: Uint8Array, owner?: string): Promise<Feed> {
  const feed = await store.openFeed?.(range, { ...(after === undefined ? {} : { after }), ...(owner === undefined ? {} : { owner }) })
  check(feed !== undefined, 'openFeed gave nothing')
  check(feed.position.length > 0 && feed.position.length <= 256, 'a position has 1 to 256 bytes')
  return feed
}

async function checkLost(work: Promise<unknown>, what: string): Promise<void> {
  const code = await work.then(() => 'nothing', (error: { code?: string }) => error.code)
  check(code === 'KEYHAUL_FEED_POSITION_LOST', `${what} gave ${code} instead of KEYHAUL_FEED_POSITION_LOST`)
}

type Case = readonly [name: string, run: (under: StoreUnderTest) => Promise<void>]
const ifFeed = (run: Case[1]): Case[1] => async (under) => {
  if (under.store.capabilities.has('feed')) await run(under)
}

export const feedTests: readonly Case[] = [
  ['feed: a write acknowledged after openFeed is in it, one before need not be', ifFeed(async ({ store, put, delete: del }) => {
    await put(key('before'), key('1'))
    const feed = await open(store)
    await put(key('a'), key('1'))
    await put(key('a'), key('2'))
    await put(key('b'), key('3'))
    await del(key('before'))
    await store.apply([[key('c'), key('4')], [key('b'), undefined]], { durable: false })
    const { changes } = await drain(feed, feed.position)
    checkLast(changes, key('a'), key('2'))
    checkLast(changes, key('b'), undefined)
    checkLast(changes, key('c'), key('4'))
    checkLast(changes, key('before'), undefined)
    await feed.close({ discard: true })
  })],
  ['feed: small pages give everything, and a position goes on where it was', ifFeed(async ({ store, put }) => {
    const feed = await open(store)
    for (let i = 0; i < 30; i++) await put(numbered(i), key(`v${i}`))
    const { changes, position } = await drain(feed, feed.position, { maxEntries: 4, maxBytes: 1 << 20 })
    for (let i = 0; i < 30; i++) checkLast(changes, numbered(i), key(`v${i}`))
    await put(key('later'), key('x'))
    const more = await drain(feed, position)
    checkLast(more.changes, key('later'), key('x'))
    check(last(more.changes, numbered(3)) === undefined, 'a change before the position was given again')
    const again = await drain(feed, position)
    checkLast(again.changes, key('later'), key('x'))
    await feed.close({ discard: true })
  })],
  ['feed: it may be left and taken up at a position', ifFeed(async ({ store, put }) => {
    const first = await open(store)
    await put(key('a'), key('1'))
    await first.close({ discard: false })
    await put(key('b'), key('2'))
    const second = await open(store, {}, first.position)
    const { changes } = await drain(second, second.position)
    checkLast(changes, key('a'), key('1'))
    checkLast(changes, key('b'), key('2'))
    await second.close({ discard: true })
  })],
  ['feed: a foreign position is called lost', ifFeed(async ({ store }) => {
    const feed = await open(store)
    await checkLost(feed.poll(Uint8Array.from([1, 2, 3]), LIMITS), 'a foreign position')
    await feed.close({ discard: true })
  })],
  ['feed: an owner has one, a new one ends the one before, and nobody else\'s', ifFeed(async ({ store, put }) => {
    const other = await open(store, {}, undefined, 'other')
    const anonymous = await open(store)
    const first = await open(store, {}, undefined, 'owner')
    await first.close({ discard: false }) // as by a crash: nobody was told its position
    await put(key('a'), key('1'))
    const second = await open(store, {}, undefined, 'owner')
    await put(key('b'), key('2'))
    await checkLost(open(store, {}, first.position).then((again) => again.poll(first.position, LIMITS)), 'the feed that a later one of its owner replaced')
    const { changes } = await drain(second, second.position)
    checkLast(changes, key('b'), key('2'))
    for (const [feed, owner] of [[other, 'other'], [anonymous, undefined]] as const) {
      const taken = await open(store, {}, feed.position, owner)
      checkLast((await drain(taken, taken.position)).changes, key('a'), key('1'))
      await taken.close({ discard: true })
    }
    const again = await open(store, {}, second.position, 'owner')
    checkLast((await drain(again, again.position)).changes, key('b'), key('2'))
    await again.close({ discard: true })
    await checkLost(open(store, {}, second.position, 'owner').then((gone) => gone.poll(second.position, LIMITS)), 'a feed that was discarded')
  })],
  ['feed: who takes one up with a name owns it', ifFeed(async ({ store, put }) => {
    const first = await open(store)
    await put(key('a'), key('1'))
    const taken = await open(store, {}, first.position, 'owner')
    checkLast((await drain(taken, taken.position)).changes, key('a'), key('1'))
    const second = await open(store, {}, undefined, 'owner')
    await checkLost(taken.poll(first.position, LIMITS), 'the feed that a later one of its owner replaced')
    await second.close({ discard: true })
  })],
  ['feed: trimming what was taken keeps the rest', ifFeed(async ({ store, put }) => {
    const feed = await open(store)
    await put(key('a'), key('1'))
    const { position } = await drain(feed, feed.position)
    await feed.trim?.(position)
    await put(key('b'), key('2'))
    checkLast((await drain(feed, position)).changes, key('b'), key('2'))
    await feed.close({ discard: true })
  })],
  ['feed: writes at the same time end as the store ends', ifFeed(async ({ store, put }) => {
    const feed = await open(store)
    await Promise.all(Array.from({ length: 40 }, (_, i) => put(numbered(i % 5), key(`v${i}`))))
    const { changes } = await drain(feed, feed.position)
    const page = await store.scan({}, LIMITS)
    check(page.entries.length === 5, 'five keys were written')
    for (const [k, v] of page.entries) checkLast(changes, k, v)
    await feed.close({ discard: true })
  })]
]
