// What an element has to know of the page that it stands on.
export interface Surroundings {
  resized(): void
  seen(visible: boolean): void
  /** The tab comes and goes. */
  shown(): void
  painted(): void
  still(is: boolean): void
}

/** Until the signal; gives whether little is to move. */
export function watchSurroundings(element: Element, box: Element, signal: AbortSignal, calls: Surroundings): boolean {
  const resized = new ResizeObserver(() => calls.resized())
  resized.observe(box)
  // Several may have gathered, the oldest first: the last one says how it is now.
  const seen = new IntersectionObserver((entries) => calls.seen(entries.at(-1)?.isIntersecting ?? false))
  seen.observe(element)
  signal.addEventListener('abort', () => {
    resized.disconnect()
    seen.disconnect()
  })
  document.addEventListener('visibilitychange', () => calls.shown(), { signal })
  const [dark, still] = [matchMedia('(prefers-color-scheme: dark)'), matchMedia('(prefers-reduced-motion: reduce)')]
  dark.addEventListener('change', () => calls.painted(), { signal })
  still.addEventListener('change', () => calls.still(still.matches), { signal })
  calls.still(still.matches)
  return still.matches
}
