import { readFileSync } from 'node:fs'
import { KeyhaulError } from '../errors.js'
import { inspectJournal } from '../inspect.js'
import { closeFeed, listFeeds, type OpenFeed } from '../stores/level.js'
import { Exit } from './exit.js'
import { formatBytes, formatCount, formatDuration, printable, shownStore } from './output.js'
import { shellWord } from './shell.js'
import { openStore, storeName } from './stores.js'
import { say } from './terminal.js'

const JOURNAL = /^journal (.+)$/s
/** As nameOf() of engine/feeds.ts gives it. */
const CLAIM = /^claim /

/** Whether `inspect` was given a store, not a journal. */
export function isStore(text: string): boolean {
  try {
    storeName(text)
    return true
  } catch {
    return false
  }
}

/** The feeds that a store keeps changes for. */
export async function inspectStore(url: string, flags: { json?: boolean }): Promise<number> {
  const name = storeName(url)
  const store = await openStore(name, 'source')
  try {
    const feeds = await listFeeds(store.db)
    const now = Date.now()
    if (flags.json === true) {
      const all = feeds.map(({ inUse: _, ...feed }) => ({ ...feed, ageMs: Math.max(0, now - feed.openedAt.getTime()), journal: journalOf(feed) }))
      process.stdout.write(`${JSON.stringify({ store: name, feeds: all })}\n`)
    } else say(feedsText(shownStore(name), feeds, now))
    return Exit.done
  } finally {
    await store.close()
  }
}

export async function dropFeed(url: string, id: string, flags: { force?: boolean; json?: boolean }): Promise<number> {
  const name = storeName(url)
  const store = await openStore(name, 'source')
  try {
    const feed = (await listFeeds(store.db)).find((one) => one.id === id)
    if (feed === undefined) throw new KeyhaulError('KEYHAUL_NOT_FOUND', { store: name, message: `it has no open feed ${printable(id)}; keyhaul inspect ${shellWord(url)} shows them` })
    const follower = followerOf(feed)
    if (follower !== undefined && flags.force !== true) {
      throw new KeyhaulError('KEYHAUL_USAGE', { store: name, message: `${follower}; with --force it is dropped, and that one has to copy again${CLAIM.test(feed.owner ?? '') ? ', or has no way back any more' : ''}` })
    }
    await closeFeed(store.db, id)
    process.stdout.write(flags.json === true ? `${JSON.stringify({ store: name, dropped: id, changes: feed.changes })}\n` : `dropped feed ${id} with ${changes(feed)}\n`)
    return Exit.done
  } finally {
    await store.close()
  }
}

/** The journal that may go on with the feed: it is still there and has not ended, or cannot be read here. */
function journalOf({ owner }: Pick<OpenFeed, 'owner'>): string | undefined {
  const journal = JOURNAL.exec(owner ?? '')?.[1]
  if (journal === undefined) return undefined
  try {
    return inspectJournal(new Uint8Array(readFileSync(journal))).resumable ? journal : undefined
  } catch (error) {
    // A newer keyhaul may read it, and a damaged one be restored: `keyhaul resume` says what is wrong.
    return (error as { code?: unknown }).code === 'ENOENT' ? undefined : journal
  }
}

/** Who may go on with it. Where the journal of a live migration is, its claim does not say. */
function followerOf(feed: OpenFeed): string | undefined {
  const journal = journalOf(feed)
  if (journal !== undefined) return `a migration can go on with it: keyhaul resume ${shellWord(journal)}`
  return CLAIM.test(feed.owner ?? '') ? `it is of a live migration (${printable(feed.owner as string)}), which its journal or its service may go on with: see keyhaul status` : undefined
}

const changes = ({ changes: count, bytes }: OpenFeed): string => `${formatCount(count)} change${count === 1 ? '' : 's'}, ${formatBytes(bytes)} of keys`

function feedsText(store: string, feeds: readonly OpenFeed[], now: number): string {
  if (feeds.length === 0) return `${store} has no open feed\n`
  const lines = feeds.map((feed) => {
    const age = formatDuration(Math.max(0, now - feed.openedAt.getTime()))
    const journal = journalOf(feed)
    const isLive = journal === undefined && CLAIM.test(feed.owner ?? '')
    const next = journal !== undefined ? `\n    goes on with: keyhaul resume ${shellWord(journal)}` : isLive ? '\n    of a live migration, which may go on with it: keyhaul status of its journal or its service says so' : ''
    return `  ${feed.id}  opened ${age} ago by ${feed.owner === undefined ? 'nobody who said so' : printable(feed.owner)}: ${changes(feed)}${next}\n`
  })
  const head = `${store} keeps its changes for ${feeds.length} open feed${feeds.length === 1 ? '' : 's'}\n`
  return `${head}${lines.join('')}  one that nobody goes on with grows for ever; drop it with: keyhaul drop-feed ${shellWord(store)} ID\n`
}
