/** Runs something in the next turn of the event loop, after I/O had its chance. */
export interface ScheduledStep {
  cancel(): void
}

const immediate = (globalThis as { setImmediate?: typeof setImmediate }).setImmediate

export function scheduleStep(run: () => void): ScheduledStep {
  let cancelled = false
  const once = (): void => {
    if (!cancelled) run()
  }
  if (immediate !== undefined) {
    immediate(once)
  } else {
    // setTimeout is clamped to 4 ms when nested; a message is not.
    const channel = new MessageChannel()
    channel.port1.onmessage = () => {
      channel.port1.close()
      once()
    }
    channel.port2.postMessage(0)
  }
  return {
    cancel() {
      cancelled = true
    }
  }
}
