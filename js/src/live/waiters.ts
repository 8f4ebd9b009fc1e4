/** Those who wait for something that is over only when somebody else has done something, and are asked then. */
export class Waiters {
  private readonly all = new Set<() => void>()

  get isEmpty(): boolean {
    return this.all.size === 0
  }

  /** Resolves at the first wake() that finds it over, or after `ms`; true: it is over. */
  until(isOver: () => boolean, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (over: boolean): void => {
        clearTimeout(timer)
        this.all.delete(look)
        resolve(over)
      }
      const look = (): void => {
        if (isOver()) end(true)
      }
      const timer = setTimeout(() => end(false), ms)
      this.all.add(look)
      look()
    })
  }

  wake(): void {
    for (const look of [...this.all]) look()
  }
}
