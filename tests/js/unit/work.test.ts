// How much the TypeScript side does a page and an entry: calls into the module and copies of
// bytes, counted. Time is measured by the benchmarks, which nobody waits for here.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getModule } from '../../../dist/engine/load.js'
import { DataChunk, DataMigrator, migrate } from '../../../dist/index.js'
import { memoryStore } from '../../../dist/stores/memory.js'
import { packPage } from '../../../dist/stores/packed.js'
import type { Store } from '../../../dist/stores/store.js'

interface Counts {
  /** Into the module. */
  calls: number
  /** Of Uint8Array: set, slice and subarray. */
  copies: number
}

const METHODS = ['set', 'slice', 'subarray'] as const

async function counted(work: () => unknown): Promise<Counts> {
  const counts: Counts = { calls: 0, copies: 0 }
  const module = getModule() as unknown as Record<string, unknown>
  const functions = Object.entries(module).filter(([, value]) => typeof value === 'function') as [string, (...args: unknown[]) => unknown][]
  for (const [name, run] of functions) {
    module[name] = (...args: unknown[]) => {
      counts.calls++
      return run(...args)
    }
  }
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as unknown as Record<string, unknown>
  const originals = METHODS.map((name) => prototype[name] as (...args: unknown[]) => unknown)
  METHODS.forEach((name, i) => {
    const original = originals[i] as (...args: unknown[]) => unknown
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      counts.copies++
      return original.apply(this, args)
    }
  })
  try {
    await work()
  } finally {
    METHODS.forEach((name, i) => {
      prototype[name] = originals[i]
    })
    for (const [name, run] of functions) module[name] = run
  }
  return counts
}

const VALUE_BYTES = 100

/** Pages that a store has packed already, to one that takes them so: each a copy in and a copy out. */
async function passOn(pages: number, pageEntries: number): Promise<Counts> {
  const frames = Array.from({ length: pages }, (_, page) =>
    packPage(Array.from({ length: pageEntries }, (_, i) => [new TextEncoder().encode(String(page * pageEntries + i).padStart(16, '0')), new Uint8Array(VALUE_BYTES)]))
  )
  const [from, to]: [Store, Store] = [memoryStore({ name: 'a', packed: true, without: ['feed'] }), memoryStore({ name: 'b', packed: true })]
  let at = 0
  from.scanPacked = async () => ({ frame: frames[at++] ?? packPage([]), entries: at > pages ? 0 : pageEntries, end: at >= pages })
  to.applyPacked = async () => {}
  return counted(() => migrate({ from, to, pageEntries, pageBytes: 1 << 20, verify: 'none' }).done)
}

async function copy(pages: number, pageEntries: number): Promise<Counts> {
  const entries = Array.from({ length: pages * pageEntries }, (_, i): [string, Uint8Array] => [String(i).padStart(16, '0'), new Uint8Array(VALUE_BYTES)])
  const from = memoryStore({ name: 'a', entries })
  // A target that costs nothing: what is counted is the engine's host.
  const to = Object.assign(memoryStore({ name: 'b' }), { apply: async () => {} })
  const run = (): Promise<unknown> => migrate({ from, to, pageEntries, pageBytes: 1 << 20, verify: 'none' }).done
  return counted(run)
}

/** What one page more, and one entry a page more, adds. */
async function slopes(what: keyof Counts, run = copy): Promise<{ page: number; entry: number }> {
  await run(2, 10) // the module is loaded
  const [few, more, larger] = [await run(10, 100), await run(60, 100), await run(60, 200)]
  const entry = (larger[what] - more[what]) / (60 * 100)
  return { page: (more[what] - few[what]) / 50 - entry * 100, entry }
}

test('no call into the module for an entry, and few for a page', async () => {
  const { page, entry } = await slopes('calls')
  // How completions fall into steps, and how often progress is told, is the machine's business.
  assert.ok(entry < 0.02, `${entry} calls an entry`)
  // Two steps, each with eventsAddress and readyAddress; acquire and acquired of the page.
  assert.ok(page <= 10, `${page} calls a page`)
})

test('the value of an entry is copied once, its short key by a loop', async () => {
  const { page, entry } = await slopes('copies')
  assert.ok(Math.abs(entry - 1) < 0.01, `${entry} copies an entry`)
  assert.ok(page <= 14, `${page} copies a page`)
})

test('a page that came packed is not taken apart: an entry of it costs no copy and no call', async () => {
  const [copies, calls] = [await slopes('copies', passOn), await slopes('calls', passOn)]
  assert.ok(Math.abs(copies.entry) < 0.01 && Math.abs(calls.entry) < 0.02, `${copies.entry} copies, ${calls.entry} calls an entry`)
  assert.ok(copies.page <= 14 && calls.page <= 10, `${copies.page} copies, ${calls.page} calls a page`)
})

test('chunks cross many at a time, each value copied once', async () => {
  const chunks = Array.from({ length: 2000 }, (_, i) => new DataChunk(String(i).padStart(16, '0'), new Uint8Array(VALUE_BYTES)))
  const migrator = new DataMigrator()
  const id = migrator.startMigration(migrator.createPlan('a', 'b', [['', '9']]))
  const transfer = (list: DataChunk[]): Promise<Counts> => counted(() => migrator.transferChunks(id, list))
  const [half, whole] = [await transfer(chunks.slice(0, 1000)), await transfer(chunks)]
  assert.equal(migrator.completeMigration(id).chunksTransferred, 3000)
  migrator.close()
  assert.ok(whole.calls - half.calls <= 4, `${whole.calls - half.calls} calls for 1,000 chunks more`)
  assert.ok((whole.copies - half.copies) / 1000 < 1.01, `${(whole.copies - half.copies) / 1000} copies a chunk`)
})
