/** Exit code of a process that received a second signal to stop. */
const INTERRUPTED = 130

export interface StopSignals {
  /** Resolves with the first SIGINT or SIGTERM. A second one exits immediately. */
  readonly first: Promise<NodeJS.Signals>
  dispose(): void
}

/** Takes over SIGINT and SIGTERM until disposed. */
export function stopSignals(): StopSignals {
  let stop: ((signal: NodeJS.Signals) => void) | undefined
  const first = new Promise<NodeJS.Signals>((resolve) => {
    stop = resolve
  })
  const listener = (signal: NodeJS.Signals) => {
    if (!stop) process.exit(INTERRUPTED)
    stop(signal)
    stop = undefined
  }
  process.on('SIGINT', listener).on('SIGTERM', listener)
  return {
    first,
    dispose: () => void process.off('SIGINT', listener).off('SIGTERM', listener),
  }
}

/** Calls `reload` on each SIGHUP, until the returned function is called. */
export function onHangup(reload: () => void): () => void {
  process.on('SIGHUP', reload)
  return () => void process.off('SIGHUP', reload)
}
