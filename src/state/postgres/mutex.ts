/** Lets one in after the other, in the order in which they came. */
export class Mutex {
  readonly #waiting: (() => void)[] = []
  #isHeld = false

  async lock(): Promise<void> {
    if (this.#isHeld) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#isHeld = true
  }

  unlock(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#isHeld = false
  }
}
