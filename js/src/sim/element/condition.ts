// How nodes are, in words.
import type { SimNode } from '../view.js'
import { seconds } from './words.js'

/** From most of the others: where one is cut off, the others miss only that one. */
export const isCutOff = (node: SimNode, nodes: readonly SimNode[]): boolean => node.cutFrom.length * 2 > nodes.length - 1

/** Empty: it is well. */
export function troubleOf(node: SimNode, nodes: readonly SimNode[]): string {
  if (node.up === 0) return 'down'
  if (node.paused === 1) return 'stands still'
  if (isCutOff(node, nodes)) return 'cut off'
  if (node.full === 1) return 'disk full'
  return node.slow === 1 ? 'slow' : ''
}

/** Of a node that is well or not: how far its clock is ahead, once it jumped. */
export const clockOf = ({ aheadUs = 0 }: SimNode): string => (aheadUs === 0 ? '' : `clock +${seconds(aheadUs, 0)}`)

/** Of the bytes that all stores hold, in shares of an equal one: 1 where it holds as much as the others do on average. */
export function fillOf({ bytes = 0 }: SimNode, nodes: readonly SimNode[]): number {
  const stores = nodes.filter(({ kind }) => kind === 'store')
  const all = stores.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  return all === 0 ? 0 : (bytes * stores.length) / all
}

/** 0 to 1, of the store that is written most; and never much of next to nothing. */
export const busyOf = ({ load = 0 }: SimNode, nodes: readonly SimNode[]): number => load / nodes.reduce((most, one) => Math.max(most, one.load ?? 0), 4)

/** What fails together, in order; stores by their numbers. */
export function zonesOf(nodes: readonly SimNode[]): { readonly zone: string; readonly stores: readonly number[] }[] {
  const zones = new Map<string, number[]>()
  for (const [id, { zone = '' }] of nodes.entries()) if (zone !== '') zones.set(zone, [...(zones.get(zone) ?? []), id])
  return [...zones].map(([zone, stores]) => ({ zone, stores }))
}

export const isLost = (stores: readonly number[], nodes: readonly SimNode[]): boolean => stores.every((id) => nodes[id]?.up === 0)
