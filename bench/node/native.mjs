// The native benchmarks as tables: medians of rounds in which all of them take turns at random, lowest and highest in brackets, by
// processor time. npm run bench -- native, or once build/bench/keyhaul_bench is there: node bench/node/native.mjs [--quick] [--filter=PATTERN]
import { execFileSync } from 'node:child_process'
import { machine } from '../shared/machine.mjs'
import { median, table } from '../shared/measure.mjs'

const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 7
const filter = process.argv.find((arg) => arg.startsWith('--filter='))?.slice(9) ?? '.'
const binary = new URL('../../build/bench/keyhaul_bench', import.meta.url).pathname
const flags = [`--benchmark_filter=${filter}`, `--benchmark_repetitions=${rounds}`, `--benchmark_min_time=${quick ? 0.005 : 0.1}`]
flags.push('--benchmark_enable_random_interleaving=true', '--benchmark_format=json')
const { context, benchmarks } = JSON.parse(execFileSync(binary, flags, { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] }))

/** What was measured by name, as registered: nanoseconds a call, and bytes and items a second. */
const measured = new Map()
benchmarks.sort((a, b) => a.family_index - b.family_index || a.per_family_instance_index - b.per_family_instance_index)
for (const { name, run_type, error_occurred, error_message, ...run } of benchmarks) {
  if (error_occurred) throw new Error(`${name}: ${error_message}`)
  if (run_type !== 'iteration') continue
  const of = measured.get(name) ?? { ns: [], bytes: [], items: [] }
  measured.set(name, of)
  // Where a benchmark takes the time itself, it is that of the processor too (engine_bench.cc); with large pages entries count.
  of.ns.push(name.endsWith('/manual_time') ? run.real_time : run.cpu_time)
  of.bytes.push(run.bytes_per_second)
  of.items.push(name.includes('entries_a_page:1000') ? run.entries : run.items_per_second)
}
for (const lists of measured.values()) for (const list of Object.values(lists)) list.sort((a, b) => a - b)

const spread = (list, of) => `${of(median(list))} (${of(list[0])} to ${of(list[list.length - 1])})`
const gigabytes = (rate) => (rate / 1e9).toFixed(1)
const sizeName = (n) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${n >> 10} KiB` : `${n >> 20} MiB`)

/** All ways of one checksum against the lengths, and ours against each peer. */
function checksums(kind, title) {
  const names = [...measured.keys()].filter((name) => new RegExp(`^${kind}/[^/]+/\\d+$`).test(name)).map((name) => name.split('/'))
  if (names.length === 0) return
  const [ways, sizes] = [1, 2].map((at) => [...new Set(names.map((name) => name[at]))])
  const rates = (way) => sizes.map((size) => measured.get(`${kind}/${way}/${size}`).bytes)
  const rows = ways.map((way) => [way, ...rates(way).map((list) => spread(list, gigabytes))])
  const peers = ways.filter((way) => way === 'isa-l' || way === 'libdeflate')
  // The fastest of ours, and what a processor without it has; both register after the slower ones.
  for (const way of ways.filter((name) => !peers.includes(name)).slice(-2).reverse()) {
    for (const peer of peers) {
      const theirs = rates(peer)
      rows.push([`${way} of ${peer}`, ...rates(way).map((list, i) => `${(median(list) / median(theirs[i])).toFixed(2)}x`)])
    }
  }
  console.log(`\n${table([`${title}, GB/s (lowest to highest)`, ...sizes.map((size) => sizeName(Number(size)))], rows)}`)
}

const versions = ['g++', 'ISA-L', 'libdeflate'].flatMap((name) => (context[name] === undefined ? [] : [`${name} ${context[name]}`]))
console.log([machine(), ...versions, `${rounds} rounds`].join(', '))
checksums('crc32', 'CRC-32')
checksums('crc32c', 'CRC-32C')
const others = [...measured].filter(([name]) => !/^crc32c?\/[^/]+\/\d+$/.test(name))
const perSecond = (rate) => (rate < 1e6 ? `${(rate / 1e3).toFixed(1)} k` : `${(rate / 1e6).toFixed(1)} M`)
const rows = others.map(([name, { ns, bytes, items }]) => [
  name.replace('/manual_time', ''),
  spread(ns, (one) => one.toFixed(one < 1000 ? 1 : 0)),
  items[0] === undefined ? `${spread(bytes, gigabytes)} GB` : spread(items, perSecond)
])
if (rows.length > 0) console.log(`\n${table(['part', 'a call, ns (lowest to highest)', 'items a second'], rows)}`)
