import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { KeyhaulError } from '../../../dist/index.js'
import { checkHistory } from '../../../dist/sim/index.js'

const root = new URL('../../..', import.meta.url).pathname
const line = (event: string): string => `INFO  jepsen.util - ${event}\n`

test('histories of one register', () => {
  const good = line('0 :invoke :write 3') + line('0 :ok :write 3') + line('1 :invoke :read nil') + line('1 :ok :read 3')
  assert.deepEqual(checkHistory(good), { verdict: 'linearizable', witness: undefined })
  const { verdict, witness } = checkHistory(new TextEncoder().encode(good.replace(':ok :read 3', ':ok :read nil')))
  assert.equal(verdict, 'not linearizable')
  assert.match(witness ?? '', /^shortest witness: 2 of the 2 operations up to line 4\nread nil \(lines 3-4\) returned after write 3 \(lines 1-2\) had been acknowledged\n/)
})

test('text that is no history throws and names the line', () => {
  for (const [text, message] of [
    ['', 'not a history: there is no event in it'],
    [`${line('0 :invoke :write 3')}what`, 'not a history: line 2: expected an event, as in INFO jepsen.util - 0 :invoke :read nil, found "what"']
  ] as const) {
    assert.throws(() => checkHistory(text), (error) => error instanceof KeyhaulError && error.code === 'KEYHAUL_INVALID_ARGUMENT' && error.message === message)
  }
})

const histories = process.env.KEYHAUL_HISTORIES ?? join(root, '../shared/cases/histories')
const verdicts = join(histories, 'verdicts.tsv')

test('the module agrees with every public verdict', { skip: existsSync(verdicts) ? false : `no ${verdicts}; KEYHAUL_HISTORIES may point elsewhere` }, () => {
  const rows = readFileSync(verdicts, 'utf8').trim().split('\n').slice(1)
  assert.ok(rows.length > 0)
  for (const row of rows) {
    const [file, , verdict] = row.split('\t') as [string, string, string]
    const start = performance.now()
    assert.equal(checkHistory(readFileSync(join(histories, file))).verdict, verdict, file)
    assert.ok(performance.now() - start < 10_000, file)
  }
})
