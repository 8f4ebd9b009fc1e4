// The transcripts of tests/golden through the shipped module: what C++ says natively, it says
// in WebAssembly, byte by byte.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Stage } from './stage.js'

const folder = new URL('../../golden/transcripts/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.txt')).sort()

/** The file as the module has it: prose and commands as they are, output as it is now. */
function play(script: readonly string[]): string[] {
  const lines: string[] = []
  const stage = new Stage()
  let answered = false
  script.forEach((line, i) => {
    if (answered && line.startsWith('  ')) return
    lines.push(line)
    answered = line.startsWith('> ')
    if (!answered) return
    try {
      lines.push(...stage.run(line.slice(2)).map((output) => `  ${output}`))
    } catch (error) {
      throw new Error(`line ${i + 1}, ${line}`, { cause: error })
    }
  })
  stage.close()
  return lines
}

for (const file of files) {
  test(file, () => {
    const text = readFileSync(new URL(file, folder), 'utf8')
    assert.ok(text.includes('\n> step'))
    assert.equal(play(text.split('\n')).join('\n'), text)
  })
}

test('a line that the engine does not say is found', () => {
  const [file = ''] = files
  const text = readFileSync(new URL(file, folder), 'utf8')
  assert.notEqual(play(text.replace('m1 is copying', 'm1 is coping').split('\n')).join('\n'), text.replace('m1 is copying', 'm1 is coping'))
  assert.ok(files.length >= 12)
})
