/** Runs work sequentially, in an order that is fixed before the work is known. */
export class Order {
  #last: Promise<unknown> = Promise.resolve()

  /** Does the work after all work whose place has been taken by now. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.place().run(work)
  }

  /** Reserves a place in the order for later work; `leave`: there will be none. */
  place(): { readonly run: <T>(work: () => Promise<T>) => Promise<T>; readonly leave: () => void } {
    const before = this.#last
    let leave = () => {}
    const over = new Promise<void>((resolve) => {
      leave = resolve
    })
    this.#last = before.then(() => over)
    const run = async <T>(work: () => Promise<T>): Promise<T> => {
      await before
      try {
        return await work()
      } finally {
        leave()
      }
    }
    return { run, leave }
  }
}
