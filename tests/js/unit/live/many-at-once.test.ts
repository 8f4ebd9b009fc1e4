// Several ranges of a shard, moved in one decision.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../../../dist/index.js'
import { readOwnership } from '../../../../dist/live/index.js'
import { keyOf } from '../../support/stores.ts'
import { everything } from './load.ts'
import { inLevels } from './world.ts'

test('several ranges change their owner at once, while clients write them and what lies between', async () => {
  await inLevels(2_000, async ({ a, b, register, load }, folder) => {
    const ranges = [[100, 299], [500, 699], [1000, 1899]] as const
    const isIn = (key: string): boolean => ranges.some(([low, high]) => key >= keyOf(low) && key <= keyOf(high))
    load.start({ pause: 1 })
    // Each version of the register that was told, by how many parts b owns in it.
    const owned: number[] = []
    const looks: Promise<void>[] = []
    const watch = register.watch(() => void looks.push(readOwnership(register).then(({ parts }) => void owned.push(parts.filter(({ owner }) => owner === 'b').length))))
    const receipt = await migrate({ live: true, from: a, to: b, register, ranges: ranges.map(([low, high]) => [keyOf(low), keyOf(high)]), journal: join(folder, 'j'), pauseBudgetMs: 5000 }).done
    await load.stop()
    watch.close()
    await Promise.all(looks)
    assert.deepEqual([receipt.state, receipt.level, receipt.verified], ['done', 4, true])
    assert.deepEqual([...new Set(owned)].sort(), [0, 3], 'none or all of them')
    const expected = [...load.expected()]
    assert.deepEqual(await everything(b), new Map(expected.filter(([key]) => isIn(key))))
    assert.deepEqual(await everything(a), new Map(expected.filter(([key]) => !isIn(key))))
    assert.deepEqual((await readOwnership(register)).claims, [])
  })
})
