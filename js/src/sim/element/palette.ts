/** Colours of what is drawn on canvases, as the element's style has them. */
export interface Palette {
  readonly ink: string
  readonly quiet: string
  readonly line: string
  readonly surface: string
  readonly empty: string
  readonly bad: string
  readonly changed: string
  readonly accent: string
  readonly ranges: readonly string[]
  readonly stores: readonly string[]
}

export function paletteOf(host: Element): Palette {
  const style = getComputedStyle(host)
  const of = (name: string): string => style.getPropertyValue(`--keyhaul-${name}`).trim()
  const list = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => of(`${name}-${i}`))
  return {
    ink: of('ink'), quiet: of('quiet'), line: of('line'), surface: of('surface'), empty: of('empty'), bad: of('bad'), changed: of('changed'), accent: of('accent'),
    ranges: list('range', 8), stores: list('store', 4)
  }
}
