// The golden files that C++ wrote, read from TypeScript: journals by the module, frames by a
// reader of their own that follows core/src/wire/FORMAT.md.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { crc32, crc32c, inspectJournal } from '../../../dist/index.js'
import { describeJournal } from '../../../dist/journal/index.js'

const golden = (name: string): Buffer => readFileSync(new URL(`../../golden/${name}`, import.meta.url))
const format = (name: string): string => readFileSync(new URL(`../../../core/src/${name}/FORMAT.md`, import.meta.url), 'utf8')

function readFrame(bytes: Buffer): [string, string | undefined][] {
  assert.equal(bytes.toString('latin1', 0, 4), 'KHF1')
  assert.equal(bytes[4], 1)
  assert.equal(bytes.readUInt32LE(28), crc32c(bytes.subarray(0, 28)))
  const [count, length] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)]
  const body = bytes.subarray(32, 32 + length)
  assert.equal(bytes.readUInt32LE(24), bytes[5] === 1 ? crc32(body) : crc32c(body))
  let at = count * 8
  const take = (size: number): string => {
    at += size
    return body.toString('latin1', at - size, at)
  }
  const rows = Array.from({ length: count }, (_, i): [string, string | undefined] => {
    const key = take(body.readUInt32LE(i * 8))
    const size = body.readUInt32LE(i * 8 + 4)
    return [key, size === 0xffffffff ? undefined : take(size)]
  })
  assert.equal(at, length)
  return rows
}

test('frames', () => {
  const rows = [['', 'empty key'], ['\0\xff', ''], ['apple', 'red'], ['gone', undefined]]
  assert.deepEqual(readFrame(golden('frames/entries-crc32.bin')), rows)
  assert.deepEqual(readFrame(golden('frames/entries-crc32c.bin')), rows)
  assert.deepEqual(readFrame(golden('frames/empty.bin')), [])
  assert.deepEqual(readFrame(golden('frames/one.bin')), [['k', 'v']])
})

test('journals: the module says what C++ said', () => {
  const bytes = golden('journals/story.bin')
  assert.equal(describeJournal(bytes), golden('journals/story.jsonl').toString())
  const info = inspectJournal(bytes)
  assert.equal(info.state, 'done')
  assert.equal(info.receipt?.verified, true)
  for (let length = 0; length < bytes.length; length += 7) describeJournal(bytes.subarray(0, length))
})

test('journals are told also where the smaller module was in use before', () => {
  const from = (path: string): string => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href)
  const script = `
    const { crc32, inspectJournal } = await import(${from('index.js')})
    const bytes = await import('node:fs').then((fs) => fs.readFileSync(process.argv[1]))
    if (crc32('123456789') !== 0xcbf43926 || inspectJournal(bytes).state !== 'done') throw new Error('not the core')
    const { describeJournal } = await import(${from('journal/index.js')})
    process.stdout.write(describeJournal(bytes) + describeJournal(bytes.subarray(0, 3)))`
  const path = fileURLToPath(new URL('../../golden/journals/story.bin', import.meta.url))
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', script, path]).toString()
  assert.equal(told, golden('journals/story.jsonl').toString() + describeJournal(golden('journals/story.bin').subarray(0, 3)))
})

test('the examples of the papers are the bytes of the golden files', () => {
  for (const [paper, file] of [['wire', 'frames/one.bin'], ['journal', 'journals/story.bin']] as const) {
    const example = /## Example[\s\S]*?```\n([\s\S]*?)```/.exec(format(paper))?.[1] ?? ''
    const hex = example.split('\n').map((line) => /^((?:[0-9a-f]{2} {1,2})+)/.exec(`${line}  `)?.[1] ?? '').join('').replaceAll(' ', '')
    assert.ok(hex.length > 60)
    assert.equal(golden(file).toString('hex').slice(0, hex.length), hex)
  }
})
