import type { Clock } from '../../util/clock.ts'
import { hash16 } from '../../util/hash.ts'
import { QueryBarred } from './lake.ts'

/** A query text that was running this many times when the lake's process ended, … */
const MAX_ENDS = 2
/** … within this time, is refused for the same time. */
const WINDOW_MS = 60 * 60_000
/** Maximum number of remembered texts; the oldest are removed first. */
const MAX_TEXTS = 1000

interface Record {
  /** When the process ended during it, oldest first. */
  readonly ends: readonly number[]
  readonly barredUntil: number
}

const CLEAN: Record = { ends: [], barredUntil: Number.NEGATIVE_INFINITY }

/** Query texts that have recently ended the lake's process: they run one at a time, and after two ends are refused for a while. */
export class Culprits {
  readonly #clock: Clock
  /** By the text's hash. */
  readonly #records = new Map<string, Record>()
  #last: Promise<void> = Promise.resolve()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Throws `QueryBarred` for a text that has ended the process too often. */
  check(sql: string): void {
    const leftMs = this.#recordOf(sql).barredUntil - this.#clock.now()
    if (leftMs <= 0) return
    const minutes = Math.ceil(leftMs / 60_000)
    throw new QueryBarred(
      `this query has ended the lake's process ${MAX_ENDS} times within an hour and is refused for ${minutes} min. Change it so that it needs less time and memory`,
    )
  }

  /** The process ended while this query was running. */
  blame(sql: string): void {
    const key = keyOf(sql)
    const now = this.#clock.now()
    const ends = [...this.#recent(sql), now]
    this.#records.delete(key)
    this.#records.set(key, { ends, barredUntil: ends.length >= MAX_ENDS ? now + WINDOW_MS : CLEAN.barredUntil })
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= MAX_TEXTS) break
      this.#records.delete(oldest)
    }
  }

  /**
   * Resolves when the query may run, with a function to call when it is over. Suspects take turns, so that of two queries that were
   * running when the process ended, the innocent one is cleared and the other found.
   */
  async turn(sql: string): Promise<() => void> {
    if (this.#recent(sql).length === 0) return () => {}
    const before = this.#last
    let over = () => {}
    this.#last = new Promise((resolve) => {
      over = resolve
    })
    await before
    return over
  }

  #recent(sql: string): readonly number[] {
    const now = this.#clock.now()
    return this.#recordOf(sql).ends.filter((at) => now - at < WINDOW_MS)
  }

  #recordOf(sql: string): Record {
    return this.#records.get(keyOf(sql)) ?? CLEAN
  }
}

function keyOf(sql: string): string {
  return hash16(sql.trim())
}
