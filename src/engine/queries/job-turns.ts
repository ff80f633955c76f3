interface Waiting {
  readonly id: string
  readonly owner: string
}

/**
 * Decides which query begins next: that of the owner with the fewest running ones, and among those of the one who had a turn longest ago.
 * So nobody's queries wait for all of somebody else's.
 */
export class JobTurns {
  readonly #atOnce: number
  #waiting: Waiting[] = []
  readonly #running = new Map<string, string>()
  /** Owner → the number of the last turn. */
  readonly #last = new Map<string, number>()
  #turn = 0

  /** At most `atOnce` queries run at the same time. */
  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  /** Queries of an owner that wait or run; without one, of all. */
  count(owner?: string): number {
    if (owner === undefined) return this.#waiting.length + this.#running.size
    return this.#waiting.filter((one) => one.owner === owner).length + this.#runningOf(owner)
  }

  add(id: string, owner: string): void {
    this.#waiting.push({ id, owner })
  }

  /** Starts the next turn and returns its query; `undefined` if none waits or no more may run. */
  next(): string | undefined {
    if (this.#running.size >= this.#atOnce) return undefined
    const oldest = new Map<string, Waiting>()
    for (const one of this.#waiting) if (!oldest.has(one.owner)) oldest.set(one.owner, one)
    const [first] = [...oldest.values()].sort(
      (a, b) => this.#runningOf(a.owner) - this.#runningOf(b.owner) || this.#lastOf(a.owner) - this.#lastOf(b.owner),
    )
    if (!first) return undefined
    this.#waiting = this.#waiting.filter((one) => one !== first)
    this.#running.set(first.id, first.owner)
    this.#last.set(first.owner, ++this.#turn)
    return first.id
  }

  /** The query neither waits nor runs any more. */
  over(id: string): void {
    this.#waiting = this.#waiting.filter((one) => one.id !== id)
    const owner = this.#running.get(id)
    this.#running.delete(id)
    // Of an owner without queries nothing has to be remembered.
    if (owner !== undefined && this.count(owner) === 0) this.#last.delete(owner)
  }

  #runningOf(owner: string): number {
    return [...this.#running.values()].filter((one) => one === owner).length
  }

  #lastOf(owner: string): number {
    return this.#last.get(owner) ?? 0
  }
}
