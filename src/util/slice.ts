/** Awaited between pieces of long work: yields the thread once its time is used up. */
export type Slice = () => Promise<void> | undefined

/** A `Slice` that lets others run after every `ms` milliseconds of work. */
export function createSlice(ms = 10): Slice {
  let until = performance.now() + ms
  return () => {
    if (performance.now() < until) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        until = performance.now() + ms
        resolve()
      })
    })
  }
}

/** Steps between two checks of the clock. */
const PART = 0x2000

/** Runs `count` steps, those from `from` up to `to` in one call, and lets others run in between. */
export async function inParts(count: number, slice: Slice, run: (from: number, to: number) => void): Promise<void> {
  for (let from = 0; from < count; from += PART) {
    run(from, Math.min(from + PART, count))
    await slice()
  }
}
