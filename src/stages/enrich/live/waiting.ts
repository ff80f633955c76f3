/** Failures that an address itself may have caused, after which it is given up until it occurs again. */
const MAX_FAILURES = 3

/** Ascending: addresses whose requests failed, those that were reported once, those that keep occurring. */
type Level = 0 | 1 | 2

interface Entry {
  level: Level
  failures: number
}

/**
 * Addresses to ask for. Those that keep occurring come first, and the newest before older ones: if there are more than the limits allow, the
 * answers are about what happens now. At most `max`: further ones are passed over, and counted.
 */
export class Waiting {
  readonly #max: number
  readonly #entries = new Map<string, Entry>()
  /** By level, newest last; an address that is no longer waiting, or at another level by now, is skipped. */
  readonly #levels: [string[], string[], string[]] = [[], [], []]
  #passedOver = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  /** Since the start. */
  get passedOver(): number {
    return this.#passedOver
  }

  add(address: string): void {
    const entry = this.#entries.get(address)
    if (entry?.level === 0) return
    if (entry) {
      entry.level = 2
      this.#push(2, address)
    } else if (this.#entries.size >= this.#max) this.#passedOver++
    else {
      this.#entries.set(address, { level: 1, failures: 0 })
      this.#push(1, address)
    }
  }

  passOver(count: number): void {
    this.#passedOver += count
  }

  /** The most important ones, which keep waiting until `remove`. `except`: those that are being asked for. */
  next(count: number, except: ReadonlySet<string>): string[] {
    const chosen = new Set<string>()
    for (const level of [2, 1] as const) {
      const stack = this.#levels[level]
      while (stack.length > 0 && !this.#isAt(level, stack.at(-1)!)) stack.pop()
      for (let i = stack.length - 1; i >= 0 && chosen.size < count; i--)
        if (this.#isAt(level, stack[i]!) && !except.has(stack[i]!)) chosen.add(stack[i]!)
    }
    // In turn, so that one that always fails does not hold up the others.
    for (const address of this.#levels[0])
      if (chosen.size < count && this.#isAt(0, address) && !except.has(address)) chosen.add(address)
    return [...chosen]
  }

  remove(address: string): void {
    this.#entries.delete(address)
  }

  /** Its request failed. `isItsFault`: it may be, since the service answered others. It is asked for again after the others. */
  failed(address: string, isItsFault: boolean): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    if (isItsFault) entry.failures++
    if (entry.failures >= MAX_FAILURES) {
      this.remove(address)
      this.#passedOver++
      return
    }
    entry.level = 0
    this.#levels[0] = this.#levels[0].filter((other) => other !== address && this.#isAt(0, other))
    this.#push(0, address)
  }

  /** All of them, the most important last. */
  list(): string[] {
    return ([0, 1, 2] as const).flatMap((level) => this.#sorted(level))
  }

  #push(level: Level, address: string): void {
    this.#levels[level].push(address)
    if (this.#levels[level].length > this.#max * 2) this.#levels[level] = this.#sorted(level)
  }

  /** Without addresses that are elsewhere by now, each at its last place. */
  #sorted(level: Level): string[] {
    return [...new Set(this.#levels[level].toReversed())].filter((address) => this.#isAt(level, address)).reverse()
  }

  #isAt(level: Level, address: string): boolean {
    return this.#entries.get(address)?.level === level
  }
}
