/** Awaited between pieces of long work: gives the thread back when its time is used up. */
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
