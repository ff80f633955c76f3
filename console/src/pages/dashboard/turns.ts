/** Queries of panels at the same time: the server lets an account have eight. */
const AT_ONCE = 4
const waiting: (() => void)[] = []
let running = 0

/** Runs it when its turn comes. Work that is not wanted any more does not begin. */
export async function inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  running++
  try {
    signal.throwIfAborted()
    return await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}
