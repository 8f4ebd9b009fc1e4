// What is said to people about their own data.
export const many = (n) => n.toLocaleString('en-US')
export const entries = (n) => `${many(n)} ${n === 1 ? 'entry' : 'entries'}`

export function size(bytes) {
  if (bytes < 1000) return `${many(bytes)} B`
  const [unit, by] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return `${(bytes / by).toFixed(bytes / by < 10 ? 1 : 0)} ${unit}`
}

export function lasts(ms) {
  if (ms < 950) return `${Math.max(1, Math.round(ms))} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 9_950 ? 1 : 0)} s`
  return `${Math.round(ms / 60_000)} min`
}

/** A sentence: it begins with a capital letter, unless with a name, and ends with a full stop. */
export function sentence(text) {
  const trimmed = text.trim()
  const first = /^(store|key|the|this|it|its|a|an|no|there|another|source|target|keyhaul|mode)\b/.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed
  return /[.!?]$/.test(first) ? first : `${first}.`
}

const quoted = (text) => `“${text}”`

export function rangeText({ kind, low, high, prefix }) {
  if (kind === 'between') return `keys from ${quoted(low)} to ${quoted(high)}`
  return kind === 'prefix' ? `keys that begin with ${quoted(prefix)}` : 'all keys'
}

export const DOING = { copy: 'Copy', move: 'Move', verify: 'Verify' }
const DID = { copy: 'copied', move: 'moved', verify: 'compared' }

/** Steps of a run, by its kind, with the states of the engine that belong to each. */
const READY = { name: 'get ready', states: ['pending', 'preparing'] }
const COPY = { name: 'copy', states: ['copying', 'catchingUp'] }
const COMPARE = { name: 'verify', states: ['verifying', 'repairing'] }
const DELETE = { name: 'delete here', states: ['deleting'] }
export const STEPS = { copy: [READY, COPY, COMPARE], move: [READY, COPY, COMPARE, DELETE], verify: [READY, COMPARE] }

/** What is wrong with what was filled in; undefined: nothing. */
export function problemOf(plan, names) {
  if (plan.from === '') return 'There is nothing to move from yet. Make the sample with “Try with 5,000 cities”, or open a page of this site that uses browser-level.'
  if (plan.to === '') return 'The new database needs a name.'
  if (plan.fresh && names.includes(plan.to)) return `There is a database named ${quoted(plan.to)} already. Choose it in the list, or give another name.`
  if (plan.from === plan.to) return 'Source and target are the same database. Choose two different ones.'
  const { kind, prefix, low, high } = plan.range
  if (kind === 'prefix' && prefix === '') return 'Say what the keys begin with, or choose “everything”.'
  if (kind === 'between' && (low === '' || high === '')) return 'A range needs its first and its last key, or choose “everything”.'
  return undefined
}

/** The plan in sentences: what it will do, and what stands against it. */
export function planText(plan, { source, target }, whole) {
  const lines = []
  const what = `${entries(source.entries)}, about ${size(source.bytes)}`
  if (source.entries === 0) {
    lines.push({ bad: true, text: `${plan.from} holds no ${rangeText(plan.range).replace(/^all /, '')}.${whole ? ` It has ${entries(whole.entries)}, from ${quoted(whole.first)} to ${quoted(whole.last)}.` : ''}` })
  } else if (plan.mode === 'verify') {
    lines.push({ text: `Compares ${what} of ${plan.from} with ${entries(target.entries)} of ${plan.to}, and names what differs.${plan.repair ? ' What differs is mended in the target, then all is compared again.' : ' Nothing is changed.'}` })
  } else {
    lines.push({ text: `Copies ${what}, from ${plan.from} to ${plan.to}${target.exists ? '' : ', which is made new'}.` })
    lines.push({ text: 'Reads both sides back and compares them.' })
    if (plan.mode === 'move') lines.push({ text: `Only then deletes them from ${plan.from}; what was changed meanwhile stays there.` })
    lines.push({ text: 'Keeps a journal in this browser: whatever ends the tab, it goes on where it was.' })
    if (target.entries > 0) lines.push({ bad: true, text: `${plan.to} holds ${entries(target.entries)} in this range already. keyhaul would refuse, so that it never mixes them. Choose another target or another range.` })
    if (plan.slow) lines.push({ text: `Takes about ${lasts((source.bytes / 40_000) * 1000)}, so that you can watch.` })
  }
  return lines
}

/** First the verdict, then what it rests on. */
export function verdict({ receipt, plan }) {
  if (receipt.state === 'cancelled') return { good: true, text: 'Undone. The target is as it was before.' }
  const differing = receipt.missing + receipt.extra + receipt.changed
  if (receipt.state === 'mismatch') return { good: false, text: `They differ: ${many(differing)} ${differing === 1 ? 'key' : 'keys'}.` }
  const mended = receipt.repairs > 0 ? `, ${many(receipt.repairs)} mended` : ''
  return { good: receipt.verified, text: `${receipt.verified ? 'Verified' : 'Not verified'}: ${entries(receipt.entries)} ${DID[plan.mode]}${mended}.` }
}

export function receiptRows({ receipt, plan }) {
  const { digests, different } = receipt
  const rows = [
    ['From, to', `${receipt.from} → ${receipt.to}, ${rangeText(plan.range)}`],
    ['Entries', `${many(receipt.entries)}, ${size(receipt.bytes)}`]
  ]
  if (plan.mode === 'move') rows.push(['Deleted at the source', many(receipt.deletedEntries) + (receipt.leftOnSource > 0 ? `; ${many(receipt.leftOnSource)} had changed, and stay` : '')])
  rows.push(['Digest of the source', digests.source.sum], ['Digest of the target', digests.target.sum])
  if (different.length > 0) rows.push(['Different', different.slice(0, 8).map(({ key, kind }) => `${key} (${kind})`).join(', ') + (different.length > 8 ? ', …' : '')])
  rows.push(['Torn down and resumed', receipt.incarnations === 1 ? 'never' : receipt.incarnations === 2 ? 'once' : `${receipt.incarnations - 1} times`])
  rows.push(['Time', `${lasts(receipt.durationMs)}${receipt.copyMs > 0 ? `: copied in ${lasts(receipt.copyMs)}, verified in ${lasts(receipt.verifyMs)}` : ''}`])
  return rows
}
