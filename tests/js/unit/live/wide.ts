// A store whose writers cannot be asked for less, and whose fence takes its time: what is moved from it may have to be split.
import type { Store } from '../../../../dist/index.js'
import type { GatedStore } from '../../../../dist/live/index.js'

export type Call = Parameters<NonNullable<Store['gate']>['change']>[0]

/** A view of it; `isLong`: which fences are late by `ms`. */
export function wide(store: GatedStore, isLong: (call: Call) => boolean, ms = 2500): GatedStore {
  const gate = store.mover.gate as NonNullable<Store['gate']>
  const change = async (call: Call): Promise<void> => {
    await gate.change(call)
    if (call.verb === 'fence' && isLong(call)) await new Promise((wake) => setTimeout(wake, ms))
  }
  const mover = Object.create(store.mover, { gate: { value: { ...gate, change, limitWrites: undefined } } })
  return Object.create(store, { mover: { value: mover } })
}
export const isAll = ({ ranges }: Call): boolean => ranges.some(({ gte, lt }) => gte === undefined && lt === undefined)
