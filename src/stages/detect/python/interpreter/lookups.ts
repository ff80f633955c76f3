/** Look-ups for one call of a rule's function. */
const MAX_PER_CALL = 1000

/** Answers that are kept, by count and by bytes. */
const MAX_KEPT = 10_000
const MAX_KEPT_BYTES = 8 * 1024 * 1024

const encoder = new TextEncoder()
const NOTHING = new Uint8Array()

/**
 * Rows of tables for `_caracal/lookups.py`, which writes a question to stdout and then reads its answer from stdin. The engine
 * has the tables, and is asked for what is not kept here. Everything is counted here, where rules cannot reach it.
 */
export class Lookups {
  readonly #ask: (mark: number, question: Uint8Array) => Uint8Array
  readonly #kept = new Map<string, Uint8Array>()
  #keptBytes = 0
  #stamp: string | undefined
  /** What is still to be read of the last answer. */
  #answer: Uint8Array = NOTHING
  #mark = 0
  #count = 0

  constructor(ask: (mark: number, question: Uint8Array) => Uint8Array) {
    this.#ask = ask
  }

  /** A request of the engine begins. `stamp`: that of its tables; answers are kept as long as it stays the same, and not at all without one. */
  begin(stamp: string | undefined): void {
    if (stamp === undefined || stamp !== this.#stamp) {
      this.#kept.clear()
      this.#keptBytes = 0
    }
    this.#stamp = stamp
    this.#answer = NOTHING
    this.#mark = 0
    this.#count = 0
  }

  /** A question; `mark`: the call that is running. */
  take(question: Uint8Array, mark: number): void {
    if (mark !== this.#mark) this.#count = 0
    this.#mark = mark
    this.#answer = mark === 0 ? refusal('only functions of rules can read tables') : this.#counted(question, mark)
  }

  /** Copies the next part of the answer; returns its length. */
  read(into: Uint8Array): number {
    const part = this.#answer.subarray(0, into.length)
    into.set(part)
    this.#answer = this.#answer.subarray(part.length)
    return part.length
  }

  #counted(question: Uint8Array, mark: number): Uint8Array {
    if (++this.#count > MAX_PER_CALL) return refusal(`one call can read at most ${MAX_PER_CALL} rows`)
    if (this.#stamp === undefined) return this.#ask(mark, question)
    const key = Buffer.from(question).toString('latin1')
    const kept = this.#kept.get(key)
    if (kept) return kept
    const answer = this.#ask(mark, question)
    this.#keep(key, answer)
    return answer
  }

  #keep(key: string, answer: Uint8Array): void {
    this.#kept.set(key, answer)
    this.#keptBytes += key.length + answer.length
    for (const [oldest, old] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && this.#keptBytes <= MAX_KEPT_BYTES) break
      this.#kept.delete(oldest)
      this.#keptBytes -= oldest.length + old.length
    }
  }
}

function refusal(problem: string): Uint8Array {
  return encoder.encode(JSON.stringify({ problem }))
}
