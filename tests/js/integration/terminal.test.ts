// What a command shows on a terminal of so many columns: nothing wider, but a command to be copied; and not thousands of lines.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { CLI, fillLevel, inFolder, keyhaul } from '../support/stores.js'

const skip = spawnSync('script', ['-qec', 'true', '/dev/null']).status !== 0 && 'there is no script(1)'

/** The lines of stdout, on a terminal that is as wide as that. */
function linesOn(columns: number, args: readonly string[]): string[] {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ')
  const env = { ...process.env, TERM: 'xterm', NO_COLOR: '', FORCE_COLOR: '' }
  const { stdout } = spawnSync('script', ['-qec', `stty cols ${columns}; ${command} 2>/dev/null`, '/dev/null'], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] })
  return stripVTControlCharacters(stdout).split(/\r?\n/)
}

const wider = (columns: number, lines: readonly string[]): string[] => lines.filter((line) => line.length > columns && !/^ *keyhaul /.test(line))

test('no line is wider than the terminal', { skip }, () =>
  inFolder(async (folder) => {
    const [a, b, r] = ['a', 'b', 'r'].map((name) => join(folder, name)) as [string, string, string]
    await fillLevel(a, 1300)
    for (const columns of [80, 60]) {
      // Their names are paths, which are not cut.
      const receipt = linesOn(columns, ['copy', `level:${a}`, `level:${b}${columns}`])
      assert.deepEqual(wider(columns, receipt), [])
      assert.ok(receipt.some((line) => /^ {4}[0-9a-f]{32}$/.test(line)), receipt.join('\n'))
      const live = linesOn(columns, ['move', '--live', columns === 80 ? `l=level:${a}` : `r=level:${a}l`, columns === 80 ? `r=level:${a}l` : `l=level:${a}`, '--register', `level:${r}`])
      assert.ok(live.some((line) => /verified: every key was compared/.test(line)), live.join('\n'))
      assert.deepEqual(wider(columns, live), [])
      const sim = linesOn(columns, ['sim', '--seed', '7', '--until', '5'])
      assert.ok(sim.some((line) => line.startsWith('faults ')), sim.join('\n'))
      assert.deepEqual(wider(columns, sim), [])
      const forecast = linesOn(columns, ['rehearse', `level:${b}80`, `level:${b}new`, '--live', '--seeds', '1'])
      assert.ok(forecast.some((line) => /with mild faults/.test(line)), forecast.join('\n'))
      assert.deepEqual(wider(columns, forecast), [])
    }
  }))

test('help stands below its flag where there is no room beside it, and else as ever', { skip }, () => {
  for (const command of ['move', 'rehearse', 'sim', 'status']) {
    const lines = linesOn(40, [command, '--help'])
    const examples = lines.findIndex((line) => /^Examples?:/.test(line))
    assert.deepEqual(wider(40, lines.slice(0, examples).filter((line) => !/^( {2}-|Usage: )/.test(line))), [], command)
  }
  const lines = linesOn(40, ['move', '--help'])
  const at = lines.indexOf('  --range <first..last>')
  assert.deepEqual(lines.slice(at, at + 3), ['  --range <first..last>', '    keys from first to last, both', '      included, or first.. for all from'])
  assert.ok(linesOn(100, ['move', '--help']).some((line) => /^ {2}--quiet +no progress$/.test(line)))
})

test('a terminal is shown some of many differences, a file all of them', { skip }, () =>
  inFolder(async (folder) => {
    const [a, b] = ['a', 'b'].map((name) => join(folder, name)) as [string, string]
    await fillLevel(a, 100)
    await fillLevel(b, 0)
    const shown = linesOn(80, ['verify', `level:${a}`, `level:${b}`])
    assert.equal(shown.filter((line) => line.startsWith('missing ')).length, 20)
    assert.ok(shown.some((line) => line.startsWith('and 80 more; --json, or a file')), shown.join('\n'))
    const { stdout, code } = await keyhaul(['verify', `level:${a}`, `level:${b}`])
    assert.equal(code, 3)
    assert.equal(stdout.split('\n').filter((line) => line.startsWith('missing ')).length, 100)
    assert.doesNotMatch(stdout, /more;/)
  }))
