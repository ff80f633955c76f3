/** Work that is done one after the other, in an order that is fixed before the work is known. */
export class Order {
  #last: Promise<unknown> = Promise.resolve()

  /** Does the work after everything that has its place by now. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.place().run(work)
  }

  /** A place in the order, for work that is given later; `leave`: there will be none. */
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
