import { RetryLater } from '../../util/errors.ts'

/** Lets a number of calls run at once. The others wait; beyond a limit they are refused with `RetryLater`. */
export class Gate {
  readonly #most: number
  readonly #mostWaiting: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(most: number, mostWaiting: number) {
    this.#most = most
    this.#mostWaiting = mostWaiting
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++
    else {
      if (this.#waiting.length >= this.#mostWaiting) throw new RetryLater('too many people sign in at this moment', 2000)
      // Whoever ends passes its place on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
